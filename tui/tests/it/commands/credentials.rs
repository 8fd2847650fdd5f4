//! Credentials that ask, wait, or need what mrdeck does not do; and what is advised for each source of them.

use std::time::{Duration, Instant};

use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::process;
use mrdeck_testkit::wait_until;

/// A console on ECS that has only this configuration file, and at whose endpoint nothing listens.
fn console(home: &Home, command: &str, config: &str) -> Console {
    let console = home.console().args([command, "--cluster", "mr"]);
    console
        .env("AWS_CONFIG_FILE", home.write("aws-config", config))
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
}

fn tasks(home: &Home, config: &str) -> Console {
    console(home, "tasks", config)
}

/// A profile whose command is this shell script.
fn with_process(home: &Home, script: &str) -> String {
    let script = home.write("give-credentials", script);
    format!(
        "[default]\nregion = eu-west-1\ncredential_process = sh {}\n",
        script.display()
    )
}

const KEYS: &str = r#"echo '{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "SK"}'"#;

#[test]
fn a_process_gives_credentials_and_gets_no_answer_to_what_it_asks() {
    let home = Home::new();
    let script = format!("printf 'Code: ' >&2\nread -r code && exit 9\n{KEYS}\n");
    let finished = tasks(&home, &with_process(&home, &script)).run();
    // The credentials are there: ECS was asked.
    let finished = finished.expect_complaint(3, &["ECS can't be reached", "refused"]);
    let said = &finished.stderr;
    let line = format!(
        "waiting for credentials from credential_process (line 3 of {})",
        home.file("aws-config").display()
    );
    assert!(said.contains(&line), "{said}");
    assert!(said.contains("credential_process: Code:"), "{said}");
}

#[test]
fn a_process_that_fails_is_told_with_its_words_and_where_it_is_named() {
    let home = Home::new();
    for (script, words) in [
        (
            "echo 'Your session has ended' >&2; exit 3",
            &["exit status: 3", "Your session has ended"][..],
        ),
        ("exit 1", &["exit status: 1"]),
        ("echo nothing", &["it is not the JSON"]),
        (
            r#"printf '%s' '{"Version": 1, "AccessKeyId": "A\nK", "SecretAccessKey": "SK"}'"#,
            &["the access key from the profile 'default'", "line end"],
        ),
        (
            r#"echo '{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "SK", "Expiration": "2020-01-01T00:00:00Z"}'"#,
            &["expired at 2020-01-01"],
        ),
    ] {
        let finished = tasks(&home, &with_process(&home, script)).run();
        let finished = finished.expect_complaint(5, words);
        let said = &finished.stderr;
        for part in ["credential_process (line 3 of", "by hand"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("sso"), "{said}");
    }
}

#[test]
fn a_process_behind_a_role_is_run_in_the_same_way() {
    let home = Home::new();
    let script = format!("read -r code && exit 9\necho 'Asking' >&2\n{KEYS}\n");
    let base = with_process(&home, &script).replace("[default]", "[profile base]");
    let config =
        format!("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n{base}");
    let finished = tasks(&home, &config).run();
    // The credentials are there: STS was asked for the role.
    let words = [
        "refused",
        "credential_process: Asking",
        "role_arn (line 2 of",
    ];
    let finished = finished.expect_complaint(5, &words);
    assert!(!finished.stderr.contains("sso"), "{finished}");
}

#[test]
fn a_process_that_hangs_ends_with_the_command_however_that_ends() {
    for signal in ["INT", "TERM", "KILL"] {
        let home = Home::new();
        let config = with_process(
            &home,
            "sleep 600 &\necho $$ $! > pids.new && mv pids.new pids\nwait\n",
        );
        let running = tasks(&home, &config).start();
        wait_until("the process", || home.file("pids").exists());
        let pids = String::from_utf8(home.read("pids")).unwrap();
        let started: Vec<_> = pids
            .split_whitespace()
            .map(|pid| process::of(pid.parse().unwrap()))
            .collect();
        assert_eq!(started.len(), 2);
        running.signal(signal);
        running.wait();
        wait_until("the end of all that it started", || {
            !started.iter().any(process::Process::is_alive)
        });
    }
}

