//! The rows of the events panel.

use crate::dashboard::model::filter::Filter;
use crate::dashboard::model::{LogLine, Model, Panel};

pub(super) fn rows(model: &Model) -> Vec<&LogLine> {
    let filter = Filter::parse(model.panels.filter(Panel::Events), &["text", "advice"]);
    let lines = model.feedback.log().lines();
    lines
        .filter(|line| filter.shows(&[("text", &line.text), ("advice", &line.advice)]))
        .collect()
}
