//! As a container's first process: what started it has no number that it could see.

use std::process::Command;

use mrdeck_testkit::console::binary;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::namespace::unshare;
use mrdeck_testkit::pty::Deck;
use mrdeck_testkit::skip::Lack;

use super::Test;

pub const TESTS: &[Test] = &[("ctrl_z_leaves_it_running", ctrl_z_leaves_it_running)];

const NAMESPACES: [&str; 2] = ["--pid", "--fork"];

pub fn lack() -> Lack {
    let mut command = Command::new("unshare");
    let tried = command.args(unshare(&NAMESPACES)).arg("true").output();
    if tried.is_ok_and(|tried| tried.status.success()) {
        return Lack::Nothing;
    }
    Lack::Absent("no process may have a namespace of its own here".to_owned())
}

fn ctrl_z_leaves_it_running() {
    let home = Home::new();
    let deck = Deck::of("unshare", home.path()).args(unshare(&NAMESPACES));
    let deck = deck.args([binary(), "--local", "--local-data", "data"]);
    let mut deck = deck.open();
    deck.wait_until_up();
    deck.send("\x1a");
    deck.wait_text(&["not suspended: there is no shell here"]);
    deck.send("q");
    let closed = deck.wait();
    assert_eq!(closed.code, 0);
    closed.expect_restored();
}
