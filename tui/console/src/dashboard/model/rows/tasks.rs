//! The rows of the tasks panel: those that are there first, then those that have stopped.

use crate::dashboard::model::filter::Filter;
use crate::dashboard::model::{Model, Panel};
use mrdeck_core::task::{Task, TaskStatus};

pub(super) fn rows(model: &Model) -> Vec<&Task> {
    let filter = Filter::parse(model.panels.filter(Panel::Tasks), &COLUMNS);
    let tasks = model.session.tasks().tasks.iter();
    let tasks = tasks.filter(|task| is_shown(task, &filter));
    let (stopped, mut rows): (Vec<_>, Vec<_>) = tasks.partition(|task| is_stopped(task));
    if folded(model) == 0 {
        rows.extend(stopped);
    }
    rows
}

/// More stopped tasks than these are folded to one line: they would hide the others.
const MOST_STOPPED: usize = 3;

/// Returns how many stopped tasks are folded to one line. None are where the panel has the whole screen or
/// a filter, or where one of them is chosen.
pub(super) fn folded(model: &Model) -> usize {
    let panels = &model.panels;
    let is_zoomed = panels.is_zoomed() && panels.focus() == Panel::Tasks;
    if is_zoomed || !panels.filter(Panel::Tasks).is_empty() {
        return 0;
    }
    let tasks = model.session.tasks().tasks.iter();
    let stopped: Vec<&Task> = tasks.filter(|task| is_stopped(task)).collect();
    let is_chosen = |task: &&Task| panels.chosen_task() == Some(&task.id);
    if stopped.len() <= MOST_STOPPED || stopped.iter().any(is_chosen) {
        return 0;
    }
    stopped.len()
}

fn is_stopped(task: &Task) -> bool {
    task.last_status == TaskStatus::Stopped
}

/// What a filter may be about.
const COLUMNS: [&str; 7] = ["role", "id", "status", "definition", "health", "zone", "ip"];

fn is_shown(task: &Task, filter: &Filter) -> bool {
    let (status, definition) = (task.status(), task.definition());
    let ips = [task.private_ip, task.public_ip].map(|ip| ip.map(|ip| ip.to_string()));
    let cells = [
        ("role", Some(task.role_name())),
        ("id", Some(task.id.0.as_str())),
        ("status", Some(status.as_str())),
        ("definition", definition.as_deref()),
        ("health", task.health.as_deref()),
        ("zone", task.az.as_deref()),
        ("ip", ips[0].as_deref()),
        ("ip", ips[1].as_deref()),
    ];
    let cells = cells.into_iter();
    let cells: Vec<_> = cells
        .filter_map(|(column, cell)| Some((column, cell?)))
        .collect();
    filter.shows(&cells)
}
