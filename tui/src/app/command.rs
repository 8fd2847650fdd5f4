//! The commands one can type after `:`.

use mrdeck_services::api::{MAX_CHUNKS, SplitMode};

use super::browse::Place;
use crate::input::InputChoice;
use crate::trouble::Trouble;

/// A command, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Input(InputChoice),
    Browse(Place),
    /// `None` lets the engine choose again.
    Chunks(Option<u32>),
    Split(SplitMode),
    /// Verify every run from now on, or not.
    Verify(bool),
    Export,
    Help,
    Quit,
}

/// The names, for messages and for the help.
pub const USAGE: &str =
    "input [S3-URI|FILE]  chunks N|auto  split copy|range  verify on|off  export  quit";

pub fn parse(line: &str) -> Result<Command, Trouble> {
    let line = line.trim().trim_start_matches(':');
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    match (name, argument) {
        ("input", "") => Ok(Command::Browse(Place::Buckets)),
        ("input", text) => parse_input(text),
        ("chunks", "auto") => Ok(Command::Chunks(None)),
        ("chunks", text) => text
            .parse()
            .ok()
            .filter(|chunks| (1..=MAX_CHUNKS).contains(chunks))
            .map(|chunks| Command::Chunks(Some(chunks)))
            .ok_or_else(|| {
                Trouble::new(
                    format!("'{text}' is not a number of chunks"),
                    format!("give one from 1 to {MAX_CHUNKS}, or auto"),
                )
            }),
        ("split", "copy") => Ok(Command::Split(SplitMode::Copy)),
        ("split", "range") => Ok(Command::Split(SplitMode::Range)),
        ("verify", "on") => Ok(Command::Verify(true)),
        ("verify", "off") => Ok(Command::Verify(false)),
        ("split", _) => Err(Trouble::new(
            ":split takes copy or range",
            "try :split range",
        )),
        ("verify", _) => Err(Trouble::new(":verify takes on or off", "try :verify on")),
        ("export", "") => Ok(Command::Export),
        ("help", "") => Ok(Command::Help),
        ("q" | "q!" | "quit", "") => Ok(Command::Quit),
        _ => Err(Trouble::new(
            format!("there is no command ':{line}'"),
            format!("try {USAGE}"),
        )),
    }
}

/// An input, or a place to look for one: `s3://BUCKET/` and `s3://BUCKET/PREFIX/`.
pub fn parse_input(text: &str) -> Result<Command, Trouble> {
    match Place::parse(text) {
        Some(place) => Ok(Command::Browse(place)),
        None => InputChoice::parse(text).map(Command::Input),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood_or_explained() {
        assert_eq!(parse(":chunks 12"), Ok(Command::Chunks(Some(12))));
        assert_eq!(parse("chunks auto"), Ok(Command::Chunks(None)));
        assert_eq!(parse("split range"), Ok(Command::Split(SplitMode::Range)));
        assert_eq!(parse("verify on"), Ok(Command::Verify(true)));
        assert_eq!(parse("input"), Ok(Command::Browse(Place::Buckets)));
        for place in ["s3://b", "s3://b/", "s3://b/a b/"] {
            let found = parse(&format!("input {place}"));
            assert!(matches!(found, Ok(Command::Browse(_))), "{place}");
        }
        let object = parse("input s3://b//k");
        assert!(matches!(object, Ok(Command::Input(_))));
        assert_eq!(parse("q"), Ok(Command::Quit));
        for bad in [
            "",
            "chunks",
            "chunks 0",
            "chunks 10001",
            "split",
            "dance",
            "quit now",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
