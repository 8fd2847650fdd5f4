//! The tasks panel: role, id, status, addresses, health, probe, age.

use std::net::IpAddr;

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Span;
use ratatui::widgets::{Row, Table};

use unicode_width::UnicodeWidthStr;

use super::{Look, draw_hint, mark_selected, text};
use crate::app::{self, Link, Panel, State};
use crate::cluster::{Probe, Role, Task, TaskStatus};
use crate::figures::{age, millis, plural, printable};

const COLUMNS: usize = 8;
const TITLES: [&str; COLUMNS] = [
    "ROLE", "ID", "STATUS", "PRIVATE", "PUBLIC", "HEALTH", "PROBE", "AGE",
];
/// The column that can be cut without losing what it says: ids differ at both ends.
const ID: usize = 1;
const LEAST_ID: usize = 8;
/// Which columns are cut in a row that is too wide, and how far: the id, health, status, addresses.
const CUT_FIRST: [(usize, usize); 5] = [(ID, LEAST_ID), (5, 6), (2, 8), (3, 9), (4, 9)];

pub fn title(state: &State) -> String {
    let tasks = &state.tasks.tasks;
    let mappers = tasks
        .iter()
        .filter(|task| task.role == Role::Mapper && task.is_usable());
    let title = match tasks.len() {
        0 => "Tasks".to_owned(),
        count => format!(
            "Tasks {count} · {} running",
            plural(mappers.count() as u64, "mapper")
        ),
    };
    match (&state.tasks.problem, state.tasks.at) {
        (Some(problem), Some(at)) => {
            let age = age(state.now.duration_since(at).as_secs());
            format!("{title} · list {age} old: {}", printable(&problem.cause))
        }
        _ => title,
    }
}

pub fn draw(state: &State, look: &Look, frame: &mut Frame, area: Rect) {
    let tasks: Vec<&Task> = app::tasks(state).collect();
    if tasks.is_empty() {
        return draw_hint(look, frame, area, &hint(state));
    }
    let height = usize::from(area.height.saturating_sub(1));
    let shown = text::window(tasks.len(), height, state.cursor(Panel::Tasks));
    let shown_tasks = tasks.get(shown.clone()).unwrap_or_default();
    let rows = |with_port: bool| -> Vec<[Span; COLUMNS]> {
        shown_tasks
            .iter()
            .map(|task| cells(state, look, task, with_port))
            .collect()
    };
    let mut cells = rows(true);
    if least_width(&widths(&cells)) > usize::from(area.width) {
        cells = rows(false);
    }
    let widths = fitted(widths(&cells), usize::from(area.width));
    for row in &mut cells {
        // A cut shows: half an address would be another address.
        for (cell, width) in row.iter_mut().zip(widths) {
            cell.content = text::elide(&cell.content, usize::from(width)).into();
        }
    }
    let rows = cells.into_iter().map(Row::new);
    let header = Row::new(TITLES).style(look.theme.dim);
    let table = Table::new(rows, widths.map(Constraint::Length)).header(header);
    frame.render_widget(table, area);
    let list = Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    mark_selected(state, look, frame, Panel::Tasks, list, &shown);
}

/// Each column as wide as its widest cell.
fn widths(rows: &[[Span; COLUMNS]]) -> [usize; COLUMNS] {
    std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.chain([TITLES[column].width()]).max().unwrap_or(0)
    })
}

/// What the columns and the gaps between them take when the id is cut as far as it may be.
fn least_width(widths: &[usize; COLUMNS]) -> usize {
    let whole: usize = widths.iter().sum();
    whole - widths[ID] + widths[ID].min(LEAST_ID) + COLUMNS - 1
}

/// Cuts the columns where the row is too wide; spreads the room that is left over them.
fn fitted(widths: [usize; COLUMNS], width: usize) -> [u16; COLUMNS] {
    let whole = widths.iter().sum::<usize>() + COLUMNS - 1;
    let spare = width.saturating_sub(whole) / COLUMNS;
    let mut excess = whole.saturating_sub(width);
    let mut fitted = widths.map(|column| column + spare.min(6));
    for (column, least) in CUT_FIRST {
        let cut = excess.min(fitted[column].saturating_sub(least));
        fitted[column] -= cut;
        excess -= cut;
    }
    fitted.map(|column| u16::try_from(column).unwrap_or(u16::MAX))
}

fn hint(state: &State) -> String {
    if !state.filter(Panel::Tasks).is_empty() {
        return "no task matches the filter (Esc drops it)".to_owned();
    }
    match &state.link {
        Link::Connecting => "starting …".to_owned(),
        Link::Down(trouble) => trouble.to_string(),
        Link::Up(_) => "no tasks are running".to_owned(),
    }
}

fn cells<'a>(state: &State, look: &Look, task: &'a Task, with_port: bool) -> [Span<'a>; COLUMNS] {
    let theme = &look.theme;
    let status = match task.last_status {
        TaskStatus::Running => theme.good,
        TaskStatus::Stopped => theme.error,
        _ => theme.warning,
    };
    let (probe, probe_style) = match &task.probe {
        Probe::Unknown => ("-".to_owned(), theme.dim),
        Probe::Reachable { latency, .. } => (millis(latency.as_secs_f64() * 1e3), theme.good),
        Probe::Unreachable(_) => ("no answer".to_owned(), theme.error),
    };
    let age = task.started_at.map_or("-".to_owned(), |at| {
        age(state.now.duration_since(at).as_secs())
    });
    let dash = |text: String, is_there: bool| {
        Span::styled(text, if is_there { theme.text } else { theme.dim })
    };
    let port = task.port.filter(|_| with_port);
    [
        Span::raw(task.role.to_string()),
        Span::raw(text::elide(&task.id.0, 40)),
        Span::styled(text::elide(&task.last_status.to_string(), 14), status),
        dash(address(task.private_ip, port), task.private_ip.is_some()),
        dash(address(task.public_ip, port), task.public_ip.is_some()),
        dash(
            text::elide(task.health.as_deref().unwrap_or("-"), 9),
            task.health.is_some(),
        ),
        Span::styled(probe, probe_style),
        Span::raw(age),
    ]
}

fn address(ip: Option<IpAddr>, port: Option<u16>) -> String {
    match (ip, port) {
        (None, _) => "-".to_owned(),
        (Some(ip), None) => ip.to_string(),
        (Some(ip), Some(port)) => format!("{ip}:{port}"),
    }
}
