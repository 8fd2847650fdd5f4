//! Pure: how many requests one worker may have at a time: as many as keep it busy while answers and requests travel.
//!
//! By Little's law a worker that is busy for `b` of the `l` that a request alone takes is busy all the time with `l / b`
//! requests in flight. A worker that does not say how long it was busy gets one at a time, as does one that is near.

use std::time::Duration;

/// The most requests on one worker.
const MOST: u32 = 8;
/// What travels for less is not worth a second request.
const LEAST_AWAY: Duration = Duration::from_millis(10);

/// The slots of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slots {
    allowed: u32,
    /// What the last answer called for: one alone may be an accident.
    called_for: u32,
    /// The most it took without becoming slower.
    ceiling: u32,
    /// The latency of the last request that had the worker to itself, and how much of it the worker was not busy.
    alone: Option<Duration>,
    away: Duration,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            allowed: 1,
            called_for: 1,
            ceiling: MOST,
            alone: None,
            away: Duration::ZERO,
        }
    }
}

impl Slots {
    pub(super) fn allowed(&self) -> u32 {
        self.allowed
    }

    /// Takes in an answer: after which time it came, for how long of it the worker says that it was busy, and how many
    /// requests the worker had just before, this one included.
    pub(super) fn answered(&mut self, latency: Duration, busy: Option<Duration>, in_flight: u32) {
        match self.alone {
            _ if in_flight <= 1 => {
                self.alone = Some(latency);
                self.away = busy.map_or(Duration::ZERO, |busy| latency.saturating_sub(busy));
            }
            // They were in each other's way: half as slow again costs more than it brings.
            Some(alone) if latency > alone + alone / 2 => {
                self.ceiling = self.ceiling.min(in_flight - 1).max(1);
            }
            _ => {}
        }
        let calls_for = match busy.filter(|busy| !busy.is_zero()) {
            // What the others in flight made it wait for does not count.
            Some(busy) if self.away >= LEAST_AWAY => {
                let ratio = 1.0 + self.away.as_secs_f64() / busy.as_secs_f64();
                // Between 1 and `MOST`.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let slots = ratio.min(f64::from(MOST)).round() as u32;
                slots
            }
            _ => 1,
        };
        // One more at a time, so that they do not all come at once.
        let most = self.called_for.min(self.ceiling).min(self.allowed + 1);
        self.allowed = calls_for.min(most);
        self.called_for = calls_for;
    }

    /// The worker asked to slow down, with so many requests, this one included.
    pub(super) fn throttled(&mut self, in_flight: u32) {
        self.ceiling = self.ceiling.min(in_flight.saturating_sub(1)).max(1);
        self.allowed = self.allowed.min(self.ceiling);
    }

    /// Goes back to one request at a time, after a failure.
    pub(super) fn reset(&mut self) {
        *self = Self {
            ceiling: self.ceiling,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Takes in an answer again and again.
    fn answered(slots: &mut Slots, latency: u64, busy: u64, in_flight: u32) -> u32 {
        for _ in 0..2 * MOST {
            slots.answered(ms(latency), Some(ms(busy)), in_flight);
        }
        slots.allowed()
    }

    #[test]
    fn a_worker_that_is_far_gets_as_many_as_keep_it_busy() {
        let mut slots = Slots::default();
        let grows: Vec<u32> = (0..5)
            .map(|_| {
                slots.answered(ms(100), Some(ms(25)), 1);
                slots.allowed()
            })
            .collect();
        assert_eq!(grows, [1, 2, 3, 4, 4], "one answer may be an accident");
        assert_eq!(answered(&mut slots, 100, 1, 4), MOST, "but no more");
        let slower = answered(&mut slots, 140, 75, 4);
        assert_eq!(slower, 2, "it was 75 ms away when it was asked alone");
        slots.reset();
        assert_eq!(slots.allowed(), 1);
    }

    #[test]
    fn one_that_is_near_or_says_nothing_gets_one() {
        let mut slots = Slots::default();
        for (latency, busy) in [
            (ms(9), Some(Duration::from_micros(10))),
            (ms(500), None),
            (ms(500), Some(ms(495))),
            (ms(500), Some(Duration::ZERO)),
            // As it may be where what it did at the same time is added up.
            (ms(500), Some(ms(900))),
        ] {
            slots.answered(latency, busy, 1);
            slots.answered(latency, busy, 1);
            assert_eq!(slots.allowed(), 1, "{latency:?} {busy:?}");
        }
    }

    #[test]
    fn one_that_becomes_slower_gets_less_for_good() {
        let mut slots = Slots::default();
        assert_eq!(answered(&mut slots, 100, 20, 1), 5);
        let borne = answered(&mut slots, 150, 20, 5);
        assert_eq!(borne, 5, "half as slow again is borne");
        assert_eq!(answered(&mut slots, 151, 20, 3), 2);
        assert_eq!(answered(&mut slots, 100, 20, 2), 2);
        slots.throttled(2);
        assert_eq!(slots.allowed(), 1);
        slots.throttled(1);
        slots.answered(ms(100), Some(ms(20)), 1);
        assert_eq!(slots.allowed(), 1);
    }
}
