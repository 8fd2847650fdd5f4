//! Taking up a run: whose it is, what its plan says, and what of it is done already.

use std::time::Duration;

use jiff::Timestamp;
use mrdeck_core::api::MapAnswer;
use mrdeck_core::digest::Digest;
use mrdeck_core::layout;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::Store;
use tokio::time::timeout;

use super::claim::Claim;
use super::event::{AttemptAnswer, EventKind, Phase, RunEvent, Verification, Work};
use super::job::Job;
use super::objects::{self, Written};
use super::plan_file::PlanFile;
use super::record::Record;
use super::recover::{self, Output, Outputs};
use super::run::{Runner, Stop};
use super::success::{self, Success};
use super::{plan, plan_file};
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::human::plural;
use mrdeck_core::run_id::RunId;

/// How long a look for other consoles may take.
const COURTESY: Duration = Duration::from_secs(2);

/// A run of which this machine has no record, as its plan in S3 tells it.
pub async fn left_in_s3(store: &dyn Store, bucket: &str, run: RunId) -> Result<Job, Diagnostic> {
    let key = layout::plan(&run.to_string());
    let at = S3Uri::new(bucket, &key).map_err(|error| Diagnostic::new(error.to_string(), ""))?;
    let Some(body) = objects::read_if_there(store, &at).await? else {
        return Err(Diagnostic::new(
            format!("there is no run {run}: neither a record on this machine nor its plan, {at}"),
            "check the id, and name the bucket of its input with --bucket",
        ));
    };
    let plan = PlanFile::read(&at.to_string(), &body, run)?;
    let at = plan.planned_at;
    let before = [
        EventKind::RunStarted {
            run,
            input: plan.input,
            cluster: plan.cluster,
            mappers: 0,
            options: plan.options,
        },
        EventKind::InputPinned {
            bytes: plan.bytes,
            etag: plan.etag,
        },
        EventKind::ChunksPlanned {
            chunks: plan.chunks,
            sizes: plan.sizes,
            etags: plan.etags,
        },
        EventKind::PlanWritten {
            plan: Digest::of(&body).to_string(),
        },
    ];
    let before = before.map(|kind| RunEvent { at, kind });
    let Some(record) = Record::from_events(&before) else {
        unreachable!("a record begins with `RunStarted`, which is the first");
    };
    Ok(Job::Resume {
        record: Box::new(record.stopped()),
        before: before.into(),
    })
}

impl Runner {
    /// Everything that an earlier console left: afterwards only what is missing has to be done.
    pub(super) async fn take_up(&mut self) -> Result<(), Stop> {
        self.claim(self.record.claim + 1).await?;
        if let Some(success) = self.recorded_success().await? {
            self.read_plan().await?;
            success.check(&self.record)?;
            return self.adopt(success).await;
        }
        self.pin_input().await?;
        self.read_plan().await?;
        if let Err(stop) = self.adopt_outputs().await {
            let Stop::Failed(diagnostic) = stop else {
                return Err(stop);
            };
            let cause = format!(
                "what an earlier console left can't be looked up, so it is done again: {}",
                diagnostic.cause
            );
            self.emit(EventKind::Notice(Diagnostic {
                cause,
                ..diagnostic
            }))
            .await;
        }
        Ok(())
    }

    /// Says in S3 that this console works on the run.
    pub(super) async fn claim(&mut self, from: u32) -> Result<(), Stop> {
        let taking = Claim::take(
            self.store.clone(),
            &self.record.input,
            self.record.run,
            from,
        );
        let claim = self.or_cancelled(taking).await?;
        let number = claim.number;
        self.emit(EventKind::Claimed { claim: number }).await;
        if number > 1 {
            // A courtesy, for which nobody waits long.
            let looking = timeout(COURTESY, claim.others());
            let others = self.or_cancelled(async { Ok(looking.await) }).await?;
            if let Ok(Some(notice)) = others {
                self.emit(EventKind::Notice(notice)).await;
            }
        }
        self.claim = Some(claim);
        Ok(())
    }

    /// Writes the plan, unless another console was faster: then that one's plan is followed.
    pub(super) async fn write_plan(&mut self) -> Result<(), Stop> {
        let own = PlanFile::of(&self.record, Timestamp::now());
        let at = self.beside_input(plan_file::address(&self.record.input, self.record.run))?;
        let body = serde_json::to_vec_pretty(&own)
            .map_err(|error| Diagnostic::new(format!("the plan has no JSON form: {error}"), ""))?;
        let store = self.store.clone();
        let written = self
            .or_cancelled(objects::write_new(store.as_ref(), &at, &body))
            .await?;
        match written {
            Written::Now => {
                let plan = Digest::of(&body).to_string();
                self.emit(EventKind::PlanWritten { plan }).await;
                Ok(())
            }
            Written::Before(body) => self.follow(&at.to_string(), &body).await,
        }
    }

