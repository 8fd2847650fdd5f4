//! Pauses between two tries of a change.

use std::time::Duration;

use tokio::time::Instant;

/// Before the first retry; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Pauses that grow, up to a deadline.
pub(super) struct Backoff {
    pause: Duration,
    until: Instant,
}

impl Backoff {
    pub(super) fn until(until: Instant) -> Self {
        let pause = FIRST_PAUSE;
        Self { pause, until }
    }

    /// How long to wait before the next try; `None` if that would be too late.
    pub(super) fn next(&mut self, now: Instant) -> Option<Duration> {
        let pause = self.pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        (now + pause < self.until).then_some(pause)
    }

    /// Something went well.
    pub(super) fn reset(&mut self) {
        self.pause = FIRST_PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_before_the_deadline() {
        let began = Instant::now();
        let until = began + Duration::from_mins(5);
        let mut backoff = Backoff::until(until);
        let (mut now, mut tries) = (began, 0);
        while let Some(pause) = backoff.next(now) {
            assert!(pause <= LONGEST_PAUSE);
            now += pause;
            tries += 1;
        }
        assert!(now < until);
        assert!((10..40).contains(&tries), "{tries}");
    }
}
