//! How many events a processor-second.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use rsigma_eval::{Engine, JsonEvent};
use rsigma_parser::{LogSource, parse_sigma_yaml};
use vigie_event::{Event, Logsource, Source};
use vigie_sigma::{Matcher, RuleSet, RuleText};

use crate::corpus::{Corpus, flat, parsed, parser, record};

/// Events of a measured round, as many repetitions of the corpus as that takes.
const EVENTS: usize = 500_000;
const ROUNDS: usize = 3;

/// Seconds of processor time of this process.
fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

pub fn own_rules(corpus: &Corpus) -> Arc<RuleSet> {
    let texts = corpus.rules.iter().map(|(file, text)| RuleText { file, text });
    Arc::new(RuleSet::load(texts).0)
}

/// rsigma's engine with all rules that it takes, in its fastest configuration.
pub fn other_engine(corpus: &Corpus, cross_rule: bool) -> Engine {
    let mut engine = Engine::new();
    let collections: Vec<_> =
        corpus.rules.iter().filter_map(|(_, text)| parse_sigma_yaml(text).ok()).collect();
    let refused = engine.add_rules(collections.iter().flat_map(|collection| &collection.rules));
    println!("rsigma: {} rules, {} refused", engine.rule_count(), refused.len());
    engine.set_cross_rule_ac(cross_rule);
    engine
}

/// The one logsource that rsigma's routing takes of an event: the most telling one.
pub fn other_logsource(sources: &[Logsource]) -> LogSource {
    let most = sources.iter().max_by_key(|source| {
        [source.category, source.product, source.service].iter().flatten().count()
    });
    let name = |name: Option<&'static str>| name.map(str::to_owned);
    LogSource {
        category: most.and_then(|source| name(source.category)),
        product: most.and_then(|source| name(source.product)),
        service: most.and_then(|source| name(source.service)),
        definition: None,
        custom: HashMap::new(),
    }
}

fn best(mut round: impl FnMut() -> usize) -> (f64, usize) {
    let mut found = 0;
    let best = (0..ROUNDS)
        .map(|_| {
            let began = processor_time();
            found = black_box(round());
            processor_time() - began
        })
        .fold(f64::INFINITY, f64::min);
    (best, found)
}

/// Both engines on the same events, parsed beforehand on both sides.
pub fn engines(corpus: &Corpus) {
    let rules = own_rules(corpus);
    println!("vigie: {} rules", rules.rules().len());
    let plain = other_engine(corpus, false);
    let cross = other_engine(corpus, true);
    for (name, lines) in
        [("windows", &corpus.windows), ("linux", &corpus.linux), ("eve", &corpus.eve)]
    {
        let events = parsed(lines);
        let times = EVENTS.div_ceil(events.len().max(1));
        let all = (events.len() * times) as f64;
        let mut matcher = Matcher::new(Arc::clone(&rules));
        let (own, own_matches) = best(|| {
            let mut found = 0;
            for _ in 0..times {
                for event in &events {
                    found += matcher.matches(event).len();
                }
            }
            found
        });
        let mut candidates: Vec<usize> = events
            .iter()
            .map(|event| {
                matcher.matches(event);
                matcher.candidates()
            })
            .collect();
        candidates.sort_unstable();
        let share =
            |part: usize| candidates.get(candidates.len() * part / 100).copied().unwrap_or(0);
        println!(
            "{name}: candidate rules an event: mean {:.1}, median {}, p95 {}, most {}",
            candidates.iter().sum::<usize>() as f64 / candidates.len().max(1) as f64,
            share(50),
            share(95),
            candidates.last().copied().unwrap_or(0)
        );
        println!(
            "{name}: {} events x {times}; vigie {:.0} events a processor-second, {} matches a pass",
            events.len(),
            all / own,
            own_matches / times
        );
        let values: Vec<_> =
            events.iter().map(|event| (flat(event), other_logsource(event.logsources))).collect();
        // The other engine is slower: a tenth of the events tells its rate as well.
        let times = times.div_ceil(10);
        let all = (events.len() * times) as f64;
        for (configuration, engine) in [("routing", &plain), ("routing, cross-rule index", &cross)]
        {
            let (other, matches) = best(|| {
                let mut found = 0;
                for _ in 0..times {
                    for (value, logsource) in &values {
                        let event = JsonEvent::borrow(value);
                        found += engine.evaluate_with_logsource(&event, logsource).len();
                    }
                }
                found
            });
            println!(
                "  rsigma, {configuration}: {:.0} events a processor-second, {} matches a pass: vigie is {:.1} times as fast",
                all / other,
                matches / times,
                (all / other).recip()
                    * (events.len() * EVENTS.div_ceil(events.len().max(1))) as f64
                    / own
            );
        }
    }
}

