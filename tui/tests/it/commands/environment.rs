//! Whatever stands in the environment and in AWS's files: it is used, counts as unset, or is refused by name. Nothing
//! makes the console panic.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Mutex;

use mrdeck_testkit::console::{Console, Finished};
use mrdeck_testkit::home::Home;

/// Consoles that run at the same time: they mostly wait for their start.
const WORKERS: usize = 4;

/// A way to write a value, and the letter that stands for it below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Empty,
    Blank,
    CarriageReturn,
    Nonsense,
    Long,
    Bytes,
}

impl Value {
    const ALL: [Self; 6] = [
        Self::Empty,
        Self::Blank,
        Self::CarriageReturn,
        Self::Nonsense,
        Self::Long,
        Self::Bytes,
    ];

    fn text(self) -> OsString {
        match self {
            Self::Empty => "".into(),
            Self::Blank => " \t ".into(),
            Self::CarriageReturn => "x\r".into(),
            Self::Nonsense => "no n\u{2603}nsense".into(),
            Self::Long => "a".repeat(100_000).into(),
            Self::Bytes => OsString::from_vec(b"x\xff\xfe".to_vec()),
        }
    }

    fn letter(self) -> char {
        match self {
            Self::Empty | Self::Blank => '-',
            Self::CarriageReturn => 'c',
            Self::Nonsense => 'n',
            Self::Long => 'l',
            Self::Bytes => 'b',
        }
    }
}

