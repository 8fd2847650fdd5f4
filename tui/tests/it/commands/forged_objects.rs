//! What lies in S3 between two consoles is not believed: it is checked, made again, or refused.

use serde_json::{Value, json};

use mrdeck_testkit::console::Finished;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::script::{Fault, Gate};
use mrdeck_testkit::words::LIBER_PRIMUS;

const TEXT: &[u8] = LIBER_PRIMUS.as_bytes();

fn resumed(lab: &Lab, run: &str) -> Finished {
    lab.resume_elsewhere(&Home::new(), run).run()
}

fn id(report: &Value) -> String {
    report["run"].as_str().unwrap().to_owned()
}

/// A run killed before the first of its maps was answered, with these options.
fn killed_before_maps(lab: &Lab, options: &[&str]) -> String {
    lab.script.replace([Fault::Hold(Gate::closed()).at("/map")]);
    let running = lab.run(3).args(options).start();
    lab.script.wait_until("the maps", |seen| {
        seen.iter().any(|request| request.path == "/map")
    });
    running.signal("KILL");
    drop(running);
    lab.script.replace([]);
    let run = lab.home.record()[0]["run"].as_str().unwrap().to_owned();
    std::fs::remove_file(lab.home.record_files().remove(0)).unwrap();
    run
}

/// The record ends with this event, as if the console had been killed then.
fn cut_record(lab: &Lab, event: &str) {
    let path = lab.home.record_files().remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    let event = format!("\"event\":\"{event}\"");
    let last = text.lines().position(|line| line.contains(&event));
    let lines: Vec<&str> = text.lines().take(last.unwrap() + 1).collect();
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
}

/// Changes an object as its JSON.
fn edit(lab: &Lab, key: &str, change: impl Fn(&mut Value)) {
    let body = lab.s3.get(&format!("s3://lab/{key}"));
    let mut json = serde_json::from_slice(&body).unwrap();
    change(&mut json);
    lab.s3.put(key, json.to_string());
}

