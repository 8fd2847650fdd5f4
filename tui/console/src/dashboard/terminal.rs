//! The terminal, taken over and always given back: at the end, while suspended, after an error, after a panic.

use std::io::{self, Write, stdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio_util::sync::CancellationToken;

/// A terminal in raw mode on its alternate screen. Dropping it gives the terminal back.
pub struct Screen {
    pub terminal: Terminal<CrosstermBackend<Frames>>,
    guard: TerminalGuard,
}

impl Screen {
    /// Takes the terminal over. After a panic anywhere, `panicked` is cancelled so that the loop ends.
    ///
    /// # Errors
    ///
    /// Returns the terminal's error; it is given back then.
    pub fn open(panicked: CancellationToken) -> io::Result<Self> {
        let guard = TerminalGuard::default();
        let report = std::panic::take_hook();
        let of_hook = guard.clone();
        std::panic::set_hook(Box::new(move |info| {
            of_hook.give_back();
            report(info);
            panicked.cancel();
        }));
        let frames = Frames::new(guard.clone());
        let opened = guard
            .take_over()
            .and_then(|()| Terminal::new(CrosstermBackend::new(frames)));
        match opened {
            Ok(terminal) => Ok(Self { terminal, guard }),
            Err(error) => {
                guard.give_back();
                Err(error)
            }
        }
    }

    /// Returns what gives the terminal back for a while, and takes it over again.
    pub fn guard(&self) -> TerminalGuard {
        self.guard.clone()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.guard.give_back();
    }
}

/// Whether the terminal is taken over. Its clones are one.
#[derive(Debug, Clone, Default)]
pub struct TerminalGuard {
    is_taken: Arc<Mutex<bool>>,
}

impl TerminalGuard {
    /// Takes the terminal over; again, if somebody else may have set its modes meanwhile.
    ///
    /// # Errors
    ///
    /// Returns the terminal's error.
    pub fn take_over(&self) -> io::Result<()> {
        let mut is_taken = self.lock();
        // crossterm does nothing where it thinks that raw mode is on.
        disable_raw_mode()?;
        enable_raw_mode()?;
        *is_taken = true;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)
    }

    /// Gives the terminal back, once: a screen that is left twice loses what was written in between.
    ///
    /// Each step is tried whatever became of the others: a terminal that is gone can't be helped.
    pub fn give_back(&self) {
        let mut is_taken = self.lock();
        if !std::mem::take(&mut *is_taken) {
            return;
        }
        let _ = execute!(
            stdout(),
            DisableBracketedPaste,
            LeaveAlternateScreen,
            crossterm::cursor::Show
        );
        let _ = disable_raw_mode();
    }

    /// Puts a text on the clipboard through the terminal (OSC 52), so that it works over SSH too.
    ///
    /// # Errors
    ///
    /// Returns the terminal's error.
    pub fn copy(&self, text: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, CopyToClipboard::to_clipboard_from(text))?;
        self.write(&bytes)
    }

    /// Writes all of it and nothing in between; drops it if the terminal isn't ours.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let is_taken = self.lock();
        if *is_taken {
            let mut terminal = stdout().lock();
            terminal.write_all(bytes)?;
            terminal.flush()?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects what is drawn, and writes it when it is flushed: frame by frame.
pub struct Frames {
    bytes: Vec<u8>,
    guard: TerminalGuard,
}

impl Frames {
    fn new(guard: TerminalGuard) -> Self {
        let bytes = Vec::new();
        Self { bytes, guard }
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.guard.write(&self.bytes);
        self.bytes.clear();
        written
    }
}
