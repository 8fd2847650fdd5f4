//! What a fault costs, as a ratio: medians of several runs, disturbed and undisturbed by turns. Printed, not asserted.
//!
//! `cargo test -p mrdeck --test faults -- --ignored bench --nocapture --test-threads 1`

use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;
use serde::Deserialize;

use mrdeck_testkit::disturb::Disturbed;
use mrdeck_testkit::disturb::play::play_alone;

/// Runs of each kind.
const RUNS: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bench {
    what: String,
    /// What the ratio should be below.
    below: f64,
    run: Disturbed,
}

/// Each file in `bench/` is a test that runs on request only.
pub fn all() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/faults/bench");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let trials = files.into_iter().map(|file| {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let test = Trial::test(format!("bench-{name}"), move || {
            let text = std::fs::read_to_string(&file).unwrap();
            let bench: Bench = toml::from_str(&text).map_err(|e| e.to_string())?;
            println!("{}", measure(&bench));
            Ok(())
        });
        test.with_ignored_flag(true)
    });
    trials.collect()
}

fn measure(bench: &Bench) -> String {
    let mut usual = bench.run.clone();
    usual.rules.clear();
    usual.acts.clear();
    let (mut undisturbed, mut disturbed) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        undisturbed.push(play_alone(&usual).took);
        disturbed.push(play_alone(&bench.run).took);
    }
    let (before, after) = (median(undisturbed), median(disturbed));
    let ratio = after.as_secs_f64() / before.as_secs_f64();
    format!(
        "{}: {:.2} s undisturbed, {:.2} s disturbed: {ratio:.2} times (below {} is wanted)",
        bench.what,
        before.as_secs_f64(),
        after.as_secs_f64(),
        bench.below
    )
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
