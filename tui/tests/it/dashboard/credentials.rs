//! A dashboard whose credentials come from a command that asks, waits, or fails.

use mrdeck_testkit::home::Home;
use mrdeck_testkit::process;
use mrdeck_testkit::pty::{Deck, Open};
use mrdeck_testkit::wait_until;

/// A dashboard on ECS, at whose endpoint nothing listens, with a profile whose command is this shell script.
fn open(home: &Home, script: &str) -> Open {
    let script = home.write("give-credentials", script);
    let config = format!(
        "[default]\nregion = eu-west-1\ncredential_process = sh {}\n",
        script.display()
    );
    Deck::new(home.path())
        .args(["--cluster", "mr"])
        .env("AWS_CONFIG_FILE", home.write("aws-config", config))
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .open()
}

const WAITING: &str = "waiting for credentials from credential_process";
const KEYS: &str = r#"echo '{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "SK"}'"#;

#[test]
fn a_process_that_asks_takes_no_key_from_the_dashboard() {
    let home = Home::new();
    // It asks on its standard input, and then on the terminal itself.
    let script = format!(
        "printf 'MFA code: ' >&2\nread -r code && exit 9\n\
         echo $$ > pid.new && mv pid.new pid\nread -r code < /dev/tty\n{KEYS}\n"
    );
    let mut deck = open(&home, &script);
    deck.wait_line(&["mr:", WAITING]);
    deck.wait_line(&["credential_process: MFA code:"]);
    wait_until("the question at the terminal", || home.file("pid").exists());
    let pid = String::from_utf8(home.read("pid")).unwrap();
    let asking = process::of(pid.trim().parse().unwrap());
    // Each key does what it does without such a process.
    for _ in 0..5 {
        deck.send("?");
        deck.wait_text(&["show or close this help"]);
        deck.escape("show or close this help");
    }
    deck.send("q");
    let closed = deck.wait();
    assert_eq!(closed.code, 0);
    closed.expect_restored();
    wait_until("the end of the process", || !asking.is_alive());
}

#[test]
fn a_process_that_hangs_is_said_on_the_screen_and_ends_with_the_dashboard() {
    for signal in ["TERM", "KILL"] {
        let home = Home::new();
        let deck = open(
            &home,
            "sleep 600 &\necho $! > pid.new && mv pid.new pid\nwait\n",
        );
        deck.wait_line(&["mr:", WAITING]);
        let screen = deck.wait_text(&[WAITING, "(line 3 of"]);
        assert!(!screen.contains("ECS has not answered"), "{screen}");
        let pid = String::from_utf8(home.read("pid")).unwrap();
        let hanging = process::of(pid.trim().parse().unwrap());
        deck.signal(signal);
        deck.wait();
        wait_until("the end of the process", || !hanging.is_alive());
    }
}

#[test]
fn a_process_that_fails_is_run_again_until_it_gives_credentials() {
    let home = Home::new();
    let script = format!("test -e session || {{ echo 'No session' >&2; exit 3; }}\n{KEYS}\n");
    let mut deck = open(&home, &script);
    deck.wait_text(&[
        "no valid AWS credentials",
        "exit status: 3: No session",
        "by hand",
    ]);
    home.write("session", "");
    deck.send("\x12");
    // The credentials are there: ECS was asked.
    deck.wait_text(&["ECS can't be reached"]);
    deck.send("q");
    assert_eq!(deck.wait().code, 0);
}
