//! A panic in the dashboard. Nothing from outside makes it panic, so a test's own binary does it in the dashboard's
//! place: it takes a terminal over as the dashboard does, and fails.

use mrdeck::app::terminal::Screen;
use tokio_util::sync::CancellationToken;

use super::home::Home;
use super::pty::Deck;

/// Set in the process that is to panic.
const PANIC_HERE: &str = "MRDECK_TEST_PANICS";

/// Is this the process that is to panic?
pub fn is_wanted() -> bool {
    std::env::var_os(PANIC_HERE).is_some()
}

pub fn in_the_dashboards_place() -> ! {
    let mut screen = Screen::open(CancellationToken::new()).unwrap();
    let draw = screen.terminal.draw(|frame| {
        frame.render_widget("undisturbed", frame.area());
    });
    draw.unwrap();
    panic!("a defect made for a test");
}

/// Starts this binary with `args` to panic, and asserts that it gave the terminal back and told of the panic after.
#[track_caller]
pub fn expect_told(home: &Home, args: &[&str]) {
    let program = std::env::current_exe().unwrap();
    let deck = Deck::of(program, home.path()).args(args);
    let closed = deck.env(PANIC_HERE, "1").open().wait();
    assert_eq!(closed.code, 101);
    closed.expect_restored();
    let output = String::from_utf8(closed.bytes()).unwrap();
    let place = |text: &str| {
        let found = output.find(text);
        found.unwrap_or_else(|| panic!("{text}: {output}"))
    };
    assert!(place("undisturbed") < place("\x1b[?1049l"), "{output}");
    assert!(
        place("\x1b[?1049l") < place("a defect made for a test"),
        "said on the alternate screen, where nobody can read it: {output}"
    );
}
