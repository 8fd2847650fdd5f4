//! AWS's two shared files, read as the SDK reads them, but with what is wrong said with its line.
//!
//! The SDK is given the text of both files, not their names: without a byte order mark, and without the settings that
//! are empty, which count as unset.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::{Origin, SettingsError};
use super::value;

/// Far above what anybody writes by hand; a device or a wrong file is not read for ever.
const MAX_BYTES: u64 = 4 << 20;
const BLANKS: [char; 2] = [' ', '\t'];
const COMMENT: [char; 2] = ['#', ';'];

/// Which of the two files it is: they name profiles differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Config,
    Credentials,
}

impl FileKind {
    pub(super) const fn variable(self) -> &'static str {
        match self {
            Self::Config => "AWS_CONFIG_FILE",
            Self::Credentials => "AWS_SHARED_CREDENTIALS_FILE",
        }
    }

    const fn default_path(self) -> &'static str {
        match self {
            Self::Config => "~/.aws/config",
            Self::Credentials => "~/.aws/credentials",
        }
    }
}

/// A setting, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) line: usize,
    /// The settings indented below it, if its own value is empty.
    pub(super) nested: Vec<Entry>,
    /// The first line below that is indented, though its own value is not empty.
    pub(super) continued: Option<usize>,
}

/// What stands below `[PREFIX NAME]` or `[NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) prefix: Option<String>,
    pub(super) name: String,
    pub(super) entries: Vec<Entry>,
}

/// One of the files. One that does not exist is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SharedFile {
    pub(super) path: PathBuf,
    pub(super) sections: Vec<Section>,
    text: String,
}

impl SharedFile {
    /// Reads the file that the environment names, or the one in the home directory.
    pub(super) fn read(kind: FileKind) -> Result<Self, SettingsError> {
        let named = std::env::var_os(kind.variable());
        let origin = Origin::Variable(kind.variable().to_owned());
        if let Some(name) = &named
            && let Some(fault) = value::fault(&name.to_string_lossy())
        {
            return Err(SettingsError::Characters { origin, fault });
        }
        let is_named = named.is_some();
        let path = named.map_or_else(|| kind.default_path().into(), PathBuf::from);
        let path = match path.strip_prefix("~") {
            Ok(below) => match std::env::home_dir() {
                Some(home) => home.join(below),
                None => path.clone(),
            },
            Err(_) => path,
        };
        let text = text(&path).map_err(|error| match error {
            SettingsError::Unreadable { file, detail } if is_named => SettingsError::UnreadableAs {
                origin,
                file,
                detail,
            },
            error => error,
        })?;
        let sections = sections(&path, &text)?;
        Ok(Self {
            path,
            sections,
            text,
        })
    }

    /// Returns where a setting stands.
    pub(super) fn origin(&self, entry: &Entry) -> Origin {
        Origin::Line {
            key: entry.key.clone(),
            file: self.path.clone(),
            line: entry.line,
        }
    }

    /// Returns the text for the SDK: without empty settings, and with other lines in the place of some.
    pub(super) fn cleaned(&self, instead: &BTreeMap<usize, String>) -> String {
        let mut cleaned = String::with_capacity(self.text.len());
        let mut lines = self.text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let has_nested = lines
                .peek()
                .is_some_and(|(_, next)| next.starts_with(BLANKS) && !is_empty(next));
            match instead.get(&(index + 1)) {
                Some(other) => cleaned.push_str(other),
                None if is_unset(line) && (line.starts_with(BLANKS) || !has_nested) => {}
                None => cleaned.push_str(line),
            }
            cleaned.push('\n');
        }
        cleaned
    }
}

/// Returns whether a line is a setting without a value.
fn is_unset(line: &str) -> bool {
    !line.starts_with('[')
        && !line.starts_with(COMMENT)
        && property(line).is_ok_and(|(_, value)| value.is_empty())
}

