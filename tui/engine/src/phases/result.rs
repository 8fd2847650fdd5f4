//! The final counts: read back, and checked against what is known of them.

use bytes::Bytes;
use mrdeck_core::count::read::ReadError;
use mrdeck_core::count::summary::Summary;
use mrdeck_core::count::table::Counts;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;
use tokio::join;
use tokio::task::spawn_blocking;

use super::{invalidate, pin, tell_non_ascii};
use crate::checkpoint::objects::{self, Found};
use crate::checks;
use crate::error::RunError;
use crate::event::{EventKind, ResultSummary};
use crate::run::Run;
use crate::work::{Phase, Work};

/// Words kept in the record for the results panel.
const TOP_WORDS: usize = 100;

/// Reads the final counts back, and refuses them if they don't add up. Counts that are not those the reducer wrote
/// are invalidated; then this returns false, and the reduce has to be done again.
pub(super) async fn read(run: &mut Run) -> Result<bool, RunError> {
    let reduce = &run.state().reduce;
    let (Some(out), Some(attempt)) = (reduce.out().cloned(), reduce.committed) else {
        return Err(RunError::Unfinished(Phase::Reduce));
    };
    let expected = expected_digest(run, &out);
    let is_expected = |found: &str| {
        let mut expected = expected.iter();
        expected.all(|expected| found.eq_ignore_ascii_case(expected))
    };
    // Meanwhile: the input must still be the one that the run began with. A run that is done has that behind it.
    let input = async {
        match run.success {
            None => pin::check_unchanged(run).await,
            Some(_) => Ok(()),
        }
    };
    let (found, unchanged) = join!(objects::find(run.store.as_ref(), &out), input);
    unchanged?;
    let what = match found? {
        Found::Body(body) => {
            let read = Counted::of(body).await?;
            let is_expected = is_expected(&read.sha256);
            is_expected
                .then_some(read)
                .ok_or("are not those that the reducer wrote")
        }
        Found::Nothing => Err("are gone"),
        Found::Damaged => Err("are damaged"),
    };
    let read = match what {
        Ok(read) => read,
        Err(what) => {
            let cause = format!("the final counts {out} {what}");
            let why = Diagnostic::new(cause, "the reduce is done again");
            invalidate(run, Work::Reduce, attempt, why)?;
            return Ok(false);
        }
    };
    compare_with_recorded(run, &out, &read).await?;
    let summary = read.summary.map_err(|source| RunError::NotCounts {
        at: out.clone(),
        source,
    })?;
    checks::check_conservation(run.state(), summary.words)?;
    let before = run.state().non_ascii();
    run.emit(EventKind::ResultRead(ResultSummary {
        out,
        words: summary.words,
        unique: summary.unique,
        sha256: read.sha256,
        non_ascii: checks::non_ascii(run.state()),
        top: summary.top,
    }));
    tell_non_ascii(run, before);
    Ok(true)
}

/// Final counts that were read back.
struct Counted {
    body: Bytes,
    sha256: String,
    summary: Result<Summary, ReadError>,
}

impl Counted {
    /// Hashes and adds them up, on a thread of their own: large ones take a while.
    async fn of(body: Vec<u8>) -> Result<Self, RunError> {
        let body = Bytes::from(body);
        let bytes = body.clone();
        let found = spawn_blocking(move || {
            let sha256 = Digest::of(&bytes).to_string();
            (sha256, Summary::of_json(&bytes, TOP_WORDS))
        });
        let (sha256, summary) = found
            .await
            .map_err(|_| RunError::Unfinished(Phase::Reduce))?;
        Ok(Self {
            body,
            sha256,
            summary,
        })
    }
}

/// Returns what the final counts must hash to, as the success record, the reducer, or an earlier look has it.
fn expected_digest(run: &Run, out: &S3Uri) -> Option<String> {
    let recorded = run.success.as_ref().filter(|success| success.out == *out);
    let recorded = recorded.map(|success| success.sha256.clone());
    let answered = || run.state().reduce.answer()?.info.sha256.clone();
    let read = || {
        let before = run.state().result.as_ref();
        before.filter(|result| result.out == *out && !result.sha256.is_empty())
    };
    recorded
        .or_else(answered)
        .or_else(|| Some(read()?.sha256.clone()))
}

/// A result that had to be made again must be the recorded one, and goes back to where that was.
async fn compare_with_recorded(run: &Run, out: &S3Uri, read: &Counted) -> Result<(), RunError> {
    let recorded = run.success.as_ref().filter(|success| success.out != *out);
    let Some(recorded) = recorded else {
        return Ok(());
    };
    if read.sha256 != recorded.sha256 {
        return Err(RunError::ResultDiffers(recorded.out.clone()));
    }
    run.store.put(&recorded.out, read.body.clone()).await?;
    Ok(())
}

pub(super) fn parse(at: &S3Uri, body: &[u8]) -> Result<Counts, RunError> {
    Counts::from_json(body).map_err(|source| RunError::NotCounts {
        at: at.clone(),
        source,
    })
}
