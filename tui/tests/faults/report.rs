//! The table of all faults, generated from the scenarios: `assets/faults.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use crate::scenario::Scenario;

/// Names the file to be written, from the workspace's folder.
const FILE: &str = "FAULTS_REPORT";

pub struct Report {
    rows: Vec<(u32, String)>,
    /// The scenarios that were played, each with the time it lost.
    lost: Mutex<BTreeMap<u32, Option<Duration>>>,
}

impl Report {
    pub fn new(scenarios: &[Scenario]) -> Self {
        let rows = scenarios.iter();
        Self {
            rows: rows
                .map(|scenario| (scenario.number, row(scenario)))
                .collect(),
            lost: Mutex::default(),
        }
    }

    pub fn took(&self, number: u32, lost: Option<Duration>) {
        self.lost.lock().unwrap().insert(number, lost);
    }

    /// Writes the table, if it was asked for.
    pub fn write(&self) {
        let Some(file) = std::env::var_os(FILE) else {
            return;
        };
        let lost = self.lost.lock().unwrap();
        assert_eq!(lost.len(), self.rows.len(), "the table is of all scenarios");
        let mut text = String::from(
            "# The faults that a run survives\n\n\
             Written by `FAULTS_REPORT=assets/faults.md cargo test -p mrdeck --test faults -- --test-threads 1` from the\n\
             files in `tui/tests/faults/scenarios`, after all of them were played. Each run ended with counts equal to a\n\
             one-process count of the raw bytes, or with a non-zero exit, a named cause and no success record. The time\n\
             lost is against the same run undisturbed; small runs on one machine, so that it is pauses and waits.\n\n\
             | | fault | what happens | time lost |\n|---|---|---|---|\n",
        );
        for (number, row) in &self.rows {
            writeln!(text, "{row}{} |", spell(lost[number])).unwrap();
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::fs::write(root.join(file), text).unwrap();
    }
}

/// A row up to its last cell.
fn row(scenario: &Scenario) -> String {
    format!(
        "| {} | {} | {} | ",
        scenario.number, scenario.fault, scenario.happens
    )
}

fn spell(lost: Option<Duration>) -> String {
    match lost.map(|lost| lost.as_millis()) {
        None => "–".to_owned(),
        Some(0..50) => "under 50 ms".to_owned(),
        Some(ms @ 50..1_000) => format!("{} ms", ms / 10 * 10),
        Some(ms) => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}
