//! What `c` copies: through the terminal, or by a `tmux` that is old, hangs or is missing. The real one has tests of its
//! own (`--test surroundings`).

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crossterm::clipboard::CopyToClipboard;
use crossterm::queue;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::pty::{Deck, Open};

/// A dashboard inside tmux, as far as it can tell, where `program` is what `tmux` runs.
fn in_tmux(home: &Home, program: Option<&str>) -> Open {
    let deck = Deck::local(home.path()).env("TMUX", "/nowhere,1,0");
    let deck = deck.env("PATH", programs(home, program)).open();
    deck.wait_until_up();
    deck
}

/// A folder with `tmux` in it, and nothing else.
fn programs(home: &Home, program: Option<&str>) -> PathBuf {
    let folder = home.file("programs");
    std::fs::create_dir(&folder).unwrap();
    if let Some(program) = program {
        let tmux = home.write("programs/tmux", format!("#!/bin/sh\n{program}\n"));
        std::fs::set_permissions(tmux, PermissionsExt::from_mode(0o755)).unwrap();
    }
    folder
}

/// Copies the address of the first mapper; returns it once `said` is on the screen.
fn copied(deck: &mut Open, said: &[&str]) -> String {
    deck.send("j");
    deck.send("c");
    let screen = deck.wait_text(said);
    let row = screen.lines().find(|line| line.contains("mapper-1"));
    let address = row.unwrap().split_whitespace().nth(3).unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    address.to_owned()
}

/// Quits; returns whether the terminal was sent the text for its clipboard.
fn was_sent(mut deck: Open, text: &str) -> bool {
    deck.send("\x03");
    let closed = deck.wait();
    closed.expect_restored();
    let mut sent = Vec::new();
    queue!(sent, CopyToClipboard::to_clipboard_from(text)).unwrap();
    let written = closed.bytes();
    written.windows(sent.len()).any(|part| part == sent)
}

#[test]
fn a_terminal_is_sent_the_text_and_nothing_is_claimed() {
    let home = Home::new();
    let mut deck = super::local(&home);
    let address = copied(&mut deck, &["sent to the terminal's clipboard: 127.0.0.1:"]);
    assert!(was_sent(deck, &address));
}

#[test]
fn an_old_tmux_gets_the_text_into_its_buffer() {
    let home = Home::new();
    let program =
        "for arg; do [ \"$arg\" != -w ] || { echo 'unknown option -- w' >&2; exit 1; }; done
        [ \"$1\" = load-buffer ] && read -r line; printf %s \"$line\" >buffer";
    let mut deck = in_tmux(&home, Some(program));
    let said = ["to tmux's buffer", "clipboard too: tmux 3.2 or later"];
    let address = copied(&mut deck, &said);
    assert_eq!(String::from_utf8(home.read("buffer")).unwrap(), address);
    assert!(!was_sent(deck, &address), "tmux has it");
}

#[test]
fn a_tmux_that_refuses_or_is_missing_is_told_and_the_terminal_gets_the_text() {
    let refusal = "echo 'no server running on /nowhere' >&2; exit 1";
    for (program, reason) in [
        (Some(refusal), "no server running on /nowhere"),
        (None, "No such file or directory"),
    ] {
        let home = Home::new();
        let mut deck = in_tmux(&home, program);
        deck.resize((200, 40));
        let said = ["tmux has not taken 127.0.0.1:", reason, "set-clipboard on"];
        let address = copied(&mut deck, &said);
        assert!(was_sent(deck, &address), "{reason}");
    }
}

#[test]
fn a_tmux_that_hangs_holds_up_no_key() {
    let home = Home::new();
    // The shell itself waits, so that nothing is left of it when it is killed.
    let mut deck = in_tmux(&home, Some("echo $$ >pid; while :; do read -r _; done"));
    deck.resize((200, 40));
    deck.send("jc");
    deck.send("?");
    deck.wait_text(&["Keys", "quit from anywhere"]);
    deck.escape("quit from anywhere");
    deck.wait_text(&["it has not answered within 2 s", "sent to the terminal"]);
    deck.send("\x03");
    assert_eq!(deck.wait().code, 0);
}
