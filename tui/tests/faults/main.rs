//! The faults that a run survives: each is a file in `scenarios/`, and a test of that name.
//!
//! `cargo test --test faults -- mapper` runs those with `mapper` in their names. With `FAULTS_REPORT=FILE` the
//! table of all of them is written there. The benchmarks run on request: `-- --ignored bench --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bench;
mod report;
mod scenario;
mod special;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use self::report::Report;
use self::scenario::Scenario;
use mrdeck_testkit::{panics, skip};

fn main() -> ExitCode {
    panics::panic_if_wanted(special::screen::take_over);
    let scenarios = scenario::all();
    let report = Arc::new(Report::new(&scenarios));
    let texts = scenarios.clone();
    let mut trials: Vec<Trial> = scenarios
        .into_iter()
        .map(|scenario| trial(scenario, report.clone()))
        .collect();
    trials.push(Trial::test("every_special_has_its_file", special::check));
    trials.push(Trial::test("the_table_is_of_these_scenarios", move || {
        // Where it is to be written it may be an old one.
        if report::is_wanted() {
            return Ok(());
        }
        report::check(&texts)
    }));
    trials.extend(bench::all());
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    if !conclusion.has_failed() {
        report.write();
    }
    skip::report();
    conclusion.exit_code()
}

fn trial(scenario: Scenario, report: Arc<Report>) -> Trial {
    let (name, asked) = (scenario.file.clone(), scenario.clone());
    skip::test_unless(
        name,
        move || asked.lack(),
        move || {
            report.took(scenario.number, scenario.play()?);
            Ok(())
        },
    )
}
