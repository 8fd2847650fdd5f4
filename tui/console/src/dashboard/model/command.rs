//! The commands that can be typed after `:`, in one table: parsing and completion read it, and the manual lists it.

use mrdeck_core::api::{MAX_CHUNKS, parse_chunk_count};
use mrdeck_engine::event::SplitChoice;

use super::browser::Location;
use super::session::{AUTO, Switch};
use crate::input::InputChoice;
use mrdeck_cluster::ScaleRequest;
use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::input::Input;

/// A command, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Input(InputChoice),
    /// `None` for where the chosen input is.
    Browse(Option<Location>),
    /// `None` lets the engine choose again.
    Chunks(Option<u32>),
    Split(SplitChoice),
    /// Whether every run from now on is verified.
    Verify(bool),
    /// Whether inputs that are not text are counted from now on.
    AsBytes(bool),
    Scale(ScaleRequest),
    Switch(Switch),
    Clean,
    Export,
    Help,
    Quit,
}

impl Command {
    /// Returns what the command changes beyond this console.
    pub(super) fn change(&self) -> Option<&'static str> {
        match self {
            Self::Scale(_) => Some("start or stop tasks"),
            Self::Clean => Some("remove anything"),
            _ => None,
        }
    }
}

/// What can follow a command's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    Nothing,
    /// A name, which is taken as it is typed, blanks and all.
    Literal,
    /// One of these words; more may follow it.
    Words {
        words: &'static [&'static str],
        has_more: bool,
    },
    Names(NameSource),
}

impl Argument {
    const fn words(words: &'static [&'static str]) -> Self {
        let has_more = false;
        Self::Words { words, has_more }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct CommandRow {
    pub name: &'static str,
    /// Shorter names that are understood too.
    short: &'static [&'static str],
    /// How what follows is written.
    pub usage: &'static str,
    pub help: &'static str,
    pub argument: Argument,
    /// Understands what follows the name.
    parse: fn(&str) -> Result<Command, Diagnostic>,
}

const ROLES: Argument = Argument::Words {
    words: &["splitter", "mapper", "reducer"],
    has_more: true,
};

#[rustfmt::skip]
pub const COMMANDS: &[CommandRow] = &[
    CommandRow { name: "input", short: &[], usage: "[S3-URI|PATH]", argument: Argument::Literal, parse: parse_input_or_browse,
        help: "choose the next input, or browse" },
    CommandRow { name: "chunks", short: &[], usage: "N|auto", argument: Argument::words(&[AUTO]), parse: parse_chunks,
        help: "set how many chunks the input is cut into" },
    CommandRow { name: "split", short: &[], usage: "auto|copy|range", argument: Argument::words(&["auto", "copy", "range"]), parse: parse_split,
        help: "copy each chunk, or only cut byte ranges" },
    CommandRow { name: "verify", short: &[], usage: "on|off", argument: Argument::words(&["on", "off"]), parse: parse_verify,
        help: "turn verification of every run on or off" },
    CommandRow { name: "as-bytes", short: &[], usage: "on|off", argument: Argument::words(&["on", "off"]), parse: parse_as_bytes,
        help: "count inputs as they are, even if they are not text" },
    CommandRow { name: "scale", short: &[], usage: "ROLE N", argument: ROLES, parse: parse_scale,
        help: "scale a role to N tasks (asks before stopping any)" },
    CommandRow { name: "cluster", short: &[], usage: "NAME", argument: Argument::Names(NameSource::Clusters), parse: parse_cluster,
        help: "switch to another ECS cluster" },
    CommandRow { name: "profile", short: &[], usage: "NAME|auto", argument: Argument::Names(NameSource::Profiles), parse: parse_profile,
        help: "switch to another AWS profile" },
    CommandRow { name: "region", short: &[], usage: "NAME|auto", argument: Argument::Names(NameSource::Regions), parse: parse_region,
        help: "switch to another AWS region" },
    CommandRow { name: "clean", short: &[], usage: "", argument: Argument::Nothing, parse: |_| Ok(Command::Clean),
        help: "remove old uploads and runs (lists them and asks)" },
    CommandRow { name: "export", short: &[], usage: "", argument: Argument::Nothing, parse: |_| Ok(Command::Export),
        help: "export the latency chart" },
    CommandRow { name: "help", short: &[], usage: "", argument: Argument::Nothing, parse: |_| Ok(Command::Help),
        help: "show the keys" },
    CommandRow { name: "quit", short: &["q", "q!"], usage: "", argument: Argument::Nothing, parse: |_| Ok(Command::Quit),
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

/// Understands a line.
///
/// # Errors
///
/// Returns what is wrong with the line, and how the command is written.
pub fn parse(line: &str) -> Result<Command, Diagnostic> {
    let line = line.trim_start().trim_start_matches(':');
    let (name, literal) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let row = COMMANDS
        .iter()
        .find(|row| row.name == name || row.short.contains(&name));
    let argument = match row.map(|row| row.argument) {
        Some(Argument::Literal) => literal,
        _ => literal.trim(),
    };
    match row {
        Some(row) if row.argument != Argument::Nothing || argument.is_empty() => {
            (row.parse)(argument)
        }
        _ => Err(Diagnostic::new(
            format!("there is no command ':{}'", line.trim_end()),
            format!("try {}", usage()),
        )),
    }
}

fn parse_input_or_browse(text: &str) -> Result<Command, Diagnostic> {
    if text.is_empty() {
        return Ok(Command::Browse(None));
    }
    parse_input(text)
}

/// Understands an input, or a place to look for one: `s3://BUCKET/` and `s3://BUCKET/PREFIX/`.
///
/// # Errors
///
/// Returns what is wrong with the input.
pub fn parse_input(text: &str) -> Result<Command, Diagnostic> {
    let glob = || match text.parse() {
        Ok(InputChoice::S3(Input::Pattern { pattern })) => !pattern.is_prefix(),
        _ => false,
    };
    match Location::parse(text) {
        Some(location) if !glob() => Ok(Command::Browse(Some(location))),
        _ => Ok(Command::Input(text.parse()?)),
    }
}

fn parse_chunks(text: &str) -> Result<Command, Diagnostic> {
    if text == AUTO {
        return Ok(Command::Chunks(None));
    }
    match parse_chunk_count(text) {
        Ok(chunks) => Ok(Command::Chunks(Some(chunks))),
        Err(_) => Err(Diagnostic::new(
            format!("'{text}' is not a number of chunks"),
            format!("use a number from 1 to {MAX_CHUNKS}, or auto"),
        )),
    }
}

fn parse_split(text: &str) -> Result<Command, Diagnostic> {
    match text {
        "auto" => Ok(Command::Split(SplitChoice::Auto)),
        "copy" => Ok(Command::Split(SplitChoice::Copy)),
        "range" => Ok(Command::Split(SplitChoice::Range)),
        _ => Err(Diagnostic::new(
            ":split takes 'auto', 'copy' or 'range'",
            "try :split range",
        )),
    }
}

fn parse_verify(text: &str) -> Result<Command, Diagnostic> {
    parse_switch("verify", text).map(Command::Verify)
}

fn parse_as_bytes(text: &str) -> Result<Command, Diagnostic> {
    parse_switch("as-bytes", text).map(Command::AsBytes)
}

fn parse_switch(name: &str, text: &str) -> Result<bool, Diagnostic> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Diagnostic::new(
            format!(":{name} takes 'on' or 'off'"),
            format!("try :{name} on"),
        )),
    }
}

