//! The walls hold: no crate and no room of the console uses another than ARCHITECTURE.md's tables allow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which names may use which, as a table in ARCHITECTURE.md has it: the first column, and the last one.
type Table = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names in back-quotes.
fn names(cell: &str) -> BTreeSet<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// The table whose head begins so.
fn table(head: &str) -> Table {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with(head));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    let table: Table = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            let name = names(cells[0]).into_iter().next().unwrap();
            (name, names(cells[cells.len() - 1]))
        })
        .collect();
    assert!(!table.is_empty(), "no table begins with '{head}'");
    table
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The source without comments, and without the strings in it: only names that the compiler sees.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The path segments that follow `start` wherever it stands: `crate::a::b` and `crate::{a, b::c}` give `a` and `b`.
fn after(code: &str, start: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(start) {
        if code[..at].ends_with(is_name) {
            continue;
        }
        let rest = &code[at + start.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(std::mem::take(&mut item));
                    }
                    c => item.push(c),
                }
            }
            found.insert(item);
        } else {
            found.insert(rest.to_owned());
        }
    }
    found
        .iter()
        .map(|path| path.trim().chars().take_while(|c| is_name(*c)).collect())
        .filter(|name: &String| !name.is_empty())
        .collect()
}

#[test]
fn no_crate_uses_another_than_the_table_allows() {
    let table = table("| crate |");
    let mut manifests = Vec::new();
    for side in ["services", "tui"] {
        for entry in std::fs::read_dir(root().join(side)).unwrap() {
            manifests.push(entry.unwrap().path().join("Cargo.toml"));
        }
    }
    manifests.retain(|path| path.is_file());
    assert_eq!(manifests.len(), table.len(), "every crate is in the table");
    for manifest in manifests {
        let text = std::fs::read_to_string(&manifest).unwrap();
        let name = text.lines().find_map(|line| line.strip_prefix("name = "));
        let name = name.unwrap().trim_matches('"').to_owned();
        let allowed = table.get(&name);
        let allowed = allowed.unwrap_or_else(|| panic!("{name} is not in the table"));

        let (_, dependencies) = text.split_once("[dependencies]").unwrap();
        let own = dependencies.lines().skip(1);
        let own = own.take_while(|line| !line.starts_with('['));
        let declared: BTreeSet<String> = own
            .filter(|line| line.starts_with("mrdeck"))
            .map(|line| line.split(['.', ' ', '=']).next().unwrap().to_owned())
            .collect();
        assert_eq!(&declared, allowed, "{name}'s manifest");

        let mut files = Vec::new();
        sources(&manifest.with_file_name("src"), &mut files);
        for file in files {
            let code = code(&file);
            let used: BTreeSet<String> = after(&code, "mrdeck_")
                .into_iter()
                .map(|rest| format!("mrdeck-{rest}"))
                .filter(|used| table.contains_key(used) && *used != name)
                .collect();
            let strangers: Vec<_> = used.difference(allowed).collect();
            assert!(strangers.is_empty(), "{}: {strangers:?}", file.display());
        }
    }
}

/// The room that a file of the console is in.
fn room(file: &Path, source: &Path) -> String {
    let path = file.strip_prefix(source).unwrap().with_extension("");
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
    match parts[..] {
        ["dashboard", "mod"] => "dashboard".to_owned(),
        ["dashboard", inner, ..] => format!("dashboard::{inner}"),
        [outer, ..] => outer.to_owned(),
        [] => unreachable!("a file has a name"),
    }
}

#[test]
fn no_room_of_the_console_uses_another_than_the_table_allows() {
    let table = table("| room |");
    let source = root().join("tui/console/src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let mut rooms = BTreeSet::new();
    for file in files {
        let own = room(&file, &source);
        if matches!(own.as_str(), "lib" | "main") {
            continue;
        }
        let code = code(&file);
        let mut used = after(&code, "crate::");
        if used.remove("dashboard") {
            let inner = after(&code, "crate::dashboard::").into_iter();
            let inner = inner.map(|name| format!("dashboard::{name}"));
            // What is no room is a function of the event loop.
            used.extend(inner.map(|name| {
                if table.contains_key(&name) {
                    name
                } else {
                    "dashboard".to_owned()
                }
            }));
        }
        // A neighbour in the dashboard is reached without naming it.
        if own.starts_with("dashboard") {
            let start = if own == "dashboard" {
                "self::"
            } else {
                "super::"
            };
            let neighbours = after(&code, start).into_iter();
            let neighbours = neighbours.map(|name| format!("dashboard::{name}"));
            used.extend(neighbours.filter(|name| table.contains_key(name)));
        }
        used.remove(&own);
        let allowed = table.get(&own);
        let allowed = allowed.unwrap_or_else(|| panic!("{own} is not in the table"));
        let strangers: Vec<_> = used.difference(allowed).collect();
        assert!(strangers.is_empty(), "{}: {strangers:?}", file.display());
        rooms.insert(own);
    }
    let listed: BTreeSet<String> = table.into_keys().collect();
    assert_eq!(rooms, listed, "the table has just the rooms that there are");
}
