//! The log of `--log FILE` against AWS: every call is in it by its name, and no credentials are.

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::{PUBLIC, deploy};
use mrdeck_testkit::home::Home;

pub const TESTS: &[Test] = tests![every_call_is_logged_and_no_credentials_are];

fn every_call_is_logged_and_no_credentials_are() {
    let deployed = deploy();
    let home = Home::new();
    let secrets = [
        "RECOGNISABLEKEY",
        "recognisable-secret",
        "recognisable-token",
    ];
    for command in ["tasks", "doctor"] {
        let console = home.console().arg(command).args(PUBLIC);
        let console = console.envs(deployed.moto.environment());
        let console = console.args(["--bucket", "lab", "--log", "mrdeck.log"]);
        let console = console.env("MRDECK_LOG", "trace");
        let console = console.env("AWS_ACCESS_KEY_ID", secrets[0]);
        let console = console.env("AWS_SECRET_ACCESS_KEY", secrets[1]);
        let finished = console.env("AWS_SESSION_TOKEN", secrets[2]).run();
        assert!(finished.code.is_some());
    }
    let log = String::from_utf8(home.read("mrdeck.log")).unwrap();
    for (service, operation) in [
        ("ECS", "ListTasks"),
        ("ECS", "DescribeTasks"),
        ("ECS", "DescribeClusters"),
        ("EC2", "DescribeNetworkInterfaces"),
        ("STS", "GetCallerIdentity"),
        ("S3", "PutObject"),
    ] {
        let call = format!("aws_call{{service=\"{service}\" operation=\"{operation}\"}}");
        assert!(log.contains(&call), "'{call}' is not in: {log}");
    }
    for secret in secrets
        .into_iter()
        .chain(["X-Amz-", "uthorization", "ignature="])
    {
        assert!(!log.contains(secret), "'{secret}' is in: {log}");
    }
}
