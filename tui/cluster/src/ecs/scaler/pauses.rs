//! The pauses between two tries of a change.

use std::time::Duration;

use mrdeck_core::backoff::Backoff;
use tokio::time::Instant;

const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(1_500),
    longest: Duration::from_secs(20),
};

/// Pauses that grow, up to a deadline.
pub(super) struct Pauses {
    retry: u32,
    until: Instant,
}

impl Pauses {
    pub(super) fn until(until: Instant) -> Self {
        Self { retry: 0, until }
    }

    /// Returns how long to wait before the next try; `None` if that would be too late.
    pub(super) fn next(&mut self, now: Instant) -> Option<Duration> {
        let pause = BACKOFF.pause(self.retry, fastrand::f64());
        self.retry += 1;
        (now + pause < self.until).then_some(pause)
    }

    /// Starts with the shortest pause again: a try succeeded.
    pub(super) fn reset(&mut self) {
        self.retry = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_before_the_deadline() {
        let began = Instant::now();
        let until = began + Duration::from_mins(5);
        let mut pauses = Pauses::until(until);
        let (mut now, mut tries) = (began, 0);
        while let Some(pause) = pauses.next(now) {
            assert!(pause <= Duration::from_secs(30));
            now += pause;
            tries += 1;
        }
        assert!(now < until);
        assert!((10..40).contains(&tries), "{tries}");
    }
}
