//! `mrdeck doctor` on ECS: each thing that can be wrong is named, with what to do, and bounds nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::{PUBLIC, deploy};
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::console::{Console, Finished};
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::script::{Fault, Script};

pub const TESTS: &[Test] = tests![
    a_healthy_cluster_is_ok_from_end_to_end,
    an_empty_account_is_told_what_is_missing,
    tasks_that_stopped_and_tasks_that_do_not_answer_are_named,
    credentials_that_expired_are_told_by_aws_and_the_exit_code_says_so,
    what_is_denied_is_named_with_its_permission,
    a_clock_that_is_off_is_seen_in_an_answer,
    an_aws_that_never_answers_ends_every_check_in_time,
];

const EXPIRED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
    <Message>The security token included in the request is expired</Message></Error></ErrorResponse>";
const DENIED: &str = "<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
    <Message>You are not authorized to perform this operation.</Message></Error></Errors></Response>";
const S3_DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

fn doctor(home: &Home) -> Console {
    let console = home.console().args(["doctor", "--bucket", "lab"]);
    console.args(PUBLIC).args(["--output", "json"])
}

/// What was found: `(check, status)`, in order.
fn statuses(report: &Value) -> Vec<(&str, &str)> {
    let findings = report.as_array().unwrap().iter();
    findings
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap();
            (text("check"), text("status"))
        })
        .collect()
}

/// Asserts that there is a finding of this check and status whose words hold all of `words`.
#[track_caller]
fn expect_found(report: &Value, check: &str, status: &str, words: &[&str]) {
    let mut findings = report.as_array().unwrap().iter();
    let found = findings.any(|finding| {
        let said = format!("{} → {}", finding["found"], finding["advice"]);
        finding["check"] == check
            && finding["status"] == status
            && words.iter().all(|word| said.contains(word))
    });
    assert!(found, "no {status} {check} with {words:?}: {report:#}");
}

/// A doctor whose calls to AWS the script decides on.
fn through(moto: &Moto, script: &Arc<Script>, code: i32) -> Value {
    let home = Home::new();
    let (_proxy, environment) = moto.through(script);
    doctor(&home).envs(environment).run().expect(code).json()
}

fn a_healthy_cluster_is_ok_from_end_to_end() {
    let deployed = deploy();
    let home = Home::new();
    let environment = deployed.moto.environment();
    let finished = doctor(&home).envs(environment.clone()).run();
    let report = finished.expect(0).json();
    let expected = [
        "credentials",
        "region",
        "network",
        "clock",
        "cluster",
        "public IPs",
        "tasks",
        "roles",
        "address",
        "address",
        "address",
        "address",
        "address",
        "services",
        "bucket readable",
        "bucket writable",
    ]
    .map(|check| (check, "ok"));
    assert_eq!(statuses(&report), expected, "{report:#}");
    for (check, words) in [
        (
            "credentials",
            &["123456789012", "arn:aws:sts", "from the environment"][..],
        ),
        ("region", &["us-east-1, at http://127.0.0.1"]),
        ("cluster", &["mr is ACTIVE"]),
        ("roles", &["1 splitter, 3 mappers, 1 reducer"]),
        ("services", &["mrdeck-services 0.", "on 5 tasks"]),
    ] {
        expect_found(&report, check, "ok", words);
    }
    for (role, task, ip) in &deployed.tasks {
        if *role != "other" {
            let at = format!("http://{ip}:8080/ (public)");
            expect_found(&report, "address", "ok", &[role, &task.id, &at]);
        }
    }

    let console = home.console().args(["doctor", "--bucket", "lab"]);
    let console = console.args(PUBLIC).envs(environment);
    let text = console.run().expect(0).stdout;
    let words: Vec<&str> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(words, ["ok"; 16], "{text}");
    assert!(!text.contains('\x1b'), "colours are for terminals: {text}");
}

fn an_empty_account_is_told_what_is_missing() {
    let moto = Moto::start();
    let home = Home::new();
    let finished = doctor(&home).envs(moto.environment()).run();
    let report = finished.expect(3).json();
    expect_found(
        &report,
        "cluster",
        "failed",
        &["there is no ECS cluster 'mr'", "aws ecs list-clusters"],
    );
    expect_found(&report, "tasks", "failed", &["because of cluster"]);
    expect_found(
        &report,
        "bucket readable",
        "failed",
        &["there is no bucket 'lab'"],
    );

    moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
    let finished = doctor(&home).envs(moto.environment()).run();
    let report = finished.expect(3).json();
    expect_found(&report, "cluster", "ok", &["ACTIVE"]);
    expect_found(&report, "tasks", "failed", &["there are no tasks", "start"]);
    let missing = ["no splitter, no mapper, no reducer", "mrdeck:role=splitter"];
    expect_found(&report, "roles", "failed", &missing);
}

