//! Services that can't be made good: the run is refused with a named cause, never a wrong result.
//! And services that merely know less than ours: they do.

use serde_json::{Value, json};

use mrdeck_testkit::console::Finished;
use mrdeck_testkit::lab::{DeadEnd, Lab};
use mrdeck_testkit::proxy::script::{Fault, Gate};
use mrdeck_testkit::wait_until;
use mrdeck_testkit::words::LIBER_PRIMUS;

const TEXT: &[u8] = LIBER_PRIMUS.as_bytes();

/// Asserts that the run failed for good for a cause that holds `words`, and claims no result.
#[track_caller]
fn expect_failure(finished: Finished, words: &[&str]) -> Value {
    assert!(!finished.stderr.contains("mrdeck resume"));
    expect_no_result(&finished.expect_complaint(3, words), words)
}

/// The same of a run that can go on; the command to do so is printed.
#[track_caller]
fn expect_stop(finished: Finished, words: &[&str]) -> Value {
    let finished = finished.expect_complaint(4, words);
    let report = finished.json();
    let command = format!("mrdeck resume {}", report["run"].as_str().unwrap());
    assert!(finished.stderr.contains(&command), "{}", finished.stderr);
    expect_no_result(&finished, words)
}

#[track_caller]
fn expect_no_result(finished: &Finished, words: &[&str]) -> Value {
    let report = finished.json();
    assert_eq!(report["status"], "failed");
    for field in ["words", "unique", "out"] {
        assert_eq!(report[field], Value::Null, "{field}");
    }
    assert_eq!(report["top"], json!([]));
    let cause = report["error"]["cause"].as_str().unwrap();
    assert!(words.iter().all(|word| cause.contains(word)), "{cause}");
    // Our own services say in the same sentence what to do, behind a semicolon.
    let has_advice = report["error"]["advice"].as_str() != Some("") || cause.contains("; ");
    assert!(has_advice, "no next step: {cause}");
    report
}

#[test]
fn a_chunk_that_fails_everywhere_fails_the_run_and_nothing_is_reduced() {
    let lab = Lab::new([Fault::answer(500, "boom").at("/map").chunk(1)]);
    let finished = lab
        .run(3)
        .args(["--save", "counts.json", "--chart", "chart.svg"])
        .run();
    let report = expect_stop(finished, &["1 of 3 chunks", "boom"]);
    assert_eq!(lab.script.map_attempts(1).len(), 4);
    assert!(lab.script.seen("/reduce").is_empty());
    let chunk = &report["phases"]["map"]["chunks"][1];
    assert_eq!(
        (&chunk["attempts"], &chunk["ms"]),
        (&json!(4), &Value::Null)
    );
    assert_eq!(
        lab.home.names(),
        ["chart.svg", "state"],
        "a chart, but no counts"
    );
    let chart = String::from_utf8(lab.home.read("chart.svg")).unwrap();
    assert!(
        chart.contains("failed"),
        "the failed attempts are in the chart"
    );
    let record = lab.home.record();
    let failed = record.iter().filter(|e| e["event"] == "attempt_failed");
    assert_eq!(failed.count(), 4);
    assert_eq!(record.last().unwrap()["status"], "failed");
}

#[test]
fn with_no_mapper_at_all_the_run_ends_after_a_while() {
    let lab = Lab::new([]);
    let dead = DeadEnd::new();
    let mut addresses = lab.addresses();
    addresses.mappers = vec![dead.url()];
    let input = lab.s3.put("input.txt", TEXT);
    let console = lab.console_to(&addresses, "run").arg(input);
    let finished = console.args(["--output", "json", "--chunks", "2"]).run();
    let report = expect_stop(finished, &["2 of 2 chunks", "can't be reached", "refused"]);
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    let attempts = chunks
        .iter()
        .map(|chunk| chunk["attempts"].as_u64().unwrap());
    // Probes with pauses, for 15 s.
    assert!((4..=20).contains(&attempts.sum::<u64>()), "{chunks:?}");
    assert!(lab.script.seen("/reduce").is_empty());
}

#[test]
fn a_splitter_or_reducer_that_is_not_there_is_named() {
    let lab = Lab::new([]);
    let dead = DeadEnd::new();
    let input = lab.s3.put("input.txt", TEXT);
    let mut without_splitter = lab.addresses();
    without_splitter.splitter = dead.url();
    let mut without_reducer = lab.addresses();
    without_reducer.reducer = dead.url();
    let address = dead.url().replace("http://", "");
    let run = |addresses| {
        let console = lab.console_to(addresses, "run").arg(&input);
        console.args(["--output", "json"]).run()
    };
    let words: &[&str] = &[&address, "refused"];
    expect_failure(run(&without_splitter), words);
    // What was mapped is kept.
    expect_stop(run(&without_reducer), words);
}

