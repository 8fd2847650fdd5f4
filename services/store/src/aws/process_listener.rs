//! Who is told while a `credential_process` runs, and of what.

use std::fmt;
use std::sync::Arc;

use crate::settings::Origin;

/// What becomes of the command, as far as a person who waits wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessNews {
    /// It is being waited for; the text says which command it is.
    Waiting(String),
    /// A line that it wrote to standard error.
    Said(String),
    /// It is not waited for any more.
    Over,
}

/// Who is told of the command. The default is nobody.
#[derive(Clone, Default)]
pub struct ProcessListener(Option<Arc<dyn Fn(ProcessNews) + Send + Sync>>);

impl ProcessListener {
    /// Calls `tell` with all news, which must not block.
    pub fn new(tell: impl Fn(ProcessNews) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    /// Returns one that calls this one and then `tell`.
    #[must_use]
    pub fn and(&self, tell: impl Fn(&ProcessNews) + Send + Sync + 'static) -> Self {
        let first = self.clone();
        Self::new(move |news| {
            tell(&news);
            first.tell(news);
        })
    }

    pub(super) fn tell(&self, news: ProcessNews) {
        if let Some(tell) = &self.0 {
            tell(news);
        }
    }
}

impl fmt::Debug for ProcessListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProcessListener")
    }
}

/// Says that the command is waited for, and that it is over, however it ends.
pub(super) struct Waiting<'a> {
    listener: &'a ProcessListener,
    origin: &'a Origin,
    is_told: bool,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(listener: &'a ProcessListener, origin: &'a Origin) -> Self {
        Self {
            listener,
            origin,
            is_told: false,
        }
    }

    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    pub(super) fn tell(&mut self) {
        if !self.is_told {
            self.is_told = true;
            let origin = self.origin.to_string();
            self.listener.tell(ProcessNews::Waiting(origin));
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_told {
            self.listener.tell(ProcessNews::Over);
        }
    }
}
