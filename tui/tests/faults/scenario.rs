//! A scenario as its file has it: which fault, what mrdeck does about it, and the runs that show it.

use std::panic::catch_unwind;
use std::path::Path;
use std::time::Duration;

use libtest_mimic::Failed;
use serde::Deserialize;

use crate::special;
use mrdeck_testkit::disturb::Disturbed;
use mrdeck_testkit::disturb::play::play;
use mrdeck_testkit::skip::Lack;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name without `.toml`.
    #[serde(skip)]
    pub file: String,
    pub number: u32,
    /// In a few words.
    pub fault: String,
    /// For people: what mrdeck does about it.
    pub happens: String,
    #[serde(default, rename = "run")]
    runs: Vec<Disturbed>,
    /// The function that plays what is more than runs.
    #[serde(default)]
    pub by: Option<String>,
}

impl Scenario {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let read = toml::from_str(&text);
        let mut scenario: Self = read.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path.file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .clone_into(&mut scenario.file);
        let start = format!("{:02}-", scenario.number);
        assert!(scenario.file.starts_with(&start), "{}", scenario.file);
        let plays = !scenario.runs.is_empty() || scenario.by.is_some();
        assert!(plays, "{} plays nothing", scenario.file);
        scenario
    }

    /// Says what this machine lacks for it, if anything.
    pub fn lack(&self) -> Lack {
        self.by.as_deref().map_or(Lack::Nothing, special::lack)
    }

    /// Plays all of it; gives the longest time that one of its runs lost.
    pub fn play(&self) -> Result<Option<Duration>, Failed> {
        let mut longest = self.by.as_deref().and_then(special::play);
        for run in &self.runs {
            let played = catch_unwind(|| play(run));
            let lost = played.map_err(|panic| {
                let why = panic.downcast_ref::<String>();
                let why = why.map_or("it panicked with no text", String::as_str);
                format!("the run '{}': {why}", run.name)
            })?;
            longest = longest.max(lost.lost);
        }
        Ok(longest)
    }
}

/// Every scenario there is, by number.
pub fn all() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/faults/scenarios");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut scenarios: Vec<Scenario> = entries
        .map(|entry| Scenario::read(&entry.unwrap().path()))
        .collect();
    scenarios.sort_by_key(|scenario| scenario.number);
    scenarios
}