fn tasks_that_stopped_and_tasks_that_do_not_answer_are_named() {
    let deployed = deploy();
    let home = Home::new();
    let (_, stopped, _) = &deployed.tasks[2];
    deployed.moto.stop_task("mr", stopped);
    let finished = doctor(&home).envs(deployed.moto.environment()).run();
    // Two mappers are left: a run can be done.
    let report = finished.expect(0).json();
    expect_found(&report, "tasks", "warning", &["1 STOPPED", &stopped.id]);
    expect_found(&report, "roles", "ok", &["2 mappers"]);

    // A task with an address, at which nothing listens; and one without an address.
    let silent = deployed.moto.run_tasks("mr", "mr-mapper", 2);
    deployed.moto.give_public_ip(&silent[0]);
    let finished = doctor(&home).envs(deployed.moto.environment()).run();
    let report = finished.expect(3).json();
    expect_found(
        &report,
        "address",
        "failed",
        &[&silent[0].id, "refused", "ADDR"],
    );
    let no_ip = [&*silent[1].id, "no public IP", "assignPublicIp"];
    expect_found(&report, "address", "failed", &no_ip);
}

fn credentials_that_expired_are_told_by_aws_and_the_exit_code_says_so() {
    let deployed = deploy();
    let script = Script::new([Fault::answer(403, EXPIRED).aws("GetCallerIdentity")]);
    let report = through(&deployed.moto, &script, 5);
    expect_found(&report, "credentials", "failed", &["is expired"]);
    expect_found(&report, "cluster", "ok", &[]);
}

fn what_is_denied_is_named_with_its_permission() {
    let deployed = deploy();
    let script = Script::new([Fault::answer(403, DENIED).aws("DescribeNetworkInterfaces")]);
    let report = through(&deployed.moto, &script, 3);
    let permission = ["ec2:DescribeNetworkInterfaces", "private IPs"];
    expect_found(&report, "public IPs", "warning", &permission);
    let unknown = ["public IP is not known", "DescribeNetworkInterfaces"];
    expect_found(&report, "address", "failed", &unknown);

    // S3 alone: every signed request to it.
    let script = Script::new([Fault::answer(403, S3_DENIED).always().signed_by("testing")]);
    let (_proxy, environment) = deployed.moto.through(&script);
    let (_, proxy) = &environment[0];
    let home = Home::new();
    let console = doctor(&home).envs(deployed.moto.environment());
    let finished: Finished = console.env("AWS_ENDPOINT_URL_S3", proxy).run();
    let report = finished.expect(3).json();
    expect_found(&report, "bucket readable", "failed", &["s3:ListBucket"]);
    expect_found(&report, "bucket writable", "failed", &["s3:PutObject"]);
    expect_found(&report, "region", "ok", &["S3 at http", "ECS at http"]);
}

fn a_clock_that_is_off_is_seen_in_an_answer() {
    let moto = Moto::start();
    moto.put_object("lab", "input.txt", b"text");
    let script = Script::new([Fault::At("Thu, 01 Jan 2026 00:00:00 GMT").always()]);
    let report = through(&moto, &script, 3);
    expect_found(&report, "clock", "failed", &["ahead of AWS's", "NTP"]);
}

fn an_aws_that_never_answers_ends_every_check_in_time() {
    let moto = Moto::start();
    let script = Script::new([Fault::Silence.always()]);
    let started = Instant::now();
    let report = through(&moto, &script, 3);
    let taken = started.elapsed();
    // All at once, 10 s each; the rest is for a machine under load.
    assert!(taken < Duration::from_secs(20), "{taken:?}");
    for check in [
        "clock",
        "cluster",
        "tasks",
        "bucket readable",
        "bucket writable",
    ] {
        let of_check = statuses(&report)
            .into_iter()
            .find(|(name, _)| *name == check);
        assert_eq!(of_check, Some((check, "failed")), "{report:#}");
    }
    assert!(report.to_string().contains("no answer within 10 s"));
}
