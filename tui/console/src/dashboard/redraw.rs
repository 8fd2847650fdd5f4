//! When the next frame is drawn: at once after a key, otherwise only so often while messages pour in.

use std::time::{Duration, Instant};

/// Between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(30);

#[derive(Debug, Clone, Copy)]
pub(super) struct Redraw {
    /// When the last frame was on the screen.
    drawn: Instant,
    due: Option<Instant>,
}

impl Redraw {
    /// The first frame was drawn.
    pub fn first(drawn: Instant) -> Self {
        Self { drawn, due: None }
    }

    /// Returns when a frame is to be drawn, if one is.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// A key changed what is shown, or the size of the terminal changed.
    pub fn after_input(&mut self, now: Instant) {
        self.due = Some(now);
    }

    /// A message, or time alone, changed what is shown.
    pub fn after_message(&mut self, now: Instant) {
        let earliest = now.max(self.drawn + FRAME);
        self.due = Some(self.due.map_or(earliest, |due| due.min(earliest)));
    }

    pub fn drawn(&mut self, now: Instant) {
        *self = Self::first(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn a_key_is_drawn_at_once_and_messages_so_often() {
        let start = Instant::now();
        let mut redraw = Redraw::first(start);
        assert_eq!(redraw.due(), None, "nothing changed");
        redraw.after_message(at(start, 5));
        redraw.after_message(at(start, 12));
        assert_eq!(redraw.due(), Some(at(start, 30)), "together");
        redraw.after_input(at(start, 15));
        redraw.after_message(at(start, 16));
        assert_eq!(redraw.due(), Some(at(start, 15)), "a key waits for nothing");
        redraw.drawn(at(start, 17));
        assert_eq!(redraw.due(), None);
        redraw.after_message(at(start, 500));
        assert_eq!(
            redraw.due(),
            Some(at(start, 500)),
            "the first after a pause"
        );
    }

    #[test]
    fn messages_that_pour_in_make_a_frame_every_30_ms() {
        let start = Instant::now();
        let mut redraw = Redraw::first(start);
        let mut frames = 0;
        for ms in 0..3_000 {
            redraw.after_message(at(start, ms));
            if redraw.due().is_some_and(|due| due <= at(start, ms)) {
                redraw.drawn(at(start, ms));
                frames += 1;
            }
        }
        assert_eq!(frames, 99);
    }
}
