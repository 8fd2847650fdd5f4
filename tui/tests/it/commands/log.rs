//! The log of `--log FILE`: what a run leaves in it, and what never gets in.

use std::os::unix::fs::PermissionsExt;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::pty::Deck;
use mrdeck_testkit::s3::{ACCESS_KEY, SECRET_KEY};

const TOKEN: &str = "recognisable-session-token";

#[test]
fn a_run_is_logged_with_its_calls_and_nothing_secret() {
    let lab = Lab::new([]);
    let input = lab.s3.put("input.txt", "to be or not to be");
    let run = |filter: &str, secret: &str| {
        let console = lab.console("run").args([&input, "--log", "mrdeck.log"]);
        let console = console.args(["--save", "counts.json"]);
        let console = console
            .env("MRDECK_LOG", filter)
            .env("AWS_SESSION_TOKEN", TOKEN);
        console.env("AWS_SECRET_ACCESS_KEY", secret).run()
    };
    let log = || String::from_utf8(lab.home.read("mrdeck.log")).unwrap();
    let finished = run("trace", SECRET_KEY).expect(0);
    let first = log();
    assert!(!finished.stderr.contains("INFO"), "{}", finished.stderr);
    for part in [
        "INFO mrdeck::entry: started",
        "command=\"run\"",
        "run{id=",
        "phase{phase=map}:attempt{work=chunk 0 ",
        "mrdeck::commands::connect: connected cluster=",
        "aws_call{service=\"S3\" operation=\"HeadObject\"}",
        "mrdeck::entry: ended exit=0",
    ] {
        assert!(first.contains(part), "'{part}' is not in: {first}");
    }
    let mode = lab
        .home
        .file("mrdeck.log")
        .metadata()
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);

    // Credentials that are refused are named as such; they are not shown.
    std::fs::remove_file(lab.home.file("counts.json")).unwrap();
    run("trace", "recognisable-wrong-secret").expect(5);
    let both = log();
    assert!(both.starts_with(&first), "it is appended");
    assert!(both.contains("no valid AWS credentials"), "{both}");
    for secret in [
        ACCESS_KEY,
        SECRET_KEY,
        "recognisable-wrong-secret",
        TOKEN,
        "X-Amz-",
        "x-amz-security-token",
        "uthorization",
        "ignature=",
    ] {
        assert!(!both.contains(secret), "'{secret}' is in: {both}");
    }
}

#[test]
fn nothing_of_the_log_is_drawn_over_the_dashboard() {
    let home = Home::new();
    let deck = Deck::local(home.path()).args(["--log", "mrdeck.log"]);
    let mut deck = deck.env("MRDECK_LOG", "trace").open();
    deck.wait_text(&["s start", "s3://mrdeck/liber-primus.txt"]);
    deck.send("s");
    deck.wait_text(&["done in"]);
    deck.send("q");
    let closed = deck.wait();
    let drawn = String::from_utf8_lossy(&closed.bytes()).into_owned();
    for part in ["INFO", "DEBUG", "run{id"] {
        assert!(!drawn.contains(part), "'{part}' was drawn");
    }
    let log = String::from_utf8(home.read("mrdeck.log")).unwrap();
    assert!(
        log.contains("run{id=") && log.contains("ended exit=0"),
        "{log}"
    );
}

#[test]
fn without_a_filter_the_log_is_short() {
    let home = Home::new();
    let console = home.local_console(1, "tasks").args(["--log", "mrdeck.log"]);
    console.run().expect(0);
    let log = String::from_utf8(home.read("mrdeck.log")).unwrap();
    assert!(log.contains("INFO") && !log.contains("DEBUG"), "{log}");
}

#[test]
fn a_log_that_can_t_be_written_is_refused_before_anything_starts() {
    let home = Home::new();
    std::fs::create_dir(home.file("folder")).unwrap();
    for (path, words) in [
        ("no/mrdeck.log", ["no folder no", "--log"]),
        ("folder", ["folder is not a file", "--log"]),
        ("/dev/stderr", ["/dev/stderr is not a file", "--log"]),
    ] {
        let console = home.local_console(1, "tasks").args(["--log", path]);
        let finished = console.run().expect_complaint(2, &words);
        assert_eq!(finished.stderr.trim_end().lines().count(), 2);
        assert_eq!(finished.stdout, "");
    }
    let console = home.local_console(1, "tasks").args(["--log", "mrdeck.log"]);
    let console = console.env("MRDECK_LOG", "mrdeck=loud");
    console
        .run()
        .expect_complaint(2, &["MRDECK_LOG=mrdeck=loud", "mrdeck_engine="]);
    let served = home.console().args(["serve", "mapper", "--log", "x.log"]);
    served.run().expect_complaint(2, &["RUST_LOG"]);
    assert_eq!(home.names(), ["folder"], "no cluster was started");
}
