//! The one way a run says what happens: folded, appended to its journal, handed on. It never waits for a listener.

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use crate::event::{EventKind, RunEvent};
use crate::journal::{JournalError, OpenJournal};
use crate::state::RunState;

/// A run's state, and everything that hears of its events.
pub(crate) struct Recorder {
    pub(crate) state: RunState,
    journal: Option<OpenJournal>,
    /// Unbounded, because the number of events is bounded by the work: a listener that stalls can't hold the run up.
    events: UnboundedSender<RunEvent>,
}

impl Recorder {
    pub(crate) fn new(
        state: RunState,
        journal: Option<OpenJournal>,
        events: UnboundedSender<RunEvent>,
    ) -> Self {
        Self {
            state,
            journal,
            events,
        }
    }

    /// State, journal, listeners: in this order, so that none hears of what is not recorded.
    pub(crate) fn emit(&mut self, kind: EventKind) {
        let event = event(kind);
        self.state.apply(&event);
        self.pass_on(event);
    }

    /// Records an event that the state holds already.
    pub(crate) fn pass_on(&mut self, event: RunEvent) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.write(&event)
        {
            self.emit_unrecorded(&error);
        }
        // Without a listener the run continues for its record.
        let _ = self.events.send(event);
    }

    fn emit_unrecorded(&mut self, error: &JournalError) {
        let notice = event(EventKind::Notice(error.into()));
        self.state.apply(&notice);
        let _ = self.events.send(notice);
    }

    /// Makes sure that the record is on the disk, and returns the state.
    pub(crate) async fn close(mut self) -> RunState {
        if let Some(journal) = self.journal.take()
            && let Err(error) = journal.close().await
        {
            self.emit_unrecorded(&error);
        }
        self.state
    }
}

/// Stamps an event with the present time.
pub(crate) fn event(kind: EventKind) -> RunEvent {
    RunEvent {
        at: Timestamp::now(),
        kind,
    }
}