/// Vigie's engine alone, long enough for a profiler.
pub fn profile(corpus: &Corpus, name: Option<&str>, wanted: Option<usize>) {
    let rules = own_rules(corpus);
    let events = parsed(match name {
        Some("linux") => &corpus.linux,
        Some("eve") => &corpus.eve,
        _ => &corpus.windows,
    });
    let times = wanted.unwrap_or(4 * EVENTS).div_ceil(events.len().max(1));
    let mut matcher = Matcher::new(rules);
    let began = processor_time();
    for _ in 0..times {
        for event in &events {
            black_box(matcher.matches(event));
        }
    }
    let seconds = processor_time() - began;
    println!("{:.0} events a processor-second", (events.len() * times) as f64 / seconds);
}

/// Cost an event with one rule and with all, parsing included.
pub fn rules(corpus: &Corpus) {
    let all = own_rules(corpus);
    let one = {
        let (file, text) = corpus
            .rules
            .iter()
            .find(|(file, _)| file.contains("process_creation"))
            .expect("a rule");
        Arc::new(RuleSet::load([RuleText { file, text }]).0)
    };
    for (name, lines) in
        [("windows", &corpus.windows), ("linux", &corpus.linux), ("eve", &corpus.eve)]
    {
        let times = (EVENTS / 2).div_ceil(lines.len().max(1));
        let count = (lines.len() * times) as f64;
        let source = Source::file("bench", 1, None);
        let cost = |rules: &Arc<RuleSet>| {
            let (mut matcher, mut parser) = (Matcher::new(Arc::clone(rules)), parser());
            let mut event = Event::default();
            let (seconds, _) = best(|| {
                let mut found = 0;
                for _ in 0..times {
                    for line in lines {
                        parser.parse(&record(&source, 0, line), &mut event);
                        found += matcher.matches(&event).len();
                    }
                }
                found
            });
            seconds / count * 1e6
        };
        let (with_one, with_all) = (cost(&one), cost(&all));
        println!(
            "{name}: {with_one:.2} us an event with 1 rule, {with_all:.2} us with {}: {:.2} times",
            all.rules().len(),
            with_all / with_one
        );
    }
}

/// One worker and two, each with a matcher of its own over shared rules.
pub fn workers(corpus: &Corpus) {
    let rules = own_rules(corpus);
    let events = parsed(&corpus.windows);
    let times = EVENTS.div_ceil(events.len());
    let run = |workers: usize| {
        let began = std::time::Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    let mut matcher = Matcher::new(Arc::clone(&rules));
                    for _ in 0..times {
                        for event in &events {
                            black_box(matcher.matches(event));
                        }
                    }
                });
            }
        });
        (events.len() * times * workers) as f64 / began.elapsed().as_secs_f64()
    };
    let fastest = |workers| (0..ROUNDS).map(|_| run(workers)).fold(0.0, f64::max);
    let (one, two) = (fastest(1), fastest(2));
    println!("one worker {one:.0} events/s, two {two:.0} events/s: {:.2} times", two / one);
}
