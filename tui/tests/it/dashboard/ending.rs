//! Every way to an end: quit, signals, a kill. The terminal is given back and no process is left.

use mrdeck::app::terminal::Screen;
use tokio_util::sync::CancellationToken;

use super::{local, wait_until_gone};
use crate::support::home::Home;
use crate::support::pty::Deck;

/// Set in the process that is to panic.
const PANIC_HERE: &str = "MRDECK_TEST_PANICS";

#[test]
fn ctrl_c_and_signals_restore_the_terminal_and_end_every_service() {
    let ends: [(&str, u32); 3] = [("TERM", 130), ("HUP", 130), ("ctrl-c", 0)];
    for (end, code) in ends {
        let home = Home::new();
        let mut deck = local(&home);
        let children = deck.children();
        assert_eq!(children.len(), 5);
        match end {
            "ctrl-c" => deck.send("\x03"),
            signal => deck.signal(signal),
        }
        let closed = deck.wait();
        assert_eq!(closed.code, code, "{end}");
        closed.expect_restored();
        wait_until_gone(&children);
    }
}

#[test]
fn no_service_outlives_a_console_that_was_killed() {
    let home = Home::new();
    let deck = local(&home);
    let children = deck.children();
    assert_eq!(children.len(), 5);
    // A stopped process can't notice anything by itself.
    children[2].signal("STOP");
    deck.kill();
    wait_until_gone(&children);
}

#[test]
fn ctrl_d_does_not_end_anything() {
    let home = Home::new();
    let mut deck = local(&home);
    deck.send("\x04\x04");
    deck.send("?");
    deck.wait_text(&["Keys"]);
    deck.send("\x04?");
    deck.wait_text(&["Tasks", "q quit"]);
}

/// Nothing from outside makes the dashboard panic, so this test binary does it in the dashboard's place:
/// it takes a terminal over as the dashboard does, and fails.
#[test]
fn a_panic_gives_the_terminal_back_and_is_told() {
    if std::env::var_os(PANIC_HERE).is_some() {
        let mut screen = Screen::open(CancellationToken::new()).unwrap();
        let draw = screen.terminal.draw(|frame| {
            frame.render_widget("undisturbed", frame.area());
        });
        draw.unwrap();
        panic!("a defect made for a test");
    }
    let home = Home::new();
    let name = "dashboard::ending::a_panic_gives_the_terminal_back_and_is_told";
    let program = std::env::current_exe().unwrap();
    let deck = Deck::of(program, home.path())
        .args(["--exact", name, "--nocapture"])
        .env(PANIC_HERE, "1")
        .open();
    let closed = deck.wait();
    assert_eq!(closed.code, 101);
    closed.expect_restored();
    let output = String::from_utf8(closed.bytes()).unwrap();
    let place = |text: &str| {
        output
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {output}"))
    };
    assert!(place("undisturbed") < place("\x1b[?1049l"), "{output}");
    assert!(
        place("\x1b[?1049l") < place("a defect made for a test"),
        "said on the alternate screen, where nobody can read it: {output}"
    );
}