/// Flips a bit of an object where it lies: S3's own checksum stays what it was.
fn flip(lab: &Lab, key: &str) {
    let path = lab.s3.file(key);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_success_record_of_another_run_or_version_is_refused() {
    let lab = Lab::new([]);
    let one = id(&lab.run(3).run().expect(0).json());
    std::fs::remove_file(lab.home.record_files().remove(0)).unwrap();
    let other = id(&lab.run(3).run().expect(0).json());
    let key = format!("mr/runs/{one}/success.json");
    let own = lab.s3.get(&format!("s3://lab/{key}"));
    let theirs = lab
        .s3
        .get(&format!("s3://lab/mr/runs/{other}/success.json"));
    lab.s3.put(&key, theirs);
    resumed(&lab, &one).expect_complaint(3, &["success record", "not about this run"]);
    for (field, value) in [
        ("rules", json!(99)),
        ("plan", json!("0".repeat(64))),
        ("etag", json!("\"another\"")),
        ("bytes", json!(1)),
        ("chunks", json!([])),
    ] {
        lab.s3.put(&key, own.clone());
        edit(&lab, &key, |json| json[field] = value.clone());
        resumed(&lab, &one).expect_complaint(3, &["not about this run"]);
    }
    lab.s3.put(&key, own);
    lab.expect_exact(resumed(&lab, &one), TEXT);
}

#[test]
fn cuts_that_would_count_something_twice_are_refused() {
    let lab = Lab::new([]);
    let run = killed_before_maps(&lab, &["--split", "range"]);
    let key = format!("mr/runs/{run}/plan.json");
    let plan = lab.s3.get(&format!("s3://lab/{key}"));
    let forge: [fn(&mut Value); 3] = [
        |json| json["cuts"][1]["start"] = json!(0),
        |json| json["cuts"][1]["end"] = json!(0),
        |json| {
            json["cuts"].as_array_mut().unwrap().pop();
        },
    ];
    for forge in forge {
        lab.s3.put(&key, plan.clone());
        edit(&lab, &key, forge);
        resumed(&lab, &run).expect_complaint(3, &["plan.json can't be followed"]);
    }
    assert!(lab.script.seen("/map").is_empty());
    lab.s3.put(&key, plan);
    lab.expect_exact(resumed(&lab, &run), TEXT);
}

/// A copy that is gone, written over, cut short, or damaged where it lies: its bytes come from the input.
#[test]
fn a_copy_that_is_not_what_was_cut_is_read_from_the_input() {
    let lab = Lab::new([]);
    let change: [fn(&Lab, &str); 4] = [
        |lab, key| std::fs::remove_file(lab.s3.file(key)).unwrap(),
        |lab, key| {
            let text = lab.s3.get(&format!("s3://lab/{key}"));
            lab.s3.put(key, vec![b'x'; text.len()]);
        },
        |lab, key| {
            lab.s3.put(key, "short");
        },
        flip,
    ];
    for change in change {
        let run = killed_before_maps(&lab, &["--split", "copy"]);
        let copies = lab.s3.keys(&format!("mr/runs/{run}/chunks"));
        change(&lab, &copies[1]);
        let finished = resumed(&lab, &run);
        let said = &finished.stderr;
        assert!(said.contains("the copy of chunk 1 is gone"), "{said}");
        lab.expect_exact(finished, TEXT);
    }
}

#[test]
fn what_is_damaged_where_it_lies_is_made_again() {
    let lab = Lab::new([Fault::answer(500, "boom").at("/map").chunk(2)]);
    let run = id(&lab.run(3).run().expect(4).json());
    lab.script.replace([]);
    let maps = lab.s3.keys(&format!("mr/runs/{run}/maps"));
    flip(&lab, &maps[0]);
    let finished = lab.console("resume").args([&run, "--output", "json"]).run();
    let said = &finished.stderr;
    assert!(
        said.contains("chunk 0, attempt 1 no longer counts"),
        "{said}"
    );
    lab.expect_exact(finished, TEXT);
}

/// The recorded result is made again, is the same, and goes back to where it was.
#[test]
fn a_recorded_result_that_is_lost_is_made_again_where_it_was() {
    let lab = Lab::new([]);
    let report = lab.run(3).arg("--verify").run().expect(0).json();
    let (run, out) = (id(&report), report["out"].as_str().unwrap());
    let key = out.strip_prefix("s3://lab/").unwrap();
    let whole = lab.s3.get(out);
    let change: [fn(&Lab, &str); 3] = [
        |lab, key| std::fs::remove_file(lab.s3.file(key)).unwrap(),
        |lab, key| {
            lab.s3.put(key, "{\"a\": 7180}");
        },
        flip,
    ];
    for change in change {
        change(&lab, key);
        let again = lab.expect_exact(resumed(&lab, &run), TEXT);
        assert_ne!(again["out"], report["out"]);
        assert_eq!(lab.s3.get(out), whole, "it is back");
    }
}

/// A result that was verified and then lost is not verified before it was recounted.
#[test]
fn another_result_is_verified_again() {
    let lab = Lab::new([]);
    let report = lab.run(3).arg("--verify").run().expect(0).json();
    let run = id(&report);
    std::fs::remove_file(lab.s3.file(&format!("mr/runs/{run}/success.json"))).unwrap();
    let out = report["out"].as_str().unwrap().strip_prefix("s3://lab/");
    std::fs::remove_file(lab.s3.file(out.unwrap())).unwrap();
    cut_record(&lab, "verified");
    let finished = lab.console("resume").args([&run, "--output", "json"]).run();
    let report = lab.expect_exact(finished, TEXT);
    assert_eq!(report["verified"], true);
    let events = lab.home.record();
    let verified = events.iter().filter(|event| event["event"] == "verified");
    assert_eq!(verified.count(), 2);
}

/// Services that know no extension can't say what they lost: then the whole input is recounted here.
#[test]
fn services_that_say_nothing_are_not_believed() {
    let lab = Lab::new([Fault::Plain.always()]);
    let finished = lab.run(3).run();
    let said = &finished.stderr;
    assert!(
        said.contains("so the whole input is recounted here"),
        "{said}"
    );
    let report = lab.expect_exact(finished, TEXT);
    assert_eq!(report["verified"], true);

    // One that drops the last bytes of its input, in silence.
    let cut = lab.s3.put("cut.txt", &TEXT[..TEXT.len() - 200]);
    let chunk = lab.s3.put("only.txt", TEXT[..TEXT.len() - 200].to_vec());
    assert_ne!(cut, chunk);
    lab.script.replace([
        Fault::edit(move |json| *json = json!({"chunks": [chunk]})).at("/split"),
        Fault::Plain.always(),
    ]);
    let finished = lab.run(1).run();
    let finished = finished.expect_complaint(3, &["the result is wrong", "missing"]);
    assert_eq!(finished.json()["status"], "failed");
    let run = id(&finished.json());
    assert!(!lab.s3.has(&format!("mr/runs/{run}/success.json")));
}

/// With services that say no hash, what the console itself read before tells that the result is another one.
#[test]
fn a_result_written_over_after_it_was_verified_is_made_again() {
    for is_recorded in [false, true] {
        let lab = Lab::new([Fault::Plain.always()]);
        let report = lab.run(3).run().expect(0).json();
        let run = id(&report);
        let out = report["out"].as_str().unwrap().strip_prefix("s3://lab/");
        lab.s3.put(out.unwrap(), "{\"a\": 7180}");
        if !is_recorded {
            std::fs::remove_file(lab.s3.file(&format!("mr/runs/{run}/success.json"))).unwrap();
        }
        cut_record(&lab, "verified");
        let finished = lab.console("resume").args([&run, "--output", "json"]).run();
        let said = &finished.stderr;
        assert!(
            said.contains("are not those that the reducer wrote"),
            "{said}"
        );
        lab.expect_exact(finished, TEXT);
    }
}

/// The reducer of another author does not say which map output it misses.
#[test]
fn a_lost_map_output_is_found_without_the_reducer_s_help() {
    let lab = Lab::new([
        Fault::Plain.at("/split"),
        Fault::Plain.at("/map"),
        Fault::answer(500, "boom").at("/reduce"),
    ]);
    let run = id(&lab.run(3).run().expect(4).json());
    let lost = lab.s3.keys("mr/maps").remove(1);
    std::fs::remove_file(lab.s3.file(&lost)).unwrap();
    lab.script.replace([Fault::Plain.always()]);
    let finished = lab.console("resume").args([&run, "--output", "json"]).run();
    let said = &finished.stderr;
    assert!(said.contains("is gone"), "{said}");
    lab.expect_exact(finished, TEXT);
    assert_eq!(lab.script.seen("/map").len(), 1);
}

#[test]
fn a_run_that_is_done_is_looked_at_again() {
    let lab = Lab::new([]);
    let report = lab.run(3).run().expect(0).json();
    let (run, out) = (id(&report), report["out"].as_str().unwrap());
    let resume = || lab.console("resume").args([&run, "--output", "json"]).run();
    lab.expect_exact(resume(), TEXT);
    std::fs::remove_file(lab.s3.file(out.strip_prefix("s3://lab/").unwrap())).unwrap();
    lab.expect_exact(resume(), TEXT);
    assert!(!lab.s3.get(out).is_empty(), "it is back");
}

#[test]
fn a_text_of_few_words_is_one_chunk_unless_more_are_asked_for() {
    let lab = Lab::new([]);
    for text in [
        " ".repeat(1_000),
        "x".repeat(1_000),
        format!("two words{}", " ".repeat(900)),
    ] {
        let input = lab.s3.put("few.txt", text.clone());
        let run = |more: &[&str]| {
            let console = lab.console("run").arg(&input).args(["--output", "json"]);
            console.args(more).run()
        };
        let report = lab.expect_exact(run(&[]), text.as_bytes());
        assert_eq!(
            report["phases"]["map"]["chunks"].as_array().unwrap().len(),
            1
        );
        run(&["--chunks", "3"]).expect_complaint(3, &["too few for 3 chunks"]);
    }
}
