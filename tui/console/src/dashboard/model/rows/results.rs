//! The rows of the results panel: the most frequent words.

use crate::dashboard::model::{Model, Panel};

pub(super) fn rows(model: &Model) -> Vec<&(String, u64)> {
    let filter = model.panels.filter(Panel::Results).to_lowercase();
    let result = model.run.record().and_then(|run| run.result.as_ref());
    let words = result.map_or(&[][..], |result| &result.top);
    words
        .iter()
        .filter(|(word, _)| filter.is_empty() || word.contains(&filter))
        .collect()
}
