//! Draws the dashboard from its state: the layout, and the table of panels.
//!
//! ```text
//! ┌ header ────────────────────────────────────────────┐
//! │ mrdeck  local  s3://mrdeck/…          run … done   │
//! ├ tasks ─────────────────────────────────────────────┤
//! │ one row a task; a third of the height at most      │
//! ├ pipeline ───────────────┬ latency ─────────────────┤
//! │ each phase, each chunk  │ a bar each, speed-up      │
//! ├ results ────────────────┼ events ──────────────────┤
//! │ totals, top words       │ what happened             │
//! ├ footer ─────────────────┴──────────────────────────┤
//! │ what the last key did; the keys that apply now      │
//! └────────────────────────────────────────────────────┘
//! ```
//!
//! Enter gives one panel everything between header and footer; the browser takes the same place. Nothing here waits or does I/O.

mod browse;
mod completion;
mod describe;
mod events;
mod footer;
mod header;
mod latency;
mod overlay;
mod page;
mod pipeline;
mod results;
mod tasks;
mod text;
mod theme;

use std::ops::Range;

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Paragraph, Wrap};

use self::theme::Theme;
use crate::dashboard::model::{self, Panel, State};

/// Below this the panels can't be read.
const MIN_WIDTH: u16 = 80;
const MIN_HEIGHT: u16 = 24;

/// What drawing needs beside the state: how times are written, which colours there are.
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

/// One row of the table of panels.
struct PanelView {
    panel: Panel,
    title: fn(&State) -> String,
    /// Lines within the border that are not rows of the list; `None` where rows are not lines.
    fixed_lines: Option<u16>,
    /// Draws into the space within the border.
    draw: fn(&State, &Look, &mut Frame, Rect),
}

const PANELS: [PanelView; 5] = [
    PanelView {
        panel: Panel::Tasks,
        title: tasks::title,
        fixed_lines: Some(1),
        draw: tasks::draw,
    },
    PanelView {
        panel: Panel::Pipeline,
        title: pipeline::title,
        fixed_lines: Some(0),
        draw: pipeline::draw,
    },
    PanelView {
        panel: Panel::Latency,
        title: latency::title,
        fixed_lines: Some(1),
        draw: latency::draw,
    },
    PanelView {
        panel: Panel::Results,
        title: results::title,
        fixed_lines: Some(2),
        draw: results::draw,
    },
    PanelView {
        panel: Panel::Events,
        title: events::title,
        fixed_lines: None,
        draw: events::draw,
    },
];

/// Draws a frame; gives how far the open overlay can be scrolled.
pub fn draw(state: &State, look: &Look, frame: &mut Frame) -> usize {
    let area = frame.area();
    if area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        too_small(frame, area);
        return 0;
    }
    let [top, body, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(footer::HEIGHT),
    ])
    .areas(area);
    header::draw(state, look, frame, top);
    footer::draw(state, look, frame, bottom);
    if let Some(browser) = &state.browser {
        browse::draw(browser, look, frame, body);
    } else if state.is_zoomed {
        draw_panel(state, look, frame, state.focus, body);
    } else {
        for (panel, area) in layout(state, body) {
            draw_panel(state, look, frame, panel, area);
        }
    }
    overlay::draw(state, look, frame, body)
}

fn too_small(frame: &mut Frame, area: Rect) {
    let text = format!(
        "mrdeck needs {MIN_WIDTH}×{MIN_HEIGHT}; this is {}×{}. Please enlarge the window (q quits).",
        area.width, area.height
    );
    let message = Paragraph::new(text)
        .wrap(Wrap { trim: true })
        .alignment(Alignment::Center);
    frame.render_widget(message, area);
}

fn layout(state: &State, body: Rect) -> [(Panel, Rect); 5] {
    // Without tasks there is room to say why.
    let tasks = match state.tasks.tasks.len() {
        0 => 3,
        count => u16::try_from(count).unwrap_or(u16::MAX),
    };
    // Borders and the column titles take three lines.
    let most = (body.height / 3).max(8);
    let tasks_height = tasks.saturating_add(3).min(most);
    let [tasks, middle, lower] = Layout::vertical([
        Constraint::Length(tasks_height),
        Constraint::Fill(3),
        Constraint::Fill(2),
    ])
    .areas(body);
    let halves = |area| {
        Layout::horizontal([Constraint::Percentage(50), Constraint::Fill(1)]).areas::<2>(area)
    };
    let [pipeline, latency] = halves(middle);
    let [results, events] = halves(lower);
    [
        (Panel::Tasks, tasks),
        (Panel::Pipeline, pipeline),
        (Panel::Latency, latency),
        (Panel::Results, results),
        (Panel::Events, events),
    ]
}

fn draw_panel(state: &State, look: &Look, frame: &mut Frame, panel: Panel, area: Rect) {
    let view = &PANELS[panel as usize];
    debug_assert_eq!(view.panel, panel, "the table is in the panels' order");
    let is_focused = state.focus == panel;
    let theme = &look.theme;
    // The corners and a space on either side.
    let title_room = usize::from(area.width.saturating_sub(4));
    let mut block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(if is_focused { theme.focus } else { theme.dim })
        .title(Line::styled(
            format!(" {} ", text::elide_end(&(view.title)(state), title_room)),
            if is_focused {
                theme.focus_title
            } else {
                theme.title
            },
        ));
    let filter = state.filter(panel);
    if !filter.is_empty() {
        let shown = text::elide(filter, 20);
        block = block.title(Line::styled(format!(" /{shown} "), theme.warning).right_aligned());
    }
    let inside = block.inner(area);
    if let Some(part) = shown_part(state, view, inside.height) {
        block = block.title_bottom(Line::styled(part, theme.dim).right_aligned());
    }
    frame.render_widget(block, area);
    if !inside.is_empty() {
        (view.draw)(state, look, frame, inside);
    }
}

/// Which of the rows are shown, where not all are.
fn shown_part(state: &State, view: &PanelView, height: u16) -> Option<String> {
    let rows = model::row_count(state, view.panel);
    let height = usize::from(height.saturating_sub(view.fixed_lines?));
    if rows <= height {
        return None;
    }
    let shown = text::window(rows, height, state.cursor(view.panel));
    let (first, last) = (shown.start + 1, shown.end);
    Some(format!(" {first}–{last} of {rows} "))
}

/// Marks the selected line of a panel that has the focus; `shown` are its lines in `area`.
fn mark_selected(
    state: &State,
    look: &Look,
    frame: &mut Frame,
    panel: Panel,
    area: Rect,
    shown: &Range<usize>,
) {
    let selected = state.cursor(panel);
    if state.focus != panel || !shown.contains(&selected) {
        return;
    }
    mark_line(look, frame, area, selected - shown.start);
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

/// What an empty panel says.
fn draw_hint(look: &Look, frame: &mut Frame, area: Rect, hint: &str) {
    let hint =
        Paragraph::new(Line::styled(hint.to_owned(), look.theme.dim)).wrap(Wrap { trim: true });
    frame.render_widget(hint, area);
}
