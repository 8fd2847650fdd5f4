//! Something answers in AWS's place: it was reached, so that is not what is told; what came is.

use mrdeck_testkit::console::Finished;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::DeadEnd;
use mrdeck_testkit::proxy::Proxy;
use mrdeck_testkit::proxy::script::{Fault, Script};
use mrdeck_testkit::s3::ObjectStore;

const PAGE: &str = "<html>log in</html>";
const CHECK: &str = "check what --endpoint-url or AWS_ENDPOINT_URL leads to";

/// Runs a console for whom this is all that AWS ever answers.
fn answered(status: u16, body: &str, args: &[&str]) -> Finished {
    let script = Script::new([Fault::answer(status, body).always()]);
    let dead_end = DeadEnd::new();
    let proxy = Proxy::start("aws", dead_end.address(), script);
    let home = Home::new();
    let console = home.console().args(args);
    let environment = ObjectStore::environment_at(proxy.url());
    let finished = console.envs(environment).run();
    assert!(!finished.stderr.contains("can't be reached"), "{finished}");
    assert!(!finished.stdout.contains("can't be reached"), "{finished}");
    finished
}

const TASKS: [&str; 3] = ["tasks", "--cluster", "mr"];

#[test]
fn a_list_of_another_shape_is_an_answer_that_can_t_be_read() {
    for body in [r#"{"taskArns":[1]}"#, PAGE] {
        answered(200, body, &TASKS).expect_complaint(
            3,
            &["ECS answered", "can't be read", "HTTP 200", body, CHECK],
        );
    }
}

#[test]
fn an_error_that_is_not_of_ecs_is_told_with_what_came() {
    let list = "AWS could not list the tasks: HTTP 502";
    answered(502, PAGE, &TASKS).expect_complaint(3, &[list, PAGE, "try again"]);
    answered(502, "", &TASKS).expect_complaint(3, &[list, "without an explanation"]);
    let list = "AWS could not list the tasks: HTTP 404";
    answered(404, PAGE, &TASKS).expect_complaint(3, &[list, PAGE, CHECK]);
}

/// What a doctor finds who asks STS, EC2 and S3, each as `status found → advice`.
fn found(status: u16, body: &str) -> Vec<(String, String)> {
    let args = ["doctor", "--bucket", "lab", "--cluster", "mr", "--output"];
    let finished = answered(status, body, &[&args[..], &["json"]].concat());
    let report = finished.expect(3).json();
    let findings = report.as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let said = findings.map(|finding| {
        let (status, found) = (text(&finding["status"]), text(&finding["found"]));
        let said = format!("{status} {found} → {}", text(&finding["advice"]));
        (text(&finding["check"]), said)
    });
    said.collect()
}

#[track_caller]
fn expect(found: &[(String, String)], check: &str, words: &[&str]) {
    let (_, said) = found.iter().find(|(name, _)| name == check).unwrap();
    for word in words {
        assert!(said.contains(word), "'{word}' is not in {check}: {said}");
    }
}

#[test]
fn a_page_in_place_of_sts_and_ec2_is_shown() {
    let found = found(200, PAGE);
    for (check, service) in [
        ("credentials", "STS answered"),
        ("public IPs", "EC2 answered"),
    ] {
        let words = ["warning", service, "can't be read", "HTTP 200", PAGE, CHECK];
        expect(&found, check, &words);
    }
}

#[test]
fn a_page_that_is_an_error_is_shown_for_each_service() {
    let found = found(403, PAGE);
    expect(&found, "credentials", &["warning", "HTTP 403", PAGE, CHECK]);
    expect(&found, "public IPs", &["warning", "HTTP 403", PAGE, CHECK]);
    expect(&found, "cluster", &["failed", "HTTP 403", PAGE, CHECK]);
    expect(&found, "bucket writable", &["failed", "HTTP 403", PAGE]);
}
