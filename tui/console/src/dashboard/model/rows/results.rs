//! The rows of the results panel: the most frequent words.

use crate::dashboard::model::filter::Filter;
use crate::dashboard::model::{Model, Panel};

pub(super) fn rows(model: &Model) -> Vec<&(String, u64)> {
    let filter = Filter::parse(model.panels.filter(Panel::Results), &["word", "count"]);
    let result = model.run.record().and_then(|run| run.result.as_ref());
    let words = result.map_or(&[][..], |result| &result.top);
    let words = words.iter();
    words
        .filter(|(word, count)| filter.shows(&[("word", word), ("count", &count.to_string())]))
        .collect()
}
