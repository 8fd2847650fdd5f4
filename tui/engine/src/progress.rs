//! How far the map phase has come: what is done, how fast it goes lately, how long it still takes.

use jiff::Timestamp;

use crate::state::{ChunkState, RunState, WorkStatus};
use crate::work::Phase;
use mrdeck_core::api::ChunkRef;

/// What lies between two commits, and what a run is measured in: bytes where the size of every chunk is known, else chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Chunks,
}

/// A map phase that is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct MapProgress {
    pub unit: Unit,
    /// Units a second, lately; `None` before anything was committed in this pass.
    pub rate: Option<f64>,
    /// The units that were committed in equal parts of this pass so far, the last one last.
    pub history: Vec<f64>,
    /// An estimate of the milliseconds that the phase still takes, if the rest goes as fast as the pass did so far;
    /// `None` while too few chunks are committed to tell.
    pub left_ms: Option<f64>,
}

/// The shortest time that the rate is taken over, and the longest while enough is committed in it, in milliseconds.
const RATE_OVER: (f64, f64) = (1_000.0, 10_000.0);
/// The part of the pass that the rate is taken over, between these two.
const LATELY: f64 = 0.25;
/// A rate is of so many commits at least, if there are so many: fewer come and go in bursts.
const LEAST_COMMITS: usize = 4;

/// Returns how far the map phase is at `now`, with a history in `parts` parts; `None` while it does not run.
pub fn map_progress(run: &RunState, now: Timestamp, parts: usize) -> Option<MapProgress> {
    let since = run.clock(Phase::Map).running_since?;
    let elapsed_ms = now.duration_since(since).as_secs_f64() * 1e3;
    if elapsed_ms <= 0.0 {
        return None;
    }
    let is_measured = run.chunks.iter().all(|chunk| bytes_of(chunk).is_some());
    let unit = if is_measured {
        Unit::Bytes
    } else {
        Unit::Chunks
    };
    let amount = |chunk: &ChunkState| match unit {
        Unit::Bytes => bytes_of(chunk).unwrap_or_default() as f64,
        Unit::Chunks => 1.0,
    };
    let mut left = 0.0;
    // When each was committed in this pass, from its start, and how much that was.
    let mut commits = Vec::new();
    for chunk in &run.chunks {
        if chunk.work.status() != WorkStatus::Committed {
            left += amount(chunk);
        } else if let Some(ms) = committed_at(chunk, since) {
            commits.push((ms.min(elapsed_ms), amount(chunk)));
        }
    }
    commits.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let done: f64 = commits.iter().map(|(_, amount)| amount).sum();
    let wave = usize::try_from(run.ideal_parallelism()).unwrap_or(usize::MAX);
    let can_tell = commits.len() >= wave.div_ceil(2).max(2) && done > 0.0;
    Some(MapProgress {
        unit,
        rate: rate(&commits, elapsed_ms, wave),
        history: history(&commits, elapsed_ms, parts),
        left_ms: can_tell.then(|| left / done * elapsed_ms),
    })
}

fn bytes_of(chunk: &ChunkState) -> Option<u64> {
    match &chunk.source {
        ChunkRef::Range { start, end, .. } => Some(end.saturating_sub(*start)),
        ChunkRef::Object(_) => chunk.bytes,
    }
}

/// Returns how long after `since` the chunk's output was there, in milliseconds; `None` if that was before, or is unknown.
fn committed_at(chunk: &ChunkState, since: Timestamp) -> Option<f64> {
    let attempt = chunk.work.committed_attempt()?;
    let began = attempt.started_at.duration_since(since).as_secs_f64() * 1e3;
    let at = began + attempt.ms()?;
    (at >= 0.0).then_some(at)
}

/// Returns the units a second of the last commits: those of a quarter of the pass, and of a whole wave of requests.
fn rate(commits: &[(f64, f64)], elapsed_ms: f64, wave: usize) -> Option<f64> {
    let before = commits.len().saturating_sub(wave.max(LEAST_COMMITS));
    let last_before = commits[..before].last().map_or(0.0, |(at, _)| *at);
    let (shortest, longest) = RATE_OVER;
    let lately = (elapsed_ms * LATELY).clamp(shortest, longest);
    let begin = (elapsed_ms - lately).min(last_before).max(0.0);
    let recent = commits.iter().filter(|(at, _)| *at > begin);
    let amount: f64 = recent.map(|(_, amount)| amount).sum();
    (amount > 0.0).then(|| amount / (elapsed_ms - begin) * 1e3)
}

fn history(commits: &[(f64, f64)], elapsed_ms: f64, parts: usize) -> Vec<f64> {
    let mut history = vec![0.0; parts];
    for (at, amount) in commits {
        // From 0 to `parts`: `at` is between 0 and the time elapsed.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let part = (at / elapsed_ms * parts as f64) as usize;
        if let Some(sum) = history.get_mut(part.min(parts.saturating_sub(1))) {
            *sum += amount;
        }
    }
    history
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// A commit of 100 units every 50 ms.
    fn steady(count: u32) -> Vec<(f64, f64)> {
        (1..=count).map(|n| (50.0 * f64::from(n), 100.0)).collect()
    }

    fn near(found: f64, wanted: f64) {
        assert!((found / wanted - 1.0).abs() < 0.02, "{found} for {wanted}");
    }

    #[test]
    fn a_steady_pace_is_its_rate_however_long_it_has_been_kept() {
        for count in [1, 3, 10, 200, 10_000] {
            let elapsed_ms = 50.0 * f64::from(count);
            near(rate(&steady(count), elapsed_ms, 2).unwrap(), 2_000.0);
        }
        assert_eq!(rate(&[], 3_000.0, 2), None);
    }

    #[test]
    fn a_rate_is_of_the_last_part() {
        // A second of the pace, then twice as much for a minute.
        let mut commits = steady(20);
        commits.extend((1..=2_400).map(|n| (1_000.0 + 25.0 * f64::from(n), 100.0)));
        near(rate(&commits, 61_000.0, 2).unwrap(), 4_000.0);
        // Whole waves are counted where chunks take longer than the window: 8 at a time, a minute each.
        let waves = (0..16).map(|n| (60_000.0 * f64::from(n / 8 + 1), 1.0));
        let waves: Vec<_> = waves.collect();
        near(rate(&waves, 120_000.0, 8).unwrap(), 8.0 / 60.0);
    }

    #[test]
    fn the_history_adds_up_to_what_is_committed() {
        let history = history(&steady(40), 2_000.0, 4);
        near(history.iter().sum(), 4_000.0);
        assert_eq!(history.len(), 4);
        assert_eq!(super::history(&steady(40), 2_000.0, 0), Vec::<f64>::new());
    }
}
