//! What the chart shows, decided without drawing anything: the bars or the distribution, and all words.

mod facts;
mod header;
mod histogram;
mod number;
mod slot;
mod text;

pub use header::{Header, Mood};
pub use histogram::{Bin, Histogram};
pub use number::{grouped, ms_text, nice_step, tick_text};
pub use slot::{BarKind, Slot};
pub use text::elide;

use mrdeck_core::human::plural;
use mrdeck_engine::state::{RunState, WorkState};
use mrdeck_engine::work::Phase;

/// More chunks than this become a distribution: single bars would be too thin to label.
pub const MAX_CHUNK_BARS: usize = 24;

/// The title of every chart.
pub const TITLE: &str = "Latency of each MapReduce phase";

#[derive(Debug, Clone, PartialEq)]
pub struct ChartModel {
    pub header: Header,
    /// From left to right: the split, the chunks unless there is a histogram, the map's wall time, the reduce.
    pub slots: Vec<Slot>,
    /// The maps, when there are too many for a bar each.
    pub histogram: Option<Histogram>,
    pub legend: Vec<(BarKind, String)>,
    /// The run's parameters, as the file's metadata: name and value.
    pub facts: Vec<(&'static str, String)>,
}

impl ChartModel {
    /// Returns `None` if no attempt of the run has ended yet.
    pub fn of(record: &RunState) -> Option<Self> {
        let live = record.is_running();
        let works = || {
            [&record.split, &record.reduce]
                .into_iter()
                .chain(record.chunks.iter().map(|chunk| &chunk.work))
        };
        if !works().any(|work| work.attempts.iter().any(|attempt| attempt.ms().is_some())) {
            return None;
        }
        let split = match record.input.as_object() {
            Some(_) => Slot::of_work("split", BarKind::Split, &record.split, live),
            // Planned by the console: there is no attempt.
            None => Slot::of_wall("split", record.split_ms(), live),
        };
        let mut slots = vec![split];
        let histogram = if record.chunks.len() > MAX_CHUNK_BARS {
            Histogram::of(record.chunks.iter().map(|chunk| &chunk.work))
        } else {
            slots.extend(chunk_slots(record, live));
            None
        };
        if !record.chunks.is_empty() {
            let wall_ms = record.clock(Phase::Map).wall_ms;
            slots.push(Slot::of_wall("map wall", wall_ms, live));
        }
        slots.push(Slot::of_work(
            "reduce",
            BarKind::Reduce,
            &record.reduce,
            live,
        ));
        let losses = Losses::count(works());
        Some(Self {
            header: Header::of(record),
            legend: legend(record, histogram.is_some(), &losses),
            slots,
            histogram,
            facts: facts::of(record),
        })
    }
}

fn chunk_slots(record: &RunState, live: bool) -> impl Iterator<Item = Slot> {
    // With many bars there is room for the number only; the caption under them says what it counts.
    let short = record.chunks.len() > 12;
    record.chunks.iter().enumerate().map(move |(chunk, of)| {
        let name = if short {
            chunk.to_string()
        } else {
            format!("chunk {chunk}")
        };
        Slot::of_work(&name, BarKind::Map, &of.work, live)
    })
}

/// How many attempts did not count, by how they ended.
struct Losses([(BarKind, usize); 3]);

impl Losses {
    fn count<'a>(works: impl Iterator<Item = &'a WorkState>) -> Self {
        let mut counts = [
            (BarKind::Failed, 0),
            (BarKind::Abandoned, 0),
            (BarKind::Unused, 0),
        ];
        for loss in works.flat_map(slot::losses) {
            for (kind, count) in &mut counts {
                *count += usize::from(*kind == loss.kind);
            }
        }
        Self(counts)
    }
}

fn legend(record: &RunState, binned: bool, losses: &Losses) -> Vec<(BarKind, String)> {
    let mut legend = vec![(BarKind::Split, "split".to_owned())];
    if !record.chunks.is_empty() {
        let maps = if binned {
            "chunks, by latency"
        } else {
            "map, one bar per chunk"
        };
        legend.push((BarKind::Map, maps.to_owned()));
        legend.push((BarKind::MapWall, "map phase, wall time".to_owned()));
    }
    legend.push((BarKind::Reduce, "reduce".to_owned()));
    for (kind, count) in losses.0.into_iter().filter(|(_, count)| *count > 0) {
        let ended = match kind {
            BarKind::Abandoned => "abandoned",
            BarKind::Unused => "unused",
            _ => "failed",
        };
        legend.push((kind, plural(count as u64, &format!("{ended} attempt"))));
    }
    legend
}

#[cfg(test)]
mod tests;