#[test]
fn a_reducer_that_is_killed_at_work_is_named() {
    let lab = Lab::new([]);
    lab.reducer.freeze();
    let input = lab.s3.put("input.txt", TEXT);
    let console = lab.console_to(&lab.direct_addresses(), "run").arg(input);
    let running = console.args(["--output", "json"]).start();
    wait_until("the request", || {
        let events = lab.home.record();
        events
            .iter()
            .any(|e| e["event"] == "attempt_started" && e["phase"] == "reduce")
    });
    lab.reducer.kill();
    let report = expect_stop(
        running.wait(),
        &[&lab.reducer.address.to_string(), "refused"],
    );
    let mapped = report["phases"]["map"]["chunks"].as_array().unwrap().iter();
    assert!(
        mapped.clone().all(|chunk| chunk["words"].is_u64()),
        "what was mapped is kept"
    );
}

/// Each split is asked for an input of its own, so that the runs can go on side by side.
#[test]
fn a_split_that_would_lose_or_double_something_is_refused() {
    let lose_one = |json: &mut Value| {
        json["chunks"].as_array_mut().unwrap().pop();
    };
    let cases = [
        (Fault::edit(lose_one), "sizes don't add up"),
        (
            Fault::edit(|json| json["chunks"][1] = json["chunks"][0].clone()),
            "twice",
        ),
        (
            Fault::edit(|json| json["chunks"] = json!([])),
            "without a single chunk",
        ),
        (
            Fault::edit(|json| json["sizes"][0] = json!(1)),
            "sizes don't add up",
        ),
    ];
    let lab = Lab::new([]);
    let inputs: Vec<String> = (0..cases.len())
        .map(|case| lab.s3.put(&format!("input{case}.txt"), TEXT))
        .collect();
    let rules = inputs
        .iter()
        .zip(&cases)
        .map(|(input, (fault, _))| fault.clone().at("/split").parameter("s3", input));
    lab.script.replace(rules);
    let running: Vec<_> = inputs
        .iter()
        .map(|input| {
            lab.console("run")
                .arg(input)
                .args(["--split", "copy", "--output", "json"])
                .start()
        })
        .collect();
    for (running, (_, word)) in running.into_iter().zip(cases) {
        expect_failure(running.wait(), &[word]);
    }
    assert_eq!(lab.script.seen("/split").len(), 4 * 4);
    assert!(lab.script.seen("/map").is_empty());
}

#[test]
fn ranges_that_leave_a_gap_are_refused() {
    let lab = Lab::new([Fault::edit(|json| json["chunks"][1]["start"] = json!(1)).at("/split")]);
    let finished = lab.run(3).args(["--split", "range"]).run();
    expect_failure(finished, &["gap or overlap"]);
    assert!(lab.script.seen("/map").is_empty());
}

/// Services that contradict each other, or themselves.
#[test]
fn figures_that_don_t_add_up_are_refused() {
    let lab = Lab::new([]);
    for (path, field, word, is_final) in [
        (
            "/map",
            "words",
            "the maps counted 3 words, but the result has 7180",
            true,
        ),
        ("/map", "bytes", "the maps read 3 bytes", true),
        ("/reduce", "words", "the reducer reports 1 words", true),
        ("/reduce", "files", "1 map outputs instead of 3", false),
    ] {
        let fault = Fault::edit(move |json| json[field] = json!(1));
        lab.script.replace([fault.at(path)]);
        let finished = lab.run(3).run();
        if is_final {
            expect_failure(finished, &[word]);
        } else {
            expect_stop(finished, &[word]);
        }
    }
}

#[test]
fn two_chunks_with_one_output_are_refused_before_the_reduce() {
    let lab = Lab::new([]);
    let shared = lab.s3.put("shared.json", "{\n  \"a\": 1\n}");
    lab.script
        .replace([Fault::edit(move |json| json["out"] = json!(shared)).at("/map")]);
    expect_failure(
        lab.run(3).run(),
        &["two chunks name the same output", "shared.json"],
    );
    assert!(lab.script.seen("/reduce").is_empty());
}

