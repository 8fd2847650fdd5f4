//! How far a text is scrolled that is longer than its window.

use super::action::Action;
use super::motion::moved;

/// The end that a text is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Start,
    End,
}

/// A position in a text, kept from the end that the text is read from: a log that grows stays at its newest line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scroll {
    anchor: Anchor,
    offset: usize,
}

impl Scroll {
    pub(super) fn from_start() -> Self {
        Self {
            anchor: Anchor::Start,
            offset: 0,
        }
    }

    pub(super) fn from_end() -> Self {
        Self {
            anchor: Anchor::End,
            offset: 0,
        }
    }

    /// Returns how many lines are above the window; `limit` are, at the end of the text.
    pub fn top(&self, limit: usize) -> usize {
        let offset = self.offset.min(limit);
        match self.anchor {
            Anchor::Start => offset,
            Anchor::End => limit - offset,
        }
    }

    /// Moves within a text that can be scrolled by `limit` lines, so that the next key moves back at once.
    pub(super) fn act(&mut self, action: Action, limit: usize) {
        let Some(top) = moved(action, self.top(limit), limit.saturating_add(1)) else {
            return;
        };
        self.offset = match self.anchor {
            Anchor::Start => top,
            Anchor::End => limit - top,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_the_text_and_moves_back_at_once() {
        let mut scroll = Scroll::from_start();
        for (action, expected) in [
            (Action::Up, 0),
            (Action::Down, 1),
            (Action::PageDown, 11),
            (Action::PageDown, 15),
            (Action::Down, 15),
            (Action::Up, 14),
            (Action::First, 0),
            (Action::Last, 15),
        ] {
            scroll.act(action, 15);
            assert_eq!(scroll.top(15), expected, "{action:?}");
        }
        assert_eq!(scroll.top(3), 3, "a larger window shows more");
    }

    #[test]
    fn a_log_stays_at_its_end_while_it_grows() {
        let mut scroll = Scroll::from_end();
        assert_eq!((scroll.top(5), scroll.top(9)), (5, 9));
        scroll.act(Action::Up, 9);
        assert_eq!((scroll.top(9), scroll.top(20)), (8, 19));
        scroll.act(Action::First, 20);
        assert_eq!(scroll.top(20), 0);
        scroll.act(Action::Last, 20);
        assert_eq!(scroll.top(30), 30);
    }
}
