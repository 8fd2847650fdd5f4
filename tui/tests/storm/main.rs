//! A storm of faults drawn at random, over random texts; each run is judged by the oracle that judges all.
//!
//! `cargo test --test storm` plays a few fixed seeds. `cargo test --test storm -- --seed 7` plays one again,
//! `-- --seed 7 --minutes 30` all from there on for half an hour.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod draw;
mod run;
mod tally;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};

use self::tally::Tally;

/// Played by every test run.
const FIXED: std::ops::RangeInclusive<u64> = 1..=20;
/// Runs of a long storm that go on side by side.
const SIDE_BY_SIDE: usize = 3;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().collect();
    let mut take = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        let value = arguments
            .get(at + 1)
            .and_then(|value| value.parse::<u64>().ok());
        let value = value.unwrap_or_else(|| panic!("{name} needs a number"));
        arguments.drain(at..=at + 1);
        Some(value)
    };
    let (seed, minutes) = (take("--seed"), take("--minutes"));
    let trials = match (seed, minutes) {
        (seed, Some(minutes)) => vec![long(seed.unwrap_or(1), minutes)],
        (Some(seed), None) => vec![once(seed)],
        (None, None) => FIXED.map(once).collect(),
    };
    libtest_mimic::run(&Arguments::from_iter(arguments), trials).exit_code()
}

fn once(seed: u64) -> Trial {
    Trial::test(format!("seed_{seed}"), move || {
        let came_out = run::play(seed)?;
        println!("{came_out}");
        Ok(())
    })
}

/// One seed after the other until the time is over; what fails is told at once, and the storm goes on.
fn long(first: u64, minutes: u64) -> Trial {
    Trial::test("storm", move || {
        let until = Instant::now() + Duration::from_secs(60 * minutes);
        let next = AtomicU64::new(first);
        let tally = Mutex::new(Tally::default());
        std::thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE {
                scope.spawn(|| {
                    while Instant::now() < until {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        let came_out = run::play(seed);
                        match &came_out {
                            Ok(came_out) => println!("{came_out}"),
                            Err(failed) => println!("{}", failed.message().unwrap_or_default()),
                        }
                        tally.lock().unwrap().add(seed, came_out);
                    }
                });
            }
        });
        let tally = tally.into_inner().unwrap();
        println!("\n{tally}");
        match tally.failed() {
            [] => Ok(()),
            seeds => Err(format!("not survived: the seeds {seeds:?}").into()),
        }
    })
}