#[test]
fn the_doctor_says_what_it_waits_for_and_does_not_wait_for_ever() {
    let home = Home::new();
    let config = with_process(&home, "exec sleep 600\n");
    let started = Instant::now();
    let doctor = console(&home, "doctor", &config).args(["--bucket", "lab"]);
    let report = doctor.args(["--output", "json"]).run().expect(5).json();
    let taken = started.elapsed();
    assert!(taken < Duration::from_secs(25), "{taken:?}");
    let findings = report.as_array().unwrap();
    let find = |check: &str| {
        let found = findings.iter().find(|finding| finding["check"] == check);
        found.unwrap()["found"].as_str().unwrap().to_owned()
    };
    let said = find("credentials");
    for words in ["credential_process (line 3 of", "has not ended within 10 s"] {
        assert!(said.contains(words), "{said}");
    }
    for check in ["cluster", "tasks", "bucket"] {
        assert!(find(check).contains("because of credentials"), "{report:#}");
    }
}

#[test]
fn what_needs_an_mfa_code_is_refused_with_the_way_out() {
    let home = Home::new();
    let config = "[default]\naws_access_key_id = AK\naws_secret_access_key = SK\n\
        [profile admin]\nrole_arn = arn:aws:iam::1:role/admin\nsource_profile = default\n\
        mfa_serial = arn:aws:iam::1:mfa/ada\n\
        [profile above]\nrole_arn = arn:aws:iam::1:role/above\nsource_profile = admin\n";
    for profile in ["admin", "above"] {
        let finished = tasks(&home, config).args(["--profile", profile]).run();
        let export = format!("aws configure export-credentials --profile {profile} --format env");
        let words = ["mfa_serial (line 7 of", "does not support", &export];
        let finished = finished.expect_complaint(5, &words);
        assert!(!finished.stderr.contains("sso"), "{finished}");
    }
    // Where the environment has credentials, the profile's are not asked for.
    let console = tasks(&home, config).env("AWS_PROFILE", "admin");
    let console = console
        .env("AWS_ACCESS_KEY_ID", "AK")
        .env("AWS_SECRET_ACCESS_KEY", "SK");
    console.run().expect_complaint(3, &["ECS can't be reached"]);
}

#[test]
fn sso_is_advised_where_it_is_the_source_and_nowhere_else() {
    let home = Home::new();
    let sso = "sso_session = s\nsso_account_id = 1\nsso_role_name = r\n";
    let session = "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.test/start\n";
    for (config, profile, words) in [
        (
            format!("[default]\n{sso}{session}"),
            "default",
            "aws sso login --profile default",
        ),
        (
            format!("[profile my-work]\n{sso}{session}"),
            "my-work",
            "aws sso login --profile my-work",
        ),
        (
            format!(
                "[profile a]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n[profile b]\n{sso}{session}"
            ),
            "a",
            "aws sso login --profile b",
        ),
    ] {
        let finished = tasks(&home, &config).args(["--profile", profile]).run();
        finished.expect_complaint(5, &["no valid AWS credentials", words]);
    }
    let keys = "aws_access_key_id = AK\naws_secret_access_key = SK\n";
    for (config, words) in [
        (
            "[default]\nregion = eu-west-1\n".to_owned(),
            "the profile 'default' has none",
        ),
        (
            format!(
                "[profile k]\n{keys}[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = k\n"
            ),
            "may assume it",
        ),
        (
            "[default]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = Nowhere\n".to_owned(),
            "credential_source (line 3 of",
        ),
        (
            "[default]\nrole_arn = arn:aws:iam::1:role/a\nweb_identity_token_file = /nonexistent\n"
                .to_owned(),
            "web_identity_token_file (line 3 of",
        ),
        (
            "[default]\nlogin_session = arn:aws:iam::1:user/ada\n".to_owned(),
            "aws configure export-credentials",
        ),
    ] {
        let finished = tasks(&home, &config).args(["--profile", "default"]).run();
        let finished = finished.expect_complaint(5, &["no valid AWS credentials", words]);
        assert!(!finished.stderr.contains("sso login"), "{finished}");
    }
}