/// Reads `mapper 10`, and `mapper=10` as on the command line.
fn parse_scale(text: &str) -> Result<Command, Diagnostic> {
    Ok(Command::Scale(text.parse()?))
}

fn parse_cluster(text: &str) -> Result<Command, Diagnostic> {
    one_name("cluster", text).map(|name| Command::Switch(Switch::Cluster(name)))
}

fn parse_profile(text: &str) -> Result<Command, Diagnostic> {
    // A profile's name may have spaces in it.
    let name = if text.is_empty() {
        one_name("profile", text)?
    } else {
        text.to_owned()
    };
    Ok(Command::Switch(Switch::Profile(unless_auto(name))))
}

fn parse_region(text: &str) -> Result<Command, Diagnostic> {
    let name = one_name("region", text)?;
    Ok(Command::Switch(Switch::Region(unless_auto(name))))
}

fn one_name(command: &str, text: &str) -> Result<String, Diagnostic> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(Diagnostic::new(
            format!(":{command} needs a name"),
            "press Tab to list the names",
        ));
    }
    Ok(text.to_owned())
}

fn unless_auto(name: String) -> Option<String> {
    Some(name).filter(|name| name != AUTO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mrdeck_core::role::Role;

    #[test]
    fn commands_are_understood_or_explained() {
        assert_eq!(parse(":chunks 12"), Ok(Command::Chunks(Some(12))));
        assert_eq!(parse("chunks auto"), Ok(Command::Chunks(None)));
        assert_eq!(parse("split range"), Ok(Command::Split(SplitChoice::Range)));
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
        assert_eq!(parse("input"), Ok(Command::Browse(None)));
        for location in ["s3://b", "s3://b/", "s3://b/a b/"] {
            let found = parse(&format!("input {location}"));
            assert!(matches!(found, Ok(Command::Browse(_))), "{location}");
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
    fn the_manual_lists_the_same_commands() {
        let manual = include_str!("../../../../README.md");
        let documented: Vec<&str> = manual
            .lines()
            .filter_map(|line| line.strip_prefix("| `:")?.split_once("` | "))
            .map(|(command, _)| command)
            .filter(|command| !command.is_empty())
            .collect();
        let rows: Vec<String> = COMMANDS
            .iter()
            .map(|row| format!("{} {}", row.name, row.usage.replace('|', "\\|")))
            .collect();
        let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
        assert_eq!(documented, rows, "the table in tui/README.md");
    }
}
