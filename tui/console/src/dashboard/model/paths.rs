//! Completing the path of a local file: what is asked, and what the answer makes of the line.

use tui_input::Input;

use super::overlay::{Overlay, Purpose};
use super::{Effect, State};
use mrdeck_core::diagnostic::Diagnostic;

/// What comes before the path in a command.
const COMMAND: &str = "input ";

/// How a path can go on.
#[derive(Debug, Clone)]
pub struct PathCompletion {
    pub typed: String,
    /// Whole paths, those of folders with a separator at the end; in order.
    pub found: Result<Vec<String>, Diagnostic>,
}

impl State {
    /// Asks for it; the line is not touched until the answer comes.
    pub(super) fn complete_path(&self) -> Vec<Effect> {
        let path = self.typed_path().filter(|path| !path.contains("://"));
        path.map(|path| Effect::Complete(path.to_owned()))
            .into_iter()
            .collect()
    }

    pub(super) fn completed(&mut self, completion: PathCompletion) {
        // Something else was typed meanwhile.
        if self.typed_path() != Some(&completion.typed) {
            return;
        }
        let Some(Overlay::Prompt {
            input,
            problem,
            hints,
            ..
        }) = &mut self.overlay
        else {
            return;
        };
        match completion.found {
            Err(diagnostic) => *problem = Some(diagnostic),
            Ok(found) => {
                let common = common_beginning(&found);
                let kept = input.value().len() - completion.typed.len();
                if common.len() > completion.typed.len() || found.len() == 1 {
                    *input = Input::new(format!("{}{common}", &input.value()[..kept]));
                }
                if found.len() > 1 {
                    *hints = found
                        .iter()
                        .map(|path| last_name(path).to_owned())
                        .collect();
                }
            }
        }
    }

    /// The path in the line that is being typed, if it is a path.
    pub(super) fn typed_path(&self) -> Option<&str> {
        match &self.overlay {
            Some(Overlay::Prompt {
                purpose: Purpose::Input,
                input,
                ..
            }) => Some(input.value()),
            Some(Overlay::Prompt {
                purpose: Purpose::Command,
                input,
                ..
            }) => input.value().strip_prefix(COMMAND),
            _ => None,
        }
    }
}

fn common_beginning(paths: &[String]) -> &str {
    let Some((first, rest)) = paths.split_first() else {
        return "";
    };
    rest.iter().fold(first.as_str(), |common, path| {
        let same = common.chars().zip(path.chars()).take_while(|(a, b)| a == b);
        &common[..same.map(|(c, _)| c.len_utf8()).sum()]
    })
}

/// The last part, with its separator if it is a folder.
fn last_name(path: &str) -> &str {
    let end = path.trim_end_matches('/');
    end.rfind('/').map_or(path, |slash| &path[slash + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_a_beginning_in_common() {
        let paths =
            |paths: &[&str]| -> Vec<String> { paths.iter().map(|p| (*p).to_owned()).collect() };
        assert_eq!(common_beginning(&paths(&["a/b1", "a/b2", "a/béta"])), "a/b");
        assert_eq!(common_beginning(&paths(&["é", "è"])), "");
        assert_eq!(common_beginning(&paths(&["only/"])), "only/");
        assert_eq!(common_beginning(&[]), "");
        assert_eq!(["a/b/", "a/b", "b"].map(last_name), ["b/", "b", "b"]);
    }
}
