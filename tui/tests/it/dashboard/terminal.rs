//! The terminal itself: its size, its colours, and a first frame that waits for nothing.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::local;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::pty::Deck;

/// Quitting may wait this long for what is under way.
const PROMPT: Duration = Duration::from_secs(5);

#[test]
fn it_follows_the_window_down_and_up_again() {
    let home = Home::new();
    let deck = local(&home);
    deck.resize((60, 20));
    deck.wait_text(&["needs 80×24", "60×20"]);
    deck.resize((1, 1));
    deck.wait_for("a window of one cell", |screen| screen.len() <= 1);
    deck.resize((120, 40));
    deck.wait_until_up();
    deck.wait_text(&[
        "Tasks", "Pipeline", "Latency", "Results", "Events", "q quit",
    ]);
    deck.resize((80, 24));
    deck.wait_text(&[
        "Tasks", "Pipeline", "Latency", "Results", "Events", "q quit",
    ]);
}

#[test]
fn a_key_pressed_as_the_window_changes_is_not_lost() {
    let home = Home::new();
    let mut deck = local(&home);
    for width in 120..160 {
        deck.resize((width, 40));
        deck.send("?");
        deck.wait_text(&["Keys", "quit from anywhere"]);
        deck.resize((width, 41));
        deck.send("?");
        deck.wait_text(&["Tasks", "q quit"]);
    }
}

/// Somebody who picks up and never says a word.
fn silent_listener() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let callers: Vec<_> = listener.incoming().collect();
        drop(callers);
    });
    url
}

#[test]
fn the_first_frame_comes_before_the_first_call() {
    let home = Home::new();
    let silent = silent_listener();
    // Without a region the AWS SDK asks the machine it runs on, which never answers here.
    let mut deck = Deck::new(home.path())
        .args(["--splitter", &silent, "--mapper", &silent])
        .args(["--reducer", &silent])
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &silent)
        .open();
    deck.wait_text(&["connecting …", "Tasks", "Pipeline", "q quit"]);
    deck.send("?");
    deck.wait_text(&["Keys", "quit from anywhere"]);
    deck.send("?q");
    let closed = deck.wait();
    assert_eq!(closed.code, 0);
    closed.expect_restored();
}

#[test]
fn keys_are_read_while_the_network_hangs() {
    let home = Home::new();
    let silent = silent_listener();
    let mut deck = Deck::new(home.path())
        .args(["--splitter", &silent, "--mapper", &silent])
        .args(["--reducer", &silent, "--endpoint-url", &silent])
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "us-east-1")
        .open();
    deck.wait_text(&["mrdeck", "Tasks", "Pipeline", "Events", "q quit"]);
    deck.wait_text(&["fixed addresses", "s start"]);
    deck.send("oi");
    deck.send("s3://bucket/key.txt\r");
    deck.wait_text(&["input is s3://bucket/key.txt"]);
    deck.send("s");
    deck.wait_text(&["x cancel"]);
    deck.send("?");
    deck.wait_text(&["Keys", "quit from anywhere"]);
    deck.send("?\t\r");
    deck.wait_for("the second panel alone", |screen| {
        screen.contains("Pipeline") && !screen.contains("Latency")
    });
    let asked = Instant::now();
    deck.send("q");
    deck.wait_text(&["to be resumed later. Quit?"]);
    deck.send("y");
    let closed = deck.wait();
    assert!(asked.elapsed() < PROMPT, "{:?}", asked.elapsed());
    assert_eq!(closed.code, 0);
    closed.expect_restored();
}

/// The colours that the escape sequences in `bytes` set; setting the default one back is none.
fn colours(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    for piece in text.split("\x1b[").skip(1) {
        let end = piece.find(|c: char| c.is_ascii_alphabetic());
        let Some(end) = end.filter(|end| piece[*end..].starts_with('m')) else {
            continue;
        };
        let is_colour =
            |number: u32| matches!(number, 30..=38 | 40..=48 | 58 | 90..=97 | 100..=107);
        let mut numbers = piece[..end].split([';', ':']).flat_map(str::parse);
        if numbers.any(is_colour) {
            found.push(piece[..=end].to_owned());
        }
    }
    found
}

#[test]
fn no_color_is_honoured() {
    let seen = |no_color: Option<&str>| {
        let home = Home::new();
        let mut deck = Deck::local(home.path());
        if let Some(value) = no_color {
            deck = deck.env("NO_COLOR", value);
        }
        let mut deck = deck.open();
        deck.wait_until_up();
        deck.send("s");
        deck.wait_text(&["done in", "7,180 words"]);
        deck.send("?");
        deck.wait_text(&["Keys"]);
        deck.send("?d");
        deck.wait_text(&["Task splitter-1"]);
        deck.send("q");
        deck.wait_text(&["Tasks"]);
        deck.send(":nonsense\r");
        deck.wait_text(&["there is no command"]);
        deck.send("\x03");
        colours(&deck.wait().bytes())
    };
    assert_eq!(seen(Some("1")), Vec::<String>::new());
    assert!(!seen(None).is_empty(), "without it there are colours");
}
