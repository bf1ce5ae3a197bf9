//! The event index, as its users see it.

// A test that panics has failed, and says where.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use vigie_event::{Event, FieldId, RecordRef, Source, Timestamp, Value, field};
use vigie_store::index::{
    EventIndex, EventSearcher, Hit, IndexError, IndexOptions, PageCursor, SearchRequest,
};
use vigie_store::journal::Position;

const START: Timestamp = Timestamp::from_seconds(1_795_219_200); // 2026-11-21
const DAY: i64 = 86_400;

fn open(dir: &Path) -> EventIndex {
    EventIndex::open(dir, IndexOptions::default()).unwrap()
}

/// A failed or accepted login, `number` of them told apart by address, user and time.
fn login(number: u64, time: Timestamp) -> Event {
    let user = ["root", "admin", "Ünal", "backup"][number as usize % 4];
    let accepted = number % 10 == 9;
    let verb = if accepted { "Accepted" } else { "Failed" };
    let address = Ipv4Addr::new(203, 0, 113, (number % 250) as u8);
    let line = format!(
        "Nov 21 10:00:00 web sshd[{number}]: {verb} password for {user} from {address} port 22 ssh2"
    );
    let source = Source::file("/var/log/auth.log", 1, None);
    let mut event = Event::default();
    event.begin(&RecordRef {
        source: &source,
        offset: number * 100,
        observed: time.plus_seconds(1),
        bytes: line.as_bytes(),
    });
    event.dataset = "sshd";
    let (text, mut fields) = event.fields_mut();
    let at = text.find(user).unwrap();
    fields.text(field::USER_NAME, &text[at..at + user.len()]);
    fields.fixed(field::EVENT_ACTION, "ssh_login");
    fields.fixed(field::EVENT_OUTCOME, if accepted { "success" } else { "failure" });
    fields.address(field::SOURCE_IP, IpAddr::V4(address));
    fields.integer(field::SOURCE_PORT, 1_000 + number as i64 % 100);
    fields.text(field::MESSAGE, &text[text.find(verb).unwrap()..]);
    event.finish(time);
    event
}

fn search(index: &EventSearcher, query: &str, limit: usize) -> Vec<Hit> {
    let request = SearchRequest { query: query.to_owned(), limit, ..SearchRequest::default() };
    index.search(&request).unwrap().items
}

fn count(index: &EventSearcher, query: &str) -> u64 {
    index.count(query, None, None).unwrap()
}

/// `count` logins, one a minute, committed.
fn filled(dir: &Path, count: u64) -> EventIndex {
    let mut index = open(dir);
    for number in 0..count {
        index.add(&login(number, START.plus_seconds(number as i64 * 60))).unwrap();
    }
    index.commit(Position(count)).unwrap();
    index
}

#[test]
fn queries_find_what_they_say() {
    let dir = TempDir::new().unwrap();
    let index = filled(dir.path(), 1_000).searcher();
    for (query, expected) in [
        ("", 1_000),
        ("*", 1_000),
        ("failed", 900),
        ("FAILED password", 900),
        ("\"failed password\"", 900),
        ("\"password failed\"", 0),
        ("\"failed pass\"*", 900),
        ("accept*", 100),
        ("f?iled", 900),
        ("accepted OR failed", 1_000),
        ("NOT accepted", 900),
        ("-accepted", 900),
        ("failed AND user.name:root", 250),
        ("failed user.name:root", 250),
        ("user.name:Ünal", 250),
        ("user.name:ün*", 250),
        ("user.name:unal", 0),
        ("ünal", 250),
        ("user.name:*", 1_000),
        ("file.path:*", 0),
        ("user.name: IN [root admin]", 500),
        ("source.ip:203.0.113.7", 4),
        ("203.0.113.7", 4),
        ("source.ip:203.0.113.0/28", 64),
        ("source.ip:203.0.113.0/24", 1_000),
        ("source.ip:198.51.100.0/24", 0),
        ("source.ip:[203.0.113.3 TO 203.0.113.5]", 12),
        ("source.port:1005", 10),
        ("source.port:[1000 TO 1009]", 100),
        ("source.port:{1000 TO 1009}", 80),
        ("source.port:>=1090", 100),
        ("source.port:<1010 AND event.outcome:success", 10),
        ("event.dataset:sshd", 1_000),
        ("event.kind:event", 1_000),
        ("log.file.path:\"/var/log/auth.log\"", 1_000),
        ("message:accepted", 100),
        ("@timestamp:2026-11-21", 1_000),
        ("@timestamp:[2026-11-21T00:01:00Z TO 2026-11-21T00:03:00Z]", 3),
        ("@timestamp:{2026-11-21T00:01:00Z TO 2026-11-21T00:03:00Z}", 1),
        ("(user.name:root OR user.name:admin) AND NOT source.ip:203.0.113.0/25", 244),
    ] {
        assert_eq!(count(&index, query), expected, "{query}");
        let hits = search(&index, query, 2_000);
        assert_eq!(hits.len() as u64, expected, "{query}");
        assert!(hits.is_sorted_by_key(|hit| std::cmp::Reverse(hit.time)), "{query}");
    }
}

