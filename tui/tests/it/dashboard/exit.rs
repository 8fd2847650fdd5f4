//! Every way to an end: quit, signals, a kill. The terminal is given back and no process is left.

use super::{local, wait_until_gone};
use mrdeck::dashboard::terminal::Screen;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::panics;
use ratatui::Frame;
use tokio_util::sync::CancellationToken;

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
    children[2].freeze();
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

/// Draws until it is dropped, whatever happened elsewhere.
struct Dashboard(Screen);

impl Dashboard {
    fn draw(&mut self, text: &str) {
        let draw = |frame: &mut Frame| frame.render_widget(text, frame.area());
        self.0.terminal.draw(draw).unwrap();
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.draw(panics::TOO_LATE);
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told() {
    panics::panic_if_wanted(|| {
        let mut dashboard = Dashboard(Screen::open(CancellationToken::new()).unwrap());
        dashboard.draw(panics::UNDISTURBED);
        dashboard
    });
    let home = Home::new();
    let name = "dashboard::exit::a_panic_gives_the_terminal_back_and_is_told";
    panics::expect_told(&home, &["--exact", name, "--nocapture"]);
}
