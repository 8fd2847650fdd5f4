//! The events panel: time, what happened, and for an error what to do. Long lines wrap.

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::View;
use crate::dashboard::model::{LogLine, Model, Panel};
use crate::dashboard::view::{Look, draw_hint};
use mrdeck_core::human::printable;

/// `HH:MM:SS` and a space.
const TIME_WIDTH: usize = 9;

pub fn title(model: &Model) -> String {
    match model.feedback.log().errors() {
        0 => "Events".to_owned(),
        1 => "Events · 1 error".to_owned(),
        count => format!("Events · {count} errors"),
    }
}

pub fn draw(view: &View, frame: &mut Frame, area: Rect) {
    let (look, events) = (view.look, view.rows.events());
    if events.is_empty() {
        return draw_hint(look, frame, area, "no events yet");
    }
    let height = usize::from(area.height);
    // Upwards from the selected event, until the panel is full.
    let mut blocks = Vec::new();
    let mut used = 0;
    for index in (0..=events.cursor()).rev() {
        let Some(event) = events.all().get(index) else {
            continue;
        };
        let lines = lines(event, look, usize::from(area.width));
        used += lines.len();
        blocks.push(lines);
        if used >= height {
            break;
        }
    }
    let selected = blocks.first().map_or(0, Vec::len);
    let mut lines: Vec<Line> = blocks.into_iter().rev().flatten().collect();
    // The newest lines matter; of an older event the first ones may be cut.
    lines.drain(..lines.len().saturating_sub(height));
    let first = lines.len().saturating_sub(selected);
    let selected = first..lines.len();
    frame.render_widget(Paragraph::new(lines), area);
    if view.model.panels.focus() == Panel::Events {
        let cells = area.rows().skip(selected.start).take(selected.len());
        for line in cells {
            frame.buffer_mut().set_style(line, look.theme.selected);
        }
    }
}

fn lines<'a>(event: &LogLine, look: &Look, width: usize) -> Vec<Line<'a>> {
    let theme = &look.theme;
    let room = width.saturating_sub(TIME_WIDTH).max(1);
    let wrapped = |text: &str, style: Style| -> Vec<(String, Style)> {
        textwrap::wrap(&printable(text), room)
            .into_iter()
            .map(|line| (line.into_owned(), style))
            .collect()
    };
    let mut pieces = wrapped(&event.text, theme.level(event.level));
    if !event.advice.is_empty() {
        pieces.extend(wrapped(&format!("→ {}", event.advice), theme.dim));
    }
    pieces
        .into_iter()
        .enumerate()
        .map(|(index, (text, text_style))| {
            let time = match index {
                0 => clock(event, &look.timezone),
                _ => " ".repeat(TIME_WIDTH),
            };
            let spans = vec![
                Span::styled(time, theme.dim),
                Span::styled(text, text_style),
            ];
            Line::from(spans)
        })
        .collect()
}

fn clock(event: &LogLine, timezone: &TimeZone) -> String {
    let at = event.at.to_zoned(timezone.clone());
    at.strftime("%H:%M:%S ").to_string()
}