#[test]
fn a_hit_is_the_whole_event() {
    let dir = TempDir::new().unwrap();
    let mut index = open(dir.path());
    let source = Source::file("/var/log/eve.json", 2, None);
    let mut event = Event::default();
    event.begin(&RecordRef {
        source: &source,
        offset: 12,
        observed: START.plus_seconds(5),
        bytes: b"caf\xc3\xa9 \xff tail",
    });
    event.dataset = "suricata.dns";
    event.repeat = 3;
    let own = FieldId::intern("dns.rrname").unwrap();
    let (text, mut fields) = event.fields_mut();
    let span = fields.cut(&text[0..5]);
    fields.value(field::DNS_ANSWERS_DATA, Value::List([span, Value::Integer(-3)].into()));
    fields.value(own, Value::Made("made".into()));
    fields.value(field::EVENT_DURATION, Value::Float(1.5));
    fields.value(field::ERROR_CODE, Value::Boolean(true));
    fields.value(field::USER_ID, Value::Null);
    fields.address(field::SOURCE_IP, "2001:db8::1".parse().unwrap());
    event.finish(START);
    index.add(&event).unwrap();
    index.commit(Position(1)).unwrap();

    let index = index.searcher();
    let mut expected = vigie_event::wire::to_value(vigie_event::wire::event(&event));
    let raw = expected.as_object_mut().unwrap().remove("event.original").unwrap();
    for query in [
        "dns.rrname:made",
        "dns.answers.data:café",
        "dns.answers.data:\"-3\"",
        "source.ip:\"2001:0DB8::1\"",
        "source.ip:2001:db8::/32",
        "event.duration:[1 TO 2]",
        "error.code:true",
        "tail",
        &format!("event.id:{}", event.id()),
    ] {
        let hits = search(&index, query, 1);
        assert_eq!(hits.len(), 1, "{query}");
        assert_eq!(serde_json::Value::Object(hits[0].fields.clone()), expected);
        assert_eq!(hits[0].raw, raw.as_str().unwrap());
        assert_eq!((hits[0].id, hits[0].time), (event.id(), event.time));
    }
    assert_eq!(index.get(event.id()).unwrap().unwrap().id, event.id());
    let other = login(1, START);
    assert_eq!(index.get(other.id()).unwrap(), None);
}

#[test]
fn pages_go_on_beyond_ten_thousand() {
    let dir = TempDir::new().unwrap();
    let mut index = open(dir.path());
    // Three days, and many events at one instant.
    let time = |number: u64| START.plus_seconds((number % 3) as i64 * DAY + number as i64 / 50);
    let mut expected: Vec<_> = (0..25_000)
        .map(|number| {
            let event = login(number, time(number));
            index.add(&event).unwrap();
            (event.time, event.id())
        })
        .collect();
    index.commit(Position(25_000)).unwrap();
    expected.sort_unstable_by_key(|(time, id)| std::cmp::Reverse((*time, id.as_u128() as u64)));

    let searcher = index.searcher();
    let mut request = SearchRequest { limit: 999, ..SearchRequest::default() };
    let mut found = Vec::new();
    loop {
        let page = searcher.search(&request).unwrap();
        found.extend(page.items.iter().map(|hit| (hit.time, hit.id)));
        let Some(next) = page.next else { break };
        request.after = Some(next.to_string().parse::<PageCursor>().unwrap());
    }
    assert_eq!(found.len(), 25_000);
    assert!(found == expected);

    let (from, to) = (START.plus_seconds(DAY + 100), START.plus_seconds(DAY + 200));
    let within = |time: Timestamp| (from..to).contains(&time);
    let wanted = expected.iter().filter(|(time, _)| within(*time)).count();
    assert_eq!(searcher.count("", Some(from), Some(to)).unwrap(), wanted as u64);
    let request =
        SearchRequest { from: Some(from), to: Some(to), limit: 10_000, ..SearchRequest::default() };
    let page = searcher.search(&request).unwrap();
    assert_eq!((page.items.len(), page.next), (wanted, None));
    assert!(page.items.iter().all(|hit| within(hit.time)));
}