/// The variables, and the letters of the values that are refused. An empty one never is.
const VARIABLES: [(&str, &str); 70] = [
    ("ALL_PROXY", "cnlb"),
    ("AWS_ACCESS_KEY_ID", "cnb"),
    ("AWS_ACCOUNT_ID", "cnb"),
    ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "cnlb"),
    ("AWS_AUTH_SCHEME_PREFERENCE", "cb"),
    ("AWS_CA_BUNDLE", "cnlb"),
    ("AWS_CONFIG_FILE", "cl"),
    // Read beside the address of the credentials alone.
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", ""),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", ""),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "cnlb"),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "cnlb"),
    ("AWS_DEFAULT_OUTPUT", ""),
    ("AWS_DEFAULT_PROFILE", ""),
    ("AWS_DEFAULT_REGION", "cnlb"),
    ("AWS_DISABLE_CLOCK_SKEW_CORRECTION", "cnlb"),
    ("AWS_DISABLE_REQUEST_COMPRESSION", "cnlb"),
    ("AWS_EC2_METADATA_DISABLED", "cnlb"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "cnlb"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "cnlb"),
    ("AWS_EC2_METADATA_V1_DISABLED", ""),
    ("AWS_ENDPOINT_URL", "cnlb"),
    ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "cnlb"),
    ("AWS_ENDPOINT_URL_EC2", "cnlb"),
    ("AWS_ENDPOINT_URL_ECS", "cnlb"),
    ("AWS_ENDPOINT_URL_S3", "cnlb"),
    ("AWS_ENDPOINT_URL_SSO", "cnlb"),
    ("AWS_ENDPOINT_URL_STS", "cnlb"),
    ("AWS_EXECUTION_ENV", "cnb"),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "cnlb"),
    ("AWS_LAMBDA_FUNCTION_NAME", ""),
    ("AWS_MAX_ATTEMPTS", "cnlb"),
    ("AWS_NEW_RETRIES_2026", ""),
    ("AWS_PAGER", ""),
    ("AWS_PROFILE", "cnlb"),
    ("AWS_REGION", "cnlb"),
    ("AWS_REQUEST_CHECKSUM_CALCULATION", "cnlb"),
    ("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "cnlb"),
    ("AWS_RESPONSE_CHECKSUM_VALIDATION", "cnlb"),
    ("AWS_RETRY_MODE", "cnlb"),
    // Read beside the web identity alone.
    ("AWS_ROLE_ARN", ""),
    ("AWS_ROLE_SESSION_NAME", ""),
    ("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "cnlb"),
    ("AWS_SDK_UA_APP_ID", "cnb"),
    ("AWS_SECRET_ACCESS_KEY", "cnb"),
    ("AWS_SESSION_TOKEN", "cnb"),
    ("AWS_SHARED_CREDENTIALS_FILE", "cl"),
    ("AWS_SIGV4A_SIGNING_REGION_SET", "cb"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "cnlb"),
    ("AWS_USE_FIPS_ENDPOINT", "cnlb"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "cnlb"),
    ("HOME", "cnlb"),
    ("HTTPS_PROXY", "cnlb"),
    ("HTTP_PROXY", "cnlb"),
    ("LANG", ""),
    ("MRDECK_BUCKET", "cnlb"),
    ("MRDECK_CLUSTER", "cnlb"),
    ("MRDECK_LOG", "cnb"),
    ("NO_COLOR", ""),
    ("NO_PROXY", "cb"),
    ("SSL_CERT_DIR", "cnlb"),
    ("SSL_CERT_FILE", "cnlb"),
    ("TERM", ""),
    ("XDG_CACHE_HOME", ""),
    ("XDG_CONFIG_HOME", ""),
    ("XDG_DATA_HOME", ""),
    ("XDG_STATE_HOME", ""),
    ("all_proxy", "cnlb"),
    ("http_proxy", "cnlb"),
    ("https_proxy", "cnlb"),
    ("no_proxy", "cb"),
];

/// A console that is asked for something that ends soon, and that would use the variable.
fn console(home: &Home, name: &str) -> Console {
    // Nothing listens there, whichever of the two it is.
    let url = match name {
        "SSL_CERT_DIR" | "SSL_CERT_FILE" => "https://127.0.0.1:9",
        _ => "http://127.0.0.1:9",
    };
    let mut console = home.console().arg("tasks");
    if name != "MRDECK_CLUSTER" {
        console = console.args(["--cluster", "mr"]);
    }
    if name == "MRDECK_LOG" {
        console = console.args(["--log", "mrdeck.log"]);
    }
    if name == "HOME" {
        console = console.env_remove("XDG_STATE_HOME");
    }
    for (variable, value) in [
        ("AWS_ACCESS_KEY_ID", "AK"),
        ("AWS_SECRET_ACCESS_KEY", "SK"),
        ("AWS_ENDPOINT_URL", url),
    ] {
        if name != variable {
            console = console.env(variable, value);
        }
    }
    match name {
        // Without it AWS itself would be called.
        "AWS_ENDPOINT_URL" => console.env("AWS_ENDPOINT_URL_ECS", url),
        _ => console,
    }
}

/// Returns what is wrong with how a console ended: it panicked, or said more than one cause with what to do.
fn fault(finished: &Finished) -> Option<&'static str> {
    let said = &finished.stderr;
    if finished.code.is_none_or(|code| code == 101) || said.contains("panicked") {
        Some("it panicked")
    } else if said.lines().count() > 2 || said.len() > 1_000 {
        Some("it said too much")
    } else {
        None
    }
}

/// Returns what is wrong with what each value of a variable leads to.
fn faults(home: &Home, name: &str, refused: &str) -> Vec<String> {
    let unset = console(home, name).env_remove(name).run();
    let mut faults = Vec::new();
    let mut add = |value: Option<Value>, fault: &str, finished: &Finished| {
        let told: String = finished.to_string().chars().take(600).collect();
        faults.push(format!("{name}, {value:?}: {fault}: {told}"));
    };
    if let Some(fault) = fault(&unset) {
        add(None, fault, &unset);
    }
    for value in Value::ALL {
        let finished = console(home, name).env(name, value.text()).run();
        let is_refused = finished.code == Some(2);
        let is_empty = matches!(value, Value::Empty | Value::Blank);
        if let Some(fault) = fault(&finished) {
            add(Some(value), fault, &finished);
        } else if is_empty && (finished.code, &finished.stderr) != (unset.code, &unset.stderr) {
            add(Some(value), "it is not as if unset", &finished);
        } else if !is_empty && is_refused != refused.contains(value.letter()) {
            add(Some(value), "refused or not", &finished);
        } else if !is_empty && is_refused && !finished.stderr.contains(name) {
            add(Some(value), "it is not named", &finished);
        }
    }
    faults
}

