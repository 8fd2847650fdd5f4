//! One place on the bar chart's axis: its name, how long it took, and which attempts did not count.

use super::number::sane_ms;
use mrdeck_engine::state::{Outcome, WorkState, WorkStatus};

/// What a bar stands for; it decides the bar's colour and hatching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarKind {
    Split,
    Map,
    MapWall,
    Reduce,
    /// An attempt that failed, whether or not a later one succeeded.
    Failed,
    /// An attempt in flight when the run was cancelled.
    Abandoned,
    /// An attempt that succeeded after another one had been committed.
    Unused,
}

/// An attempt that does not count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    pub kind: BarKind,
    pub ms: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    pub name: String,
    pub kind: BarKind,
    /// The latency that counts; `None` if there is none.
    pub ms: Option<f64>,
    /// The other attempts, in their order.
    pub losses: Vec<Loss>,
    /// Why there is no latency.
    pub missing: Option<&'static str>,
    /// The work was given up: its mark must catch the eye.
    pub is_failed: bool,
}

impl Slot {
    /// Makes the slot of a piece of work. In a `live` run, what is missing may still come.
    pub fn of_work(name: &str, kind: BarKind, work: &WorkState, live: bool) -> Self {
        let ms = work.result().map(|(ms, _)| sane_ms(ms));
        let status = work.status();
        Self {
            name: name.to_owned(),
            kind,
            ms,
            losses: losses(work).collect(),
            missing: ms.is_none().then(|| why_missing(work, live)),
            is_failed: ms.is_none() && is_failed(status, live),
        }
    }

    pub fn of_wall(name: &str, wall_ms: Option<f64>, live: bool) -> Self {
        let missing = if live { "running" } else { "unfinished" };
        Self {
            name: name.to_owned(),
            kind: BarKind::MapWall,
            ms: wall_ms.map(sane_ms),
            losses: Vec::new(),
            missing: wall_ms.is_none().then_some(missing),
            is_failed: false,
        }
    }

    /// Returns the sum of the lost attempts' times: the height of the slot's hatched column.
    pub fn lost_ms(&self) -> f64 {
        // Not `sum`: that of nothing is -0, which would be written with its sign.
        self.losses.iter().fold(0.0, |sum, loss| sum + loss.ms)
    }

    pub fn attempts(&self) -> usize {
        self.losses.len() + usize::from(self.ms.is_some())
    }
}

/// Returns the ended attempts at a piece of work that don't count.
pub fn losses(work: &WorkState) -> impl Iterator<Item = Loss> {
    work.attempts.iter().filter_map(|attempt| {
        let (kind, ms) = match attempt.outcome {
            Outcome::InFlight | Outcome::Found { .. } => return None,
            Outcome::Succeeded { .. } if work.committed == Some(attempt.number) => return None,
            Outcome::Succeeded { ms, .. } => (BarKind::Unused, ms),
            Outcome::Failed { ms, .. } => (BarKind::Failed, ms),
            Outcome::Abandoned { ms } => (BarKind::Abandoned, ms),
        };
        Some(Loss {
            kind,
            ms: sane_ms(ms),
        })
    })
}

fn is_failed(status: WorkStatus, live: bool) -> bool {
    // A run that ended while a retry was due never got to it.
    status == WorkStatus::Failed || (status == WorkStatus::Retrying && !live)
}

fn why_missing(work: &WorkState, live: bool) -> &'static str {
    match work.status() {
        WorkStatus::Committed => "time unknown",
        status if is_failed(status, live) => "failed",
        WorkStatus::Abandoned if work.attempts.is_empty() => "not run",
        WorkStatus::Abandoned => "abandoned",
        WorkStatus::Retrying => "retrying",
        WorkStatus::InFlight if live => "running",
        WorkStatus::Waiting if live => "waiting",
        WorkStatus::Waiting => "not run",
        _ => "unfinished",
    }
}
