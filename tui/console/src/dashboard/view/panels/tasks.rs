//! The tasks panel: role, id, status, addresses, health, probe, age.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Row, Table};
use unicode_width::UnicodeWidthStr;

use super::{View, mark_selected, timeline};
use crate::dashboard::model::{Link, Model, Panel};
use crate::dashboard::view::{Look, draw_hint, text};
use crate::task_table::{self, Column, NOTHING};
use mrdeck_core::human::{age, plural, printable};
use mrdeck_core::role::Role;
use mrdeck_core::task::{Probe, Task, TaskId, TaskStatus};
use mrdeck_core::unreachable::Unreachable;

/// The widest a cell may be, whatever came from outside.
const MOST: usize = 40;
/// A column grows by at most so much where there is room.
const MOST_SPARE: usize = 6;
/// Which columns are left out where the row is too wide, first to last.
const LEFT_OUT_FIRST: [Column; 3] = [Column::Size, Column::Zone, Column::Definition];
/// The columns that stay beside the lanes of a run: what is needed to find a task and to reach it.
const BESIDE_LANES: [Column; 5] = [
    Column::Role,
    Column::Id,
    Column::PrivateIp,
    Column::PublicIp,
    Column::Probe,
];
/// Which columns are cut in a row that is too wide, and how far. Ids and families differ at both ends, so a cut leaves
/// what they say.
const CUT_FIRST: [(Column, usize); 6] = [
    (Column::Id, 8),
    (Column::Definition, 12),
    (Column::Health, 6),
    (Column::Status, 8),
    (Column::PrivateIp, 9),
    (Column::PublicIp, 9),
];

pub fn title(model: &Model) -> String {
    let list = model.session.tasks();
    let mappers = list
        .tasks
        .iter()
        .filter(|task| task.role == Some(Role::Mapper) && task.is_usable());
    let title = match list.tasks.len() {
        0 => "Tasks".to_owned(),
        count => format!(
            "Tasks {count} · {} running",
            plural(mappers.count() as u64, "mapper")
        ),
    };
    match (&list.problem, list.at, &list.public_ips) {
        (Some(problem), Some(at), _) => {
            let age = age(model.now().duration_since(at).as_secs());
            format!("{title} · list {age} old: {}", printable(&problem.cause))
        }
        (_, _, Some(problem)) => {
            format!("{title} · no public IPs: {}", printable(&problem.cause))
        }
        _ => match &list.short {
            Some(short) => format!("{title} · {}", printable(&short.cause)),
            None => title,
        },
    }
}

/// The titles of the columns, and the line of the stopped tasks if they are folded.
pub fn fixed_lines(view: &View) -> u16 {
    1 + u16::from(view.rows.folded_tasks() > 0)
}

pub fn draw(view: &View, frame: &mut Frame, area: Rect) {
    let (look, rows) = (view.look, view.rows.tasks());
    let folded = view.rows.folded_tasks();
    let [area, fold] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(u16::from(folded > 0)),
    ])
    .areas(area);
    let text = format!(
        "{} stopped: Enter shows them",
        plural(folded as u64, "task")
    );
    frame.render_widget(Line::styled(text, look.theme.dim), fold);
    if rows.is_empty() {
        return draw_hint(look, frame, area, &hint(view.model));
    }
    let height = usize::from(area.height.saturating_sub(1));
    let shown = text::window(rows.len(), height, rows.cursor());
    let visible = rows.all().get(shown.clone()).unwrap_or_default();
    let axis = view.model.time_axis();
    let room = match axis {
        Some(_) => room_beside(view, visible, usize::from(area.width)),
        None => usize::from(area.width),
    };
    let (columns, cells) = fitting(view, visible, room, axis.is_some());
    let widths = fitted(&widths(&columns, &cells), room, axis.is_some());
    if let Some(axis) = axis {
        let taken = u16::try_from(whole_width(&widths) + 1).unwrap_or(u16::MAX);
        let lanes = Rect {
            x: area.x.saturating_add(taken),
            width: area.width.saturating_sub(taken),
            ..area
        };
        let tasks: Vec<&TaskId> = visible.iter().map(|task| &task.id).collect();
        timeline::draw(view, &axis, &tasks, frame, lanes);
    }
    let rows = cells.into_iter().map(|row| {
        let row = row.into_iter().zip(&widths);
        // A cut shows: half an address would be another address.
        Row::new(row.map(|(cell, (_, width))| {
            let text = text::elide(&cell.content, *width);
            Span::styled(text, cell.style)
        }))
    });
    let header = Row::new(columns.iter().map(|column| column.title())).style(look.theme.dim);
    let widths = widths
        .iter()
        .map(|(_, width)| Constraint::Length(u16::try_from(*width).unwrap_or(u16::MAX)));
    let table = Table::new(rows, widths).header(header);
    let left = Rect {
        width: u16::try_from(room).unwrap_or(area.width),
        ..area
    };
    frame.render_widget(table, left);
    let list = Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    mark_selected(view, frame, Panel::Tasks, list, &shown);
}

/// The columns that short ids and addresses with ports take, as those of a local cluster.
const WITH_PORTS: usize = 54;