#[test]
fn no_variable_makes_the_console_panic_and_a_wrong_one_is_named() {
    let rows = Mutex::new(VARIABLES.iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let home = Home::new();
                loop {
                    let row = rows.lock().unwrap().next();
                    let Some((name, refused)) = row else { break };
                    let faults = faults(&home, name, refused);
                    found.lock().unwrap().extend(faults);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_local_cluster_reads_nothing_of_what_is_set_for_aws() {
    let home = Home::new();
    let ours = ["HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"];
    let mut names: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    names.retain(|name| !ours.contains(name));
    for value in Value::ALL {
        let console = home.local_console(1, "tasks");
        // All of them together must not be more than a process can be given.
        let text = match value {
            Value::Long => "a".repeat(10_000).into(),
            value => value.text(),
        };
        let console = names
            .iter()
            .fold(console, |console, name| console.env(name, &text));
        let finished = console.run().expect(0);
        assert!(
            finished.stdout.contains("mapper-1"),
            "{value:?}: {finished}"
        );
    }
    let config = home.write("aws-config", "\u{feff}[default\nretry_mode = legacy\n");
    for command in ["doctor", "run"] {
        let console = home
            .local_console(1, command)
            .env("AWS_CONFIG_FILE", &config);
        let console = console.env("SSL_CERT_FILE", "/nonexistent");
        console.env("AWS_RETRY_MODE", "legacy").run().expect(0);
    }
}

/// A console on ECS that has only these two files, and at whose endpoint nothing listens.
fn with_files(home: &Home, config: impl AsRef<[u8]>, credentials: &str) -> Console {
    let console = home.console().args(["tasks", "--cluster", "mr"]);
    console
        .env("AWS_CONFIG_FILE", home.write("aws-config", config))
        .env(
            "AWS_SHARED_CREDENTIALS_FILE",
            home.write("aws-credentials", credentials),
        )
        .env("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:9")
}

const KEYS: &str = "[default]\naws_access_key_id = AK\naws_secret_access_key = SK\n";

#[test]
fn files_as_editors_of_windows_write_them_are_read() {
    let home = Home::new();
    for (config, credentials) in [
        ("\u{feff}[default]\nregion = eu-west-1\n", KEYS.to_owned()),
        (
            "[default]\r\nregion = eu-west-1\r\n",
            KEYS.replace('\n', "\r\n"),
        ),
        (
            "[default]\nretry_mode = legacy\n",
            format!("\u{feff}{KEYS}"),
        ),
        (
            "[default]\nretry_mode =\nmax_attempts =\nregion =\n",
            KEYS.to_owned(),
        ),
        (
            "[default]\nendpoint_url =\nservices = a\n[services a]\necs =\n  endpoint_url =\n",
            KEYS.to_owned(),
        ),
        ("; no\n# settings\n", KEYS.to_owned()),
    ] {
        let finished = with_files(&home, config, &credentials).run();
        finished.expect_complaint(3, &["ECS can't be reached", "refused"]);
    }
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line() {
    let home = Home::new();
    let default = |setting: &str| format!("[default]\n# one\n{setting}\n").into_bytes();
    let config = home.file("aws-config").display().to_string();
    let line = |line: u32| format!("line {line} of {config}");
    let utf16: Vec<u8> = "\u{feff}[default]\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        (b"[default\n".to_vec(), &["without its ]"]),
        (b"region = x\n".to_vec(), &["before the first"]),
        (default("region"), &["no ="]),
        (default("= x"), &["nothing before"]),
        (
            default("retry_mode = none"),
            &["retry_mode", "'none'", "standard or adaptive"],
        ),
        (
            default("max_attempts = 0"),
            &["max_attempts", "'0'", "above 0"],
        ),
        (
            default("region = us east"),
            &["region", "'us east'", "us-east-1"],
        ),
        (
            default("endpoint_url = s3.test"),
            &["endpoint_url", "'s3.test'", "https://"],
        ),
        (
            default("use_fips_endpoint = maybe"),
            &["use_fips_endpoint", "true or false"],
        ),
        (
            default("region = eu-west-1\n output = json"),
            &["region", "line 4", "blank"],
        ),
        (
            default("aws_access_key_id = AK"),
            &["aws_secret_access_key is not"],
        ),
        (
            default("aws_secret_access_key = SK"),
            &["aws_access_key_id is not"],
        ),
        (
            b"[default]\nservices = a\n[services a]\ns3 =\n  endpoint_url = nonsense\n".to_vec(),
            &["endpoint_url", "'nonsense'"],
        ),
        (b"[default]\nregion = \xff\n".to_vec(), &["not UTF-8"]),
        (utf16, &["UTF-16"]),
    ];
    for (bytes, words) in cases {
        let console = with_files(&home, &bytes, "").env_remove("AWS_ENDPOINT_URL_ECS");
        let finished = console.run().expect_complaint(2, words);
        let said = &finished.stderr;
        assert_eq!(fault(&finished), None, "{finished}");
        assert!(
            said.contains("UTF-16") || (1..6).any(|number| said.contains(&line(number))),
            "no line: {said}"
        );
        assert!(!said.contains("sso"), "{said}");
    }
    let folder = home.console().args(["tasks", "--cluster", "mr"]);
    let folder = folder.env("AWS_CONFIG_FILE", home.path());
    folder
        .run()
        .expect_complaint(2, &["AWS_CONFIG_FILE", "can't be read", "directory"]);
}

#[test]
fn a_profile_that_is_not_there_is_told_with_where_it_was_looked_for() {
    let home = Home::new();
    let config = "[work]\nregion = eu-west-1\n";
    let console = || with_files(&home, config, KEYS);
    let path = home.file("aws-config").display().to_string();
    let by_variable = console().env("AWS_PROFILE", "nowhere").run();
    by_variable.expect_complaint(2, &["AWS_PROFILE names the profile 'nowhere'", &path]);
    let by_flag = console().args(["--profile", "nowhere"]).run();
    by_flag.expect_complaint(2, &["--profile names the profile 'nowhere'", &path]);
    let bare = console().env("AWS_PROFILE", "work").run();
    bare.expect_complaint(2, &["write [profile work] instead of [work]", &path]);
    let role = "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = nowhere\n";
    let by_profile = with_files(&home, role, "").run();
    let origin = format!("source_profile (line 3 of {path}) names the profile 'nowhere'");
    by_profile.expect_complaint(2, &[&origin]);
}

#[test]
fn half_of_the_keys_are_told_apart_from_none() {
    let home = Home::new();
    for (present, missing) in [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
    ] {
        let console = with_files(&home, "", "").env(present, "x");
        let told = format!("{present} is set, but {missing} is not");
        console.run().expect_complaint(2, &[&told]);
    }
}

#[test]
fn the_consoles_own_settings_are_read_by_the_same_rules() {
    let home = Home::new();
    let console = || home.console().args(["doctor", "--cluster", "mr"]);
    for (flag, words) in [
        (["--bucket", "s3://lab"], ["--bucket", "alone: lab"]),
        (["--bucket", "s3://lab/key"], ["--bucket", "alone: lab"]),
        (["--region", "us east"], ["--region", "us-east-1"]),
        (
            ["--endpoint-url", "localhost:9000"],
            ["--endpoint-url", "http://"],
        ),
    ] {
        console().args(flag).run().expect_complaint(2, &words);
    }
    let config = home.file("mrdeck.toml");
    for (text, words) in [
        ("bucket = \"s3://lab\"", ["line 1", "alone: lab"]),
        ("\nregion = \"us east\"", ["line 2", "us-east-1"]),
        ("\n\ncluster = \"a b\"", ["line 3", "ARN"]),
        ("endpoint_url = \"ftp://x\"", ["line 1", "http://"]),
    ] {
        home.write("mrdeck.toml", text);
        let console = console().arg("--config").arg(&config);
        console.run().expect_complaint(2, &words);
    }
    // As if they were not there.
    home.write(
        "mrdeck.toml",
        "\u{feff}cluster = \"mr\"\nbucket = \"\"\nregion = \"\"\nprofile = \" \"\n",
    );
    let console = home.console().args(["tasks", "--config", "mrdeck.toml"]);
    let console = console.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    console.run().expect_complaint(5, &["aws configure"]);
}
