//! Where the keys that move put a cursor.

use super::action::Action;

/// Lines that a page key moves by.
const PAGE: usize = 10;

/// Returns the line of `count` lines that a key moves a cursor to from line `at`; `None` for a key that does not move.
pub(super) fn moved(action: Action, at: usize, count: usize) -> Option<usize> {
    let last = count.saturating_sub(1);
    let to = match action {
        Action::Down => at.saturating_add(1),
        Action::Up => at.saturating_sub(1),
        Action::PageDown => at.saturating_add(PAGE),
        Action::PageUp => at.saturating_sub(PAGE),
        Action::First => 0,
        Action::Last => last,
        _ => return None,
    };
    Some(to.min(last))
}
