//! What is to be done with a run, and where that begins.

use crate::event::{EventKind, RunEvent, RunOptions, RunStatus};
use crate::input::Input;
use crate::recorder::event;
use crate::state::RunState;
use mrdeck_core::run_id::RunId;

/// What is to be done: a new run, or what is missing of an earlier one.
#[derive(Debug, Clone)]
pub enum Job {
    New {
        input: Input,
        options: RunOptions,
    },
    /// What is missing of a run that this console or another one left.
    Resume {
        record: Box<RunState>,
        /// What is to begin this machine's record, where it has none.
        before: Vec<RunEvent>,
    },
    /// Only recount the input of a finished run and compare.
    Verify(Box<RunState>),
}

/// How a job begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    New,
    Resume,
    Verify,
}

/// What a job is when it begins.
pub(crate) struct Start {
    pub(crate) kind: JobKind,
    pub(crate) record: RunState,
    /// What is to begin this machine's record, where it has none.
    pub(crate) before: Vec<RunEvent>,
    pub(crate) first: EventKind,
}

impl Start {
    pub(crate) fn of(job: Job, cluster: &str, mappers: u32) -> Self {
        let (kind, record, before) = match job {
            Job::New { input, options } => {
                let first = EventKind::RunStarted {
                    run: RunId::generate(),
                    input,
                    cluster: cluster.to_owned(),
                    mappers,
                    options,
                };
                let Some(record) = RunState::begin(&event(first.clone())) else {
                    unreachable!("a record begins with `RunStarted`, which was made above");
                };
                return Self {
                    kind: JobKind::New,
                    record,
                    before: Vec::new(),
                    first,
                };
            }
            Job::Resume { record, before } => (JobKind::Resume, *record, before),
            Job::Verify(record) => (JobKind::Verify, *record, Vec::new()),
        };
        let mappers = match kind {
            JobKind::Verify => record.mappers,
            JobKind::New | JobKind::Resume => mappers,
        };
        Self {
            kind,
            record,
            before,
            first: EventKind::RunResumed { mappers },
        }
    }

    /// Takes in what the journal has of the run, now that no other console can write there: another one may have gone
    /// on with it since. Returns the events if they are news to the listeners.
    pub(crate) fn renew(&mut self, written: Option<Vec<RunEvent>>) -> Vec<RunEvent> {
        let Some(events) = written else {
            return Vec::new();
        };
        let Some(written) = RunState::from_events(&events) else {
            return Vec::new();
        };
        self.before.clear();
        let written = written.stopped();
        let is_news = written.progress() != self.record.progress();
        self.record = written;
        if is_news { events } else { Vec::new() }
    }

    /// Returns whether the run ended meanwhile, for a reason that a resume can't mend.
    pub(crate) fn is_over(&self) -> bool {
        self.kind == JobKind::Resume
            && self.record.status != RunStatus::Done
            && !self.record.can_rerun()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use crate::event::SplitChoice;

    use super::*;
    use crate::journal::Journal;
    use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};

    #[tokio::test]
    async fn what_another_console_wrote_holds() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path());
        let run = RunId::generate();
        let begun = event(EventKind::RunStarted {
            run,
            input: "s3://b/k".parse().unwrap(),
            cluster: "local".to_owned(),
            mappers: 1,
            options: RunOptions {
                chunks: None,
                split: SplitChoice::Copy,
                verify: false,
                as_bytes: false,
            },
        });
        let ended = |kind| {
            event(EventKind::RunFinished {
                status: RunStatus::Failed,
                wall_ms: 1.0,
                diagnostic: Some(Diagnostic::new("wrong", "").of_kind(kind)),
            })
        };
        let mut open = journal.open(run).await.unwrap();
        open.write(&begun).unwrap();
        open.write(&ended(DiagnosticKind::Other)).unwrap();
        let resume = || {
            let mut record = RunState::begin(&begun).unwrap().stopped();
            // Whatever this console told itself since, and whatever its clock says.
            record.apply(&event(EventKind::Notice(Diagnostic::new("locked", ""))));
            let job = Job::Resume {
                record: Box::new(record),
                before: vec![begun.clone()],
            };
            Start::of(job, "local", 1)
        };
        let mut start = resume();
        assert_eq!(start.renew(journal.read(run).unwrap()).len(), 2);
        assert_eq!(start.record.status, RunStatus::Failed);
        assert!(start.before.is_empty() && !start.is_over());
        assert_eq!(start.renew(journal.read(run).unwrap()), [], "no news");

        // Found wrong by the other console: no `r` makes that a result.
        open.write(&ended(DiagnosticKind::Refused)).unwrap();
        let mut start = resume();
        start.renew(journal.read(run).unwrap());
        assert!(start.is_over());
    }
}
