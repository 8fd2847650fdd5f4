//! The dashboard in surroundings that not every machine has: what is missing is reported as ignored, with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod namespace;
mod tmux;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use mrdeck_testkit::skip::{self, Lack};

/// A test's name, and what it does.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let mut trials = tests("tmux", tmux::TESTS, tmux::lack);
    trials.extend(tests("namespace", namespace::TESTS, namespace::lack));
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    skip::report();
    conclusion.exit_code()
}

fn tests(room: &str, tests: &'static [Test], lack: fn() -> Lack) -> Vec<Trial> {
    let trials = tests.iter().map(|(name, test)| {
        skip::test_unless(format!("{room}::{name}"), lack, || {
            test();
            Ok(())
        })
    });
    trials.collect()
}
