//! Many map latencies as a distribution: bins, and the percentiles marked on them.

use super::number::{nice_step, sane_ms};
use super::slot::{BarKind, Loss, losses};
use mrdeck_engine::state::WorkState;
use mrdeck_engine::stats::percentile;

/// About as many bins as fit with a count above each.
const BINS: u32 = 30;
/// Fewer are padded.
const FEWEST_BINS: f64 = 14.0;
/// Shorter times share the logarithmic axis' first bin.
const LOG_FLOOR_MS: f64 = 0.01;
/// A slowest attempt so many times slower than the fastest gets a logarithmic axis: on a linear one
/// everything else would fall into the first bin.
const LOG_RATIO: f64 = 40.0;

/// A stretch of the latency axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub from: f64,
    pub to: f64,
    pub is_log: bool,
}

impl Span {
    /// Returns where a latency lies: 0 at the start, 1 at the end.
    pub fn fraction(&self, ms: f64) -> f64 {
        let at = |ms: f64| {
            if self.is_log {
                ms.max(self.from).ln()
            } else {
                ms
            }
        };
        let share = (at(ms) - at(self.from)) / (at(self.to) - at(self.from));
        share.clamp(0.0, 1.0)
    }

    /// Returns round values within the span, about `count` of them, and the step that decides their decimals.
    pub fn ticks(&self, count: f64) -> Vec<(f64, f64)> {
        if self.is_log {
            return self.log_ticks(count);
        }
        let step = nice_step(self.to - self.from, count);
        let first = (self.from / step - 1e-9).ceil();
        (0..=200)
            .map(|index| ((first + f64::from(index)) * step, step))
            .take_while(|(value, _)| *value <= self.to + step * 1e-6)
            .collect()
    }

    fn log_ticks(&self, count: f64) -> Vec<(f64, f64)> {
        let decades = (self.to / self.from).log10();
        let factors: &[f64] = if decades * 3.0 <= count {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        (-3..=13)
            .flat_map(|power| {
                let unit = 10f64.powi(power);
                factors.iter().map(move |factor| (factor * unit, unit))
            })
            .filter(|(value, _)| (self.from..=self.to * (1.0 + 1e-9)).contains(value))
            .collect()
    }
}

/// The attempts whose latency lies in one stretch of the axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    /// Chunks whose committed attempt took so long.
    pub done: usize,
    /// Attempts that came to nothing: how many, by how they ended.
    pub lost: Vec<(BarKind, usize)>,
}

impl Bin {
    pub fn total(&self) -> usize {
        self.done + self.lost.iter().map(|(_, count)| count).sum::<usize>()
    }

    fn add_lost(&mut self, kind: BarKind) {
        match self.lost.iter_mut().find(|(present, _)| *present == kind) {
            Some((_, count)) => *count += 1,
            None => self.lost.push((kind, 1)),
        }
    }
}

/// A latency worth a line of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub name: &'static str,
    pub ms: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub span: Span,
    pub bins: Vec<Bin>,
    /// p50, p95 and the maximum of the committed attempts, in this order.
    pub marks: Vec<Mark>,
}

impl Histogram {
    /// Makes the histogram; `None` if no attempt has ended.
    pub fn of<'a>(works: impl Iterator<Item = &'a WorkState> + Clone) -> Option<Self> {
        let mut done: Vec<f64> = works
            .clone()
            .filter_map(|work| work.result().map(|(ms, _)| sane_ms(ms)))
            .collect();
        done.sort_by(f64::total_cmp);
        let wasted: Vec<Loss> = works.flat_map(losses).collect();

        let all = || {
            done.iter()
                .copied()
                .chain(wasted.iter().map(|loss| loss.ms))
        };
        let (least, most) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
        let (span, count) = span_of(least, most);
        let mut bins = empty_bins(span, count);
        for ms in &done {
            if let Some(bin) = bin_of(&mut bins, *ms) {
                bin.done += 1;
            }
        }
        for loss in &wasted {
            if let Some(bin) = bin_of(&mut bins, loss.ms) {
                bin.add_lost(loss.kind);
            }
        }
        let marks = [("p50", 50), ("p95", 95), ("max", 100)]
            .into_iter()
            .filter(|_| !done.is_empty())
            .map(|(name, percent)| Mark {
                name,
                ms: percentile(&done, percent),
            })
            .collect();
        Some(Self { span, bins, marks })
    }

    /// Returns the fullest bin's number of attempts.
    pub fn fullest(&self) -> usize {
        self.bins.iter().map(Bin::total).max().unwrap_or_default()
    }
}

/// Returns the axis for latencies from `least` to `most`, and how many bins it is cut into.
fn span_of(least: f64, most: f64) -> (Span, u32) {
    let floor = least.max(LOG_FLOOR_MS);
    if most / floor > LOG_RATIO {
        let span = Span {
            from: floor,
            to: most,
            is_log: true,
        };
        return (span, BINS);
    }
    // Equal latencies still need an axis with a width.
    let step = nice_step((most - least).max(most * 0.05).max(0.01), f64::from(BINS));
    let (start, end) = ((least / step).floor(), (most / step).floor());
    // A few bins would look like walls: they get empty ones around them.
    let padding = ((FEWEST_BINS - (end - start)) / 2.0).ceil().max(0.0);
    let first = (start - padding).max(0.0);
    let count = end + padding + 1.0 - first;
    let span = Span {
        from: first * step,
        to: (first + count) * step,
        is_log: false,
    };
    // The step makes it 46 at the most.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (span, count as u32)
}

/// Returns the bin a latency belongs to; one at the very end of the axis is in the last.
fn bin_of(bins: &mut [Bin], ms: f64) -> Option<&mut Bin> {
    let last = bins.len().checked_sub(1)?;
    let index = bins.partition_point(|bin| bin.to <= ms);
    bins.get_mut(index.min(last))
}

fn empty_bins(span: Span, count: u32) -> Vec<Bin> {
    let edge = |index: u32| {
        let share = f64::from(index) / f64::from(count);
        if span.is_log {
            span.from * (span.to / span.from).powf(share)
        } else {
            span.from + (span.to - span.from) * share
        }
    };
    (0..count)
        .map(|index| Bin {
            from: edge(index),
            to: edge(index + 1),
            ..Bin::default()
        })
        .collect()
}
