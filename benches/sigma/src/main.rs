//! Vigie's Sigma engine beside rsigma's (`rsigma-eval`): speed on the same parsed events, and
//! every match in which the two differ.
//!
//!     cargo run --release -- speed      events a processor-second, both engines, in one run
//!     cargo run --release -- rules      cost with 1 rule and with all, parsing included
//!     cargo run --release -- workers    one worker and two
//!     cargo run --release -- differ     matches that only one of the two reports
//!     cargo run --release -- profile linux 10000   Vigie's alone on so many of those events, for a profiler

mod corpus;
mod differ;
mod speed;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let Some(corpus) = corpus::Corpus::read() else {
        println!("skipped: ../../../shared/data is not on this machine");
        return;
    };
    match std::env::args().nth(1).as_deref() {
        Some("speed") => speed::engines(&corpus),
        Some("rules") => speed::rules(&corpus),
        Some("workers") => speed::workers(&corpus),
        Some("differ") => differ::run(&corpus),
        Some("profile") => {
            let mut arguments = std::env::args().skip(2);
            let name = arguments.next();
            let events = arguments.next().and_then(|events| events.parse().ok());
            speed::profile(&corpus, name.as_deref(), events);
        }
        _ => {
            for run in [speed::engines, speed::rules, speed::workers, differ::run] {
                run(&corpus);
            }
        }
    }
}
