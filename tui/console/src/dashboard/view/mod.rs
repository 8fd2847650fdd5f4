//! Draws the dashboard from its state: the layout, and the table of panels.
//!
//! ```text
//! ┌ header ────────────────────────────────────────────┐
//! │ mrdeck  local  s3://mrdeck/…          run … done   │
//! │ a bar for each phase, how fast, how long still      │
//! ├ tasks ─────────────────────────────────────────────┤
//! │ one row a task; a third of the height at most      │
//! ├ pipeline ───────────────┬ latency ─────────────────┤
//! │ each phase, each chunk  │ a bar each, parallelism   │
//! ├ results ────────────────┼ events ──────────────────┤
//! │ totals, top words       │ what happened             │
//! ├ footer ─────────────────┴──────────────────────────┤
//! │ what the last key did; the keys that apply now      │
//! └────────────────────────────────────────────────────┘
//! ```
//!
//! Enter gives one panel everything between header and footer; the browser takes the same place. Nothing here waits or does I/O.

mod axis;
mod browse;
mod completion;
mod describe;
mod footer;
mod header;
mod overlay;
mod page;
mod panels;
mod phases;
mod text;
mod theme;

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Position, Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use self::panels::View;
use self::theme::Theme;
use super::model::Model;

/// Below this the panels can't be read.
const MIN_WIDTH: u16 = 80;
const MIN_HEIGHT: u16 = 24;

/// What drawing needs beside the model: how times are written, which colours there are.
pub struct Look {
    timezone: TimeZone,
    theme: Theme,
}

impl Look {
    pub fn new(timezone: TimeZone, is_colourless: bool) -> Self {
        Self {
            timezone,
            theme: Theme::new(is_colourless),
        }
    }
}

/// Draws a frame.
pub fn draw(model: &Model, look: &Look, frame: &mut Frame) {
    let area = frame.area();
    let Some([top, line, body, bottom]) = split(model, area) else {
        return too_small(frame, area);
    };
    let rows = &model.rows();
    header::draw(model, look, frame, top);
    if let Some(run) = model.run.record() {
        phases::draw(model, run, look, frame, line);
    }
    footer::draw(model, &rows.selected(), look, frame, bottom);
    match &model.browser {
        Some(browser) => browse::draw(browser, look, frame, body),
        None => panels::draw(&View { model, rows, look }, frame, body),
    }
    overlay::draw(model, look, frame, body);
}

/// Returns by how many lines the open page can be scrolled in a terminal of this size.
pub fn scroll_limit(model: &Model, look: &Look, size: Size) -> usize {
    let area = Rect::from((Position::default(), size));
    split(model, area).map_or(0, |[_, _, body, _]| {
        overlay::scroll_limit(model, look, body)
    })
}

/// The header, the line of the phases, what is between, and the footer; `None` where that can't be read.
fn split(model: &Model, area: Rect) -> Option<[Rect; 4]> {
    let is_readable = area.width >= MIN_WIDTH && area.height >= MIN_HEIGHT;
    is_readable.then(|| {
        Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(u16::from(model.run.record().is_some())),
            Constraint::Fill(1),
            Constraint::Length(footer::HEIGHT),
        ])
        .areas(area)
    })
}

fn too_small(frame: &mut Frame, area: Rect) {
    let text = format!(
        "The window is {}×{}; mrdeck needs {MIN_WIDTH}×{MIN_HEIGHT}. Enlarge it (q quits).",
        area.width, area.height
    );
    let message = Paragraph::new(text)
        .wrap(Wrap { trim: true })
        .alignment(Alignment::Center);
    frame.render_widget(message, area);
}

/// Marks one of the lines in `area`.
fn mark_line(look: &Look, frame: &mut Frame, area: Rect, row: usize) {
    let Ok(row) = u16::try_from(row) else {
        return;
    };
    let line = Rect {
        y: area.y.saturating_add(row),
        height: 1,
        ..area
    };
    // Over the cells, so that the line has one look whatever colours are in it.
    frame
        .buffer_mut()
        .set_style(line.intersection(area), look.theme.selected);
}

/// Draws what an empty list says.
fn draw_hint(look: &Look, frame: &mut Frame, area: Rect, hint: &str) {
    let hint =
        Paragraph::new(Line::styled(hint.to_owned(), look.theme.dim)).wrap(Wrap { trim: true });
    frame.render_widget(hint, area);
}