/// Returns the columns that the tasks get beside their lanes: what is left of `width`, but no address is cut.
fn room_beside(view: &View, rows: &[&Task], width: usize) -> usize {
    let (columns, cells) = fitting(view, rows, 0, true);
    let least = least_width(&widths(&columns, &cells));
    let most = width.saturating_sub(usize::from(timeline::LEAST));
    // Long ids give way in a wide window: the lanes are what one looks at.
    let enough = (width * 11 / 20).max(WITH_PORTS);
    most.min(enough).max(least).min(width)
}

type Cells = Vec<Vec<Span<'static>>>;

/// The most that fits: ports go first, then the columns that can best be missed.
fn fitting(view: &View, rows: &[&Task], width: usize, is_beside: bool) -> (Vec<Column>, Cells) {
    let mut columns = task_table::columns(view.model.session.tasks());
    columns.retain(|column| !is_beside || BESIDE_LANES.contains(column));
    let cells = |columns: &[Column], with_port: bool| -> Cells {
        let row = |task: &&Task| {
            let cells = columns.iter();
            cells
                .map(|column| cell(view, *column, task, with_port, is_beside))
                .collect()
        };
        rows.iter().map(row).collect()
    };
    let fits = |columns: &[Column], cells: &Cells| least_width(&widths(columns, cells)) <= width;
    let with_ports = cells(&columns, true);
    if fits(&columns, &with_ports) {
        return (columns, with_ports);
    }
    for column in LEFT_OUT_FIRST {
        if fits(&columns, &cells(&columns, false)) {
            break;
        }
        columns.retain(|other| *other != column);
    }
    let cells = cells(&columns, false);
    (columns, cells)
}

/// Each column as wide as its widest cell.
fn widths(columns: &[Column], rows: &Cells) -> Vec<(Column, usize)> {
    let columns = columns.iter().enumerate();
    columns
        .map(|(index, column)| {
            let cells = rows.iter().map(|row| row[index].width());
            let widest = cells.chain([column.title().width()]).max().unwrap_or(0);
            (*column, widest)
        })
        .collect()
}

fn whole_width(widths: &[(Column, usize)]) -> usize {
    let gaps = widths.len().saturating_sub(1);
    widths.iter().map(|(_, width)| width).sum::<usize>() + gaps
}

/// What a row takes when the ids and the families are cut as far as they may be.
fn least_width(widths: &[(Column, usize)]) -> usize {
    let mut cut = widths.to_vec();
    for (column, width) in &mut cut {
        let least = CUT_FIRST[..2].iter().find(|(first, _)| first == column);
        *width = least.map_or(*width, |(_, least)| (*width).min(*least));
    }
    whole_width(&cut)
}

/// Cuts the columns where the row is too wide; spreads the room that is left over them, if nothing is beside them.
fn fitted(widths: &[(Column, usize)], width: usize, is_beside: bool) -> Vec<(Column, usize)> {
    let whole = whole_width(widths);
    let room = if is_beside { whole } else { width };
    let spare = room.saturating_sub(whole) / widths.len().max(1);
    let mut excess = whole.saturating_sub(width);
    let mut fitted = widths.to_vec();
    for (_, width) in &mut fitted {
        *width += spare.min(MOST_SPARE);
    }
    for (column, least) in CUT_FIRST {
        if let Some((_, width)) = fitted.iter_mut().find(|(other, _)| *other == column) {
            let cut = excess.min(width.saturating_sub(least));
            *width -= cut;
            excess -= cut;
        }
    }
    fitted
}

fn hint(model: &Model) -> String {
    if !model.panels.filter(Panel::Tasks).is_empty() {
        return "no task matches the filter (Esc clears it)".to_owned();
    }
    match model.session.link() {
        Link::Connecting => "starting …".to_owned(),
        Link::Down { diagnostic, .. } => diagnostic.to_string(),
        Link::Up(_) => "no tasks are running".to_owned(),
    }
}

fn cell(
    view: &View,
    column: Column,
    task: &Task,
    with_port: bool,
    is_beside: bool,
) -> Span<'static> {
    let (model, look) = (view.model, view.look);
    let list = model.session.tasks();
    // Beside the lanes the probe's place is taken by what is worse than any probe.
    let is_gone = task.last_status != TaskStatus::Running;
    let (column, text) = match column {
        Column::Probe if is_gone && is_beside => (Column::Status, Some(task.status())),
        column => {
            let text = task_table::cell(column, task, list, model.now(), with_port);
            (column, text)
        }
    };
    match text {
        Some(text) => Span::styled(text::elide(&text, MOST), style(look, column, task)),
        None => Span::styled(NOTHING, look.theme.dim),
    }
}

fn style(look: &Look, column: Column, task: &Task) -> Style {
    let theme = &look.theme;
    if task.last_status == TaskStatus::Stopped {
        return theme.dim;
    }
    let ip = match column {
        Column::PrivateIp => Some(task.private_ip),
        Column::PublicIp => Some(task.public_ip),
        _ => None,
    };
    match (column, ip) {
        (Column::Status, _) => match task.last_status {
            TaskStatus::Running => theme.good,
            _ => theme.warning,
        },
        // A word instead of an address.
        (_, Some(None)) => theme.warning,
        (Column::Probe, _) => match &task.probe {
            Probe::Reachable { .. } => theme.good,
            Probe::Unreachable(missed) => match missed.first().map(|miss| &miss.reason) {
                Some(Unreachable::NoPublicIp | Unreachable::PublicIpUnknown(_)) => theme.warning,
                _ => theme.error,
            },
            Probe::Unknown => theme.dim,
        },
        _ => theme.text,
    }
}
