//! `:clean`: looked for, asked about, then done in the background. One at a time, and never amid a run.

use super::feedback::Feedback;
use super::log::Level;
use super::message::Effect;
use crate::clean::{Inventory, Removed};
use mrdeck_core::diagnostic::Diagnostic;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Cleaning {
    #[default]
    Idle,
    Looking,
    /// To be asked about, once nothing else is open.
    Found(Inventory),
    Asked,
    UnderWay,
}

impl Cleaning {
    /// Checks that nothing is being removed.
    pub(super) fn permit(&self, what: &str) -> Result<(), Diagnostic> {
        match self {
            Self::UnderWay => Err(Diagnostic::new(
                "old uploads and runs are being removed",
                format!("{what} when that is done"),
            )),
            _ => Ok(()),
        }
    }

    /// Asks what there is to remove.
    pub(super) fn look(
        &mut self,
        is_up: bool,
        feedback: &mut Feedback,
    ) -> Result<Effect, Diagnostic> {
        if !is_up {
            return Err(Diagnostic::new(
                "not connected to a cluster",
                "press ctrl-r to reconnect",
            ));
        }
        if *self != Self::Idle {
            return Err(Diagnostic::new(
                "old uploads and runs are already being looked for or removed",
                "the events show how it ended",
            ));
        }
        feedback.show(Level::Info, "looking for old uploads and runs".to_owned());
        *self = Self::Looking;
        Ok(Effect::FindOld)
    }

    pub(super) fn found(&mut self, found: Result<Inventory, Diagnostic>, feedback: &mut Feedback) {
        *self = Self::Idle;
        match found {
            Err(diagnostic) => feedback.announce_diagnostic(Level::Error, &diagnostic),
            Ok(found) if found.total().is_none() => feedback.announce(Level::Info, found.nothing()),
            Ok(found) => *self = Self::Found(found),
        }
    }

    /// Returns what is to be asked about now.
    pub(super) fn question(&mut self) -> Option<Inventory> {
        match std::mem::take(self) {
            Self::Found(found) => {
                *self = Self::Asked;
                Some(found)
            }
            other => {
                *self = other;
                None
            }
        }
    }

    /// Removes what was asked about.
    pub(super) fn answered(
        &mut self,
        found: Inventory,
        is_yes: bool,
        feedback: &mut Feedback,
    ) -> Option<Effect> {
        if is_yes {
            *self = Self::UnderWay;
            return Some(Effect::RemoveOld(found));
        }
        *self = Self::Idle;
        feedback.announce(Level::Info, "nothing was removed".to_owned());
        None
    }

    pub(super) fn ended(
        &mut self,
        bucket: &str,
        removed: Result<Removed, Diagnostic>,
        feedback: &mut Feedback,
    ) {
        *self = Self::Idle;
        match removed {
            Ok(removed) => feedback.announce(Level::Good, removed.sentence(bucket)),
            Err(diagnostic) => feedback.announce_diagnostic(Level::Error, &diagnostic),
        }
    }
}
