//! Why a run ends before its end, and what to do about it.

use mrdeck_core::api::MAX_CHUNKS;
use mrdeck_core::count::CountError;
use mrdeck_core::count::read::ReadError;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind, not_text};
use mrdeck_core::encoding::Unsupported;
use mrdeck_core::human::{plural, thousands};
use mrdeck_core::role::Role;
use mrdeck_core::run_id::RunId;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::StoreError;

use crate::checkpoint::manifest::ManifestError;
use crate::checks::CheckError;
use crate::input::{Input, LEFT_OUT};
use crate::scheduler::error::AttemptError;
use crate::work::{ChunkIndex, Phase, Work};

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    // The input.
    #[error("the input {0} was changed while the run was under way")]
    InputChanged(Input),
    #[error("the input {0} has 0 bytes: there is nothing to count")]
    EmptyInput(Input),
    #[error("no object matches the input {input}{}", but_left_out(*left_out))]
    NoMatch { input: Input, left_out: usize },
    #[error(
        "the input {input} has more than {} objects, and each is a chunk of its own",
        thousands(u64::from(MAX_CHUNKS))
    )]
    TooManyObjects { input: Input },
    #[error("the input {input} is {what}")]
    Unsupported { input: S3Uri, what: Unsupported },
    #[error("the bucket '{0}' can't keep what belongs to a run")]
    UnusableBucket(String),

    // The workers.
    #[error("no {0} is running")]
    NoWorker(Role),
    #[error("the cluster went away during the run")]
    ClusterGone,
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    #[error("{failed} of {chunks} chunks could not be mapped; the last reason: {source}")]
    Unmapped {
        failed: usize,
        chunks: usize,
        source: AttemptError,
    },
    #[error("the {0} phase did not finish")]
    Unfinished(Phase),
    #[error(
        "the copy {copy} of chunk {chunk} is gone, and nothing says which bytes of the input it had"
    )]
    CopyGone { copy: S3Uri, chunk: ChunkIndex },
    #[error("the output of {work} was wrong {times} times; the last reason: {reason}")]
    WrongAgain {
        work: Work,
        times: u32,
        reason: String,
    },

    // The result.
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("there is no result to verify")]
    NoResult,
    #[error("{at} does not hold counts: {source}")]
    NotCounts { at: S3Uri, source: ReadError },
    #[error("the final counts {0} were changed since the run read them")]
    CountsChanged(S3Uri),
    #[error("the input {input} can't be recounted: {source}")]
    Uncountable { input: Input, source: CountError },
    #[error(
        "the result is wrong: {} missing, {} extra, {} counted differently",
        plural(*missing, "word"), thousands(*extra), thousands(*different)
    )]
    WrongResult {
        missing: u64,
        extra: u64,
        different: u64,
    },

    // What is kept in S3.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} is damaged: what S3 gives is not what was written there")]
    Damaged(S3Uri),
    #[error("{0} can't be written: another client keeps writing it")]
    Contended(S3Uri),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("the manifest {0} is not the one that this run began with")]
    OtherManifest(S3Uri),
    #[error("there is no run {run}: neither a record on this machine nor its manifest, {at}")]
    NoSuchRun { run: RunId, at: S3Uri },
    #[error("{max} consoles have worked on the run {run}")]
    TooManyLeases { run: RunId, max: u32 },
    #[error("{at} is not a success record: {source}")]
    NotSuccess {
        at: S3Uri,
        source: serde_json::Error,
    },
    #[error(
        "the success record in S3 is not about this run, or about another version of its input"
    )]
    OtherSuccess,
    #[error("another console recorded another result of this run: {0}")]
    OtherResult(S3Uri),
    #[error("the result recorded before, {0}, was another one")]
    ResultDiffers(S3Uri),
    #[error("the {what} has no JSON form: {source}")]
    NoJson {
        what: &'static str,
        source: serde_json::Error,
    },
}

/// Returns what to say of objects that match and are left out.
fn but_left_out(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => format!(" but one that is left out: {LEFT_OUT}"),
        count => format!(" but {count} that are left out: {LEFT_OUT}"),
    }
}

impl RunError {
    fn advice(&self) -> &'static str {
        match self {
            Self::InputChanged(_) => {
                "no result is given: run again from the start when the input no longer changes"
            }
            Self::NoMatch {
                input: Input::Pattern { pattern },
                ..
            } if !pattern.is_prefix() => "a star stays within its folder, '**' does not",
            Self::NoMatch { .. } => "check the address",
            Self::TooManyObjects { .. } => "name fewer of them, or join small ones",
            Self::EmptyInput(_) | Self::UnusableBucket(_) | Self::Uncountable { .. } => {
                "choose another input"
            }
            Self::NoWorker(_) => "start one, and look at the tasks' status",
            Self::ClusterGone => "start mrdeck again",
            Self::Unmapped { .. } => {
                "what was counted is kept: only the failed mappers need to run again"
            }
            Self::Unfinished(_) | Self::CopyGone { .. } => "run again from the start",
            Self::WrongAgain { .. } => "see who else writes into this bucket, and the tasks' logs",
            Self::NoResult => "start a run first",
            Self::NotCounts { .. } => "check the reducer's version and its logs",
            Self::CountsChanged(_) => {
                "run again from the start, and see who else writes into this bucket"
            }
            Self::WrongResult { .. } => {
                "don't use it: run again from the start, and check the services' versions"
            }
            Self::Damaged(_) => "see who else writes into this bucket",
            Self::Contended(_) => {
                "see which other console works on this run, and try again in a moment"
            }
            Self::OtherManifest(_) | Self::NotSuccess { .. } | Self::OtherSuccess => {
                "see who else writes into this bucket, and run again from the start"
            }
            Self::NoSuchRun { .. } => {
                "check the id, and name the bucket of its input with --bucket"
            }
            Self::TooManyLeases { .. } => "end them, or run again from the start",
            Self::OtherResult(_) | Self::ResultDiffers(_) => {
                "trust neither: run again from the start, and see the services' versions"
            }
            Self::NoJson { .. } => "this is a defect: please report it",
            // These have an advice of their own.
            Self::Unsupported { .. }
            | Self::Attempt(_)
            | Self::Check(_)
            | Self::Store(_)
            | Self::Manifest(_) => "",
        }
    }

    fn kind(&self) -> DiagnosticKind {
        match self {
            Self::InputChanged(_) => DiagnosticKind::InputChanged,
            Self::CopyGone { .. }
            | Self::NotCounts { .. }
            | Self::CountsChanged(_)
            | Self::WrongResult { .. }
            | Self::OtherManifest(_)
            | Self::NotSuccess { .. }
            | Self::OtherSuccess
            | Self::OtherResult(_)
            | Self::ResultDiffers(_) => DiagnosticKind::Refused,
            Self::Unmapped { source, .. } => Diagnostic::from(source).kind,
            _ => DiagnosticKind::Other,
        }
    }
}

impl From<&RunError> for Diagnostic {
    fn from(error: &RunError) -> Self {
        match error {
            RunError::Attempt(error) => error.into(),
            RunError::Check(error) => error.into(),
            RunError::Store(error) => error.into(),
            RunError::Manifest(error) => error.into(),
            RunError::Unsupported { input, what } => not_text(&format!("the input {input}"), what),
            _ => Self::new(error.to_string(), error.advice()).of_kind(error.kind()),
        }
    }
}

impl From<RunError> for Diagnostic {
    fn from(error: RunError) -> Self {
        Self::from(&error)
    }
}