    /// The plan as it is in S3, if it is there.
    async fn read_plan(&mut self) -> Result<(), Stop> {
        let at = self.beside_input(plan_file::address(&self.record.input, self.record.run))?;
        let store = self.store.clone();
        let body = self
            .or_cancelled(objects::read_if_there(store.as_ref(), &at))
            .await?;
        match (body, &self.record.plan) {
            (None, None) => Ok(()),
            (Some(body), None) => self.follow(&at.to_string(), &body).await,
            (Some(body), Some(plan)) if Digest::of(&body).to_string() == *plan => Ok(()),
            (Some(_), Some(_)) => Err(Stop::Failed(
                Diagnostic::new(
                    format!("the plan {at} is not the one that this run began with"),
                    "see who else writes into this bucket, and run again from the start",
                )
                .of_kind(DiagnosticKind::Refused),
            )),
            (None, Some(_)) => {
                let notice = Diagnostic::new(
                    format!("the plan {at} is gone; this machine's record of the run is followed"),
                    "",
                );
                self.emit(EventKind::Notice(notice)).await;
                Ok(())
            }
        }
    }

    /// Follows a plan that is in S3, whatever this console had in mind.
    async fn follow(&mut self, at: &str, body: &[u8]) -> Result<(), Stop> {
        let there = PlanFile::read(at, body, self.record.run)?;
        let is_same_input = there.input == self.record.input
            && there.etag == self.record.input_etag
            && Some(there.bytes) == self.record.input_bytes;
        if !is_same_input {
            return Err(Stop::Failed(objects::input_changed(&self.record.input)));
        }
        let is_new = self.record.chunks.is_empty()
            || !there.agrees_with(&PlanFile::of(&self.record, Timestamp::now()));
        if is_new {
            let planned = EventKind::ChunksPlanned {
                chunks: there.chunks,
                sizes: there.sizes,
                etags: there.etags,
            };
            self.emit(planned).await;
        }
        let plan = Digest::of(body).to_string();
        self.emit(EventKind::PlanWritten { plan }).await;
        Ok(())
    }

    /// Commits what attempts left in S3 that nobody heard of.
    async fn adopt_outputs(&mut self) -> Result<(), Stop> {
        if self.record.plan.is_none() {
            return Ok(());
        }
        let missing = plan::missing_chunks(&self.record).len();
        if missing > 0 {
            for found in self.outputs(Phase::Map).await? {
                let Some(chunk) = found.chunk.filter(|chunk| self.fits(*chunk, &found)) else {
                    continue;
                };
                let number = self.number(Work::map(chunk), &found.attempt);
                self.found(Work::map(chunk), number, found.answer).await;
            }
        }
        let adopted = missing - plan::missing_chunks(&self.record).len();
        if adopted > 0 {
            let outputs = plural(adopted as u64, "map output");
            let notice = format!("{outputs} of an earlier console found in S3: not mapped again");
            self.emit(EventKind::Notice(Diagnostic::new(notice, "")))
                .await;
        }
        let is_mapped = plan::missing_chunks(&self.record).is_empty();
        if is_mapped && self.record.reduce.answer().is_none() {
            let files = u64::try_from(self.record.chunks.len()).ok();
            let outputs = self.outputs(Phase::Reduce).await?;
            if let Some(found) = outputs.into_iter().find(|found| found.files == files) {
                let number = self.number(Work::REDUCE, &found.attempt);
                self.found(Work::REDUCE, number, found.answer).await;
            }
        }
        Ok(())
    }

    async fn outputs(&mut self, phase: Phase) -> Result<Vec<Output>, Stop> {
        let store = self.store.clone();
        let looking = recover::outputs(store.as_ref(), &self.record, phase);
        let Outputs { found, unseen } = self.or_cancelled(looking).await?;
        if let Some((count, why)) = unseen {
            let outputs = plural(count as u64, "output");
            let cause = format!(
                "{outputs} of an earlier console can't be looked at, and may be made again: {}",
                why.cause
            );
            self.emit(EventKind::Notice(Diagnostic { cause, ..why }))
                .await;
        }
        Ok(found)
    }

