//! Calls one after another, and on the poller's bill: scaling and listing together stay within one budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Between two calls: five a second.
const SPACING: Duration = Duration::from_millis(200);
/// Before the first retry; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(super) struct Turn {
    /// Calls the poller has yet to make up for.
    spent: Arc<AtomicU32>,
    next: Mutex<Instant>,
}

impl Turn {
    pub(super) fn new(spent: Arc<AtomicU32>) -> Self {
        Self {
            spent,
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits until a call may be made.
    pub(super) async fn take(&self) {
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        *next = after(*next, Instant::now());
        self.spent.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls that were made without waiting for a turn.
    pub(super) fn count(&self, calls: u32) {
        self.spent.fetch_add(calls, Ordering::Relaxed);
    }
}

/// When the call after one at `turn` may be made.
fn after(turn: Instant, now: Instant) -> Instant {
    turn.max(now) + SPACING
}

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
    fn there_are_five_calls_a_second_at_most() {
        let began = Instant::now();
        let mut turn = began;
        for _ in 0..10 {
            turn = after(turn, began);
        }
        assert_eq!(turn - began, Duration::from_secs(2));
        let later = began + Duration::from_mins(1);
        assert_eq!(after(turn, later), later + SPACING, "none is saved up");
    }

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
