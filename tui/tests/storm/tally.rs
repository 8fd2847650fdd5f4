//! What became of the runs of a storm, summed up.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use libtest_mimic::Failed;

use crate::run::CameOut;
use mrdeck_testkit::oracle::Verdict;

#[derive(Default)]
pub struct Tally {
    exact: u32,
    resumed: u32,
    /// How many were refused for which cause.
    refused: BTreeMap<String, u32>,
    failed: Vec<u64>,
    /// How long the longest one took, and its seed.
    longest: (Duration, u64),
}

impl Tally {
    pub fn add(&mut self, seed: u64, came_out: Result<CameOut, Failed>) {
        let Ok(came_out) = came_out else {
            self.failed.push(seed);
            return;
        };
        self.longest = self.longest.max((came_out.took, seed));
        self.resumed += u32::from(came_out.resumed);
        match came_out.verdict {
            Verdict::Exact => self.exact += 1,
            Verdict::Refused { code, cause } => {
                *self.refused.entry(kind(code, &cause)).or_default() += 1;
            }
        }
    }

    pub fn failed(&self) -> &[u64] {
        &self.failed
    }
}

/// A cause without what differs from run to run.
fn kind(code: i32, cause: &str) -> String {
    let words = cause.split(' ').map(|word| {
        let is_name = word.contains("://") || word.chars().any(|c| c.is_ascii_digit());
        if is_name { "…" } else { word }
    });
    let text: Vec<&str> = words.take(16).collect();
    format!("exit {code}: {}", text.join(" "))
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused: u32 = self.refused.values().sum();
        let failed = u32::try_from(self.failed.len()).unwrap();
        let runs = self.exact + refused + failed;
        let (longest, seed) = self.longest;
        writeln!(
            f,
            "{runs} runs: {} exact, {refused} refused with a cause, {failed} neither; {} resumed after kill -9; \
             the longest took {:.1} s (seed {seed})",
            self.exact,
            self.resumed,
            longest.as_secs_f64()
        )?;
        for (cause, count) in &self.refused {
            writeln!(f, "{count:6} × {cause}")?;
        }
        Ok(())
    }
}
