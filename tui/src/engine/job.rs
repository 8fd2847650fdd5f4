//! What is to be done with a run, and where that begins.

use mrdeck_services::uri::S3Uri;

use super::event::{EventKind, RunEvent, RunId, RunOptions};
use super::journal::Journal;
use super::record::Record;
use super::run::event;

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

    /// Another console may have gone on with the run since its record was read: now that this one has it, it is read
    /// again. Gives what is new to the listeners.
    pub(super) fn renew(&mut self, journal: &Journal) -> Vec<RunEvent> {
        let Ok(Some(events)) = journal.read(self.record.run) else {
            return Vec::new();
        };
        match Record::from_events(&events) {
            Some(newer) if newer.last_at() > self.record.last_at() => {
                self.record = newer.stopped();
                events
            }
            _ => Vec::new(),
        }
    }
}
