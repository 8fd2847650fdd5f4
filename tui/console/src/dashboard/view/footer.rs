//! The bottom lines: what the last key did, or what is being typed; and the keys that apply now.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Look, text};
use crate::dashboard::keymap::{self, Mode};
use crate::dashboard::model::{Overlay, Purpose, State};
use mrdeck_core::human::printable;

pub const HEIGHT: u16 = 2;

pub fn draw(state: &State, look: &Look, frame: &mut Frame, area: Rect) {
    let [status, keys] = [0, 1].map(|row| Rect {
        y: area.y + row,
        height: 1,
        ..area
    });
    match &state.overlay {
        Some(Overlay::Prompt { .. }) => draw_prompt(state, look, frame, status),
        _ => {
            if let Some(flash) = &state.flash {
                let text = text::elide(&flash.text, usize::from(area.width).saturating_sub(2));
                let line = Line::styled(format!(" {text}"), look.theme.level(flash.level));
                frame.render_widget(line, status);
            }
        }
    }
    frame.render_widget(Paragraph::new(key_line(state, look, area.width)), keys);
}

fn draw_prompt(state: &State, look: &Look, frame: &mut Frame, area: Rect) {
    let Some(Overlay::Prompt { purpose, input, .. }) = &state.overlay else {
        return;
    };
    let label = match purpose {
        Purpose::Input => " input: ",
        Purpose::Filter => " /",
        Purpose::Command => " :",
    };
    let label_width = u16::try_from(label.len()).unwrap_or(u16::MAX);
    let room = usize::from(area.width.saturating_sub(label_width + 1));
    let scroll = input.visual_scroll(room);
    let shown: String = input.value().chars().skip(scroll).collect();
    let spans = vec![
        Span::styled(label, look.theme.key),
        Span::styled(printable(&shown).into_owned(), look.theme.text),
    ];
    frame.render_widget(Line::from(spans), area);
    let cursor = input.visual_cursor().saturating_sub(scroll);
    let x = label_width.saturating_add(u16::try_from(cursor).unwrap_or(u16::MAX));
    frame.set_cursor_position(Position {
        x: area.x + x.min(area.width.saturating_sub(1)),
        y: area.y,
    });
}

/// What is wrong with the line, or what it may be.
fn typing_line(state: &State, look: &Look, width: u16) -> Line<'static> {
    let theme = &look.theme;
    match &state.overlay {
        Some(Overlay::Prompt {
            problem: Some(problem),
            ..
        }) => {
            let room = usize::from(width).saturating_sub(4);
            let text = text::elide_end(&problem.to_string(), room);
            Line::styled(format!(" ✗ {text}"), theme.error)
        }
        Some(Overlay::Prompt { hints, .. }) if !hints.is_empty() => {
            let room = usize::from(width).saturating_sub(2);
            let text = text::elide_end(&hints.join("  "), room);
            Line::styled(format!(" {text}"), theme.dim)
        }
        Some(Overlay::Prompt {
            purpose: Purpose::Command,
            ..
        }) => hints(
            look,
            &[("Tab", "complete"), ("Enter", "do it"), ("Esc", "drop")],
        ),
        _ => hints(look, &[("Enter", "accept"), ("Esc", "drop")]),
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
fn key_line(state: &State, look: &Look, width: u16) -> Line<'static> {
    match keymap::mode(state) {
        Mode::Reading => {
            return hints(
                look,
                &[("j k", "scroll"), ("g G", "ends"), ("Esc", "close")],
            );
        }
        Mode::Asking => return hints(look, &[("y", "yes"), ("n", "no")]),
        Mode::Typing => return typing_line(state, look, width),
        Mode::Panels | Mode::Browsing => {}
    }
    let quit = match keymap::mode(state) {
        Mode::Browsing => "close",
        _ => "quit",
    };
    let last = hints(look, &[("?", "help"), ("q", quit)]).spans;
    let reserved: usize = last.iter().map(Span::width).sum();
    let mut spans: Vec<Span> = Vec::new();
    let mut used = 0;
    for row in keymap::footer(state).filter(|row| !matches!(row.keys_text, "?" | "q")) {
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
