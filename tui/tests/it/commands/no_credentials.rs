//! Without credentials AWS is not asked: a line says so, and the exit code too.

use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;

/// A console that knows a region and an endpoint, at which nobody listens, and no credentials.
fn console(home: &Home) -> Console {
    let console = home.console().env("AWS_REGION", "us-east-1");
    console.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
}

#[test]
fn the_tasks_are_not_asked_for() {
    let home = Home::new();
    let console = console(&home).args(["tasks", "--cluster", "mr"]);
    console
        .run()
        .expect_complaint(5, &["no valid AWS credentials", "aws configure"]);
}

#[test]
fn nothing_is_put_up_or_taken_down() {
    let home = Home::new();
    for command in ["up", "down"] {
        let console = console(&home).args([command, "--yes"]);
        console
            .run()
            .expect_complaint(5, &["no valid AWS credentials", "aws configure"]);
    }
}

#[test]
fn the_doctor_tells_it_once() {
    let home = Home::new();
    let doctor = console(&home).args(["doctor", "--bucket", "lab", "--cluster", "mr"]);
    let doctor = doctor.args(["--address", "public", "--output", "json"]);
    let report = doctor.run().expect(5).json();
    let find = |check: &str| {
        let mut findings = report.as_array().unwrap().iter();
        let found = findings.find(|finding| finding["check"] == check);
        let found = found.unwrap_or_else(|| panic!("no {check}: {report:#}"));
        assert_eq!(found["status"], "failed", "{check}: {report:#}");
        format!("{} → {}", found["found"], found["advice"])
    };
    let said = find("credentials");
    for words in ["no valid AWS credentials", "aws configure"] {
        assert!(said.contains(words), "'{words}' is not in: {said}");
    }
    for check in ["cluster", "tasks", "bucket readable", "bucket writable"] {
        let said = find(check);
        assert!(said.contains("because of credentials"), "{check}: {said}");
    }
    assert_eq!(report.to_string().matches("aws configure").count(), 1);
    assert!(!report.to_string().contains("sso"), "SSO is not the source");
}