#[test]
fn counts_by_field_and_time() {
    let dir = TempDir::new().unwrap();
    let mut index = filled(dir.path(), 500);
    // In several commits, so in several segments; and on two days.
    for number in 500..1_000 {
        index.add(&login(number, START.plus_seconds(DAY + number as i64))).unwrap();
        if number % 100 == 99 {
            index.commit(Position(number + 1)).unwrap();
        }
    }
    let searcher = index.searcher();
    let by = |query: &str, field: &str, limit| {
        searcher.count_by(query, field, None, None, limit).unwrap()
    };
    let row = |value: &str, count: u64| (value.to_owned(), count);
    assert_eq!(by("", "event.outcome", 10), [row("failure", 900), row("success", 100)]);
    assert_eq!(by("", "event.outcome", 1), [row("failure", 900)]);
    assert_eq!(
        by("accepted", "user.name", 10),
        [row("admin", 50), row("backup", 50)],
        "ties by value"
    );
    assert_eq!(by("user.name:root", "user.name", 10), [row("root", 250)]);
    assert_eq!(by("", "source.ip", 10_000).len(), 250);
    assert_eq!(by("", "no.such", 10), []);
    let second_day = Some(START.plus_seconds(DAY));
    let late = searcher.count_by("", "event.outcome", second_day, None, 10).unwrap();
    assert_eq!(late, [row("failure", 450), row("success", 50)]);
    let error = searcher.count_by("", "message", None, None, 10).unwrap_err();
    assert!(matches!(error, IndexError::Query(_)), "{error}");

    let histogram = searcher.histogram("failed", START, START.plus_seconds(600), 5).unwrap();
    let expected: Vec<_> = (0..5)
        .map(|bucket: i64| (START.plus_seconds(bucket * 120), if bucket == 4 { 1 } else { 2 }))
        .collect();
    assert_eq!(histogram, expected);
}

#[test]
fn what_is_not_committed_is_not_seen_and_is_indexed_again_after_a_crash() {
    let dir = TempDir::new().unwrap();
    let mut index = filled(dir.path(), 100);
    for number in 100..150 {
        index.add(&login(number, START.plus_seconds(number as i64 * 60))).unwrap();
    }
    assert_eq!(count(&index.searcher(), ""), 100);
    drop(index);
    let mut index = open(dir.path());
    assert_eq!(index.position(), Position(100));
    assert_eq!(count(&index.searcher(), ""), 100);
    for number in 100..150 {
        index.add(&login(number, START.plus_seconds(number as i64 * 60))).unwrap();
    }
    index.commit(Position(150)).unwrap();
    assert_eq!(count(&index.searcher(), ""), 150);
    assert_eq!(open_again(index, dir.path()).position(), Position(150));
}

fn open_again(index: EventIndex, dir: &Path) -> EventIndex {
    drop(index);
    open(dir)
}

#[test]
fn a_commit_that_only_some_days_finished_is_taken_back() {
    let dir = TempDir::new().unwrap();
    let mut index = filled(dir.path(), 100);
    let checkpoint = dir.path().join("checkpoint");
    let before = std::fs::read(&checkpoint).unwrap();
    let later: Vec<Event> = (100..300)
        .map(|number| login(number, START.plus_seconds((number as i64 % 2) * DAY + 7)))
        .collect();
    for event in &later {
        index.add(event).unwrap();
    }
    index.commit(Position(300)).unwrap();
    drop(index);
    // As if the power had failed after the days and before the checkpoint.
    std::fs::write(&checkpoint, before).unwrap();
    let mut index = open(dir.path());
    assert_eq!(index.position(), Position(100));
    assert_eq!(count(&index.searcher(), ""), 100);
    for _ in 0..2 {
        // And once more, in the middle of catching up.
        for event in &later[..50] {
            index.add(event).unwrap();
        }
        index = open_again(index, dir.path());
        assert_eq!(count(&index.searcher(), ""), 100);
    }
    for event in &later {
        index.add(event).unwrap();
    }
    index.commit(Position(300)).unwrap();
    assert_eq!(count(&index.searcher(), ""), 300);
    assert_eq!(count(&index.searcher(), "sshd"), 300);
}

#[test]
fn late_events_go_to_their_day_and_closed_days_are_taken_back_after_a_crash() {
    let dir = TempDir::new().unwrap();
    let options = IndexOptions { memory_bytes: 15_000_000, ..IndexOptions::default() };
    let event = |number: u64| login(number, START.plus_seconds((number % 3) as i64 * DAY));
    let mut index = EventIndex::open(dir.path(), options.clone()).unwrap();
    for number in 0..6 {
        index.add(&event(number)).unwrap();
    }
    drop(index);
    let mut index = EventIndex::open(dir.path(), options).unwrap();
    assert_eq!((index.position(), count(&index.searcher(), "")), (Position(0), 0));
    for number in 0..6 {
        index.add(&event(number)).unwrap();
    }
    index.commit(Position(6)).unwrap();
    for day in 0..3 {
        let name = ["2026-11-21", "2026-11-22", "2026-11-23"][day];
        assert!(dir.path().join(name).is_dir(), "{name}");
        assert_eq!(count(&index.searcher(), &format!("@timestamp:{name}")), 2);
    }
}

