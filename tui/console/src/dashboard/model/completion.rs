//! What a half-typed command could become.

use super::command::{Argument, COMMANDS};
use super::session::{AUTO, Names};
use mrdeck_cluster::aws::lookup::NameSource;

/// What can be filled in for the last word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What stands before that word.
    pub before: String,
    pub candidates: Vec<Candidate>,
    /// Why there may be none.
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub text: String,
    /// What is said beside it.
    pub help: String,
    /// Something is to follow it.
    pub has_more: bool,
}

/// Returns which names a line ends with.
pub(super) fn places(line: &str) -> Option<NameSource> {
    let (name, _) = line.trim_start().split_once(' ')?;
    match COMMANDS.iter().find(|row| row.name == name)?.argument {
        Argument::Names(places) => Some(places),
        _ => None,
    }
}

pub(super) fn complete(line: &str, names: &Names) -> Completion {
    let Some((name, word)) = line.split_once(' ') else {
        let rows = COMMANDS.iter().map(|row| Candidate {
            text: row.name.to_owned(),
            help: format!("{:<12} {}", row.usage, row.help),
            has_more: row.argument != Argument::Nothing,
        });
        return matching(String::new(), rows, line, None);
    };
    let row = COMMANDS.iter().find(|row| row.name == name);
    let before = format!("{name} ");
    let plain = |text: &str, has_more| Candidate {
        text: text.to_owned(),
        help: String::new(),
        has_more,
    };
    match row.map(|row| row.argument) {
        Some(Argument::Words { words, has_more }) => {
            let words = words.iter().map(|text| plain(text, has_more));
            matching(before, words, word, None)
        }
        Some(Argument::Names(places)) => {
            let auto = (places != NameSource::Clusters).then(|| Candidate {
                help: "what the AWS SDK finds by itself".to_owned(),
                ..plain(AUTO, false)
            });
            let found = names.found(places).iter().map(|text| plain(text, false));
            matching(
                before,
                found.chain(auto),
                word.trim_start(),
                names.note(places),
            )
        }
        Some(Argument::Nothing | Argument::Literal) | None => Completion {
            before,
            candidates: Vec::new(),
            note: None,
        },
    }
}

/// Returns the candidates that begin with the word, then those that contain it.
fn matching(
    before: String,
    all: impl Iterator<Item = Candidate>,
    word: &str,
    note: Option<String>,
) -> Completion {
    let word = word.to_lowercase();
    let (mut candidates, others): (Vec<_>, Vec<_>) =
        all.partition(|candidate| candidate.text.to_lowercase().starts_with(&word));
    let contains = |candidate: &Candidate| candidate.text.to_lowercase().contains(&word);
    candidates.extend(others.into_iter().filter(contains));
    Completion {
        before,
        candidates,
        note,
    }
}

impl Completion {
    /// Returns the line with a candidate filled in.
    pub(super) fn filled(&self, at: usize) -> Option<String> {
        let candidate = self.candidates.get(at)?;
        let after = if candidate.has_more { " " } else { "" };
        Some(format!("{}{}{after}", self.before, candidate.text))
    }
}
