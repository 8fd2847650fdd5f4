//! How often ECS is asked: pure, so that the budget can be tested without a clock.

use std::time::Duration;

/// Calls a second on average. ECS throttles an account at 20 to 100 a second, which others share.
const BUDGET: f64 = 5.0;
/// Between two refreshes of a small cluster.
const SHORTEST: Duration = Duration::from_secs(5);
/// Between two refreshes while ECS refuses them.
const LONGEST: Duration = Duration::from_mins(1);
/// After a key that asks for a refresh, before it is made: a key held down is one refresh.
const AFTER_KEY: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Pace {
    pause: Duration,
    calls: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            pause: SHORTEST,
            calls: 1,
        }
    }
}

impl Pace {
    /// Before the next refresh.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    /// Before a refresh that a person asked for: the budget holds for those too.
    pub(super) fn least_pause(&self) -> Duration {
        AFTER_KEY.max(affordable(self.calls))
    }

    /// A refresh took so many calls.
    pub(super) fn refreshed(&mut self, calls: u32) {
        self.calls = calls;
        self.pause = affordable(calls).max(SHORTEST);
    }

    /// A refresh failed, perhaps because there were too many.
    pub(super) fn slow_down(&mut self) {
        self.pause = (self.pause * 2).min(LONGEST);
    }
}

/// The pause after which so many calls stay within the budget.
fn affordable(calls: u32) -> Duration {
    Duration::from_secs_f64(f64::from(calls) / BUDGET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_holds_at_any_size() {
        for calls in [1, 3, 20, 24, 240, 2_000] {
            let mut pace = Pace::default();
            pace.refreshed(calls);
            for pause in [pace.pause(), pace.least_pause()] {
                let rate = f64::from(calls) / pause.as_secs_f64();
                assert!(rate <= BUDGET + 1e-9, "{calls} calls: {rate} a second");
            }
        }
    }

    #[test]
    fn refusals_slow_it_down_and_an_answer_speeds_it_up() {
        let mut pace = Pace::default();
        let pauses: Vec<u64> = std::iter::repeat_with(|| {
            pace.slow_down();
            pace.pause().as_secs()
        })
        .take(5)
        .collect();
        assert_eq!(pauses, [10, 20, 40, 60, 60]);
        pace.refreshed(3);
        assert_eq!(pace.pause(), SHORTEST);
    }
}
