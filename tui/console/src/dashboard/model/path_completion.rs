//! Completing the path of a local file: what was found, and what it makes of the line.

use mrdeck_core::diagnostic::Diagnostic;

/// How a path can go on.
#[derive(Debug, Clone)]
pub struct PathCompletion {
    pub typed: String,
    /// Whole paths, those of folders with a separator at the end; in order.
    pub found: Result<Vec<String>, Diagnostic>,
}

/// What the paths that were found make of the one that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filled {
    /// What all of them begin with, where that says more than what was typed.
    pub path: Option<String>,
    /// Their last parts, to choose from.
    pub hints: Vec<String>,
}

pub(super) fn fill(typed: &str, found: &[String]) -> Filled {
    let common = common_beginning(found);
    let is_more = common.len() > typed.len() || found.len() == 1;
    let hints = match found {
        [] | [_] => Vec::new(),
        several => several
            .iter()
            .map(|path| last_name(path).to_owned())
            .collect(),
    };
    Filled {
        path: is_more.then(|| common.to_owned()),
        hints,
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

/// Returns the last part, with its separator if it is a folder.
fn last_name(path: &str) -> &str {
    let end = path.trim_end_matches('/');
    end.rfind('/').map_or(path, |slash| &path[slash + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn paths_have_a_beginning_in_common() {
        assert_eq!(common_beginning(&paths(&["a/b1", "a/b2", "a/béta"])), "a/b");
        assert_eq!(common_beginning(&paths(&["é", "è"])), "");
        assert_eq!(common_beginning(&paths(&["only/"])), "only/");
        assert_eq!(common_beginning(&[]), "");
        assert_eq!(["a/b/", "a/b", "b"].map(last_name), ["b/", "b", "b"]);
    }

    #[test]
    fn a_path_is_filled_in_as_far_as_it_is_certain() {
        let filled = fill("te", &paths(&["texts/one", "texts/two"]));
        assert_eq!(filled.path.as_deref(), Some("texts/"));
        assert_eq!(filled.hints, ["one", "two"]);
        let nothing_new = fill("texts/", &paths(&["texts/one", "texts/two"]));
        assert_eq!(nothing_new.path, None);
        // The one that was found may be shorter: the home folder's `~` was replaced.
        let only = fill("~/home/text", &paths(&["/elsewhere/t"]));
        assert_eq!(
            (only.path.as_deref(), only.hints),
            (Some("/elsewhere/t"), vec![])
        );
    }
}
