//! The list of what a half-typed command could become, above the line it is typed in.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::overlay::bordered;
use super::{Look, text};
use crate::dashboard::model::{Model, Prompt};

/// Lines of the list, at most; Tab moves it on.
const LINES: usize = 11;
/// Columns the names take where something is said beside them.
const NAME_WIDTH: usize = 10;

pub fn draw(model: &Model, prompt: &Prompt, look: &Look, frame: &mut Frame, body: Rect) {
    let Some((completion, chosen)) = prompt.completion(model.session.names()) else {
        return;
    };
    let count = completion.candidates.len();
    let room = usize::from(body.height.saturating_sub(3));
    let shown = text::window(count, LINES.min(room), chosen.unwrap_or(0));
    let width = usize::from(body.width.saturating_sub(4));
    let mut lines: Vec<Line> = Vec::new();
    for (at, candidate) in completion.candidates.iter().enumerate() {
        if !shown.contains(&at) {
            continue;
        }
        let mut line = if candidate.help.is_empty() {
            Line::raw(format!(" {}", text::elide(&candidate.text, width)))
        } else {
            let name = text::pad(&text::elide(&candidate.text, width), NAME_WIDTH);
            let help = text::elide_end(&candidate.help, width.saturating_sub(NAME_WIDTH + 1));
            Line::from(vec![
                Span::raw(format!(" {name} ")),
                Span::styled(help, look.theme.dim),
            ])
        };
        if chosen == Some(at) {
            line = line.patch_style(look.theme.selected);
        }
        lines.push(line);
    }
    if let Some(note) = &completion.note {
        let note = text::elide_end(note, width);
        lines.push(Line::styled(format!(" {note}"), look.theme.warning));
    }
    if lines.is_empty() {
        return;
    }
    let height = u16::try_from(lines.len() + 2)
        .unwrap_or(u16::MAX)
        .min(body.height);
    let area = Rect {
        y: body.bottom() - height,
        height,
        ..body
    };
    let mut block = bordered(look, "Tab");
    if shown.len() < count {
        let part = format!(" {}–{} of {count} ", shown.start + 1, shown.end);
        block = block.title_bottom(Line::styled(part, look.theme.dim).right_aligned());
    }
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
