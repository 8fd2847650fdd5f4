//! Runs that stopped and are taken up again: here, on another machine, by two consoles at a time.

use serde_json::Value;

use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::script::{Fault, Gate, Rule};
use mrdeck_testkit::words::LIBER_PRIMUS;

const TEXT: &[u8] = LIBER_PRIMUS.as_bytes();

/// A lab with a run of three chunks of which the second could not be mapped; and the run's id.
fn stopped() -> (Lab, String) {
    let lab = Lab::new([Fault::answer(500, "boom").at("/map").chunk(1)]);
    let report = lab.run(3).run().expect(4).json();
    lab.script.replace([]);
    let run = report["run"].as_str().unwrap().to_owned();
    (lab, run)
}

fn resume(lab: &Lab, run: &str) -> Console {
    let console = lab.console("resume").arg(run);
    console.args(["--output", "json"])
}

fn success(lab: &Lab, run: &str) -> Value {
    let body = lab.s3.get(&format!("s3://lab/mr/runs/{run}/success.json"));
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn only_what_is_missing_is_done() {
    let (lab, run) = stopped();
    let key = format!("mr/runs/{run}/success.json");
    assert!(!lab.s3.keys("mr").contains(&key));
    let report = lab.expect_exact(resume(&lab, &run).run(), TEXT);
    assert_eq!(report["run"], run.as_str());
    assert!(lab.script.seen("/split").is_empty());
    assert_eq!(lab.script.seen("/map").len(), 1);
    assert_eq!(lab.script.map_attempts(1)[0].1, 5, "after the four before");
    assert_eq!(lab.script.seen("/reduce").len(), 1);
    let success = success(&lab, &run);
    assert_eq!(success["out"], report["out"]);
    assert_eq!(success["chunks"][1]["attempts"], 5);

    // Once more: nothing is left to do, and nothing is asked of any service.
    lab.script.replace([]);
    let again = lab.expect_exact(resume(&lab, &run).run(), TEXT);
    assert_eq!(again["out"], report["out"]);
    assert!(lab.script.seen("/map").is_empty() && lab.script.seen("/reduce").is_empty());
}

#[test]
fn another_machine_goes_on_from_what_is_in_s3() {
    let (lab, run) = stopped();
    let home = Home::new();
    let finished = lab.resume_elsewhere(&home, &run).run();
    let said = &finished.stderr;
    assert!(
        said.contains("2 map outputs of an earlier console"),
        "{said}"
    );
    lab.expect_exact(finished, TEXT);
    assert_eq!(lab.script.seen("/map").len(), 1);
    assert_eq!(lab.script.map_attempts(1).len(), 1);
    assert_eq!(success(&lab, &run)["chunks"][0]["ms"], Value::Null);

    // A third one learns that it is done.
    lab.script.replace([]);
    let home = Home::new();
    let finished = lab.resume_elsewhere(&home, &run).run();
    let said = &finished.stderr;
    assert!(said.contains("the run was done at"), "{said}");
    lab.expect_exact(finished, TEXT);
    assert!(lab.script.seen("/map").is_empty() && lab.script.seen("/reduce").is_empty());
}

/// Map outputs that are gone or written over since are made again, all of them at once.
#[test]
fn lost_map_outputs_are_made_again() {
    let (lab, run) = stopped();
    let maps = lab.s3.keys(&format!("mr/runs/{run}/maps"));
    let [first, third] = &maps[..] else {
        panic!("{maps:?}");
    };
    std::fs::remove_file(lab.s3.file(first)).unwrap();
    lab.s3.put(third, "{\"a\": 1}");
    let finished = resume(&lab, &run).run();
    let said = &finished.stderr;
    for chunk in ["chunk 0, attempt 1", "chunk 2, attempt 1"] {
        let line = format!("{chunk} no longer counts");
        assert!(said.contains(&line), "{said}");
    }
    lab.expect_exact(finished, TEXT);
    assert_eq!(lab.script.seen("/map").len(), 3);
    assert_eq!(lab.script.seen("/reduce").len(), 2, "one that found out");
}

#[test]
fn on_one_machine_a_second_console_is_refused() {
    let gate = Gate::closed();
    let lab = Lab::new([Fault::Hold(gate.clone()).at("/map")]);
    let running = lab.run(3).start();
    lab.script
        .wait_until("the maps", |seen| seen.iter().any(|r| r.path == "/map"));
    let run = lab.home.record()[0]["run"].as_str().unwrap().to_owned();
    let refused = resume(&lab, &run).run();
    refused.expect_complaint(3, &["another mrdeck on this machine", "watch it there"]);
    gate.open();
    lab.expect_exact(running.wait(), TEXT);
    assert_eq!(lab.script.seen("/map").len(), 3);
}

/// The first console's maps wait until the second one, on another machine, is through.
#[test]
fn two_consoles_on_one_run_are_safe_and_say_so() {
    let gate = Gate::closed();
    let first_maps: Rule = Fault::Hold(gate.clone()).at("/map");
    let lab = Lab::new([first_maps.turns(1..=3)]);
    let running = lab.run(3).start();
    lab.script.wait_until("the maps", |seen| {
        seen.iter().filter(|r| r.path == "/map").count() == 3
    });
    let run = lab.home.record()[0]["run"].as_str().unwrap().to_owned();
    let home = Home::new();
    let second = lab.resume_elsewhere(&home, &run).run();
    let said = &second.stderr;
    assert!(said.contains("works on this run too"), "{said}");
    let second = lab.expect_exact(second, TEXT);
    gate.open();
    let first = running.wait();
    let said = &first.stderr;
    assert!(
        said.contains("another console finished this run first"),
        "{said}"
    );
    let first = lab.expect_exact(first, TEXT);
    assert_ne!(first["out"], second["out"], "no key is shared");
    assert_eq!(success(&lab, &run)["out"], second["out"]);
}

#[test]
fn a_plan_that_is_not_the_run_s_is_refused() {
    let (lab, run) = stopped();
    let plan = format!("mr/runs/{run}/plan.json");
    let mut other: Value =
        serde_json::from_slice(&lab.s3.get(&format!("s3://lab/{plan}"))).unwrap();
    other["rules"] = 99.into();
    lab.s3.put(&plan, other.to_string());
    let refused = resume(&lab, &run).run();
    refused.expect_complaint(3, &["is not the one that this run began with"]);
    let home = Home::new();
    let refused = lab.resume_elsewhere(&home, &run).run();
    refused.expect_complaint(3, &["version 99 of the counting rules"]);
    assert!(lab.script.seen("/map").is_empty());
}

#[test]
fn an_input_that_changed_since_is_refused() {
    let (lab, run) = stopped();
    lab.s3.put("input.txt", LIBER_PRIMUS.replace("et", "xx"));
    let refused = resume(&lab, &run).run();
    let report = refused.expect_complaint(3, &["was changed"]).json();
    assert_eq!(report["status"], "failed");
    assert!(lab.script.seen("/map").is_empty());
    // And it stays so: no second console is offered the same.
    let again = resume(&lab, &run).run();
    again.expect_complaint(3, &["was changed"]);
}

#[test]
fn what_is_no_run_is_named() {
    let lab = Lab::new([]);
    let refused = resume(&lab, "xyz").run();
    refused.expect_complaint(2, &["'xyz'", "<RUN>", "26 letters and digits"]);
    let unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let refused = resume(&lab, unknown).run();
    refused.expect_complaint(3, &[unknown, "--bucket"]);
    let refused = lab.resume_elsewhere(&lab.home, unknown).run();
    refused.expect_complaint(3, &[unknown, "plan.json"]);
}

#[test]
fn a_damaged_record_is_named_and_s3_has_the_rest() {
    let (lab, run) = stopped();
    let path = lab.home.record_files().remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"event\"", "\"evont\"", 3)).unwrap();
    let refused = resume(&lab, &run).run();
    refused.expect_complaint(3, &["line 1", "damaged", "move the file away"]);
    std::fs::remove_file(&path).unwrap();
    let finished = lab.resume_elsewhere(&lab.home, &run).run();
    lab.expect_exact(finished, TEXT);
    assert_eq!(lab.script.seen("/map").len(), 1);
}
