//! `mrdeck clean`: what is listed, what is asked, what is removed, and what never is.

use std::time::{Duration, SystemTime};

use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::rule::Filter;
use mrdeck_testkit::proxy::script::{Fault, Gate};
use mrdeck_testkit::pty::Deck;

const OLD_UPLOAD: &str = "mr/uploads/01J00000000000000000000000/older.txt";

fn clean(lab: &Lab) -> Console {
    let console = lab.home.console().args(["clean", "--bucket", "lab"]);
    console.envs(lab.environment())
}

/// Makes everything in the bucket as old as a day.
fn age(lab: &Lab) {
    let yesterday = SystemTime::now() - Duration::from_hours(24);
    for key in lab.s3.keys("") {
        let file = std::fs::File::options().write(true).open(lab.s3.file(&key));
        file.unwrap().set_modified(yesterday).unwrap();
    }
}

#[test]
fn a_local_cluster_is_cleaned_once_that_is_agreed_to() {
    let home = Home::new();
    home.write("text.txt", "one two three");
    let run = || home.local_console(1, "run").arg("text.txt").run().expect(0);
    run();
    run();
    let uploads = || std::fs::read_dir(home.file("data/objects/mrdeck/mr/uploads/"));
    let list = [
        "upload       13 B",
        "text.txt",
        "in all 1 upload and 2 runs, ",
        "in s3://mrdeck",
    ];
    let asked = home.local_console(1, "clean").run();
    asked
        .expect_complaint(2, &["there is no terminal to ask at", "--yes"])
        .expect_complaint(2, &list);
    let refused = home
        .local_console(1, "clean")
        .args(["--yes", "--read-only"]);
    refused
        .run()
        .expect_complaint(2, &["--read-only refuses to remove anything"]);
    assert_eq!(uploads().unwrap().count(), 1);

    let deck = || Deck::local(home.path()).args(["clean"]).open();
    let mut no = deck();
    no.wait_text(&["Remove all this? [y/N]"]);
    no.send("\r");
    no.wait_text(&["nothing was removed"]);
    assert_eq!(no.wait().code, 130);
    assert_eq!(uploads().unwrap().count(), 1);
    let mut yes = deck();
    yes.wait_text(&["Remove all this? [y/N]"]);
    yes.send("y\r");
    yes.wait_text(&["removed from s3://mrdeck"]);
    assert_eq!(yes.wait().code, 0);

    let again = home.local_console(1, "clean").args(["--output", "json"]);
    let again = again.run().expect(0);
    assert_eq!(again.stderr.trim(), "nothing to remove in s3://mrdeck");
    assert_eq!(again.json()["found"], serde_json::json!([]));
    // The sample is no upload.
    home.local_console(1, "run").run().expect(0);
    assert!(run().stdout.contains('3'));
}

#[test]
fn a_bucket_is_cleaned_of_what_mrdeck_wrote_and_of_nothing_else() {
    let lab = Lab::new([]);
    lab.home.write("text.txt", "one two three");
    let console = lab.console("run").arg("text.txt");
    console.args(["--bucket", "lab"]).run().expect(0);
    lab.s3.put(OLD_UPLOAD, "older");
    let foreign = ["input.txt", "mr/maps/x.json", "mr/uploads/mine.txt"];
    for key in foreign {
        lab.s3.put(key, "mine");
    }
    // No cluster is named, and none is needed. What is young may be another machine's.
    let young = clean(&lab).args(["--yes", "--output", "json"]).run();
    let young = young.expect(0).json();
    assert_eq!(young["bucket"], "lab");
    let status = |name: &str| {
        let found = young["found"].as_array().unwrap();
        let row = found.iter().find(|row| row["name"] == name);
        row.unwrap()["status"].clone()
    };
    assert_eq!(status("text.txt"), "in_use");
    assert_eq!(status("older.txt"), "in_use");
    assert!(young["removed"]["objects"].as_u64().unwrap() > 4, "the run");
    assert!(lab.s3.keys("mr/runs").is_empty());

    age(&lab);
    let old = clean(&lab).args(["--yes", "--output", "json"]).run();
    let expected = serde_json::json!({"objects": 2, "bytes": 18});
    assert_eq!(old.expect(0).json()["removed"], expected);
    assert_eq!(lab.s3.keys(""), foreign);
}

#[test]
fn what_a_run_in_flight_uses_stays() {
    let gate = Gate::closed();
    let lab = Lab::new([Fault::Hold(gate.clone()).at("/map")]);
    lab.home.write("text.txt", "one two three");
    lab.s3.put(OLD_UPLOAD, "older");
    let console = lab.console("run").arg("text.txt");
    let running = console
        .args(["--bucket", "lab", "--output", "json"])
        .start();
    lab.script.wait_until("a map in flight", |seen| {
        seen.iter().any(|request| request.path == "/map")
    });
    age(&lab);
    let before = lab.s3.keys("");
    // On the same machine its record is locked, so its age does not matter.
    let here = clean(&lab).arg("--yes").run().expect(0);
    assert!(here.stderr.contains("text.txt  in use"), "{}", here.stderr);
    let left: Vec<String> = before.into_iter().filter(|key| key != OLD_UPLOAD).collect();
    assert_eq!(lab.s3.keys(""), left);
    // Elsewhere its heartbeat tells, which was written just now.
    let elsewhere = Home::new();
    let claim = left.iter().find(|key| key.contains("/claims/")).unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(lab.s3.file(claim));
    file.unwrap().set_modified(SystemTime::now()).unwrap();
    let console = elsewhere
        .console()
        .args(["clean", "--bucket", "lab", "--yes"]);
    console.envs(lab.environment()).run().expect(0);
    assert_eq!(lab.s3.keys(""), left);

    gate.open();
    let report = running.wait().expect(0).json();
    assert_eq!(report["words"], 3);
}

#[test]
fn what_stands_in_the_way_is_said() {
    let lab = Lab::proxied(1);
    lab.s3.put(OLD_UPLOAD, "older");
    age(&lab);
    let denied = |method: &str| {
        Fault::s3("AccessDenied").when(Filter {
            between: Some("console → s3".to_owned()),
            method: Some(method.to_owned()),
            ..Filter::default()
        })
    };
    lab.script.replace([denied("GET")]);
    let listing = clean(&lab).arg("--yes").run();
    listing.expect_complaint(3, &["access to s3://lab/mr/runs/ is denied"]);
    lab.script.replace([denied("DELETE")]);
    let deleting = clean(&lab).arg("--yes").run();
    let at = format!("access to s3://lab/{OLD_UPLOAD} is denied");
    deleting.expect_complaint(3, &[&at]);
    assert_eq!(lab.s3.keys(""), [OLD_UPLOAD]);

    let nowhere = lab.home.console().args(["clean", "--yes"]).run();
    nowhere.expect_complaint(2, &["no bucket was named", "--bucket"]);
    let missing = lab.home.console().args(["clean", "--bucket", "nosuch"]);
    lab.script.replace([]);
    let missing = missing.envs(lab.environment()).run();
    missing.expect_complaint(3, &["there is no bucket 'nosuch'"]);
}
