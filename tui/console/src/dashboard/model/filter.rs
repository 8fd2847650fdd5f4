//! What the filter of a panel means: a text; with `!` before it, whatever lacks it; with `COLUMN:` before it, what that
//! column says. A text with the signs of a regular expression is one.

use regex_lite::{Regex, RegexBuilder};

/// The signs that make a text a regular expression. A point alone does not: addresses have points.
const REGEX_SIGNS: [char; 13] = [
    '^', '$', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|', '\\',
];

#[derive(Debug)]
enum Pattern {
    /// In lower case.
    Text(String),
    Regex(Regex),
}

impl Pattern {
    /// One that is no regular expression, or not yet, is looked for as it is written.
    fn of(text: &str) -> Self {
        let regex = text.contains(REGEX_SIGNS).then(|| {
            let mut builder = RegexBuilder::new(text);
            builder.case_insensitive(true).build()
        });
        match regex {
            Some(Ok(regex)) => Self::Regex(regex),
            Some(Err(_)) | None => Self::Text(text.to_lowercase()),
        }
    }

    fn is_in(&self, cell: &str) -> bool {
        match self {
            Self::Text(text) => cell.to_lowercase().contains(text),
            Self::Regex(regex) => regex.is_match(cell),
        }
    }
}

/// Decides which rows of a panel are shown.
#[derive(Debug)]
pub(super) struct Filter {
    is_inverted: bool,
    /// The one column that is looked at.
    column: Option<&'static str>,
    /// `None` where every row is shown.
    pattern: Option<Pattern>,
}

impl Filter {
    /// Reads what was typed, for rows with these columns.
    pub(super) fn parse(line: &str, columns: &[&'static str]) -> Self {
        let (is_inverted, rest) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let named = rest.split_once(':').and_then(|(name, value)| {
            let is_name = |column: &&&str| column.eq_ignore_ascii_case(name);
            Some((*columns.iter().find(is_name)?, value))
        });
        let (column, text) = match named {
            Some((column, value)) => (Some(column), value),
            None => (None, rest),
        };
        Self {
            is_inverted,
            column,
            pattern: (!text.is_empty()).then(|| Pattern::of(text)),
        }
    }

    /// Returns whether a row is shown, whose cells these are, each with its column.
    pub(super) fn shows(&self, cells: &[(&'static str, &str)]) -> bool {
        let Some(pattern) = &self.pattern else {
            return true;
        };
        let mut looked_at = cells.iter().filter(|(column, _)| {
            let wanted = self.column;
            wanted.is_none_or(|wanted| wanted == *column)
        });
        looked_at.any(|(_, cell)| pattern.is_in(cell)) != self.is_inverted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: [(&str, &str); 4] = [
        ("role", "mapper"),
        ("id", "3176e12"),
        ("status", "RUNNING"),
        ("ip", "10.0.3.41"),
    ];

    fn shows(line: &str) -> bool {
        Filter::parse(line, &["role", "id", "status", "ip"]).shows(&CELLS)
    }

    #[test]
    fn a_text_is_looked_for_in_every_column() {
        for line in ["", "map", "MAPPER", "run", "10.0.3", "76e"] {
            assert!(shows(line), "{line}");
        }
        for line in ["reducer", "10.0.34", "10x0", "mapper RUNNING"] {
            assert!(!shows(line), "{line}");
        }
    }

    #[test]
    fn what_is_inverted_shows_the_others() {
        assert!(!shows("!mapper"));
        assert!(shows("!reducer"));
        assert!(shows("!"), "while it is typed");
        assert!(!shows("!status:running"));
    }

    #[test]
    fn a_column_is_looked_at_alone() {
        assert!(shows("role:map") && shows("Status:running") && shows("id:"));
        assert!(!shows("id:map"));
        // No column is called so: it is a part of the text.
        assert!(!shows("port:8080"));
        let address = [("ip", "127.0.0.1:40211")];
        assert!(Filter::parse("127.0.0.1:402", &["ip"]).shows(&address));
    }

    #[test]
    fn a_regular_expression_is_one() {
        assert!(shows("^map") && shows("id:^3.*2$") && shows("mapper|reducer"));
        assert!(!shows("^apper") && !shows("id:^7"));
        assert!(!shows("[") && shows("![") && !shows("(map"), "not yet one");
        let hostile = "a".repeat(2_000);
        let cells = [("id", hostile.as_str())];
        assert!(!Filter::parse("(a+)+$b", &["id"]).shows(&cells));
    }
}
