//! The pause between two refreshes of the task list: pure, so that it can be tested without a clock.

use std::time::Duration;

/// Between two refreshes while ECS answers.
const SHORTEST: Duration = Duration::from_secs(5);
/// Between two refreshes while ECS refuses them.
const LONGEST: Duration = Duration::from_mins(1);

/// Grows with each failure, and is back at its shortest after a success.
#[derive(Debug)]
pub(super) struct PollInterval(Duration);

impl Default for PollInterval {
    fn default() -> Self {
        Self(SHORTEST)
    }
}

impl PollInterval {
    /// Returns the pause before the next refresh.
    pub(super) fn pause(&self) -> Duration {
        self.0
    }

    /// Goes back to the shortest pause, after a success.
    pub(super) fn reset(&mut self) {
        self.0 = SHORTEST;
    }

    /// Doubles the pause, after a failure: perhaps there were too many refreshes.
    pub(super) fn back_off(&mut self) {
        self.0 = (self.0 * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_slow_it_down_and_an_answer_speeds_it_up() {
        let mut interval = PollInterval::default();
        let pauses: Vec<u64> = std::iter::repeat_with(|| {
            interval.back_off();
            interval.pause().as_secs()
        })
        .take(5)
        .collect();
        assert_eq!(pauses, [10, 20, 40, 60, 60]);
        interval.reset();
        assert_eq!(interval.pause(), SHORTEST);
    }
}
