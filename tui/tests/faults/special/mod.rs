//! The scenarios that are more than runs: one table of the functions that play them.

mod bytes;
mod cuts;
mod disk;
mod ecs;
mod half_head;
mod hostile;
mod many_outputs;
mod refused;
mod resumed;
pub mod screen;
mod unread;

use std::time::Duration;

use libtest_mimic::Failed;

use crate::scenario;
use mrdeck_testkit::aws::tools;
use mrdeck_testkit::skip::Lack;

/// Plays a scenario; gives the time it lost, where it lost some.
type Play = fn() -> Option<Duration>;
/// What this machine lacks for it.
type Ask = fn() -> Lack;

const TABLE: [(&str, Play, Ask); 15] = [
    ("disk full", disk::full, disk::lack),
    ("escape sequences", hostile::escape_sequences, nothing),
    ("every cut", cuts::every_cut, nothing),
    ("half sent headers", half_head::half_sent_headers, nothing),
    (
        "killed after each event",
        resumed::killed_after_each_event,
        nothing,
    ),
    ("long words and lines", bytes::long_words_and_lines, nothing),
    ("nobody reads", unread::nobody_reads, nothing),
    ("odd attachments", ecs::odd_attachments, tools::lack),
    ("refuses connections", refused::refuses_connections, nothing),
    ("replaced", ecs::replaced, tools::lack),
    ("resize", screen::resize, nothing),
    ("runtask failures", ecs::runtask_failures, tools::lack),
    ("signals and panic", screen::signals_and_panic, nothing),
    (
        "ten thousand outputs",
        many_outputs::ten_thousand_outputs,
        nothing,
    ),
    (
        "throttled throughout",
        ecs::throttled_throughout,
        tools::lack,
    ),
];

fn nothing() -> Lack {
    Lack::Nothing
}

fn find(name: &str) -> (Play, Ask) {
    let found = TABLE.iter().find(|(given, ..)| *given == name);
    let (_, play, lack) =
        found.unwrap_or_else(|| panic!("there is no function for by = \"{name}\""));
    (*play, *lack)
}

pub fn play(name: &str) -> Option<Duration> {
    find(name).0()
}

pub fn lack(name: &str) -> Lack {
    find(name).1()
}

/// Each function has exactly one file, and each file that names one has it.
pub fn check() -> Result<(), Failed> {
    let mut named: Vec<String> = scenario::all().into_iter().filter_map(|s| s.by).collect();
    let mut there: Vec<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
    named.sort_unstable();
    there.sort_unstable();
    if named != there {
        return Err(format!("files name {named:?}, functions are {there:?}").into());
    }
    Ok(())
}
