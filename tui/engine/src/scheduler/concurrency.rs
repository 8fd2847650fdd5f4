//! Pure: how many requests may be in flight at once: half as many after a request to slow down, then slowly more.

use std::time::Instant;

/// Unlimited until a service or S3 asks to slow down.
#[derive(Debug, Default)]
pub(super) struct Concurrency {
    limit: Option<f64>,
    /// What began before the limit fell says nothing about the new one.
    fell_at: Option<Instant>,
}

impl Concurrency {
    pub(super) fn allows(&self, in_flight: usize) -> bool {
        self.limit
            .is_none_or(|limit| (in_flight as f64) < limit.floor())
    }

    /// A service or S3 asked to slow down, with so many requests in flight, this one included; gives the limit if it is new.
    pub(super) fn throttled(
        &mut self,
        in_flight: usize,
        since: Instant,
        now: Instant,
    ) -> Option<u32> {
        // One request alone can't be made fewer: it only waits.
        if in_flight < 2 || self.fell_at.is_some_and(|fell_at| since < fell_at) {
            return None;
        }
        let before = self.shown();
        let limit = (in_flight as f64 / 2.0).floor().max(1.0);
        self.limit = Some(self.limit.map_or(limit, |old| old.min(limit)));
        self.fell_at = Some(now);
        self.shown().filter(|limit| before != Some(*limit))
    }

    /// A request was answered well; gives the limit once it no longer limits anything.
    pub(super) fn succeeded(&mut self, tasks: usize) -> Option<u32> {
        let limit = self.limit.as_mut()?;
        *limit += 1.0 / *limit;
        if *limit < tasks as f64 {
            return None;
        }
        self.limit = None;
        u32::try_from(tasks).ok()
    }

    fn shown(&self) -> Option<u32> {
        // A limit is half of a number of tasks, so it fits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        self.limit.map(|limit| limit as u32)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::time::Duration;

    use super::*;

    #[test]
    fn it_halves_once_a_round_and_recovers() {
        let mut concurrency = Concurrency::default();
        let start = Instant::now();
        let later = start + Duration::from_secs(1);
        assert!(concurrency.allows(1_000));
        assert_eq!(concurrency.throttled(8, start, later), Some(4));
        assert_eq!(
            concurrency.throttled(7, start, later),
            None,
            "of the same round"
        );
        assert!(concurrency.allows(3) && !concurrency.allows(4));
        assert_eq!(concurrency.throttled(4, later, later), Some(2));
        assert_eq!(concurrency.throttled(2, later, later), Some(1));
        assert_eq!(concurrency.throttled(1, later, later), None, "never none");
        assert!(concurrency.allows(0) && !concurrency.allows(1));
        let answers = (1..100).find(|_| concurrency.succeeded(8) == Some(8));
        assert!((20..40).contains(&answers.unwrap()), "{answers:?}");
        assert!(concurrency.allows(1_000));
        assert_eq!(concurrency.succeeded(8), None);
    }
}
