//! Terminals that take no escape sequences, as an editor's shell (`TERM=dumb`): plain lines, and no dashboard.

use mrdeck_testkit::home::Home;
use mrdeck_testkit::pty::{Closed, Deck};

fn text(closed: &Closed) -> String {
    String::from_utf8(closed.bytes()).unwrap()
}

/// Runs a command to its end in terminals of both kinds; gives what it wrote to the dumb one, and to the other one.
#[track_caller]
fn in_both(home: &Home, args: &[&str], code: u32) -> (String, String) {
    let written = |term: &str| {
        let deck = Deck::new(home.path()).args(args).env("TERM", term);
        let closed = deck.open().wait();
        assert_eq!(closed.code, code, "{}", text(&closed));
        text(&closed)
    };
    let (dumb, other) = (written("dumb"), written("xterm-256color"));
    assert!(!dumb.contains('\x1b'), "{args:?}: {dumb:?}");
    (dumb, other)
}

#[test]
fn commands_write_plain_lines() {
    let home = Home::new();
    home.write("words.txt", "to be or not to be\n".repeat(1_000));
    let local = ["--local", "--local-data", "data"];
    let run = [&["run", "words.txt", "--verify"][..], &local].concat();
    let (dumb, other) = in_both(&home, &run, 0);
    for line in ["uploading words.txt", "map took", "words        6,000"] {
        assert!(dumb.contains(line), "{line}: {dumb}");
    }
    assert!(other.contains("\x1b["), "elsewhere there is a bar");
    let (dumb, other) = in_both(&home, &[&["doctor"][..], &local].concat(), 0);
    assert!(dumb.contains("ok       tasks"), "{dumb}");
    assert!(other.contains("\x1b["), "elsewhere there are colours");
    let (_, other) = in_both(&home, &["--help"], 0);
    assert!(other.contains("\x1b["), "elsewhere there are colours");
    in_both(&home, &["tasks", "--nonsense"], 2);
    let (dumb, _) = in_both(&home, &[&["tasks"][..], &local].concat(), 0);
    assert!(dumb.contains("mapper-1"), "{dumb}");
}

#[test]
fn a_service_logs_plain_lines() {
    let home = Home::new();
    let logged = |term: &str| {
        let deck = Deck::new(home.path()).args(["serve", "mapper"]);
        let deck = deck.env("ADDR", "127.0.0.1:0").env("TERM", term);
        let deck = deck.env("AWS_REGION", "us-east-1").open();
        deck.wait_text(&["INFO"]);
        deck.signal("TERM");
        text(&deck.wait())
    };
    let dumb = logged("dumb");
    assert!(!dumb.contains('\x1b'), "{dumb:?}");
    assert!(logged("xterm-256color").contains("\x1b["));
}

#[test]
fn the_dashboard_refuses_and_says_what_to_do() {
    let home = Home::new();
    let deck = Deck::local(home.path()).env("TERM", "dumb");
    let closed = deck.open().wait();
    assert_eq!(closed.code, 2);
    let said = text(&closed);
    assert!(said.contains("TERM=dumb"), "{said}");
    assert!(said.contains("use 'mrdeck run'"), "{said}");
    assert!(!said.contains('\x1b'), "{said:?}");
    assert_eq!(home.names(), Vec::<String>::new(), "nothing was begun");
}