#[test]
fn a_map_output_that_holds_no_counts_is_refused_by_the_reducer() {
    let lab = Lab::new([]);
    for (content, word) in [
        ("no json", "not valid JSON"),
        ("[1,2]", "not an object"),
        ("{\"a\":1.5}", "1.5"),
        ("{\"a\":-1}", "-1"),
        ("{\"a\":1,\"a\":1}", "twice"),
    ] {
        let out = lab.s3.put("garbage.json", content);
        // A mapper that says no hash, so that only its output tells.
        let point_there = Fault::edit(move |json| {
            json["out"] = json!(out);
            json.as_object_mut().unwrap().remove("sha256");
        });
        lab.script.replace([point_there.at("/map").chunk(0)]);
        expect_stop(lab.run(3).run(), &["garbage.json", word]);
        assert_eq!(lab.script.map_attempts(0).len(), 4, "mapped again thrice");
        assert_eq!(lab.script.seen("/reduce").len(), 4);
    }
}

#[test]
fn a_result_that_is_not_what_was_counted_is_refused() {
    let lab = Lab::new([]);
    // A reducer that says nothing of words, so that only its output tells.
    let swap = |content: &str| {
        let out = lab.s3.put("other.json", content);
        [Fault::edit(move |json| *json = json!({"out": out})).at("/reduce")]
    };
    lab.script.replace(swap("{\"a\": 1}"));
    expect_failure(lab.run(3).run(), &["7180 words", "the result has 1"]);
    lab.script.replace(swap("not counts"));
    expect_failure(lab.run(3).run(), &["other.json does not hold counts"]);
    // As many words as there should be, but other ones: only a recount finds that.
    lab.script.replace(swap("{\"a\": 7180}"));
    let finished = lab.run(3).arg("--verify").run();
    let report = expect_failure(finished, &["the result is wrong", "words missing"]);
    assert_eq!(report["verified"], false);
}

#[test]
fn services_like_the_lab_s_work_too() {
    let lab = Lab::new([Fault::Plain.always()]);
    let report = lab.expect_exact(lab.run(3).arg("--verify").run(), TEXT);
    assert_eq!(report["phases"]["map"]["chunks"][0]["words"], Value::Null);
    let out = report["out"].as_str().unwrap();
    assert!(out.starts_with("s3://lab/mr/reduce/final_"), "{out}");
    // A mode they don't know is ignored: they copy, and the console takes what they answer.
    lab.script.replace([Fault::Plain.always()]);
    let input = lab.s3.put("range.txt", TEXT);
    let console = lab
        .console("run")
        .arg(input)
        .args(["--output", "json", "--split", "range"]);
    lab.expect_exact(console.run(), TEXT);
}

#[test]
fn a_plain_text_refusal_is_shown_as_it_came() {
    let lab = Lab::new([Fault::Plain.always()]);
    let input = lab.s3.put("few.txt", "only four words here");
    let console = lab.console("run").arg(input);
    let finished = console.args(["--output", "json", "--chunks", "5"]).run();
    expect_failure(finished, &["400 Bad Request", "4 words"]);
}

/// The maps wait until the input is another one.
#[test]
fn an_input_that_changes_during_the_run_fails_it() {
    let upper = LIBER_PRIMUS.replace("et", "xx");
    for (split, change, word) in [
        ("copy", upper.as_str(), "changed while"),
        ("range", upper.as_str(), "changed while"),
        ("range", "short now", "changed while"),
    ] {
        let gate = Gate::closed();
        let lab = Lab::new([Fault::Hold(gate.clone()).at("/map")]);
        let running = lab
            .run(3)
            .args(["--split", split, "--save", "counts.json"])
            .start();
        lab.script
            .wait_until("the maps", |seen| seen.iter().any(|r| r.path == "/map"));
        lab.s3.put("input.txt", change);
        gate.open();
        expect_failure(running.wait(), &["input.txt", word]);
        assert_eq!(lab.home.names(), ["state"], "no counts are saved");
        let is_reduced = !lab.script.seen("/reduce").is_empty();
        assert_eq!(
            is_reduced,
            split == "copy",
            "the chunks' copies are as they were"
        );
    }
}

/// Changed before the split and changed back before the end: only the services could have noticed.
#[test]
fn an_input_that_is_another_one_for_a_while_fails_the_run() {
    let gate = Gate::closed();
    let lab = Lab::new([Fault::Hold(gate.clone()).at("/split")]);
    let running = lab.run(3).start();
    lab.script.wait_until("the split", |seen| {
        seen.iter().any(|request| request.path == "/split")
    });
    lab.s3.put("input.txt", LIBER_PRIMUS.replace("et", "xx"));
    gate.open();
    let finished = running.wait();
    lab.s3.put("input.txt", TEXT);
    expect_failure(finished, &["input.txt was changed while"]);
    assert!(lab.script.seen("/map").is_empty(), "it is noticed at once");
}
