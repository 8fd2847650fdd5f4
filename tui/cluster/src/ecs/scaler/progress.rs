//! Scaling on its way: who hears of it, and how long it may take.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::error::ScaleError;
use super::pauses::Pauses;
use crate::scale::ScaleEvent;
use mrdeck_core::diagnostic::Diagnostic;

pub(super) struct Progress {
    events: mpsc::Sender<ScaleEvent>,
    pub(super) until: Instant,
    pub(super) timeout: Duration,
}

impl Progress {
    pub(super) fn new(events: mpsc::Sender<ScaleEvent>, timeout: Duration) -> Self {
        Self {
            events,
            until: Instant::now() + timeout,
            timeout,
        }
    }

    pub(super) async fn report(&self, event: ScaleEvent) {
        // The listener may be gone.
        let _ = self.events.send(event).await;
    }

    /// Waits before the next try of what failed with `error`, and gives the error back if there is none.
    pub(super) async fn retry(
        &self,
        error: ScaleError,
        pauses: &mut Pauses,
    ) -> Result<(), ScaleError> {
        if !error.is_transient() {
            return Err(error);
        }
        let Some(retry_in) = pauses.next(Instant::now()) else {
            return Err(error);
        };
        let reason = Diagnostic::from(error).cause;
        self.report(ScaleEvent::Retrying { reason, retry_in }).await;
        sleep(retry_in).await;
        Ok(())
    }
}
