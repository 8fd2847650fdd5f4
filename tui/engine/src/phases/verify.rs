//! Verification: the whole input counted again in this process and compared with the result, both ways.

use std::time::Instant;

use futures_util::TryStreamExt;
use mrdeck_core::count::table::{Comparison, compare};
use mrdeck_core::count::tokens::WordCounter;
use mrdeck_core::digest::Digest;
use mrdeck_core::encoding;
use mrdeck_store::ReadOptions;

use super::{finish, result, tell_non_ascii};
use crate::checkpoint::objects;
use crate::error::RunError;
use crate::event::{EventKind, Verification};
use crate::run::Run;
use crate::work::Phase;

/// A byte that belongs to no word.
const SEPARATOR: &[u8] = b"\n";
/// Differences shown of a result that is wrong.
const SAMPLES: usize = 10;

pub(crate) async fn verify(run: &mut Run) -> Result<(), RunError> {
    let phase = Phase::Verify;
    run.emit(EventKind::PhaseStarted { phase });
    let started = Instant::now();
    let recounted = recount(run).await;
    finish(run, phase, started);
    let found = recounted?;
    let wrong = (!found.is_exact()).then_some(RunError::WrongResult {
        missing: found.missing,
        extra: found.extra,
        different: found.different,
    });
    let before = run.state().non_ascii();
    run.emit(EventKind::Verified(found));
    tell_non_ascii(run, before);
    match wrong {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

async fn recount(run: &Run) -> Result<Verification, RunError> {
    let state = run.state();
    let result = state.result.as_ref().ok_or(RunError::NoResult)?;
    let uncountable = |source| RunError::Uncountable {
        input: state.input.clone(),
        source,
    };
    let (mut counter, mut non_ascii) = (WordCounter::new(), 0);
    for object in state.counted_objects() {
        let options = ReadOptions {
            if_match: object.etag,
            ..ReadOptions::default()
        };
        let mut body = run.store.get(&object.s3, options).await?.body;
        while let Some(piece) = body.try_next().await? {
            non_ascii += encoding::non_ascii(&piece);
            counter.feed(&piece).map_err(uncountable)?;
        }
        // No word goes on in the next object.
        counter.feed(SEPARATOR).map_err(uncountable)?;
    }
    let expected = counter.finish().map_err(uncountable)?;
    let body = objects::read_all(run.store.as_ref(), &result.out).await?;
    // Records of earlier versions have no hash.
    if !result.sha256.is_empty() && Digest::of(&body).to_string() != result.sha256 {
        return Err(RunError::CountsChanged(result.out.clone()));
    }
    let actual = result::parse(&result.out, &body)?;
    Ok(Verification {
        non_ascii: Some(non_ascii),
        ..summary(&compare(&expected, &actual))
    })
}

fn summary(found: &Comparison) -> Verification {
    let missing = found
        .missing
        .iter()
        .map(|(word, count)| format!("'{word}' is missing ({count} in the input)"));
    let extra = found
        .extra
        .iter()
        .map(|(word, count)| format!("'{word}' is extra ({count} in the result)"));
    let different = found.different.iter().map(|(word, expected, actual)| {
        format!("'{word}' is {expected} in the input, {actual} in the result")
    });
    let samples = missing
        .chain(extra)
        .chain(different)
        .take(SAMPLES)
        .collect();
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    Verification {
        missing: count(found.missing.len()),
        extra: count(found.extra.len()),
        different: count(found.different.len()),
        samples,
        non_ascii: None,
    }
}
