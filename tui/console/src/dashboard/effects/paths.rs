//! Names from a local folder, to complete a path that is typed.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use crate::dashboard::model::PathCompletion;
use crate::upload::home_of;
use mrdeck_core::diagnostic::Diagnostic;

/// More names than this are no help.
const MAX_NAMES: usize = 1_000;

/// Looks for names in the folder of a path that begin like its last part.
pub(super) fn complete(typed: String) -> PathCompletion {
    let home = home_of(Path::new(&typed));
    let path = home.map_or_else(|| typed.clone(), |home| home.to_string_lossy().into_owned());
    let (folder, beginning) = match path.rfind(MAIN_SEPARATOR) {
        Some(slash) => path.split_at(slash + 1),
        None => ("", path.as_str()),
    };
    let found = names(folder, beginning).map_err(|error| {
        let shown = if folder.is_empty() { "." } else { folder };
        Diagnostic::new(format!("{shown} can't be read: {error}"), "")
    });
    let found = found.and_then(|found| {
        if found.is_empty() {
            let cause = format!("no file begins with {path}");
            return Err(Diagnostic::new(cause, ""));
        }
        Ok(found)
    });
    PathCompletion { typed, found }
}

fn names(folder: &str, beginning: &str) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    let read = if folder.is_empty() { "." } else { folder };
    for entry in std::fs::read_dir(read)? {
        let entry = entry?;
        // A name that is no text can't be typed.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let is_hidden = name.starts_with('.') && !beginning.starts_with('.');
        if is_hidden || !name.starts_with(beginning) {
            continue;
        }
        let is_folder = PathBuf::from(read).join(&name).is_dir();
        let end = if is_folder { "/" } else { "" };
        found.push(format!("{folder}{name}{end}"));
        if found.len() == MAX_NAMES {
            break;
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_path_is_completed_from_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b two.txt", "b one.txt", "a", ".hidden"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(dir.path().join("beyond")).unwrap();
        let root = dir.path().to_str().unwrap();
        let found = |typed: &str| {
            let found = complete(format!("{root}/{typed}")).found;
            found.map(|paths| -> Vec<String> {
                let names = paths.iter().map(|path| path[root.len() + 1..].to_owned());
                names.collect()
            })
        };
        assert_eq!(found("b").unwrap(), ["b one.txt", "b two.txt", "beyond/"]);
        assert_eq!(found("").unwrap().len(), 4);
        assert_eq!(found(".h").unwrap(), [".hidden"]);
        for bad in ["nothing", "no/such"] {
            assert!(found(bad).is_err(), "{bad}");
        }
    }
}
