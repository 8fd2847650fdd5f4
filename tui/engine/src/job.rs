//! What is to be done with a run, and where that begins.

use mrdeck_core::uri::S3Uri;

use super::event::{EventKind, RunEvent, RunOptions, RunStatus};
use super::journal::Journal;
use super::record::Record;
use super::run::event;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::run_id::RunId;

/// What is to be done: a new run, or what is missing of an earlier one.
#[derive(Debug, Clone)]
pub enum Job {
    New {
        input: S3Uri,
        options: RunOptions,
    },
    /// What is missing of a run that this console or another one left.
    Resume {
        record: Box<Record>,
        /// What is to begin this machine's record, where it has none.
        before: Vec<RunEvent>,
    },
    /// Only recount the input of a finished run and compare.
    Verify(Box<Record>),
}

/// How a job begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    New,
    Resume,
    Verify,
}

/// What a job is when it begins.
pub(super) struct Beginning {
    pub(super) kind: Kind,
    pub(super) record: Record,
    /// What is to begin this machine's record, where it has none.
    pub(super) before: Vec<RunEvent>,
    pub(super) first: EventKind,
}

impl Beginning {
    pub(super) fn of(job: Job, cluster: &str, mappers: u32) -> Self {
        let (kind, record, before) = match job {
            Job::New { input, options } => {
                let first = EventKind::RunStarted {
                    run: RunId::generate(),
                    input,
                    cluster: cluster.to_owned(),
                    mappers,
                    options,
                };
                let Some(record) = Record::begin(&event(first.clone())) else {
                    unreachable!("a record begins with `RunStarted`, which was made above");
                };
                return Self {
                    kind: Kind::New,
                    record,
                    before: Vec::new(),
                    first,
                };
            }
            Job::Resume { record, before } => (Kind::Resume, *record, before),
            Job::Verify(record) => (Kind::Verify, *record, Vec::new()),
        };
        let mappers = match kind {
            Kind::Verify => record.mappers,
            Kind::New | Kind::Resume => mappers,
        };
        Self {
            kind,
            record,
            before,
            first: EventKind::RunContinued { mappers },
        }
    }

    /// Another console may have gone on with the run since its record was read: now that this one has it, what is
    /// written there holds. Gives what is new to the listeners.
    pub(super) fn renew(&mut self, journal: &Journal) -> Result<Vec<RunEvent>, Diagnostic> {
        let Some(events) = journal.read(self.record.run)? else {
            return Ok(Vec::new());
        };
        let Some(written) = Record::from_events(&events) else {
            return Ok(Vec::new());
        };
        self.before.clear();
        let written = written.stopped();
        let is_news = written.progress() != self.record.progress();
        self.record = written;
        Ok(if is_news { events } else { Vec::new() })
    }

    /// The run ended meanwhile, for a reason that going on can't mend.
    pub(super) fn is_over(&self) -> bool {
        self.kind == Kind::Resume
            && self.record.status != RunStatus::Done
            && !self.record.can_rerun()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_core::api::SplitMode;

    use super::*;
    use mrdeck_core::diagnostic::DiagnosticKind;

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
                split: SplitMode::Copy,
                verify: false,
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
            let mut record = Record::begin(&begun).unwrap().stopped();
            // Whatever this console told itself since, and whatever its clock says.
            record.apply(&event(EventKind::Notice(Diagnostic::new("locked", ""))));
            let job = Job::Resume {
                record: Box::new(record),
                before: vec![begun.clone()],
            };
            Beginning::of(job, "local", 1)
        };
        let mut beginning = resume();
        assert_eq!(beginning.renew(&journal).unwrap().len(), 2);
        assert_eq!(beginning.record.status, RunStatus::Failed);
        assert!(beginning.before.is_empty() && !beginning.is_over());
        assert_eq!(beginning.renew(&journal).unwrap(), [], "no news");

        // Found wrong by the other console: no `r` makes that a result.
        open.write(&ended(DiagnosticKind::Refused)).unwrap();
        let mut beginning = resume();
        beginning.renew(&journal).unwrap();
        assert!(beginning.is_over());
    }
}
