//! `mrdeck doctor` without ECS: the local cluster, and services at fixed addresses.

use serde_json::Value;

use mrdeck_testkit::console::{Console, binary};
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::{DeadEnd, Lab};
use mrdeck_testkit::proxy::script::Fault;

/// The findings of a check as `status: found → advice`.
fn of(report: &Value, check: &str) -> Vec<String> {
    let findings = report.as_array().unwrap().iter();
    findings
        .filter(|finding| finding["check"] == check)
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default();
            format!("{}: {} → {}", text("status"), text("found"), text("advice"))
        })
        .collect()
}

#[test]
fn the_local_cluster_is_healthy_and_left_as_it_was() {
    let home = Home::new();
    let finished = home.local_console(2, "doctor").run().expect(0);
    let expected = [
        "ok       cluster          the embedded cluster started",
        "ok       tasks            4 RUNNING",
        "ok       roles            1 splitter, 2 mappers, 1 reducer",
        "ok       address          splitter-1 answered at http://127.0.0.1:",
        "ok       address          mapper-1 answered at http://127.0.0.1:",
        "ok       address          mapper-2 answered at http://127.0.0.1:",
        "ok       address          reducer-1 answered at http://127.0.0.1:",
        "ok       services         mrdeck-services 0.",
        "ok       bucket readable  s3://mrdeck",
        "ok       bucket writable  a small object was written, read and removed",
    ];
    let text = finished.stdout;
    assert_eq!(text.lines().count(), expected.len(), "{text}");
    for (line, start) in text.lines().zip(expected) {
        assert!(line.starts_with(start), "{line}");
    }
    let written = std::fs::read_dir(home.file("data/objects/mrdeck/mrdeck/doctor")).unwrap();
    assert_eq!(written.count(), 0, "what was written is removed");
}

#[test]
fn what_can_t_be_printed_is_a_failure() {
    let home = Home::new();
    for output in ["text", "json"] {
        let script = "exec \"$@\" >/dev/full";
        let console = Console::by("sh", home.path()).args(["-c", script, "sh", binary()]);
        let console = console.args(["doctor", "--local=1", "--local-data", "data"]);
        let finished = console.args(["--output", output]).run();
        finished.expect_complaint(3, &["standard output can't be written"]);
    }
}

#[test]
fn read_only_leaves_the_write_check_out_and_says_so() {
    let home = Home::new();
    let console = home.local_console(1, "doctor").arg("--read-only");
    let report = console.args(["--output", "json"]).run().expect(0).json();
    let expected = ["ok: not checked because of --read-only → "];
    assert_eq!(of(&report, "bucket writable"), expected);
    let fields: Vec<&String> = report[0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["advice", "check", "found", "status"]);
}

#[test]
fn fixed_addresses_are_healthy_whoever_made_the_services() {
    let lab = Lab::new([Fault::answer(200, "ok").at("/health")]);
    let console = lab.console("doctor").args(["--bucket", "lab"]);
    let report = console.args(["--output", "json"]).run().expect(0).json();
    for finding in report.as_array().unwrap() {
        assert_eq!(finding["status"], "ok", "{finding}");
    }
    assert_eq!(of(&report, "address").len(), 5);
    let services = of(&report, "services").remove(0);
    assert_eq!(services, "ok: another implementation on 5 tasks → ");
    assert_eq!(
        lab.s3.keys("mrdeck"),
        [] as [&str; 0],
        "nothing is left behind"
    );
}

#[test]
fn a_wrong_service_and_a_dead_address_are_named() {
    let lab = Lab::new([]);
    let dead = DeadEnd::new();
    let mut addresses = lab.direct_addresses();
    addresses.mappers[0].clone_from(&addresses.reducer);
    addresses.mappers[1] = dead.url();
    let console = lab.console_to(&addresses, "doctor");
    let report = console.args(["--output", "json"]).run().expect(3).json();
    let found = of(&report, "address");
    let failed: Vec<&String> = found.iter().filter(|f| f.starts_with("failed")).collect();
    let [wrong, refused] = failed[..] else {
        panic!("{report:#}");
    };
    assert!(wrong.contains("mapper-1: http://"), "{wrong}");
    assert!(
        wrong.contains("something else answers there: mrdeck-services"),
        "{wrong}"
    );
    assert!(refused.contains("mapper-2: http://"), "{refused}");
    assert!(refused.contains("refused"), "{refused}");
    // Which bucket runs will use is not known, and S3 was asked for the time alone.
    assert!(
        of(&report, "bucket")
            .remove(0)
            .starts_with("warning: none is named")
    );
}
