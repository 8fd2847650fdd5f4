//! In namespaces of its own: as a container's first process, whose starter has no number that it could see; without a
//! network.

use std::process::Command;

use mrdeck_testkit::console::{Console, binary};
use mrdeck_testkit::home::Home;
use mrdeck_testkit::namespace::unshare;
use mrdeck_testkit::pty::Deck;
use mrdeck_testkit::skip::Lack;

use super::Test;

pub const TESTS: &[Test] = &[
    ("ctrl_z_leaves_it_running", ctrl_z_leaves_it_running),
    (
        "without_a_network_the_local_cluster_says_what_it_lacks",
        without_a_network_the_local_cluster_says_what_it_lacks,
    ),
];

const NAMESPACES: [&str; 2] = ["--pid", "--fork"];
/// Its loopback interface is down.
const NO_NETWORK: [&str; 1] = ["--net"];

pub fn lack() -> Lack {
    let works = |namespaces: &[&'static str]| {
        let mut command = Command::new("unshare");
        let tried = command.args(unshare(namespaces)).arg("true").output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if works(&NAMESPACES) && works(&NO_NETWORK) {
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

fn without_a_network_the_local_cluster_says_what_it_lacks() {
    let home = Home::new();
    let console = Console::by("unshare", home.path()).args(unshare(&NO_NETWORK));
    let console = console.args([binary(), "run", "--local", "--local-data", "data"]);
    console
        .run()
        .expect_complaint(3, &["the embedded S3 server", "loopback network is up"]);
}
