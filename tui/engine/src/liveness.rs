//! Pure: how long an attempt may take, and when a backup attempt is worth its while, from those that finished.

use std::time::Duration;

/// However fast the others were, an attempt gets this long.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(5);
/// A deadline is so many times the median of the latencies.
const DEADLINE_MEDIANS: u32 = 10;
/// From so few latencies nothing is concluded.
const FEWEST: usize = 2;
/// An attempt is a straggler after so many times the median, and not before [`EARLIEST_BACKUP`].
const STRAGGLER_MEDIANS: u32 = 2;
const EARLIEST_BACKUP: Duration = Duration::from_secs(1);
/// Backups begin once so many percent of the chunks are done.
const DONE_PERCENT: usize = 75;
/// Backups are made for one chunk in so many at most.
const CHUNKS_A_BACKUP: usize = 10;

/// The latencies of a phase's successful attempts.
#[derive(Debug, Default)]
pub struct Latencies {
    sorted: Vec<Duration>,
}

impl Latencies {
    pub fn add(&mut self, latency: Duration) {
        let at = self.sorted.partition_point(|known| *known < latency);
        self.sorted.insert(at, latency);
    }

    fn median(&self) -> Option<Duration> {
        let is_known = self.sorted.len() >= FEWEST;
        is_known.then(|| self.sorted[self.sorted.len() / 2])
    }

    /// How long an attempt may take: at most `cap`, less when the others were fast.
    pub fn deadline(&self, cap: Duration) -> Duration {
        match self.median() {
            Some(median) => (median * DEADLINE_MEDIANS).max(SHORTEST_DEADLINE).min(cap),
            None => cap,
        }
    }

    /// How long an attempt has to be in flight before it gets a backup; `None` while none is made.
    pub fn backup_after(&self, done: usize, chunks: usize, backups: usize) -> Option<Duration> {
        let is_late = done * 100 >= chunks * DONE_PERCENT;
        let is_allowed = backups < (chunks / CHUNKS_A_BACKUP).max(1);
        if !is_late || !is_allowed {
            return None;
        }
        let median = self.median()?;
        Some((median * STRAGGLER_MEDIANS).max(EARLIEST_BACKUP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        for ms in millis {
            latencies.add(Duration::from_millis(*ms));
        }
        latencies
    }

    #[test]
    fn deadlines_follow_the_median_between_a_floor_and_the_cap() {
        let cap = Duration::from_secs(30);
        assert_eq!(of(&[10]).deadline(cap), cap, "one says nothing");
        assert_eq!(of(&[10, 20, 10]).deadline(cap), SHORTEST_DEADLINE);
        let seconds = of(&[9_000, 1_000, 1_200]).deadline(cap);
        assert_eq!(seconds, Duration::from_secs(12));
        assert_eq!(of(&[9_000, 9_000]).deadline(cap), cap);
        assert_eq!(
            of(&[1, 1]).deadline(Duration::from_secs(1)),
            Duration::from_secs(1),
            "the cap holds below the floor too"
        );
    }

    #[test]
    fn backups_come_late_and_are_few() {
        let fast = of(&[100, 100, 100]);
        assert_eq!(fast.backup_after(74, 100, 0), None, "too early");
        assert_eq!(fast.backup_after(75, 100, 0), Some(EARLIEST_BACKUP));
        assert_eq!(
            of(&[800, 900, 700]).backup_after(80, 100, 9),
            Some(Duration::from_millis(1_600))
        );
        assert_eq!(fast.backup_after(99, 100, 10), None, "a tenth at most");
        assert_eq!(fast.backup_after(3, 4, 0), Some(EARLIEST_BACKUP), "one");
        assert_eq!(fast.backup_after(3, 4, 1), None);
        assert_eq!(of(&[100]).backup_after(9, 10, 0), None, "no median");
    }
}
