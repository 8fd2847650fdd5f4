//! The rows of the events panel.

use crate::dashboard::model::{LogLine, Model, Panel};

pub(super) fn rows(model: &Model) -> Vec<&LogLine> {
    let filter = model.panels.filter(Panel::Events).to_lowercase();
    let lines = model.feedback.log().lines();
    lines
        .filter(|line| {
            filter.is_empty()
                || line.text.to_lowercase().contains(&filter)
                || line.advice.to_lowercase().contains(&filter)
        })
        .collect()
}
