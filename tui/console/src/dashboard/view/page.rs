//! A page to be read: named values and wrapped lines, as descriptions, logs and the help show them.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Look;
use mrdeck_core::human::printable;

/// Columns a field's name takes.
const NAME_WIDTH: usize = 16;

/// Lines in the making.
pub struct Page<'l> {
    pub look: &'l Look,
    pub title: String,
    /// Columns within the border.
    width: usize,
    pub lines: Vec<Line<'static>>,
}

impl<'l> Page<'l> {
    pub fn new(look: &'l Look, width: u16) -> Self {
        Self {
            look,
            title: String::new(),
            width: usize::from(width),
            lines: Vec::new(),
        }
    }

    pub fn field(&mut self, name: &str, value: impl AsRef<str>) {
        self.entry(name, self.look.theme.dim, NAME_WIDTH, value.as_ref());
    }

    /// A field that may not be known.
    pub fn maybe(&mut self, name: &str, value: Option<impl ToString>) {
        let value = value.map_or("-".to_owned(), |value| value.to_string());
        self.field(name, value);
    }

    pub fn heading(&mut self, text: &str, word: &'static str, style: Style) {
        self.lines.push(Line::raw(""));
        self.lines.push(Line::from(vec![
            Span::styled(format!("  {text} "), self.look.theme.title),
            Span::styled(word, style),
        ]));
    }

    pub fn note(&mut self, text: &'static str) {
        self.lines
            .push(Line::styled(format!("  {text}"), self.look.theme.dim));
    }

    /// A sentence, over several lines where it is long.
    pub fn wrapped(&mut self, text: &str, style: Style) {
        for line in textwrap::wrap(&printable(text), self.width.max(1)) {
            self.lines.push(Line::styled(line.into_owned(), style));
        }
    }

    /// A line of a log; what does not fit continues below, indented.
    pub fn hanging(&mut self, text: &str) {
        let options = textwrap::Options::new(self.width.max(1)).subsequent_indent("  ");
        for line in textwrap::wrap(&printable(text), options) {
            self.lines.push(Line::raw(line.into_owned()));
        }
    }

    /// A name and what it means; a long value continues below its own beginning.
    pub fn entry(&mut self, name: &str, style: Style, name_width: usize, value: &str) {
        let room = self.width.saturating_sub(name_width + 3).max(10);
        let name = printable(name);
        let value = printable(value);
        for (index, line) in textwrap::wrap(&value, room).into_iter().enumerate() {
            let name = if index == 0 { name.as_ref() } else { "" };
            self.lines.push(Line::from(vec![
                Span::styled(format!("  {name:<name_width$}"), style),
                Span::raw(line.into_owned()),
            ]));
        }
    }
}
