//! The pauses between retries. Pure: no clock, no randomness of its own.

use std::time::Duration;

/// Pauses that double from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

impl Backoff {
    /// Returns the pause before retry number `retry`, counted from 0.
    ///
    /// A `jitter` from 0 to 1 scales the nominal pause by 0.5 to 1.5, so that calls that failed together are not
    /// retried together.
    pub fn pause(self, retry: u32, jitter: f64) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2u32.saturating_pow(retry.min(16)));
        doubled
            .min(self.longest)
            .mul_f64(0.5 + jitter.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(5),
        };
        let nominal = [0, 1, 2, 4, 5, 40].map(|retry| backoff.pause(retry, 0.5).as_millis());
        assert_eq!(nominal, [200, 400, 800, 3_200, 5_000, 5_000]);
        assert_eq!(backoff.pause(0, 0.0), Duration::from_millis(100));
        assert_eq!(backoff.pause(0, 9.0), Duration::from_millis(300));
    }
}
