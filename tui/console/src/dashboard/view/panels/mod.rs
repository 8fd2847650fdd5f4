//! The panels: their frames, and the table that says how each is drawn.

mod events;
mod heat_map;
mod latency;
mod pipeline;
mod results;
mod tasks;
mod timeline;

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType};

use super::{Look, mark_line, text};
use crate::dashboard::model::{Model, Panel, PanelRows};

/// What the panels are drawn from: the model, its rows in this frame, and how things look.
pub struct View<'a> {
    pub model: &'a Model,
    pub rows: &'a PanelRows<'a>,
    pub look: &'a Look,
}

/// One row of the table of panels.
struct PanelView {
    panel: Panel,
    title: fn(&Model) -> String,
    /// Lines within the border that are not rows of the list; `None` where rows are not lines.
    fixed_lines: fn(&View, Rect) -> Option<u16>,
    /// Draws into the space within the border.
    draw: fn(&View, &mut Frame, Rect),
}

const PANELS: [PanelView; Panel::ALL.len()] = [
    PanelView {
        panel: Panel::Tasks,
        title: tasks::title,
        fixed_lines: |view, _| Some(tasks::fixed_lines(view)),
        draw: tasks::draw,
    },
    PanelView {
        panel: Panel::Pipeline,
        title: pipeline::title,
        fixed_lines: pipeline::fixed_lines,
        draw: pipeline::draw,
    },
    PanelView {
        panel: Panel::Latency,
        title: latency::title,
        fixed_lines: |_, _| None,
        draw: latency::draw,
    },
    PanelView {
        panel: Panel::Results,
        title: results::title,
        fixed_lines: results::fixed_lines,
        draw: results::draw,
    },
    PanelView {
        panel: Panel::Events,
        title: events::title,
        fixed_lines: |_, _| None,
        draw: events::draw,
    },
];

/// Draws all panels, or the one that takes the whole screen.
pub fn draw(view: &View, frame: &mut Frame, body: Rect) {
    let panels = &view.model.panels;
    if panels.is_zoomed() {
        return draw_panel(view, frame, panels.focus(), body);
    }
    for (panel, area) in layout(view, body) {
        draw_panel(view, frame, panel, area);
    }
}

fn layout(view: &View, body: Rect) -> [(Panel, Rect); Panel::ALL.len()] {
    // Without tasks there is room to say why.
    let folded_line = usize::from(view.rows.folded_tasks() > 0);
    let tasks = match view.model.session.tasks().tasks.len() {
        0 => 3,
        count => {
            let count = count - view.rows.folded_tasks() + folded_line;
            u16::try_from(count).unwrap_or(u16::MAX)
        }
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

fn draw_panel(view: &View, frame: &mut Frame, panel: Panel, area: Rect) {
    let row = &PANELS[panel as usize];
    debug_assert_eq!(row.panel, panel, "the table is in the panels' order");
    let (model, theme) = (view.model, &view.look.theme);
    let (border, title_style) = if model.panels.focus() == panel {
        (theme.focus, theme.focus_title)
    } else {
        (theme.dim, theme.title)
    };
    // The corners, a space on either side, and the number.
    let title_room = usize::from(area.width.saturating_sub(5));
    let title = text::elide_end(&(row.title)(model), title_room);
    let number = superscript(panel.number());
    let mut block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(border)
        .title(Line::styled(format!(" {number}{title} "), title_style));
    let filter = model.panels.filter(panel);
    if !filter.is_empty() {
        let shown = text::elide(filter, 20);
        block = block.title(Line::styled(format!(" /{shown} "), theme.warning).right_aligned());
    }
    let inside = block.inner(area);
    if let Some(part) = shown_part(view, row, inside) {
        block = block.title_bottom(Line::styled(part, theme.dim).right_aligned());
    }
    frame.render_widget(block, area);
    if !inside.is_empty() {
        (row.draw)(view, frame, inside);
    }
}

/// Returns a digit as btop writes it before the name of a panel: the key that goes there.
fn superscript(digit: char) -> char {
    match digit {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        other => other,
    }
}

/// Returns which of the rows are shown, where not all are.
fn shown_part(view: &View, row: &PanelView, inside: Rect) -> Option<String> {
    let (count, cursor) = view.rows.extent(row.panel);
    let fixed_lines = (row.fixed_lines)(view, inside)?;
    let height = usize::from(inside.height.saturating_sub(fixed_lines));
    if count <= height {
        return None;
    }
    let shown = text::window(count, height, cursor);
    let (first, last) = (shown.start + 1, shown.end);
    Some(format!(" {first}–{last} of {count} "))
}

/// Marks the selected line of a panel that has the focus; `shown` are its lines in `area`.
fn mark_selected(view: &View, frame: &mut Frame, panel: Panel, area: Rect, shown: &Range<usize>) {
    let (_, selected) = view.rows.extent(panel);
    if view.model.panels.focus() == panel && shown.contains(&selected) {
        mark_line(view.look, frame, area, selected - shown.start);
    }
}
