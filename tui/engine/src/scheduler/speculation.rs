//! Pure: how long an attempt may take, and when a second one at the same work pays, from those that finished.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// However fast the others were, an attempt gets this long.
const SHORTEST_DEADLINE: Duration = Duration::from_secs(5);
/// A deadline is so many times the median of the latencies.
const DEADLINE_MEDIANS: u32 = 10;
/// From so few latencies nothing is concluded.
const FEWEST: usize = 2;
/// An attempt is a straggler after so many times the median, and not before [`EARLIEST_SPECULATION`].
const STRAGGLER_MEDIANS: u32 = 2;
const EARLIEST_SPECULATION: Duration = Duration::from_secs(1);
/// Speculative attempts begin once so many percent of the chunks are done.
const DONE_PERCENT: usize = 75;
/// At most one chunk in so many gets a speculative attempt.
const CHUNKS_PER_SPECULATION: usize = 10;

/// The latencies of a phase's successful attempts, in two halves around their median.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    lower: BinaryHeap<Duration>,
    /// As large as the lower half, or larger by one: its smallest is the (upper) median.
    upper: BinaryHeap<Reverse<Duration>>,
}

impl Latencies {
    pub(super) fn add(&mut self, latency: Duration) {
        self.lower.push(latency);
        // The largest of the lower half moves up, and back again if that makes the upper half too large.
        self.upper.extend(self.lower.pop().map(Reverse));
        if self.upper.len() > self.lower.len() + 1 {
            self.lower
                .extend(self.upper.pop().map(|Reverse(least)| least));
        }
    }

    fn median(&self) -> Option<Duration> {
        let is_known = self.lower.len() + self.upper.len() >= FEWEST;
        self.upper
            .peek()
            .filter(|_| is_known)
            .map(|Reverse(median)| *median)
    }

    /// Returns how long an attempt may take by how long the others took; `None` while too few are done.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let median = self.median()?;
        Some((median * DEADLINE_MEDIANS).max(SHORTEST_DEADLINE))
    }

    /// Returns how long an attempt has to be in flight before a speculative one is made; `None` while none is.
    pub(super) fn straggler_after(
        &self,
        done: usize,
        chunks: usize,
        speculative: usize,
    ) -> Option<Duration> {
        let is_late = done * 100 >= chunks * DONE_PERCENT;
        let is_allowed = speculative < (chunks / CHUNKS_PER_SPECULATION).max(1);
        if !is_late || !is_allowed {
            return None;
        }
        let median = self.median()?;
        Some((median * STRAGGLER_MEDIANS).max(EARLIEST_SPECULATION))
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
    fn deadlines_follow_the_median_above_a_floor() {
        assert_eq!(of(&[10]).deadline(), None, "one says nothing");
        assert_eq!(of(&[10, 20, 10]).deadline(), Some(SHORTEST_DEADLINE));
        let seconds = of(&[9_000, 1_000, 1_200]).deadline();
        assert_eq!(seconds, Some(Duration::from_secs(12)));
    }

    #[test]
    fn the_median_is_that_of_the_sorted_list() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut millis = Vec::new();
        for _ in 0..200 {
            millis.push(random.u64(0..50));
            let mut sorted = millis.clone();
            sorted.sort_unstable();
            let middle = Duration::from_millis(sorted[sorted.len() / 2]);
            let expected = (millis.len() >= FEWEST).then_some(middle);
            assert_eq!(of(&millis).median(), expected);
        }
    }

    #[test]
    fn speculative_attempts_come_late_and_are_few() {
        let fast = of(&[100, 100, 100]);
        assert_eq!(fast.straggler_after(74, 100, 0), None, "too early");
        assert_eq!(fast.straggler_after(75, 100, 0), Some(EARLIEST_SPECULATION));
        assert_eq!(
            of(&[800, 900, 700]).straggler_after(80, 100, 9),
            Some(Duration::from_millis(1_600))
        );
        assert_eq!(fast.straggler_after(99, 100, 10), None, "a tenth at most");
        assert_eq!(
            fast.straggler_after(3, 4, 0),
            Some(EARLIEST_SPECULATION),
            "one"
        );
        assert_eq!(fast.straggler_after(3, 4, 1), None);
        assert_eq!(of(&[100]).straggler_after(9, 10, 0), None, "no median");
    }
}
