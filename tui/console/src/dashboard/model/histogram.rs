//! The latencies of a run's map attempts, sorted into columns of equal width.

use mrdeck_engine::state::{Outcome, RunState};
use mrdeck_engine::stats::percentile;

/// From so many times the 95th percentile on, the longest are beyond the columns: they would squeeze the others together.
const OUTLIER: f64 = 3.0;

/// How many attempts took how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Answers in each column.
    pub answers: Vec<usize>,
    /// Attempts that failed, in each column.
    pub failures: Vec<usize>,
    /// The times that the columns are of, in milliseconds.
    pub window: (f64, f64),
    /// Answers and failures that took longer than these, and the longest of all.
    pub beyond: usize,
    pub longest_ms: f64,
}

/// The latencies of a run's answers and failures, in ascending order, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Latencies {
    answers: Vec<f64>,
    failures: Vec<f64>,
}

impl Latencies {
    pub fn of(run: &RunState) -> Self {
        let mut latencies = Self::default();
        for attempt in run.chunks.iter().flat_map(|chunk| &chunk.work.attempts) {
            match &attempt.outcome {
                Outcome::Succeeded { ms, .. } => latencies.answers.push(*ms),
                Outcome::Failed { ms, .. } => latencies.failures.push(*ms),
                _ => {}
            }
        }
        latencies.answers.sort_by(f64::total_cmp);
        latencies.failures.sort_by(f64::total_cmp);
        latencies
    }

    /// Returns the median of the answers, their 95th percentile and the longest; `None` without an answer.
    pub fn percentiles(&self) -> Option<[f64; 3]> {
        let is_empty = self.answers.is_empty();
        (!is_empty).then(|| [50, 95, 100].map(|percent| percentile(&self.answers, percent)))
    }

    /// Returns so many columns; `None` without an attempt that has ended.
    pub fn histogram(&self, columns: usize) -> Option<Histogram> {
        let all = || self.answers.iter().chain(&self.failures).copied();
        let longest_ms = all().fold(0.0, f64::max);
        if columns == 0 || longest_ms <= 0.0 {
            return None;
        }
        // Failures alone have no percentile of their own to compare with.
        let usual = match &self.answers[..] {
            [] => longest_ms,
            answers => percentile(answers, 95).max(f64::MIN_POSITIVE),
        };
        let is_broken = longest_ms > OUTLIER * usual;
        let end = if is_broken {
            OUTLIER / 2.0 * usual
        } else {
            longest_ms
        };
        let shortest = all().fold(longest_ms, f64::min);
        // Where all are alike, what is left of them would be empty.
        let begin = if shortest > end / 2.0 { end / 2.0 } else { 0.0 };
        let mut found = Histogram {
            answers: vec![0; columns],
            failures: vec![0; columns],
            window: (begin, end),
            beyond: 0,
            longest_ms,
        };
        let column = |ms: f64| {
            // From 0 to the number of columns.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let at = ((ms - begin) / (end - begin) * columns as f64) as usize;
            (ms <= end).then_some(at.min(columns - 1))
        };
        let kinds = [(&self.answers, true), (&self.failures, false)];
        for (times, is_answer) in kinds {
            for ms in times {
                match column(*ms) {
                    Some(at) if is_answer => found.answers[at] += 1,
                    Some(at) => found.failures[at] += 1,
                    None => found.beyond += 1,
                }
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn latencies(answers: &[f64], failures: &[f64]) -> Latencies {
        Latencies {
            answers: answers.to_vec(),
            failures: failures.to_vec(),
        }
    }

    #[test]
    fn every_attempt_is_in_one_column_or_beyond() {
        for (answers, failures) in [
            (vec![1.0, 2.0, 3.0, 4.0], vec![]),
            (vec![80.0; 50], vec![81.0]),
            (vec![1.0; 99], vec![6_500.0, 0.5]),
            (vec![0.001], vec![]),
            (vec![], vec![30_000.0, 3.0]),
        ] {
            for columns in [1, 7, 40] {
                let found = latencies(&answers, &failures).histogram(columns).unwrap();
                let shown: usize = found.answers.iter().chain(&found.failures).sum();
                assert_eq!(shown + found.beyond, answers.len() + failures.len());
                assert!(found.window.0 < found.window.1);
            }
        }
        assert_eq!(latencies(&[], &[]).histogram(9), None);
        assert_eq!(latencies(&[1.0], &[]).histogram(0), None);
    }

    #[test]
    fn what_takes_much_longer_is_beyond() {
        let found = latencies(&[1.0, 1.1, 1.2, 1.3], &[6_500.0])
            .histogram(10)
            .unwrap();
        assert_eq!((found.beyond, found.longest_ms), (1, 6_500.0));
        assert!(found.window.1 < 3.0, "{:?}", found.window);
        // Twice as long is still among the others.
        let found = latencies(&[1.0, 1.1, 1.2, 2.4], &[]).histogram(10).unwrap();
        assert_eq!((found.beyond, found.window), (0, (0.0, 2.4)));
    }
}
