//! The scenarios that are more than runs: one table of the functions that play them.

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::Failed;

use crate::scenario;

/// Plays a scenario; gives the time it lost, where it lost some.
type Special = fn() -> Option<Duration>;

const TABLE: [(&str, Special); 0] = [];

pub fn play(name: &str) -> Option<Duration> {
    let found = TABLE.iter().find(|(given, _)| *given == name);
    let (_, special) = found.unwrap_or_else(|| panic!("there is no function for by = \"{name}\""));
    special()
}

/// Each function has exactly one file, and each file that names one has it.
pub fn check() -> Result<(), Failed> {
    let mut named: Vec<String> = scenario::all().into_iter().filter_map(|s| s.by).collect();
    let mut there: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    there.sort_unstable();
    if named != there {
        return Err(format!("files name {named:?}, functions are {there:?}").into());
    }
    Ok(())
}

/// Was this binary started by one of its own tests, to do something in another process?
pub fn is_helper() -> bool {
    false
}

pub fn help() -> ExitCode {
    ExitCode::SUCCESS
}
