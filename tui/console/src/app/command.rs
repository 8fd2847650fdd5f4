//! The commands one can type after `:`, in one table: parsing, completion and the README have them from there.

use mrdeck_core::api::{MAX_CHUNKS, SplitMode};

use super::browse::Place;
use crate::input::InputChoice;
use crate::switch::{AUTO, Switch};
use mrdeck_cluster::ScaleRequest;
use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_core::diagnostic::Diagnostic;

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
    Scale(ScaleRequest),
    Switch(Switch),
    Export,
    Help,
    Quit,
}

/// What can follow a command's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    Nothing,
    /// Something that is not completed.
    Free,
    /// The first word is one of these.
    Words(&'static [&'static str]),
    Names(NameSource),
}

/// One row of the table.
#[derive(Debug)]
pub struct CommandRow {
    pub name: &'static str,
    /// How what follows is written.
    pub usage: &'static str,
    pub help: &'static str,
    pub argument: Argument,
}

#[rustfmt::skip]
pub const COMMANDS: &[CommandRow] = &[
    CommandRow { name: "input", usage: "[S3-URI|FILE]", argument: Argument::Free,
        help: "what the next run reads; without one, browse" },
    CommandRow { name: "chunks", usage: "N|auto", argument: Argument::Words(&[AUTO]),
        help: "how many chunks the input is cut into" },
    CommandRow { name: "split", usage: "copy|range", argument: Argument::Words(&["copy", "range"]),
        help: "copy each chunk, or cut by byte ranges" },
    CommandRow { name: "verify", usage: "on|off", argument: Argument::Words(&["on", "off"]),
        help: "verify every run from now on, or not" },
    CommandRow { name: "scale", usage: "ROLE N", argument: Argument::Words(&["splitter", "mapper", "reducer"]),
        help: "make N tasks of a role run (asks before stopping)" },
    CommandRow { name: "cluster", usage: "NAME", argument: Argument::Names(NameSource::Clusters),
        help: "go to another ECS cluster" },
    CommandRow { name: "profile", usage: "NAME|auto", argument: Argument::Names(NameSource::Profiles),
        help: "use another AWS profile" },
    CommandRow { name: "region", usage: "NAME|auto", argument: Argument::Names(NameSource::Regions),
        help: "go to another AWS region" },
    CommandRow { name: "export", usage: "", argument: Argument::Nothing,
        help: "export the latency chart" },
    CommandRow { name: "help", usage: "", argument: Argument::Nothing,
        help: "show the keys" },
    CommandRow { name: "quit", usage: "", argument: Argument::Nothing,
        help: "quit" },
];

/// `input S3-URI|FILE  chunks N|auto  …`, for messages.
fn usage() -> String {
    let rows = COMMANDS
        .iter()
        .map(|row| format!("{} {}", row.name, row.usage));
    rows.map(|row| row.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("  ")
}

pub fn parse(line: &str) -> Result<Command, Diagnostic> {
    let line = line.trim().trim_start_matches(':');
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    match (name, argument) {
        ("input", "") => Ok(Command::Browse(Place::Buckets)),
        ("input", text) => parse_input(text),
        ("chunks", AUTO) => Ok(Command::Chunks(None)),
        ("chunks", text) => text
            .parse()
            .ok()
            .filter(|chunks| (1..=MAX_CHUNKS).contains(chunks))
            .map(|chunks| Command::Chunks(Some(chunks)))
            .ok_or_else(|| {
                Diagnostic::new(
                    format!("'{text}' is not a number of chunks"),
                    format!("give one from 1 to {MAX_CHUNKS}, or auto"),
                )
            }),
        ("split", "copy") => Ok(Command::Split(SplitMode::Copy)),
        ("split", "range") => Ok(Command::Split(SplitMode::Range)),
        ("verify", "on") => Ok(Command::Verify(true)),
        ("verify", "off") => Ok(Command::Verify(false)),
        ("split", _) => Err(Diagnostic::new(
            ":split takes copy or range",
            "try :split range",
        )),
        ("verify", _) => Err(Diagnostic::new(":verify takes on or off", "try :verify on")),
        ("scale", text) => scale(text),
        ("cluster", text) => Ok(Command::Switch(Switch::Cluster(one_name(name, text)?))),
        ("profile", text) => Ok(Command::Switch(Switch::Profile(name_or_auto(name, text)?))),
        ("region", text) => Ok(Command::Switch(Switch::Region(name_or_auto(name, text)?))),
        ("export", "") => Ok(Command::Export),
        ("help", "") => Ok(Command::Help),
        ("q" | "q!" | "quit", "") => Ok(Command::Quit),
        _ => Err(Diagnostic::new(
            format!("there is no command ':{line}'"),
            format!("try {}", usage()),
        )),
    }
}

/// `mapper 10`; `mapper=10` as on the command line does as well.
fn scale(text: &str) -> Result<Command, Diagnostic> {
    let words: Vec<&str> = text
        .split([' ', '\t', '='])
        .filter(|w| !w.is_empty())
        .collect();
    match words[..] {
        [role, count] => ScaleRequest::parse(role, count).map(Command::Scale),
        _ => Err(Diagnostic::new(
            ":scale takes a role and a number",
            "try :scale mapper 5",
        )),
    }
}

fn one_name(command: &str, text: &str) -> Result<String, Diagnostic> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(Diagnostic::new(
            format!(":{command} takes a name"),
            "Tab shows which there are",
        ));
    }
    Ok(text.to_owned())
}

fn name_or_auto(command: &str, text: &str) -> Result<Option<String>, Diagnostic> {
    // A profile's name may have spaces in it.
    let name = if command == "profile" && !text.is_empty() {
        text.to_owned()
    } else {
        one_name(command, text)?
    };
    Ok(Some(name).filter(|name| name != AUTO))
}

/// An input, or a place to look for one: `s3://BUCKET/` and `s3://BUCKET/PREFIX/`.
pub fn parse_input(text: &str) -> Result<Command, Diagnostic> {
    match Place::parse(text) {
        Some(place) => Ok(Command::Browse(place)),
        None => InputChoice::parse(text).map(Command::Input),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mrdeck_core::role::Role;

    #[test]
    fn commands_are_understood_or_explained() {
        assert_eq!(parse(":chunks 12"), Ok(Command::Chunks(Some(12))));
        assert_eq!(parse("chunks auto"), Ok(Command::Chunks(None)));
        assert_eq!(parse("split range"), Ok(Command::Split(SplitMode::Range)));
        assert_eq!(parse("verify on"), Ok(Command::Verify(true)));
        let ten = ScaleRequest {
            role: Role::Mapper,
            count: 10,
        };
        for line in ["scale mapper 10", "scale  mapper=10 "] {
            assert_eq!(parse(line), Ok(Command::Scale(ten)), "{line}");
        }
        let profile = Switch::Profile(Some("my work".to_owned()));
        assert_eq!(parse("profile my work"), Ok(Command::Switch(profile)));
        let region = Command::Switch(Switch::Region(None));
        assert_eq!(parse("region auto"), Ok(region));
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
            "scale",
            "scale mapper",
            "scale mapper many",
            "scale mapper 1001",
            "scale cook 1",
            "scale mapper 1 2",
            "cluster",
            "cluster a b",
            "profile",
            "region",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_readme_names_every_command() {
        let readme = include_str!("../../../../README.md");
        for row in COMMANDS {
            let text = format!("`:{} {}", row.name, row.usage.replace('|', "\\|"));
            assert!(readme.contains(text.trim_end()), "{text}");
        }
    }
}
