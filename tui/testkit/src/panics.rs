//! A panic in the dashboard. Nothing from outside makes it panic, so a test's own binary does it in the dashboard's
//! place: it takes a terminal over as the dashboard does, and fails.

use crate::home::Home;
use crate::pty::Deck;

/// What is on the screen before.
pub const UNDISTURBED: &str = "undisturbed";
/// What is drawn after the panic, and is not to be seen.
pub const TOO_LATE: &str = "drawn too late";
/// Leaves the alternate screen.
const LEAVE: &str = "\x1b[?1049l";
/// Set in the process that is to panic.
const PANIC_HERE: &str = "MRDECK_TEST_PANICS";

/// In the process that is to panic: takes the terminal over, and fails with it. In another one it does nothing.
///
/// `take_over` draws [`UNDISTURBED`] as the dashboard draws.
pub fn panic_if_wanted<T>(take_over: impl FnOnce() -> T) {
    if std::env::var_os(PANIC_HERE).is_some() {
        let _taken_over = take_over();
        panic!("a defect made for a test");
    }
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
    assert!(!output.contains(TOO_LATE), "{output}");
    let leaves = output.matches(LEAVE).count();
    assert_eq!(
        leaves, 1,
        "leaving it again takes the message away: {output}"
    );
    assert!(place(UNDISTURBED) < place(LEAVE), "{output}");
    assert!(
        place(LEAVE) < place("a defect made for a test"),
        "said on the alternate screen, where nobody can read it: {output}"
    );
}
