//! An ordinary day: nothing in it is an attack.

use serde_json::json;

use super::cast::{ADMIN, BROWSERS, DATABASE, FILES, PEOPLE, Person, RESOLVER, WEB};
use super::ssh;
use super::story::{Log, Request, Story};

/// How much of everything happens, over how many seconds.
pub(super) struct Amount {
    pub span: f64,
    pub logins: u32,
    pub typos: u32,
    pub visits: u32,
    pub jobs: u32,
    pub lookups: u32,
}

/// A day.
pub(super) const DAY: Amount =
    Amount { span: 86_400.0, logins: 36, typos: 3, visits: 900, jobs: 288, lookups: 600 };

/// As much as fits between the lines of a story of a minute.
pub(super) const MOMENT: Amount =
    Amount { span: 64.0, logins: 3, typos: 1, visits: 26, jobs: 6, lookups: 22 };

const PAGES: [&str; 8] = [
    "/",
    "/products",
    "/products/42",
    "/about",
    "/contact",
    "/blog/2026/01/release",
    "/cart",
    "/search?q=lamp",
];
const ASSETS: [&str; 4] = ["/static/app.css", "/static/app.js", "/static/logo.svg", "/favicon.ico"];
const CRAWLER: &str = "ExampleBot/1.0 (+https://www.example.com/bot)";
const MONITOR: &str = "ExampleMonitor/2.1";
const JOBS: [(&str, &str); 4] = [
    ("root", "test -x /usr/sbin/anacron || run-parts /etc/cron.hourly"),
    ("root", "command -v debian-sa1 > /dev/null && debian-sa1 1 1"),
    ("www-data", "/usr/bin/php /var/www/app/artisan schedule:run"),
    ("backup", "/usr/local/bin/backup --incremental"),
];
const DOMAINS: [&str; 6] = [
    "www.example.com",
    "mail.example.com",
    "deb.example.org",
    "ntp.example.net",
    "updates.example.org",
    "cdn.example.net",
];

/// Tells of `amount`.
pub(super) fn tell(story: &mut Story, amount: &Amount) {
    for number in 0..amount.logins {
        // At work: between a third and three quarters of the day.
        let at = amount.span * (0.33 + 0.42 * story.random.fraction());
        let person = person(story);
        let (host, _) = story_host(number);
        if number < amount.typos {
            ssh::failure(story, at - 4.0, host, person.address, (person.name, true));
        }
        ssh::key_login(story, at, host, &person, person.address);
        if number % 3 == 0 {
            story.sudo(at + 1.0, host, person.name, "/usr/bin/systemctl status nginx");
        }
    }
    for number in 0..amount.visits {
        let at = amount.span * story.random.fraction() * 0.98;
        visit(story, at, number);
    }
    for number in 0..amount.jobs {
        let at = amount.span * f64::from(number) / f64::from(amount.jobs) + 1.0;
        job(story, at);
    }
    for _ in 0..amount.lookups {
        let at = amount.span * story.random.fraction();
        look_up(story, at);
    }
}

fn person(story: &mut Story) -> Person {
    story.random.pick(&PEOPLE)
}

fn story_host(number: u32) -> (&'static str, &'static str) {
    [WEB, DATABASE, FILES, ADMIN].get(number as usize % 4).copied().unwrap_or(WEB)
}

/// Somebody looks at a page and what belongs to it; now and then a crawler, a probe, or a page
/// that is no longer there.
fn visit(story: &mut Story, at: f64, number: u32) {
    let random = &mut story.random;
    let address = match number % 5 {
        4 => format!("2001:db8:20:{:x}::{:x}", random.between(1, 200), random.between(1, 200)),
        _ => format!("198.51.100.{}", random.between(100, 250)),
    };
    let (mut client, mut agent) = (&*address, random.pick(&BROWSERS));
    let mut target = random.pick(&PAGES);
    let mut status = random.pick(&[200, 200, 200, 200, 304]);
    let mut alone = false;
    match number % 16 {
        5 => (client, agent, target, alone) = ("198.51.100.80", CRAWLER, "/robots.txt", true),
        9 => (client, agent, target, alone) = ("192.0.2.60", MONITOR, "/healthz", true),
        13 => (target, status, alone) = ("/blog/2019/old-news", 404, true),
        _ => {}
    }
    let bytes = if status == 304 { 0 } else { random.between(900, 40_000) };
    story.request(
        at,
        &Request { client, method: "GET", target, status, bytes, referrer: "-", agent },
    );
    if alone {
        return;
    }
    for (after, asset) in (1_u8..).zip(ASSETS) {
        let bytes = story.random.between(900, 90_000);
        let referrer = "https://www.example.com/";
        story.request(
            at + f64::from(after) * 0.05,
            &Request { client, method: "GET", target: asset, status: 200, bytes, referrer, agent },
        );
    }
}

fn job(story: &mut Story, at: f64) {
    let pid = story.random.between(2_000, 32_000);
    let (user, command) = story.random.pick(&JOBS);
    let program = format!("CRON[{pid}]");
    let uid = if user == "root" { 0 } else { 33 };
    for (after, log, message) in [
        (
            0.0,
            Log::Auth,
            format!(
                "pam_unix(cron:session): session opened for user {user}(uid={uid}) by {user}(uid=0)"
            ),
        ),
        (0.01, Log::Syslog, format!("({user}) CMD ({command})")),
        (0.4, Log::Auth, format!("pam_unix(cron:session): session closed for user {user}")),
    ] {
        story.syslog(at + after, log, WEB.0, &*program, message);
    }
}

fn look_up(story: &mut Story, at: f64) {
    let (name, id) = (story.random.pick(&DOMAINS), story.random.between(1, 65_535));
    let client = story.random.pick(&[WEB.1, DATABASE.1, FILES.1]);
    let port = story.random.client_port();
    story.eve(
        at,
        json!({
            "event_type": "dns", "proto": "UDP", "src_ip": client, "src_port": port,
            "dest_ip": RESOLVER, "dest_port": 53,
            "dns": { "type": "query", "id": id, "rrname": name, "rrtype": "A", "tx_id": 0, "opcode": 0 },
        }),
    );
}
