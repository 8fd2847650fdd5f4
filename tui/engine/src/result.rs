//! The final counts: read back, checked against what is known of them, and recounted.

use std::time::Instant;

use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::ReadOptions;

use super::event::{EventKind, Phase, Verification, Work};
use super::run::{Runner, Stop};
use super::{objects, plan};
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::human::{plural, thousands};

impl Runner {
    /// Reads the final counts back, and refuses them if they don't add up. Counts that are not those the reducer
    /// wrote do not count any more, and the reduce has to be done again: then it says no.
    pub(super) async fn read_result(&mut self) -> Result<bool, Stop> {
        let (Some(out), Some(attempt)) = (
            self.record.reduce.out().cloned(),
            self.record.reduce.committed,
        ) else {
            return Err(Stop::Failed(self.last_failure(Phase::Reduce)));
        };
        let expected = self.expected_result(&out);
        let store = self.store.clone();
        let found = self
            .or_cancelled(objects::find(store.as_ref(), &out))
            .await?;
        let is_expected = |body: &Vec<u8>| {
            let found = Digest::of(body).to_string();
            expected
                .as_ref()
                .is_none_or(|expected| found.eq_ignore_ascii_case(expected))
        };
        let what = match found {
            objects::Found::Body(body) if is_expected(&body) => Ok(body),
            objects::Found::Body(_) => Err("are not those that the reducer wrote"),
            objects::Found::Nothing => Err("are gone"),
            objects::Found::Damaged => Err("are damaged"),
        };
        let body = match what {
            Ok(body) => body,
            Err(what) => {
                let cause = format!("the final counts {out} {what}");
                let diagnostic = Diagnostic::new(cause, "the reduce is done again");
                self.withdraw(Work::REDUCE, attempt, diagnostic).await?;
                return Ok(false);
            }
        };
        self.compare_with_recorded(&out, &body).await?;
        let counts = objects::parse_counts(&out, &body)?;
        plan::check_conservation(&self.record, counts.words())?;
        let summary = objects::summarise(out, &body, &counts);
        self.emit(EventKind::ResultRead(summary)).await;
        Ok(true)
    }

    /// What the final counts must hash to, as the success record, the reducer, or an earlier look has it.
    fn expected_result(&self, out: &S3Uri) -> Option<String> {
        let recorded = self.recorded.as_ref().filter(|success| success.out == *out);
        let recorded = recorded.map(|success| success.sha256.clone());
        let answered = || self.record.reduce.answer()?.sha256.clone();
        let read = || {
            let before = self.record.result.as_ref();
            before.filter(|result| result.out == *out && !result.sha256.is_empty())
        };
        recorded
            .or_else(answered)
            .or_else(|| Some(read()?.sha256.clone()))
    }

    /// A result that had to be made again must be the recorded one, and goes back to where that was.
    async fn compare_with_recorded(&mut self, out: &S3Uri, body: &[u8]) -> Result<(), Stop> {
        let Some(recorded) = self.recorded.clone().filter(|success| success.out != *out) else {
            return Ok(());
        };
        if Digest::of(body).to_string() != recorded.sha256 {
            return Err(Stop::Failed(
                Diagnostic::new(
                    format!(
                        "the result recorded before, {}, was another one",
                        recorded.out
                    ),
                    "trust neither: run again from the start, and see the services' versions",
                )
                .of_kind(DiagnosticKind::Refused),
            ));
        }
        let store = self.store.clone();
        let written = store.put(&recorded.out, body.to_vec().into());
        self.or_cancelled(async { written.await.map_err(Diagnostic::from) })
            .await
    }

    pub(super) async fn verify(&mut self) -> Result<(), Stop> {
        let phase = Phase::Verify;
        self.emit(EventKind::PhaseStarted { phase }).await;
        let started = Instant::now();
        let result = self.recount().await;
        let verification = self.phase(phase, started, result).await?;
        let is_exact = verification.is_exact();
        let cause = format!(
            "the result is wrong: {} missing, {} extra, {} counted differently",
            plural(verification.missing, "word"),
            thousands(verification.extra),
            thousands(verification.different)
        );
        self.emit(EventKind::Verified(verification)).await;
        if is_exact {
            Ok(())
        } else {
            Err(Stop::Failed(
                Diagnostic::new(
                    cause,
                    "don't use it: run again from the start, and check the services' versions",
                )
                .of_kind(DiagnosticKind::Refused),
            ))
        }
    }

    async fn recount(&mut self) -> Result<Verification, Stop> {
        let Some(result) = self.record.result.clone() else {
            return Err(Stop::Failed(Diagnostic::new(
                "there is no result to verify",
                "start a run first",
            )));
        };
        let input = self.record.input.clone();
        let options = ReadOptions {
            if_match: self.record.input_etag.clone(),
            ..ReadOptions::default()
        };
        let store = self.store.clone();
        self.or_cancelled(objects::recount(store.as_ref(), &input, options, &result))
            .await
    }
}
