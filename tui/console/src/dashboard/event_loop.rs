//! The loop: takes messages in, has effects performed, and draws what changed. Alone it knows model, effects and view.

use std::io;
use std::time::Instant;

use crossterm::event::{Event, KeyEvent};
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Position, Rect, Size};
use tokio::time::{sleep, sleep_until};

use super::effects::EffectRuntime;
use super::keymap;
use super::model::{Effect, Level, Mode, Model, Msg};
use super::redraw::Redraw;
use super::terminal::TerminalGuard;
use super::view::{self, Look};
use crate::signals::{JobControl, JobSignal, Stopped};

/// Messages taken in before it is looked whether a key was pressed or a frame is due.
const BATCH: usize = 256;
/// Why the console does not stop.
const NO_SHELL: &str =
    "not suspended: there is no shell here whose fg could bring the console back";

pub(super) struct EventLoop<'a, B: Backend> {
    pub model: Model,
    pub effects: &'a mut EffectRuntime,
    pub look: Look,
    pub terminal: &'a mut Terminal<B>,
    /// Of the terminal that is drawn on.
    pub guard: TerminalGuard,
    pub jobs: JobControl,
}

/// Whether the dashboard goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Suspend,
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
                            self.update(msg)
                        }
                        None => Flow::Continue,
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {
                    self.draw()?;
                    redraw.drawn(Instant::now());
                    Flow::Continue
                }
                signal = self.jobs.next() => {
                    match signal {
                        JobSignal::Stop => self.suspend(Stopped::Program).await?,
                        // It was stopped by another signal: who had the terminal meanwhile may have changed it.
                        JobSignal::GoOn => self.come_back()?,
                    }
                    redraw.drawn(Instant::now());
                    Flow::Continue
                }
                msg = self.effects.next() => {
                    redraw.after_message(Instant::now());
                    self.take_batch(msg)
                }
                () = sleep(tick.unwrap_or_default()), if tick.is_some() => {
                    redraw.after_message(Instant::now());
                    self.update(Msg::Tick)
                }
            };
            match flow {
                Flow::Continue => {}
                Flow::Suspend => {
                    self.suspend(Stopped::Job).await?;
                    redraw.drawn(Instant::now());
                }
                Flow::Quit => return Ok(()),
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let (model, look) = (&self.model, &self.look);
        let drawn = self.terminal.draw(|frame| view::draw(model, look, frame));
        drawn.map(|_| ()).map_err(io::Error::other)
    }

    /// Goes back to the shell until it lets the console go on.
    async fn suspend(&mut self, what: Stopped) -> io::Result<()> {
        if !self.jobs.has_shell() {
            let refused = Msg::Refused(Level::Warning, NO_SHELL.to_owned());
            self.update(refused);
            return self.draw();
        }
        self.guard.give_back();
        let stopped = self.jobs.stop(what).await;
        self.come_back()?;
        stopped
    }

    /// Takes the terminal over again, whatever its size is now, and draws all of the screen.
    fn come_back(&mut self) -> io::Result<()> {
        self.guard.take_over()?;
        let size = self.terminal.size().map_err(io::Error::other)?;
        // Forgets what was drawn. `Terminal::clear` asks the terminal where the cursor is, and would wait for the answer
        // while the keys are read elsewhere.
        let area = Rect::from((Position::ORIGIN, size));
        self.terminal.resize(area).map_err(io::Error::other)?;
        self.update(Msg::Resized);
        self.draw()
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
    fn take_batch(&mut self, first: Msg) -> Flow {
        let mut next = Some(first);
        let mut room = BATCH;
        while let Some(msg) = next.take() {
            let flow = self.update(msg);
            if flow != Flow::Continue {
                return flow;
            }
            room -= 1;
            if room > 0 {
                next = self.effects.try_next();
            }
        }
        Flow::Continue
    }

    fn update(&mut self, msg: Msg) -> Flow {
        for effect in self.model.update(msg, Timestamp::now()) {
            match effect {
                Effect::Quit => return Flow::Quit,
                Effect::Suspend => return Flow::Suspend,
                effect => self.effects.perform(effect),
            }
        }
        Flow::Continue
    }
}

/// Returns what a key press means now. How far an open page can be scrolled only its drawing knows.
pub fn key_message(model: &Model, look: &Look, size: Size, key: &KeyEvent) -> Option<Msg> {
    match keymap::message(model, key)? {
        Msg::Act(action) if model.mode() == Mode::Reading && !action.is_of_anywhere() => {
            let limit = view::scroll_limit(model, look, size);
            Some(Msg::Read { action, limit })
        }
        msg => Some(msg),
    }
}

#[cfg(test)]
mod tests;
