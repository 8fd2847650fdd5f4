//! The final counts: read back, and checked against what is known of them.

use mrdeck_core::count::table::Counts;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;

use super::{invalidate, tell_non_ascii};
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
    let is_expected = |body: &Vec<u8>| {
        let found = Digest::of(body).to_string();
        expected
            .as_ref()
            .is_none_or(|expected| found.eq_ignore_ascii_case(expected))
    };
    let what = match objects::find(run.store.as_ref(), &out).await? {
        Found::Body(body) if is_expected(&body) => Ok(body),
        Found::Body(_) => Err("are not those that the reducer wrote"),
        Found::Nothing => Err("are gone"),
        Found::Damaged => Err("are damaged"),
    };
    let body = match what {
        Ok(body) => body,
        Err(what) => {
            let cause = format!("the final counts {out} {what}");
            let why = Diagnostic::new(cause, "the reduce is done again");
            invalidate(run, Work::Reduce, attempt, why)?;
            return Ok(false);
        }
    };
    compare_with_recorded(run, &out, &body).await?;
    let counts = parse(&out, &body)?;
    checks::check_conservation(run.state(), counts.words())?;
    let before = run.state().non_ascii();
    let non_ascii = checks::non_ascii(run.state());
    run.emit(EventKind::ResultRead(summarise(
        out, &body, &counts, non_ascii,
    )));
    tell_non_ascii(run, before);
    Ok(true)
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
async fn compare_with_recorded(run: &Run, out: &S3Uri, body: &[u8]) -> Result<(), RunError> {
    let recorded = run.success.as_ref().filter(|success| success.out != *out);
    let Some(recorded) = recorded else {
        return Ok(());
    };
    if Digest::of(body).to_string() != recorded.sha256 {
        return Err(RunError::ResultDiffers(recorded.out.clone()));
    }
    run.store.put(&recorded.out, body.to_vec().into()).await?;
    Ok(())
}

pub(super) fn parse(at: &S3Uri, body: &[u8]) -> Result<Counts, RunError> {
    Counts::from_json(body).map_err(|source| RunError::NotCounts {
        at: at.clone(),
        source,
    })
}

fn summarise(out: S3Uri, body: &[u8], counts: &Counts, non_ascii: Option<u64>) -> ResultSummary {
    let top = counts.top(TOP_WORDS);
    ResultSummary {
        out,
        words: counts.words(),
        unique: counts.unique(),
        sha256: Digest::of(body).to_string(),
        non_ascii,
        top: top
            .into_iter()
            .map(|(word, count)| (word.to_owned(), count))
            .collect(),
    }
}