/// Returns the text of a file; that of a file that does not exist is empty.
fn text(path: &Path) -> Result<String, SettingsError> {
    let unreadable = |detail: String| SettingsError::Unreadable {
        file: path.to_owned(),
        detail,
    };
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(unreadable(error.to_string())),
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unreadable("it is larger than 4 MiB".to_owned()));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(unreadable("it is UTF-16, not UTF-8".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.split(|byte| *byte == b'\n').count();
        SettingsError::Syntax {
            file: path.to_owned(),
            line,
            fault: "is not UTF-8",
        }
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Reads the lines, by the rules of the SDK.
fn sections(path: &Path, text: &str) -> Result<Vec<Section>, SettingsError> {
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let refused = |fault| SettingsError::Syntax {
            file: path.to_owned(),
            line: number,
            fault,
        };
        if is_empty(line) || line.starts_with(COMMENT) {
            continue;
        }
        if line.contains('\r') {
            return Err(refused("has a carriage return (CR) in it"));
        }
        if line.starts_with('[') {
            let name = without_comment(line, false);
            let name = name
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .ok_or_else(|| refused("has a [ without its ]"))?;
            sections.push(section(name));
            continue;
        }
        let Some(section) = sections.last_mut() else {
            return Err(refused("stands before the first [profile NAME]"));
        };
        if !line.starts_with(BLANKS) {
            let (key, value) = property(line).map_err(refused)?;
            section.entries.push(entry(key, value, number));
            continue;
        }
        let Some(above) = section.entries.last_mut() else {
            return Err(refused(
                "begins with a blank, but there is nothing above that it could go on",
            ));
        };
        if above.value.is_empty() {
            let (key, value) = property(line).map_err(refused)?;
            above.nested.push(entry(key, value, number));
        } else {
            above.continued.get_or_insert(number);
        }
    }
    Ok(sections)
}

fn section(name: &str) -> Section {
    let name = name.trim_matches(BLANKS);
    let (prefix, name) = match name.split_once(BLANKS) {
        Some((prefix, name)) => (Some(prefix.trim().to_owned()), name),
        None => (None, name),
    };
    Section {
        prefix,
        name: name.trim().to_owned(),
        entries: Vec::new(),
    }
}

fn entry(key: &str, value: &str, line: usize) -> Entry {
    Entry {
        key: key.to_ascii_lowercase(),
        value: value.to_owned(),
        line,
        nested: Vec::new(),
        continued: None,
    }
}

fn property(line: &str) -> Result<(&str, &str), &'static str> {
    let line = without_comment(line, true);
    let (key, value) = line.split_once('=').ok_or("has no =")?;
    let key = key.trim_matches(BLANKS);
    if key.is_empty() {
        return Err("has nothing before its =");
    }
    Ok((key, value.trim_matches(BLANKS)))
}

fn is_empty(line: &str) -> bool {
    line.trim_matches(BLANKS).is_empty()
}

/// Returns the line without its comment; in a setting, a comment begins after a blank only.
fn without_comment(line: &str, needs_blank: bool) -> &str {
    let line = line.trim_matches(BLANKS);
    let mut is_after_blank = false;
    for (at, c) in line.char_indices() {
        if COMMENT.contains(&c) && (is_after_blank || !needs_blank) {
            return line[..at].trim_matches(BLANKS);
        }
        is_after_blank = c.is_whitespace();
    }
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn file(text: &str) -> SharedFile {
        let path = PathBuf::from("config");
        SharedFile {
            sections: sections(&path, text).unwrap(),
            path,
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, word) in [
            ("region = x\n", 1, "before the first"),
            ("[default\n", 1, "without its ]"),
            ("\n[default]\nregion\n", 3, "no ="),
            ("[default]\n= x\n", 2, "nothing before"),
            ("[default]\n  region = x\n", 2, "nothing above"),
            ("[a]\ns3 =\n  nothing\n", 3, "no ="),
            ("[default]\rregion = x\r", 1, "CR"),
        ] {
            let error = sections(Path::new("f"), text).unwrap_err().to_string();
            let start = format!("line {line} of f ");
            assert!(error.starts_with(&start) && error.contains(word), "{error}");
        }
    }

    #[test]
    fn lines_mean_what_they_mean_to_the_sdk() {
        let text = "# c\r\n[profile  dev] ; c\r\nRegion = eu-west-1 # c\r\ns3 =\r\n  endpoint_url = u\r\n[default]\n";
        let file = file(text);
        let dev = &file.sections[0];
        assert_eq!(
            (dev.prefix.as_deref(), &*dev.name),
            (Some("profile"), "dev")
        );
        assert_eq!(
            (&*dev.entries[0].key, &*dev.entries[0].value),
            ("region", "eu-west-1")
        );
        assert_eq!(dev.entries[1].nested[0].value, "u");
        assert_eq!(file.sections[1].prefix, None);
    }

    #[test]
    fn empty_settings_are_left_out_and_lines_keep_their_numbers() {
        let text = "[a]\nregion =\ns3 =\n  endpoint_url =\n  x = y\nsource_profile = b\n";
        let instead = BTreeMap::from([(6, "credential_source = c".to_owned())]);
        let cleaned = file(text).cleaned(&instead);
        assert_eq!(cleaned, "[a]\n\ns3 =\n\n  x = y\ncredential_source = c\n");
    }
}
