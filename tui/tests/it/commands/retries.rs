//! Attempts that fail and are made good: the result is exact all the same, and every attempt is kept.

use std::collections::HashSet;

use serde_json::Value;

use mrdeck_testkit::lab::{DeadEnd, Lab};
use mrdeck_testkit::proxy::script::{Fault, Gate};
use mrdeck_testkit::wait_until;
use mrdeck_testkit::words::LIBER_PRIMUS;

const TEXT: &[u8] = LIBER_PRIMUS.as_bytes();

fn attempts(report: &Value) -> Vec<u64> {
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    chunks
        .iter()
        .map(|c| c["attempts"].as_u64().unwrap())
        .collect()
}

/// Each way in which an attempt can fail, on the first attempt of a chunk of its own; and how it is named.
#[test]
fn an_attempt_that_fails_is_named_and_made_good() {
    let json = r#"{"error":{"code":"defect","message":"broken inside"}}"#;
    let cases = [
        (Fault::answer(500, json), "broken inside"),
        (Fault::answer(200, json), "broken inside"),
        (Fault::answer(502, "boom\nmore\n"), "502 Bad Gateway: boom;"),
        (
            Fault::answer(404, "404 page not found\n"),
            "404 page not found",
        ),
        (Fault::answer(302, ""), "302 Found: an empty answer"),
        (
            Fault::answer(200, "<html>it works"),
            "something else than the service should",
        ),
        (
            Fault::answer(200, r#"{"out":"nowhere"}"#),
            "'nowhere' is not an s3:// address",
        ),
        (Fault::answer(200, ""), "an empty answer"),
        (Fault::Close, "dropped the connection"),
    ];
    let chunks = u32::try_from(cases.len()).unwrap();
    let rules = (0..).zip(&cases).map(|(chunk, (fault, _))| {
        let rule = fault.clone().at("/map");
        rule.chunk(chunk).attempts(1..=1)
    });
    let lab = Lab::new(rules);
    let finished = lab.run(chunks).run();
    for (chunk, (_, word)) in cases.iter().enumerate() {
        let start = format!("chunk {chunk}, attempt 1: ");
        let mut lines = finished.stderr.lines();
        let line = lines.find(|line| line.starts_with(&start)).unwrap();
        assert!(line.contains(word), "'{word}' is not in: {line}");
        assert!(line.contains("127.0.0.1:"), "it says where: {line}");
    }
    let report = lab.expect_exact(finished, TEXT);
    assert_eq!(attempts(&report), vec![2; cases.len()]);
}

#[test]
fn each_attempt_goes_to_another_mapper() {
    let failing = Fault::answer(500, "boom").at("/map").chunk(1);
    let lab = Lab::new([failing.attempts(1..=2)]);
    let report = lab.expect_exact(lab.run(3).run(), TEXT);
    assert_eq!(attempts(&report), [1, 3, 1]);
    let seen = lab.script.map_attempts(1);
    let mappers: HashSet<&String> = seen.iter().map(|(mapper, _)| mapper).collect();
    assert_eq!(mappers.len(), 3, "{seen:?}");
    let numbers: Vec<u32> = seen.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(report["phases"]["map"]["chunks"][1]["task"], seen[2].0);
}

#[test]
fn the_splitter_and_the_reducer_get_further_attempts_too() {
    let lab = Lab::new([
        Fault::Close.at("/split").attempts(1..=1),
        Fault::Close.at("/reduce").attempts(1..=1),
        Fault::answer(503, "slow down")
            .at("/reduce")
            .attempts(2..=2),
    ]);
    let report = lab.expect_exact(lab.run(3).run(), TEXT);
    assert_eq!(attempts(&report), [1, 1, 1]);
    assert_eq!(lab.script.seen("/split").len(), 2);
    assert_eq!(lab.script.seen("/reduce").len(), 3);
    assert!(report["out"].as_str().unwrap().ends_with("final-a3.json"));
}

/// The work is done, and only its answer does not come: it is found in S3, and nothing is done twice.
#[test]
fn an_answer_that_is_lost_is_recognised() {
    for fault in [Fault::LoseAnswer, Fault::Cut] {
        let lab = Lab::new([
            fault.clone().at("/map").chunk(1).attempts(1..=1),
            fault.at("/reduce").attempts(1..=1),
        ]);
        let finished = lab.run(3).run();
        for work in ["chunk 1", "reduce"] {
            let start = format!("{work}, attempt 1: ");
            let mut lines = finished.stderr.lines();
            let line = lines.find(|line| line.starts_with(&start)).unwrap();
            assert!(line.contains("dropped the connection"), "{line}");
            assert!(line.ends_with("its output is in S3 and counts"), "{line}");
        }
        let report = lab.expect_exact(finished, TEXT);
        assert_eq!(attempts(&report), [1, 1, 1]);
        assert_eq!(lab.script.seen("/reduce").len(), 1);
        assert!(report["out"].as_str().unwrap().ends_with("final-a1.json"));
    }
}

#[test]
fn a_mapper_that_always_fails_costs_attempts_and_nothing_else() {
    let lab = Lab::new([Fault::answer(500, "boom").on("mapper-2")]);
    let finished = lab.run(9).run();
    assert!(
        finished.stderr.contains("500 Internal Server Error: boom"),
        "{}",
        finished.stderr
    );
    let report = lab.expect_exact(finished, TEXT);
    let on_the_broken_one = lab.script.seen("/map").into_iter();
    let failed = on_the_broken_one
        .filter(|r| r.service == "mapper-2")
        .count();
    assert!(failed > 0);
    let attempts: u64 = attempts(&report).iter().sum();
    assert_eq!(attempts, 9 + failed as u64, "{report}");
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    assert!(chunks.iter().all(|chunk| chunk["task"] != "mapper-2"));
}

#[test]
fn a_mapper_that_is_not_there_is_worked_around() {
    let lab = Lab::new([]);
    let dead = DeadEnd::new();
    let mut addresses = lab.addresses();
    addresses.mappers[1] = dead.url();
    let input = lab.s3.put("input.txt", TEXT);
    let console = lab.console_to(&addresses, "run").arg(input);
    let finished = console.args(["--output", "json", "--chunks", "3"]).run();
    assert!(finished.stderr.contains("refused"), "{}", finished.stderr);
    lab.expect_exact(finished, TEXT);
}

#[test]
fn a_mapper_that_never_answers_is_given_up_on() {
    let lab = Lab::new([Fault::Silence.on("mapper-3")]);
    let finished = lab.run(3).args(["--timeout", "1"]).run();
    let said = &finished.stderr;
    assert!(said.contains("did not answer within 1.0 s"), "{said}");
    lab.expect_exact(finished, TEXT);
    lab.script.wait_until("the console to hang up", |seen| {
        seen.iter().any(|request| request.hung_up)
    });
}

#[test]
fn a_mapper_that_is_killed_at_work_is_worked_around() {
    let lab = Lab::new([]);
    // Frozen, it takes the request and does nothing, so that it is certainly killed with it in its hands.
    lab.mappers[0].freeze();
    let input = lab.s3.put("input.txt", TEXT);
    let console = lab.console_to(&lab.direct_addresses(), "run").arg(input);
    let running = console.args(["--output", "json", "--chunks", "3"]).start();
    wait_until("the request", || {
        let events = lab.home.record();
        events
            .iter()
            .any(|e| e["event"] == "attempt_started" && e["task"] == "mapper-1")
    });
    lab.mappers[0].kill();
    let report = lab.expect_exact(running.wait(), TEXT);
    assert_eq!(attempts(&report).iter().sum::<u64>(), 4);
    let failed: Vec<_> = lab
        .home
        .record()
        .into_iter()
        .filter(|e| e["event"] == "attempt_failed")
        .collect();
    assert_eq!(failed.len(), 1, "kept in the record");
    assert_eq!(failed[0]["attempt"], 1);
}

#[test]
fn all_mappers_work_at_once_one_chunk_each() {
    let gate = Gate::closed();
    let lab = Lab::new([Fault::Hold(gate.clone()).at("/map")]);
    let running = lab.run(6).start();
    lab.script.wait_until("three mappers at work", |seen| {
        seen.iter().filter(|request| request.path == "/map").count() == 3
    });
    let mappers: HashSet<String> = lab
        .script
        .seen("/map")
        .into_iter()
        .map(|r| r.service)
        .collect();
    assert_eq!(mappers.len(), 3, "one each: {mappers:?}");
    gate.open();
    lab.expect_exact(running.wait(), TEXT);
    assert_eq!(lab.script.seen("/map").len(), 6);
}