#[test]
fn long_records_are_written_early_and_taken_back_after_a_crash() {
    let dir = TempDir::new().unwrap();
    let mut index = open(dir.path());
    let source = Source::file("/var/log/app.log", 3, None);
    let line = "lorem ipsum ".repeat(40_000);
    let mut event = Event::default();
    let mut add = |index: &mut EventIndex, offset| {
        let bytes = line.as_bytes();
        event.begin(&RecordRef { source: &source, offset, observed: START, bytes });
        event.finish(START);
        index.add(&event).unwrap();
    };
    for offset in 0..25 {
        add(&mut index, offset);
    }
    assert!(count(&index.searcher(), "") > 0, "some are written before they are committed");
    let mut index = open_again(index, dir.path());
    assert_eq!((count(&index.searcher(), ""), index.position()), (0, Position(0)));
    for offset in 0..25 {
        add(&mut index, offset);
    }
    index.commit(Position(25)).unwrap();
    assert_eq!(count(&index.searcher(), "\"lorem ipsum\""), 25);
}

#[test]
fn invented_times_neither_make_days_without_end_nor_lose_events() {
    let dir = TempDir::new().unwrap();
    let options = IndexOptions { max_days: 5, ..IndexOptions::default() };
    let mut index = EventIndex::open(dir.path(), options).unwrap();
    for number in 0..300 {
        let time = Timestamp::from_seconds(number as i64 * 30 * DAY);
        let mut event = login(number, time);
        event.observed = START;
        index.add(&event).unwrap();
        if number % 100 == 99 {
            index.commit(Position(number + 1)).unwrap();
        }
    }
    let days = std::fs::read_dir(dir.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().is_dir())
        .count();
    assert!(days <= 6, "{days}");
    let hits = search(&index.searcher(), "", 1_000);
    assert_eq!(hits.len(), 300);
    assert!(hits.is_sorted_by_key(|hit| std::cmp::Reverse(hit.time)));
    let from = Timestamp::from_seconds(100 * 30 * DAY);
    let to = from.plus_seconds(1);
    assert_eq!(index.searcher().count("", Some(from), Some(to)).unwrap(), 1);
}

#[test]
fn retention_drops_whole_days() {
    let dir = TempDir::new().unwrap();
    let mut index = open(dir.path());
    for day in 0..5 {
        index.add(&login(day, START.plus_seconds(day as i64 * DAY))).unwrap();
        index.commit(Position(day + 1)).unwrap();
    }
    let now = START.plus_seconds(4 * DAY + 10);
    assert_eq!(index.retain(5, now).unwrap(), 0);
    assert_eq!(index.retain(2, now).unwrap(), 3);
    assert_eq!(count(&index.searcher(), ""), 2);
    assert!(!dir.path().join("2026-11-21").exists());
    index.add(&login(9, now)).unwrap();
    index.commit(Position(6)).unwrap();
    let index = open_again(index, dir.path());
    assert_eq!((count(&index.searcher(), ""), index.position()), (3, Position(6)));
}

#[test]
fn opening_tells_what_is_wrong() {
    let dir = TempDir::new().unwrap();
    let index = filled(dir.path(), 1);
    let error = EventIndex::open(dir.path(), IndexOptions::default()).unwrap_err();
    assert!(matches!(error, IndexError::Locked { .. }), "{error}");
    drop(index);
    std::fs::write(dir.path().join("checkpoint"), "{").unwrap();
    let error = EventIndex::open(dir.path(), IndexOptions::default()).unwrap_err();
    assert!(matches!(error, IndexError::Checkpoint { .. }), "{error}");
    assert!(error.to_string().contains("remove the folder"), "{error}");
}

#[test]
fn many_small_commits_keep_few_files() {
    let dir = TempDir::new().unwrap();
    let mut index = open(dir.path());
    for number in 0..100 {
        index.add(&login(number, START)).unwrap();
        index.commit(Position(number + 1)).unwrap();
    }
    let index = open_again(index, dir.path());
    assert_eq!(count(&index.searcher(), "sshd"), 100);
    let shared = Arc::new(index.searcher());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let searcher = Arc::clone(&shared);
            std::thread::spawn(move || count(&searcher, "failed"))
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 90));
    let files = std::fs::read_dir(dir.path().join("2026-11-21")).unwrap().count();
    assert!(files < 400, "{files}");
}
