//! Pure: what a half-typed command could become.

use super::command::{Argument, COMMANDS};
use super::state::State;
use crate::switch::{AUTO, Kind};
use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_core::diagnostic::Diagnostic;

/// Names that exist, as far as they are known.
#[derive(Debug, Clone, Default)]
pub struct Known {
    names: [Names; 3],
}

#[derive(Debug, Clone, Default)]
pub struct Names {
    pub found: Vec<String>,
    pub is_asked: bool,
    pub diagnostic: Option<Diagnostic>,
}

impl Known {
    pub fn of(&self, places: NameSource) -> &Names {
        &self.names[places as usize]
    }

    pub(super) fn of_mut(&mut self, places: NameSource) -> &mut Names {
        &mut self.names[places as usize]
    }

    /// What was found stays until there is something newer, but is asked for again.
    pub(super) fn ask_again(&mut self) {
        for names in &mut self.names {
            names.is_asked = false;
            names.diagnostic = None;
        }
    }

    /// Elsewhere there are others.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

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
    /// What else is to be said of it.
    pub help: String,
    /// Something follows it.
    pub has_more: bool,
}

/// A completion on its way: Tab goes from one candidate to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// What was typed.
    pub stem: String,
    pub at: usize,
}

/// Which names a line asks for.
pub fn places(line: &str) -> Option<NameSource> {
    let (name, _) = line.trim_start().split_once(' ')?;
    match COMMANDS.iter().find(|row| row.name == name)?.argument {
        Argument::Names(places) => Some(places),
        _ => None,
    }
}

pub fn complete(state: &State, line: &str) -> Completion {
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
        Some(Argument::Words(words)) => {
            let has_more = name == "scale";
            let words = words.iter().map(|text| plain(text, has_more));
            matching(before, words, word, None)
        }
        Some(Argument::Names(places)) => {
            let names = state.known.of(places);
            let note = if state.place.kind == Kind::Local {
                Some("this console runs a local cluster, and stays there".to_owned())
            } else if let Some(diagnostic) = &names.diagnostic {
                Some(diagnostic.cause.clone())
            } else if names.is_asked && names.found.is_empty() {
                Some("asking …".to_owned())
            } else {
                None
            };
            let auto = (places != NameSource::Clusters).then(|| Candidate {
                help: "as the AWS SDK finds it".to_owned(),
                ..plain(AUTO, false)
            });
            let found = names.found.iter().map(|text| plain(text, false));
            matching(before, found.chain(auto), word.trim_start(), note)
        }
        Some(Argument::Nothing | Argument::Free) | None => Completion {
            before,
            candidates: Vec::new(),
            note: None,
        },
    }
}

/// Those that begin with the word, then those that contain it.
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
    /// The line with a candidate filled in.
    pub fn filled(&self, at: usize) -> Option<String> {
        let candidate = self.candidates.get(at)?;
        let after = if candidate.has_more { " " } else { "" };
        Some(format!("{}{}{after}", self.before, candidate.text))
    }
}
