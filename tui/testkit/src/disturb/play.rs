//! Plays a disturbed run: sets the stage, does what is to be done, and judges what came of it.

use std::time::Instant;

use super::baseline::undisturbed;
use super::stage::Stage;
use super::{Disturbed, Events, Played, Requests, is_like};
use crate::console::{Finished, Running};
use crate::oracle::Verdict;

/// Plays it; panics unless everything is as it must be.
pub fn play(run: &Disturbed) -> Played {
    let mut played = play_alone(run);
    played.lost = match played.lost {
        Some(took) if !run.rules.is_empty() || !run.acts.is_empty() => {
            Some(took.saturating_sub(undisturbed(&run.lab)))
        }
        _ => None,
    };
    played
}

/// The same without a comparison: what is "lost" is the whole time.
pub fn play_alone(run: &Disturbed) -> Played {
    let mut stage = Stage::open(run);
    let started = Instant::now();
    stage.start();
    for act in &run.acts {
        stage.play(act);
    }
    let finished = stage.end();
    let took = started.elapsed();
    let verdict = stage.judge(&finished);
    expect(run, &stage, &finished, &verdict);
    for second in std::mem::take(&mut stage.seconds) {
        expect_second(run, &stage, second);
    }
    let lost = (verdict == Verdict::Exact).then_some(took);
    Played { took, lost }
}

fn expect(run: &Disturbed, stage: &Stage, finished: &Finished, verdict: &Verdict) {
    assert!(
        run.seen.exit.is(finished.code),
        "{:?} is expected: {verdict:?}\n{finished}",
        run.seen.exit
    );
    expect_said(finished, &run.seen.says);
    let record = stage.record();
    for Events { like, says, times } in &run.seen.events {
        let is_one =
            |event: &&serde_json::Value| is_like(event, like) && event.to_string().contains(says);
        let found = record.iter().filter(is_one).count();
        let (least, most) = *times;
        let all: Vec<String> = record.iter().map(ToString::to_string).collect();
        assert!(
            (least..=most).contains(&found),
            "{found} events like {like:?} that say '{says}' in:\n{}",
            all.join("\n")
        );
    }
    for Requests { on, times } in &run.seen.requests {
        let found = stage.lab.script.count(|seen| on.fits(seen));
        let (least, most) = *times;
        assert!(
            (least..=most).contains(&found),
            "{found} requests like {on:?}\n{finished}"
        );
    }
}

fn expect_second(run: &Disturbed, stage: &Stage, second: Running) {
    let expected = run
        .seen
        .second
        .as_ref()
        .expect("what is seen of the second console");
    let finished = second.wait();
    stage.judge_second(&finished);
    assert!(
        expected.exit.is(finished.code),
        "the second console, {:?} is expected: {finished}",
        expected.exit
    );
    expect_said(&finished, &expected.says);
}

fn expect_said(finished: &Finished, words: &[String]) {
    for word in words {
        let said = &finished.stderr;
        assert!(
            said.contains(word) || finished.stdout.contains(word),
            "'{word}' is not in: {said}"
        );
    }
}
