//! The scenarios that are more than runs: one table of the functions that play them.

mod bytes;
mod cuts;
mod disk;
mod ecs;
mod half_head;
mod hostile;
mod resumed;
mod screen;
mod unread;

use std::time::Duration;

use libtest_mimic::Failed;

use crate::scenario;

/// Plays a scenario; gives the time it lost, where it lost some.
type Special = fn() -> Option<Duration>;

const TABLE: [(&str, Special); 13] = [
    ("disk full", disk::full),
    ("escape sequences", hostile::escape_sequences),
    ("every cut", cuts::every_cut),
    ("half sent headers", half_head::half_sent_headers),
    ("killed after each event", resumed::killed_after_each_event),
    ("long words and lines", bytes::long_words_and_lines),
    ("nobody reads", unread::nobody_reads),
    ("odd attachments", ecs::odd_attachments),
    ("replaced", ecs::replaced),
    ("resize", screen::resize),
    ("runtask failures", ecs::runtask_failures),
    ("signals and panic", screen::signals_and_panic),
    ("throttled throughout", ecs::throttled_throughout),
];

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

/// Something that can't be tested here: in CI it must be, elsewhere it is said aloud.
fn leave_out(hint: &str) {
    use std::io::Write as _;

    assert!(std::env::var_os("CI").is_none(), "{hint}");
    let _ = writeln!(std::io::stderr(), "not tested: {hint}");
}
