//! A page of named values, wrapped with hanging indents, as descriptions and the help show it.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Look;
use mrdeck_core::human::printable;

/// Columns a field's name takes.
const NAME_WIDTH: usize = 16;

/// Lines in the making.
pub struct Page<'l> {
    pub look: &'l Look,
    /// Columns within the border.
    width: usize,
    pub lines: Vec<Line<'static>>,
}

impl<'l> Page<'l> {
    pub fn new(look: &'l Look, width: u16) -> Self {
        Self {
            look,
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

    /// A name and what it means; a long value goes on below its own beginning.
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
