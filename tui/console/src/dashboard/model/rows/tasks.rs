//! The rows of the tasks panel.

use crate::dashboard::model::{Model, Panel};
use mrdeck_core::task::Task;

pub(super) fn rows(model: &Model) -> Vec<&Task> {
    let filter = model.panels.filter(Panel::Tasks).to_lowercase();
    let tasks = model.session.tasks().tasks.iter();
    tasks.filter(|task| matches(task, &filter)).collect()
}

fn matches(task: &Task, filter: &str) -> bool {
    if filter.is_empty() {
        return true;
    }
    let texts = [
        Some(task.id.0.clone()),
        Some(task.role_name().to_owned()),
        Some(task.status()),
        task.definition(),
        task.az.clone(),
    ];
    let ips = [task.private_ip, task.public_ip];
    texts
        .iter()
        .flatten()
        .any(|text| text.to_lowercase().contains(filter))
        || ips
            .iter()
            .flatten()
            .any(|ip| ip.to_string().contains(filter))
}
