//! The table of all faults, generated from the scenarios: `assets/faults.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use libtest_mimic::Failed;

use crate::scenario::Scenario;

/// Names the file to be written, from the workspace's folder.
const FILE: &str = "FAULTS_REPORT";
const COMMAND: &str =
    "FAULTS_REPORT=assets/faults.md cargo test -p mrdeck --test faults -- --test-threads 1";

pub fn is_wanted() -> bool {
    std::env::var_os(FILE).is_some()
}

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
        if lost.len() < self.rows.len() {
            println!("no table is written: it is of all scenarios, played in one go");
            return;
        }
        let mut text = format!(
            "# The faults that a run survives\n\n\
             Written by `{COMMAND}`\n\
             from the files in `tui/tests/faults/scenarios`, after all of them were played. Each run ended with counts\n\
             equal to a one-process count of the raw bytes, or with a non-zero exit, a named cause and no success record.\n\
             The time lost is against the same run undisturbed, the longest of a fault's runs; the runs are small, so it\n\
             is what pauses and deadlines cost. A dash: nothing is compared, or the run was refused.\n\n\
             | | fault | what happens | time lost |\n|---|---|---|---|\n"
        );
        for (number, row) in &self.rows {
            writeln!(text, "{row}{} |", spell(lost[number])).unwrap();
        }
        std::fs::write(root().join(file), text).unwrap();
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

/// There are all of them, and the committed table is of them, with these texts.
pub fn check(scenarios: &[Scenario]) -> Result<(), Failed> {
    let is_numbered = (1..)
        .zip(scenarios)
        .all(|(n, scenario)| n == scenario.number);
    if !is_numbered {
        return Err("the scenarios' numbers are not 1, 2, 3 …, each once".into());
    }
    let text = std::fs::read_to_string(root().join("assets/faults.md")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    let (_head, lines) = lines.split_first().ok_or("there is no table")?;
    let are_same = lines.len() == scenarios.len()
        && lines
            .iter()
            .zip(scenarios)
            .all(|(line, scenario)| line.starts_with(&row(scenario)));
    if !are_same {
        return Err(
            format!("assets/faults.md has other texts: write it anew by '{COMMAND}'").into(),
        );
    }
    Ok(())
}

fn root() -> &'static Path {
    // tui/console is two folders below it.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(Path::parent)
        .unwrap()
}
