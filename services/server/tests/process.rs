//! The binary as a process: what they print, how they stop, how they fail.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a test waits for what must come; only a failing one ever waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

const BINARY: &str = env!("CARGO_BIN_EXE_mrdeck-service");
const MAPPER: &str = "mapper";
const HELLO: &str = "hello";

fn mapper(environment: &[(&str, &str)]) -> Command {
    service(MAPPER, environment)
}

/// A service with an environment of its own: nothing of the caller's AWS settings gets in.
fn service(name: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .env_clear()
        .env("SERVICE", name)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The address from the first line on stdout.
fn listening(child: &mut Child) -> SocketAddr {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    line.trim_end()
        .strip_prefix("listening on ")
        .unwrap_or_else(|| panic!("{line}"))
        .parse()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Whether it ends in time, and with success.
fn stopped(child: &mut Child) -> bool {
    let start = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status.success(),
            None if start.elapsed() > PATIENCE => {
                child.kill().unwrap();
                return false;
            }
            None => std::thread::yield_now(),
        }
    }
}

fn send(addr: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn it_says_where_it_listens_and_stops_when_told() {
    for name in ["TERM", "INT"] {
        let mut child = mapper(&[("ADDR", "127.0.0.1:0")]).spawn().unwrap();
        let addr = listening(&mut child);
        assert!(answer(send(addr, "/health")).ends_with("\r\n\r\nok"));
        signal(&child, name);
        assert!(stopped(&mut child), "{name}");
        let mut log = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        for line in log.lines() {
            assert!(
                line.starts_with('{') && line.ends_with('}'),
                "not JSON: {line}"
            );
        }
        assert!(log.contains("stopping"), "{log}");
    }
}

#[test]
fn a_request_in_flight_outlives_sigterm() {
    // An S3 that takes a request and answers only when the test says so.
    let s3 = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", s3.local_addr().unwrap());
    let mut child = mapper(&[("ADDR", "127.0.0.1:0"), ("AWS_ENDPOINT_URL", &endpoint)])
        .spawn()
        .unwrap();
    let addr = listening(&mut child);
    let request = send(addr, "/map?s3=s3://bucket/k");
    let (mut call, _) = s3.accept().unwrap();
    let mut head = BufReader::new(call.try_clone().unwrap()).lines();
    let first = head.next().unwrap().unwrap();
    assert!(
        first.starts_with("GET /bucket/k"),
        "path-style, since the endpoint is overridden: {first}"
    );
    signal(&child, "TERM");
    // The listener is closed as soon as the signal has been seen.
    let start = Instant::now();
    while TcpStream::connect(addr).is_ok() {
        assert!(start.elapsed() < PATIENCE, "it goes on listening");
        std::thread::yield_now();
    }
    let body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    write!(
        call,
        "HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let text = answer(request);
    assert!(
        text.starts_with("HTTP/1.1 502") && text.contains("s3_denied"),
        "{text}"
    );
    assert!(stopped(&mut child));
}

#[test]
fn every_way_to_override_the_endpoint_makes_s3_path_style() {
    let config = concat!(env!("CARGO_TARGET_TMPDIR"), "/endpoint-in-the-profile");
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CONFIG_FILE"] {
        let s3 = TcpListener::bind("127.0.0.1:0").unwrap();
        // A host name and a long enough bucket name: else the SDK is path-style anyway.
        let endpoint = format!("http://localhost:{}", s3.local_addr().unwrap().port());
        std::fs::write(config, format!("[default]\nendpoint_url = {endpoint}\n")).unwrap();
        let value = if name == "AWS_CONFIG_FILE" {
            config
        } else {
            &endpoint
        };
        let mut child = mapper(&[("ADDR", "127.0.0.1:0"), (name, value)])
            .spawn()
            .unwrap();
        let addr = listening(&mut child);
        let request = send(addr, "/map?s3=s3://bucket/k");
        let (line, first) = mpsc::channel();
        std::thread::spawn(move || {
            let (call, _) = s3.accept().unwrap();
            line.send(BufReader::new(call).lines().next().unwrap().unwrap())
                .unwrap();
        });
        let first = first.recv_timeout(PATIENCE).unwrap();
        assert!(first.starts_with("GET /bucket/k"), "{name}: {first}");
        drop(request);
        signal(&child, "TERM");
        assert!(stopped(&mut child));
    }
}

#[test]
fn without_credentials_the_answer_says_so() {
    let mut command = mapper(&[("ADDR", "127.0.0.1:0")]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    let mut child = command.spawn().unwrap();
    let addr = listening(&mut child);
    let text = answer(send(addr, "/map?s3=s3://bucket/k"));
    assert!(
        text.starts_with("HTTP/1.1 502") && text.contains("s3_credentials"),
        "{text}"
    );
    signal(&child, "TERM");
    assert!(stopped(&mut child));
}

#[test]
fn a_taken_port_is_a_sentence_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = mapper(&[("ADDR", &addr)]).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(
        log.contains(&format!("the address {addr} is taken")),
        "{log}"
    );
    assert!(log.contains("ADDR=HOST:PORT"), "{log}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_wrong_configuration_is_a_sentence_and_exit_code_2() {
    for (name, value) in [
        ("ADDR", "nonsense"),
        ("MAX_IN_FLIGHT", "none"),
        ("MAX_TABLE_BYTES", "0"),
        ("ALLOWED_BUCKETS", ","),
    ] {
        let output = mapper(&[(name, value)]).output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{log}");
        assert!(log.contains(name) && log.contains(value), "{log}");
    }
}

#[test]
fn aws_settings_that_can_not_be_used_are_a_sentence_and_exit_code_2() {
    let config = concat!(env!("CARGO_TARGET_TMPDIR"), "/wrong-aws-config");
    std::fs::write(config, "[default]\n# one\nretry_mode = none\n").unwrap();
    for (name, value, word) in [
        // As from an env file with Windows line ends.
        ("AWS_ACCESS_KEY_ID", "AK\r", "line end"),
        ("AWS_SECRET_ACCESS_KEY", "SK\r", "line end"),
        ("AWS_SESSION_TOKEN", "T\r", "line end"),
        ("AWS_REGION", "us-east-1\r", "line end"),
        ("AWS_REGION", "us east", "us-east-1"),
        ("AWS_ENDPOINT_URL", "localhost:9000", "http://"),
        ("AWS_ENDPOINT_URL_S3", "http://localhost:9000\r", "line end"),
        ("AWS_RETRY_MODE", "none", "standard"),
        ("AWS_MAX_ATTEMPTS", "0", "above 0"),
        ("AWS_PROFILE", "nowhere", "/dev/null"),
        ("SSL_CERT_FILE", "/nonexistent", "certificate"),
        ("AWS_CONFIG_FILE", config, "line 3"),
    ] {
        let output = mapper(&[("ADDR", "127.0.0.1:0"), (name, value)])
            .output()
            .unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {log}");
        let named = if name == "AWS_CONFIG_FILE" {
            value
        } else {
            name
        };
        assert!(log.contains(named) && log.contains(word), "{name}: {log}");
        assert_eq!(log.lines().count(), 1, "{name}: {log}");
        assert!(output.stdout.is_empty(), "it never claims to listen");
    }
}

#[test]
fn aws_settings_that_are_empty_count_as_unset() {
    let s3 = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = concat!(env!("CARGO_TARGET_TMPDIR"), "/aws-config-of-an-endpoint");
    let endpoint = format!("http://{}", s3.local_addr().unwrap());
    std::fs::write(config, format!("[default]\nendpoint_url = {endpoint}\n")).unwrap();
    let mut child = mapper(&[
        ("ADDR", "127.0.0.1:0"),
        ("AWS_CONFIG_FILE", config),
        ("AWS_REGION", ""),
        ("AWS_ENDPOINT_URL", ""),
        ("AWS_ENDPOINT_URL_S3", " "),
        ("AWS_RETRY_MODE", ""),
        ("AWS_MAX_ATTEMPTS", ""),
        ("AWS_SESSION_TOKEN", ""),
        ("AWS_PROFILE", ""),
        ("SSL_CERT_FILE", ""),
    ])
    .spawn()
    .unwrap();
    let addr = listening(&mut child);
    let request = send(addr, "/map?s3=s3://bucket/k");
    let (call, _) = s3.accept().unwrap();
    let first = BufReader::new(call).lines().next().unwrap().unwrap();
    assert!(first.starts_with("GET /bucket/k"), "{first}");
    drop(request);
    signal(&child, "TERM");
    assert!(stopped(&mut child));
}

/// What `--healthcheck` exits with, and what it says on the way.
fn health(name: &str, addr: &str) -> (Option<i32>, String) {
    let mut command = service(name, &[("ADDR", addr)]);
    let output = command.arg("--healthcheck").output().unwrap();
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

/// One sentence, exit code 1, and `cause` in it.
fn assert_unhealthy(addr: &str, cause: &str) {
    let (code, said) = health(MAPPER, addr);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.starts_with("mrdeck-service: ") && said.contains(cause),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_service_that_listens_is_healthy_wherever_it_listens() {
    for name in [MAPPER, HELLO] {
        for host in ["", "127.0.0.1", "localhost", "0.0.0.0", "[::]", "[::1]"] {
            if host.starts_with('[') && TcpListener::bind("[::1]:0").is_err() {
                eprintln!("left out: {host}, because this machine has no IPv6");
                continue;
            }
            let any_port = format!("{host}:0");
            let mut child = service(name, &[("ADDR", &any_port)]).spawn().unwrap();
            let port = listening(&mut child).port();
            let healthy = health(name, &format!("{host}:{port}"));
            assert_eq!(healthy, (Some(0), String::new()), "{name} on {any_port}");
            signal(&child, "TERM");
            assert!(stopped(&mut child));
        }
    }
}

#[test]
fn where_nothing_listens_nothing_is_healthy() {
    // A port that only an administrator can listen on, and none does.
    assert_unhealthy("127.0.0.1:1", "nothing can be reached at 127.0.0.1:1");
    assert_unhealthy(":1", "Connection refused");
}

#[test]
fn another_program_on_the_port_is_not_healthy() {
    for answer in [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "",
    ] {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = other.local_addr().unwrap().to_string();
        let served = std::thread::spawn(move || {
            let (mut call, _) = other.accept().unwrap();
            // Read first: a connection closed with unread bytes is a reset one.
            BufReader::new(call.try_clone().unwrap())
                .lines()
                .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
                .for_each(drop);
            call.write_all(answer.as_bytes()).unwrap();
        });
        let first = answer.lines().next().unwrap_or_default();
        assert_unhealthy(&addr, &format!("with '{first}' instead of 'ok'"));
        served.join().unwrap();
    }
}

#[test]
fn a_service_that_never_finishes_its_answer_is_not_healthy() {
    let (stop, stopped) = mpsc::channel::<()>();
    let stuck = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = stuck.local_addr().unwrap().to_string();
    let dripping = std::thread::spawn(move || {
        let (mut call, _) = stuck.accept().unwrap();
        let start = Instant::now();
        // A byte now and then: a deadline for each read alone would never come.
        while stopped.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout)
            && start.elapsed() < PATIENCE
        {
            let _ = call.write_all(b"x");
        }
    });
    assert_unhealthy(&addr, "did not answer within 3 s");
    drop(stop);
    dripping.join().unwrap();
}

#[test]
fn an_address_that_can_not_be_asked_is_not_healthy() {
    assert_unhealthy("nonsense", "ADDR 'nonsense' can't be listened on");
    assert_unhealthy(":0", "ADDR ':0' lets the system choose");
}

#[test]
fn what_the_binary_is_asked_it_answers_and_does_not_serve() {
    let run = |argument: &str| {
        let mut command = service(HELLO, &[("ADDR", "nonsense")]);
        let output = command.arg(argument).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), said)
    };
    let version = format!("mrdeck-service {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run("--version"), (Some(0), version));
    let (code, help) = run("--help");
    assert_eq!(code, Some(0));
    for word in ["--healthcheck", "--help", "--version", "ADDR"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let (code, usage) = run("--port");
    assert_eq!(code, Some(2), "{usage}");
    assert!(
        usage.starts_with("mrdeck-service: there is no argument '--port'"),
        "{usage}"
    );
    assert_eq!(usage.lines().count(), 1);
}

#[test]
fn half_sent_requests_hold_up_neither_other_requests_nor_sigterm() {
    let s3 = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", s3.local_addr().unwrap());
    // One place for requests that work.
    let environment = [
        ("ADDR", "127.0.0.1:0"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("MAX_IN_FLIGHT", "1"),
    ];
    let mut child = service("reducer", &environment).spawn().unwrap();
    let addr = listening(&mut child);
    let half = |text: &str| {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let mut halves = Vec::new();
    for _ in 0..50 {
        halves.push(half("GET /reduce HTTP/1.1\r\nhost: "));
        halves.push(half(
            "POST /reduce HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{\"in\":",
        ));
    }
    let answered = std::thread::spawn(move || {
        let (mut call, _) = s3.accept().unwrap();
        let mut head = BufReader::new(call.try_clone().unwrap()).lines();
        head.next().unwrap().unwrap();
        let body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        let length = body.len();
        write!(
            call,
            "HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
    });
    let text = answer(send(addr, "/reduce?in=s3://bucket/k"));
    assert!(text.contains("s3_denied"), "{text}");
    answered.join().unwrap();
    signal(&child, "TERM");
    assert!(stopped(&mut child));
    let mut log = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    assert!(log.contains("stopping"), "{log}");
    assert!(!log.contains("abandoned"), "{log}");
    drop(halves);
}

#[test]
fn beyond_the_limit_of_connections_the_answer_is_503() {
    // Of 256 descriptors, 96 are for connections.
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 256 && exec \"$0\" mapper", BINARY])
        .env_clear()
        .envs([("ADDR", "127.0.0.1:0"), ("AWS_REGION", "us-east-1")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let addr = listening(&mut child);
    let idle: Vec<_> = (0..96)
        .map(|_| {
            let mut stream = TcpStream::connect(addr).unwrap();
            stream
                .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
                .unwrap();
            let mut first = [0; 1];
            stream.read_exact(&mut first).unwrap();
            stream
        })
        .collect();
    let refused = answer(send(addr, "/map?s3=s3://bucket/k"));
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    for word in ["overloaded", "96 connections", "retry-after: 1"] {
        assert!(refused.contains(word), "{word}: {refused}");
    }
    assert!(answer(send(addr, "/health")).ends_with("\r\n\r\nok"));
    drop(idle);
    signal(&child, "TERM");
    assert!(stopped(&mut child));
}

#[test]
fn without_a_service_it_says_which_there_are() {
    for (service, word) in [
        ("", "no service is named"),
        ("cook", "'cook' is no service"),
    ] {
        let output = mapper(&[("SERVICE", service)]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(word) && said.contains("reducer"), "{said}");
        assert_eq!(said.lines().count(), 1);
    }
}
