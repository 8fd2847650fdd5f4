//! The bottom lines: what the last key did, or what is being typed; and the keys that apply now.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Look, text};
use crate::dashboard::keymap;
use crate::dashboard::model::{Mode, Model, Overlay, Prompt, Purpose, Selected};
use mrdeck_core::human::printable;

pub const HEIGHT: u16 = 2;

pub fn draw(model: &Model, selected: &Selected, look: &Look, frame: &mut Frame, area: Rect) {
    let [status, keys] = [0, 1].map(|row| Rect {
        y: area.y + row,
        height: 1,
        ..area
    });
    let key_line = if let Some(Overlay::Prompt(prompt)) = &model.overlay {
        draw_prompt(prompt, look, frame, status);
        typing_line(prompt, look, area.width)
    } else {
        draw_status(model, look, frame, status);
        key_line(model, selected, look, area.width)
    };
    frame.render_widget(Paragraph::new(key_line), keys);
}

fn draw_status(model: &Model, look: &Look, frame: &mut Frame, area: Rect) {
    if let Some(said) = model.feedback.status() {
        let text = text::elide(&said.text, usize::from(area.width).saturating_sub(2));
        let line = Line::styled(format!(" {text}"), look.theme.level(said.level));
        frame.render_widget(line, area);
    }
}

fn draw_prompt(prompt: &Prompt, look: &Look, frame: &mut Frame, area: Rect) {
    let label = match prompt.purpose() {
        Purpose::Input => " input: ",
        Purpose::Filter => " /",
        Purpose::Command => " :",
    };
    let label_width = u16::try_from(label.len()).unwrap_or(u16::MAX);
    let room = usize::from(area.width.saturating_sub(label_width + 1));
    let (scroll, cursor) = prompt.window(room);
    let shown: String = prompt.line().chars().skip(scroll).collect();
    let spans = vec![
        Span::styled(label, look.theme.key),
        Span::styled(printable(&shown).into_owned(), look.theme.text),
    ];
    frame.render_widget(Line::from(spans), area);
    let x = label_width.saturating_add(u16::try_from(cursor).unwrap_or(u16::MAX));
    frame.set_cursor_position(Position {
        x: area.x + x.min(area.width.saturating_sub(1)),
        y: area.y,
    });
}

/// What is wrong with the line, or what it may be.
fn typing_line(prompt: &Prompt, look: &Look, width: u16) -> Line<'static> {
    let (theme, width) = (&look.theme, usize::from(width));
    if let Some(problem) = prompt.problem() {
        let text = text::elide_end(&problem.to_string(), width.saturating_sub(4));
        return Line::styled(format!(" ✗ {text}"), theme.error);
    }
    if !prompt.hints().is_empty() {
        let text = text::elide_end(&prompt.hints().join("  "), width.saturating_sub(2));
        return Line::styled(format!(" {text}"), theme.dim);
    }
    match prompt.purpose() {
        Purpose::Command => hints(
            look,
            &[("Tab", "complete"), ("Enter", "run"), ("Esc", "cancel")],
        ),
        Purpose::Input | Purpose::Filter => hints(look, &[("Enter", "accept"), ("Esc", "drop")]),
    }
}

fn hints(look: &Look, pairs: &[(&str, &str)]) -> Line<'static> {
    let spans = pairs.iter().flat_map(|(key, label)| pair(look, key, label));
    spans.collect()
}

fn pair(look: &Look, key: &str, label: &str) -> [Span<'static>; 2] {
    [
        Span::styled(format!(" {key}"), look.theme.key),
        Span::styled(format!(" {label} "), look.theme.dim),
    ]
}

/// As many keys as fit; help and quit always do.
fn key_line(model: &Model, selected: &Selected, look: &Look, width: u16) -> Line<'static> {
    let quit = match model.mode() {
        Mode::Reading => {
            return hints(
                look,
                &[("j k", "scroll"), ("g G", "ends"), ("Esc", "close")],
            );
        }
        Mode::Asking => return hints(look, &[("y", "yes"), ("n", "no")]),
        Mode::Browsing => "close",
        Mode::Panels | Mode::Typing => "quit",
    };
    let last = hints(look, &[("?", "help"), ("q", quit)]).spans;
    let reserved: usize = last.iter().map(Span::width).sum();
    let mut spans: Vec<Span> = Vec::new();
    let mut used = 0;
    for row in keymap::footer(model, selected).filter(|row| !matches!(row.keys_text, "?" | "q")) {
        let pair = pair(look, row.keys_text, row.label);
        let pair_width: usize = pair.iter().map(Span::width).sum();
        if used + pair_width + reserved > usize::from(width) {
            break;
        }
        used += pair_width;
        spans.extend(pair);
    }
    spans.extend(last);
    Line::from(spans)
}
