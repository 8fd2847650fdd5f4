//! The loop: takes messages in, has effects performed, and draws what changed. Alone it knows model, effects and view.

use std::io;
use std::time::Instant;

use crossterm::event::{Event, KeyEvent};
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Size;
use tokio::time::{sleep, sleep_until};

use super::effects::EffectRuntime;
use super::keymap;
use super::model::{Action, Effect, Mode, Model, Msg};
use super::redraw::Redraw;
use super::view::{self, Look};

/// Messages taken in before it is looked whether a key was pressed or a frame is due.
const BATCH: usize = 256;

pub(super) struct EventLoop<'a, B: Backend> {
    pub model: Model,
    pub effects: &'a mut EffectRuntime,
    pub look: Look,
    pub terminal: &'a mut Terminal<B>,
    /// Puts a text on the clipboard.
    pub copy: fn(&str) -> io::Result<()>,
}

/// Whether the dashboard is quit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Quit,
}

impl<B: Backend> EventLoop<'_, B>
where
    B::Error: Send + Sync + 'static,
{
    /// Runs until the dashboard is quit or its input ends.
    ///
    /// # Errors
    ///
    /// Returns why the terminal can't be read or drawn on any more.
    pub async fn run(
        mut self,
        mut input: impl Stream<Item = io::Result<Event>> + Unpin,
    ) -> io::Result<()> {
        // The first frame comes before anything else is begun.
        self.draw()?;
        let mut redraw = Redraw::first(Instant::now());
        self.effects.perform(Effect::Connect);
        loop {
            let due = redraw.due();
            let tick = self.model.tick();
            // A key comes before a frame, and a frame before messages: neither waits for those that pour in.
            let flow = tokio::select! {
                biased;
                event = input.next() => {
                    let Some(event) = event else {
                        return Ok(());
                    };
                    match self.understand(event?)? {
                        Some(msg) => {
                            redraw.after_input(Instant::now());
                            self.update(msg)?
                        }
                        None => Flow::Continue,
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {
                    self.draw()?;
                    redraw.drawn(Instant::now());
                    Flow::Continue
                }
                msg = self.effects.next() => {
                    redraw.after_message(Instant::now());
                    self.take_batch(msg)?
                }
                () = sleep(tick.unwrap_or_default()), if tick.is_some() => {
                    redraw.after_message(Instant::now());
                    self.update(Msg::Tick)?
                }
            };
            if flow == Flow::Quit {
                return Ok(());
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let (model, look) = (&self.model, &self.look);
        let drawn = self.terminal.draw(|frame| view::draw(model, look, frame));
        drawn.map(|_| ()).map_err(io::Error::other)
    }

    fn understand(&self, event: Event) -> io::Result<Option<Msg>> {
        Ok(match event {
            Event::Key(key) => {
                let size = self.terminal.size().map_err(io::Error::other)?;
                key_message(&self.model, &self.look, size, &key)
            }
            Event::Paste(text) => Some(Msg::Paste(text)),
            Event::Resize(..) => Some(Msg::Resized),
            _ => None,
        })
    }

    /// Takes in a message and those behind it: a burst of them makes one frame, not a frame each.
    fn take_batch(&mut self, first: Msg) -> io::Result<Flow> {
        let mut next = Some(first);
        let mut room = BATCH;
        while let Some(msg) = next.take() {
            if self.update(msg)? == Flow::Quit {
                return Ok(Flow::Quit);
            }
            room -= 1;
            if room > 0 {
                next = self.effects.try_next();
            }
        }
        Ok(Flow::Continue)
    }

    fn update(&mut self, msg: Msg) -> io::Result<Flow> {
        for effect in self.model.update(msg, Timestamp::now()) {
            match effect {
                Effect::Quit => return Ok(Flow::Quit),
                Effect::Copy(text) => {
                    (self.copy)(&text)?;
                    self.model.update(Msg::Copied(text), Timestamp::now());
                }
                effect => self.effects.perform(effect),
            }
        }
        Ok(Flow::Continue)
    }
}

/// Returns what a key press means now. How far an open page can be scrolled only its drawing knows.
pub fn key_message(model: &Model, look: &Look, size: Size, key: &KeyEvent) -> Option<Msg> {
    match keymap::message(model, key)? {
        Msg::Act(action) if model.mode() == Mode::Reading && action != Action::QuitNow => {
            let limit = view::scroll_limit(model, look, size);
            Some(Msg::Read { action, limit })
        }
        msg => Some(msg),
    }
}

#[cfg(test)]
mod tests;
