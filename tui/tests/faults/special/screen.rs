//! The dashboard's terminal: given back whatever ends it, and drawn on at any size while a run goes on.

use std::time::Duration;

use mrdeck::dashboard::terminal::Screen;
use ratatui::Frame;
use tokio_util::sync::CancellationToken;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::oracle;
use mrdeck_testkit::panics;
use mrdeck_testkit::proxy::script::{Fault, Gate};

/// Takes the terminal over as the dashboard does.
pub fn take_over() -> Screen {
    let mut screen = Screen::open(CancellationToken::new()).unwrap();
    let draw = |frame: &mut Frame| frame.render_widget(panics::UNDISTURBED, frame.area());
    screen.terminal.draw(draw).unwrap();
    screen
}

pub fn signals_and_panic() -> Option<Duration> {
    for signal in ["TERM", "HUP"] {
        let lab = Lab::new([Fault::Hold(Gate::closed()).at("/map")]);
        let mut deck = lab.deck(&lab.home);
        deck.send("s");
        deck.wait_for("three maps in flight", |screen| {
            screen.matches("▸ running").count() == 3
        });
        deck.signal(signal);
        let closed = deck.wait();
        assert_eq!(closed.code, 130, "{signal}");
        closed.expect_restored();
        lab.script.wait_until("the console to hang up", |seen| {
            let mut maps = seen.iter().filter(|request| request.path == "/map");
            maps.all(|request| request.hung_up)
        });
        let record = lab.home.record();
        let run = record[0]["run"].as_str().unwrap();
        assert!(!lab.s3.has(&oracle::success_key(run)), "{signal}");
        let last = record.last().unwrap();
        assert_eq!(last["status"], "cancelled", "{signal}: {last}");
    }
    panics::expect_told(&Home::new(), &[]);
    None
}

pub fn resize() -> Option<Duration> {
    let gate = Gate::closed();
    let lab = Lab::new([Fault::Hold(gate.clone()).at("/map")]);
    let mut deck = lab.deck(&lab.home);
    deck.send("s");
    deck.wait_for("three maps in flight", |screen| {
        screen.matches("▸ running").count() == 3
    });
    deck.resize((60, 20));
    deck.wait_text(&["needs 80×24", "60×20"]);
    deck.resize((1, 1));
    deck.wait_for("a window of one cell", |screen| screen.len() <= 1);
    gate.open();
    lab.script.wait_until("the reduce", |seen| {
        seen.iter().any(|request| request.path == "/reduce")
    });
    deck.resize((500, 200));
    deck.wait_text(&["done in", "7,180 words"]);
    deck.resize((80, 24));
    deck.wait_text(&["Tasks", "Pipeline", "Results", "q quit"]);
    deck.send("v");
    deck.wait_text(&["✓ verified", "s start"]);
    deck.send("q");
    assert_eq!(deck.wait().code, 0);
    None
}
