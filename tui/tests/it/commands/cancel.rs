//! Ctrl-c, and readers that go away: the console ends in good order.

use serde_json::Value;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::script::{Fault, Gate};
use mrdeck_testkit::words::LIBER_PRIMUS;

#[test]
fn ctrl_c_cancels_the_run_at_any_phase() {
    let gate = Gate::closed();
    let cases = [
        ("/split", "INT", Fault::Hold(gate.clone())),
        ("/map", "TERM", Fault::Hold(gate.clone())),
        // The work is done, but nobody hears of it in time.
        ("/reduce", "HUP", Fault::HoldAnswer(gate)),
    ];
    for (path, signal, fault) in cases {
        let lab = Lab::new([fault.at(path)]);
        let running = lab.run(3).args(["--save", "counts.json"]).start();
        lab.script.wait_until("a request in flight", |seen| {
            seen.iter().any(|request| request.path == path)
        });
        running.signal(signal);
        let finished = running.wait().expect(130);
        let report = finished.json();
        assert_eq!(report["status"], "cancelled");
        assert_eq!(report["words"], Value::Null);
        let run = report["run"].as_str().unwrap();
        let command = format!("resume with: mrdeck resume {run} --splitter");
        assert!(finished.stderr.contains(&command), "{}", finished.stderr);
        lab.script.wait_until("the console to hang up", |seen| {
            let held: Vec<_> = seen.iter().filter(|r| r.path == path).collect();
            !held.is_empty() && held.iter().all(|request| request.hung_up)
        });
        let record = lab.home.record();
        let abandoned = record.iter().filter(|e| e["event"] == "attempt_abandoned");
        assert_eq!(abandoned.count(), if path == "/map" { 3 } else { 1 });
        assert_eq!(record.last().unwrap()["status"], "cancelled");
        assert_eq!(lab.home.names(), ["state"], "nothing is saved");

        lab.script.replace([]);
        let resumed = lab.console("resume").args([run, "--output", "json"]);
        lab.expect_exact(resumed.run(), LIBER_PRIMUS.as_bytes());
    }
}

#[test]
fn ctrl_c_cancels_between_two_attempts() {
    // Should the signal come late, the fourth attempt waits for it.
    let lab = Lab::new([
        Fault::answer(500, "boom").at("/split").attempts(1..=3),
        Fault::Hold(Gate::closed()).at("/split"),
    ]);
    let running = lab.run(3).start();
    lab.script.wait_until("the third attempt", |seen| {
        let splits = seen.iter().filter(|request| request.path == "/split");
        splits.count() >= 3
    });
    running.signal("INT");
    let report = running.wait().expect(130).json();
    assert_eq!(report["status"], "cancelled");
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_panic() {
    let lab = Lab::new([]);
    for (out_is_read, err_is_read) in [(false, true), (true, false), (false, false)] {
        let finished = lab.run(3).run_unread(out_is_read, err_is_read).expect(0);
        if out_is_read {
            assert_eq!(finished.json()["status"], "done");
        }
    }
    let home = Home::new();
    let finished = home.local_console(1, "tasks").run_unread(false, true);
    finished.expect(0);
    // The run fails, and there is nobody to tell.
    let finished = home
        .local_console(1, "run")
        .arg("missing")
        .run_unread(false, false);
    finished.expect(3);
}
