//! The console against AWS as moto imitates it, with real services at the addresses that it finds. Where moto can't be
//! installed, each of these tests is reported as ignored, with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod doctor;
mod inputs;
mod log;
mod logs;
mod network;
mod outages;
mod scale;
mod switching;
mod task_replacement;
mod tasks;
mod up;
mod up_faults;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use mrdeck_testkit::aws::tools;
use mrdeck_testkit::skip;

/// A test's name, with its module's, and what it does.
type Test = (&'static str, fn());

/// The tests of a module. A function that is not in its list is dead code, so none is forgotten.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        &[$((concat!(module_path!(), "::", stringify!($name)), $name as fn())),*]
    };
}
pub(crate) use tests;

const ALL: [&[Test]; 12] = [
    doctor::TESTS,
    outages::TESTS,
    inputs::TESTS,
    log::TESTS,
    logs::TESTS,
    network::TESTS,
    task_replacement::TESTS,
    scale::TESTS,
    switching::TESTS,
    tasks::TESTS,
    up::TESTS,
    up_faults::TESTS,
];

fn main() -> ExitCode {
    let trials = ALL.into_iter().flatten().map(|(path, test)| {
        let name = path.split_once("::").map_or(*path, |(_crate, name)| name);
        skip::test_unless(name, tools::lack, || {
            test();
            Ok(())
        })
    });
    let trials: Vec<Trial> = trials.collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    skip::report();
    conclusion.exit_code()
}
