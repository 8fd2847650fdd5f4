//! The dashboard inside a real tmux. Where tmux isn't installed, each of these tests is reported as ignored.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod window;

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Trial};
use mrdeck_testkit::skip::{self, Lack};

/// A test's name, and what it does.
type Test = (&'static str, fn());

fn lack() -> Lack {
    match Command::new("tmux").arg("-V").output() {
        Ok(answer) if answer.status.success() => Lack::Nothing,
        Ok(answer) => Lack::Broken(format!("tmux -V: {answer:?}")),
        Err(error) => Lack::Absent(format!("tmux is not installed: {error}")),
    }
}

fn main() -> ExitCode {
    let trials = window::TESTS.iter().map(|(name, test)| {
        skip::test_unless(*name, lack, || {
            test();
            Ok(())
        })
    });
    let trials: Vec<Trial> = trials.collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    skip::report();
    conclusion.exit_code()
}
