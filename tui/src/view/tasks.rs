//! The tasks panel: role, id, status, addresses, health, probe, age.

use std::net::IpAddr;

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::{Row, Table};

use super::{Look, draw_hint, is_selected, text};
use crate::app::{self, Link, Panel, State};
use crate::cluster::{Probe, Role, Task, TaskStatus};
use crate::figures::{age, millis, plural};

pub fn title(state: &State) -> String {
    let tasks = &state.tasks.tasks;
    let mappers = tasks
        .iter()
        .filter(|task| task.role == Role::Mapper && task.is_usable());
    match tasks.len() {
        0 => "Tasks".to_owned(),
        count => format!(
            "Tasks {count} · {} running",
            plural(mappers.count() as u64, "mapper")
        ),
    }
}

pub fn draw(state: &State, look: &Look, frame: &mut Frame, area: Rect) {
    let tasks: Vec<&Task> = app::tasks(state).collect();
    if tasks.is_empty() {
        return draw_hint(look, frame, area, &hint(state));
    }
    let height = usize::from(area.height.saturating_sub(1));
    let shown = text::window(tasks.len(), height, state.cursor(Panel::Tasks));
    let rows = shown.filter_map(|index| {
        let row = task_row(state, look, tasks.get(index)?);
        let is_selected = is_selected(state, Panel::Tasks, index);
        Some(row.style(if is_selected {
            look.theme.selected
        } else {
            Style::new()
        }))
    });
    let widths = [
        Constraint::Length(8),
        Constraint::Fill(2),
        Constraint::Length(9),
        Constraint::Fill(2),
        Constraint::Fill(2),
        Constraint::Length(9),
        Constraint::Length(11),
        Constraint::Length(6),
    ];
    let titles = [
        "ROLE", "ID", "STATUS", "PRIVATE", "PUBLIC", "HEALTH", "PROBE", "AGE",
    ];
    let table = Table::new(rows, widths).header(Row::new(titles).style(look.theme.dim));
    frame.render_widget(table, area);
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

fn task_row<'a>(state: &State, look: &Look, task: &'a Task) -> Row<'a> {
    let theme = &look.theme;
    let status = match task.last_status {
        TaskStatus::Running => theme.good,
        TaskStatus::Stopped => theme.error,
        _ => theme.warning,
    };
    let (probe, probe_style) = match &task.probe {
        Probe::Unknown => ("-".to_owned(), theme.dim),
        Probe::Reachable { latency } => (millis(latency.as_secs_f64() * 1e3), theme.good),
        Probe::Unreachable(_) => ("unreachable".to_owned(), theme.error),
    };
    let age = task.started_at.map_or("-".to_owned(), |at| {
        age(state.now.duration_since(at).as_secs())
    });
    let dash = |text: String, is_there: bool| {
        Span::styled(text, if is_there { theme.text } else { theme.dim })
    };
    Row::new([
        Span::raw(task.role.to_string()),
        Span::raw(text::elide(&task.id.0, 36)),
        Span::styled(text::elide(&task.last_status.to_string(), 9), status),
        dash(
            address(task.private_ip, task.port),
            task.private_ip.is_some(),
        ),
        dash(address(task.public_ip, task.port), task.public_ip.is_some()),
        dash(
            text::elide(task.health.as_deref().unwrap_or("-"), 9),
            task.health.is_some(),
        ),
        Span::styled(probe, probe_style),
        Span::raw(age),
    ])
}

fn address(ip: Option<IpAddr>, port: Option<u16>) -> String {
    match (ip, port) {
        (None, _) => "-".to_owned(),
        (Some(ip), None) => ip.to_string(),
        (Some(ip), Some(port)) => format!("{ip}:{port}"),
    }
}
