//! One run of the storm.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

use crate::draw::draw;
use mrdeck_testkit::console::{Finished, Running};
use mrdeck_testkit::disturb::Disturbed;
use mrdeck_testkit::disturb::act::{Deed, Place};
use mrdeck_testkit::disturb::stage::Stage;
use mrdeck_testkit::oracle::Verdict;

/// How a run came out that ended in one of the two ways it may.
pub struct CameOut {
    seed: u64,
    faults: String,
    pub verdict: Verdict,
    pub took: Duration,
    pub resumed: bool,
}

impl fmt::Display for CameOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            faults,
            verdict,
            took,
            ..
        } = self;
        let how = match verdict {
            Verdict::Exact => "exact".to_owned(),
            Verdict::Refused { code, cause } => format!("exit {code}: {cause}"),
        };
        write!(
            f,
            "seed {seed}, {:.1} s, {how} [{faults}]",
            took.as_secs_f64()
        )
    }
}

/// Draws a run and plays it. What fails tells the seed, what was drawn, and the record.
pub fn play(seed: u64) -> Result<CameOut, Failed> {
    let run = draw(seed);
    let mut stage = Stage::open(&run);
    let started = Instant::now();
    let played = catch_unwind(AssertUnwindSafe(|| play_on(&run, &mut stage)));
    let (verdict, resumed) = played.map_err(|panic| {
        let why = panic.downcast_ref::<String>().cloned();
        let record: Vec<String> = stage.record().iter().map(ToString::to_string).collect();
        let why = why.unwrap_or_else(|| "it panicked with no text".to_owned());
        format!(
            "seed {seed} was not survived: {why}\ndrawn: {run:?}\nrecord:\n{}",
            record.join("\n")
        )
    })?;
    Ok(CameOut {
        seed,
        faults: spell(&run),
        verdict,
        took: started.elapsed(),
        resumed,
    })
}

fn play_on(run: &Disturbed, stage: &mut Stage) -> (Verdict, bool) {
    stage.start();
    let mut resumed = false;
    for act in &run.acts {
        // What is waited for need not come: the run may end before.
        if stage.play_if_it_comes(act).is_err() {
            break;
        }
        resumed |= act.deeds.iter().any(|deed| matches!(deed, Deed::Resume(_)));
    }
    let mut finished = stage.end();
    if finished.code == Some(4) && stage.is_recorded_as_done() {
        // Its last write was done, and nobody could tell it so: then another console must find the run done.
        stage.lab.script.replace([]);
        finished = stage.resume(Place::Here);
        assert_eq!(finished.code, Some(0), "{finished}");
        resumed = true;
    }
    let seconds = std::mem::take(&mut stage.seconds).into_iter();
    let seconds: Vec<Finished> = seconds.map(Running::wait).collect();
    for second in &seconds {
        stage.judge_second(second);
    }
    // What the first could not do, another console may have done.
    let verdict = if seconds.iter().any(|second| second.code == Some(0)) {
        stage.judge_second(&finished)
    } else {
        stage.judge(&finished)
    };
    (verdict, resumed)
}

fn spell(run: &Disturbed) -> String {
    let rules = run.rules.iter().map(|rule| {
        let between = rule.on.between.as_deref().unwrap_or_default();
        format!("{between}: {:?}", rule.fault)
    });
    let acts = run.acts.iter().flat_map(|act| &act.deeds);
    let all: Vec<String> = rules.chain(acts.map(|deed| format!("{deed:?}"))).collect();
    all.join("; ")
}