    /// Is this an output of a chunk that has none yet, and all of it?
    fn fits(&self, chunk: u32, found: &Output) -> bool {
        let Some(record) = self.record.chunks.get(chunk as usize) else {
            return false;
        };
        let Some(out) = found.answer.out.clone() else {
            return false;
        };
        let answer = MapAnswer {
            out,
            words: found.answer.words,
            unique: found.answer.unique,
            bytes: found.answer.bytes,
            sha256: found.answer.sha256.clone(),
            of: None,
            rules: None,
        };
        let name = crate::call::attempt_name(&self.record, Work::map(chunk), 0);
        record.work.answer().is_none()
            && plan::check_map(&record.source, record.bytes, &name, &answer).is_ok()
    }

    /// The number of an attempt by its name in S3: its own if this record knows it, else a new one.
    fn number(&self, work: Work, attempt: &str) -> u32 {
        let record = match work.chunk.and_then(|c| self.record.chunks.get(c as usize)) {
            Some(chunk) => &chunk.work,
            None => &self.record.reduce,
        };
        let known = record.attempts.iter().map(|attempt| attempt.number);
        let mut known = known.filter(|number| number.to_string() == attempt);
        known.next().unwrap_or_else(|| record.next_attempt())
    }

    async fn found(&mut self, work: Work, attempt: u32, answer: AttemptAnswer) {
        let found = EventKind::AttemptFound {
            work,
            attempt,
            answer,
        };
        self.emit(found).await;
        self.emit(EventKind::Committed { work, attempt }).await;
    }

    async fn recorded_success(&mut self) -> Result<Option<Success>, Stop> {
        let at = self.beside_input(success::address(&self.record.input, self.record.run))?;
        let store = self.store.clone();
        let body = self
            .or_cancelled(objects::read_if_there(store.as_ref(), &at))
            .await?;
        body.map(|body| success::read(&at, &body).map_err(Stop::Failed))
            .transpose()
    }

    /// The run is done: everything that counts is what its success record says.
    async fn adopt(&mut self, success: Success) -> Result<(), Stop> {
        let notice = format!(
            "the run was done at {}",
            success.finished_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        );
        self.emit(EventKind::Notice(Diagnostic::new(notice, "")))
            .await;
        for (index, chunk) in (0..).zip(success.chunks.clone()) {
            let work = Work::map(index);
            let is_missing = self
                .record
                .chunks
                .get(index as usize)
                .is_some_and(|chunk| chunk.work.answer().is_none());
            if is_missing && chunk.out.is_some() {
                let answer = AttemptAnswer {
                    out: chunk.out,
                    words: chunk.words,
                    sha256: chunk.sha256,
                    ..AttemptAnswer::default()
                };
                let number = self.number(work, "");
                self.found(work, number, answer).await;
            }
        }
        if self.record.reduce.out() != Some(&success.out) {
            let answer = AttemptAnswer {
                out: Some(success.out.clone()),
                words: Some(success.words),
                unique: Some(success.unique),
                sha256: Some(success.sha256.clone()),
                ..AttemptAnswer::default()
            };
            let number = self.number(Work::REDUCE, "");
            self.found(Work::REDUCE, number, answer).await;
        }
        if success.verified && self.record.verification.is_none() {
            let found = EventKind::Verified(Verification::default());
            self.emit(found).await;
        }
        self.recorded = Some(success);
        Ok(())
    }

    /// Records that the run is done. If another console did so before, with the same result, that is as good.
    pub(super) async fn record_success(&mut self) -> Result<(), Stop> {
        let (Some(result), None) = (self.record.result.clone(), &self.recorded) else {
            return Ok(());
        };
        let at = self.beside_input(success::address(&self.record.input, self.record.run))?;
        let own = Success::of(&self.record, &result, Timestamp::now());
        let body = serde_json::to_vec_pretty(&own).map_err(|error| {
            Diagnostic::new(format!("the success record has no JSON form: {error}"), "")
        })?;
        let store = self.store.clone();
        let written = self
            .or_cancelled(objects::write_new(store.as_ref(), &at, &body))
            .await?;
        if let Written::Before(body) = written {
            let theirs = success::read(&at, &body)?;
            if theirs.sha256 != own.sha256 {
                return Err(Stop::Failed(
                    Diagnostic::new(
                        format!(
                            "another console recorded another result of this run: {}",
                            theirs.out
                        ),
                        "trust neither: run again from the start, and see the services' versions",
                    )
                    .of_kind(DiagnosticKind::Refused),
                ));
            }
            let notice = Diagnostic::new(
                "another console finished this run first, with the same result",
                "",
            );
            self.emit(EventKind::Notice(notice)).await;
        }
        self.emit(EventKind::SuccessRecorded).await;
        Ok(())
    }
}
