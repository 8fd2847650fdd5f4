//! What each phase of a run asks for, and what must hold of what it gets.

use std::time::Instant;

use mrdeck_services::api::ChunkRef;
use mrdeck_services::store::ReadOptions;

use super::client::{Answer, Request};
use super::dispatch::{Check, dispatch};
use super::event::{EventKind, Phase, Verification, Work};
use super::queue::Item;
use super::run::{Runner, Stop};
use super::{objects, plan};
use crate::cluster::Role;
use crate::figures::{plural, thousands};
use crate::trouble::{Trouble, TroubleKind};

impl Runner {
    pub(super) async fn split(&mut self) -> Result<(), Stop> {
        let input = self.record.input.clone();
        let bytes = self.record.input_bytes.unwrap_or_default();
        let chunks = self
            .record
            .options
            .chunks
            .unwrap_or_else(|| plan::default_chunks(bytes, self.record.mappers));
        let request = Request::Split {
            input: input.clone(),
            chunks,
            mode: self.record.options.split,
            etag: self.record.input_etag.clone(),
        };
        let attempt = self.record.split.next_attempt();
        let item = Item::new(Work::SPLIT, request, bytes, attempt);
        let check = move |answer: &Answer| match answer {
            Answer::Split(answer) => plan::check_split(answer, &input, bytes),
            _ => Ok(()),
        };
        let commits = self
            .dispatch_phase(Phase::Split, Role::Splitter, vec![item], &check)
            .await?;
        let Some((_, Answer::Split(answer))) = commits.into_iter().next() else {
            return Err(Stop::Failed(self.last_failure(Phase::Split)));
        };
        let made = answer.chunks.len();
        if made != chunks as usize {
            let notice = Trouble::new(
                format!("asked for {chunks} chunks, the splitter made {made}"),
                "",
            );
            self.emit(EventKind::Notice(notice)).await;
        }
        let chunks = answer.chunks;
        self.emit(EventKind::ChunksPlanned { chunks }).await;
        Ok(())
    }

    pub(super) async fn map(&mut self) -> Result<(), Stop> {
        let missing = plan::missing_chunks(&self.record);
        if missing.is_empty() {
            return Ok(());
        }
        let chunks = u64::try_from(self.record.chunks.len()).unwrap_or(1).max(1);
        let average = self.record.input_bytes.unwrap_or_default() / chunks;
        let items = missing
            .iter()
            .filter_map(|&index| {
                let chunk = self.record.chunks.get(usize::try_from(index).ok()?)?;
                let bytes = match &chunk.source {
                    ChunkRef::Object(_) => average,
                    ChunkRef::Range { start, end, .. } => end - start,
                };
                let source = chunk.source.clone();
                let attempt = chunk.work.next_attempt();
                let etag = self.record.input_etag.clone();
                let request = Request::Map { source, etag };
                Some(Item::new(Work::map(index), request, bytes, attempt))
            })
            .collect();
        self.dispatch_phase(Phase::Map, Role::Mapper, items, &|_| Ok(()))
            .await?;
        let failed = plan::missing_chunks(&self.record);
        if failed.is_empty() {
            return Ok(());
        }
        let why = self.last_failure(Phase::Map);
        if why.kind == TroubleKind::InputChanged {
            return Err(Stop::Failed(why));
        }
        Err(Stop::Failed(
            Trouble::new(
                format!(
                    "{} of {chunks} chunks could not be mapped; the last reason: {}",
                    failed.len(),
                    why.cause
                ),
                "what was counted is kept: only the failed mappers need to run again",
            )
            .of_kind(why.kind),
        ))
    }

    pub(super) async fn reduce(&mut self) -> Result<(), Stop> {
        let inputs = plan::reduce_inputs(&self.record)?;
        let files = u64::try_from(inputs.len()).unwrap_or(u64::MAX);
        let attempt = self.record.reduce.next_attempt();
        let bytes = self.record.input_bytes.unwrap_or_default();
        let item = Item::new(Work::REDUCE, Request::Reduce { inputs }, bytes, attempt);
        let check = move |answer: &Answer| match answer {
            Answer::Reduce(answer) if answer.files.is_some_and(|given| given != files) => {
                Err(Trouble::new(
                    format!(
                        "the reducer added up {} map outputs instead of {files}",
                        answer.files.unwrap_or_default()
                    ),
                    "check the reducer's version and its logs",
                ))
            }
            _ => Ok(()),
        };
        let commits = self
            .dispatch_phase(Phase::Reduce, Role::Reducer, vec![item], &check)
            .await?;
        if commits.is_empty() {
            return Err(Stop::Failed(self.last_failure(Phase::Reduce)));
        }
        Ok(())
    }

    async fn dispatch_phase(
        &mut self,
        phase: Phase,
        role: Role,
        items: Vec<Item>,
        check: Check<'_>,
    ) -> Result<Vec<(Work, Answer)>, Stop> {
        self.emit(EventKind::PhaseStarted { phase }).await;
        let started = Instant::now();
        let result = dispatch(self, role, items, check).await;
        self.phase(phase, started, result).await
    }

    /// Reads the final counts back, and refuses them if they don't add up.
    pub(super) async fn read_result(&mut self) -> Result<(), Stop> {
        let Some(out) = self.record.reduce.out().cloned() else {
            return Err(Stop::Failed(self.last_failure(Phase::Reduce)));
        };
        let store = self.store.clone();
        let counts = self
            .or_cancelled(objects::read_counts(store.as_ref(), &out))
            .await?;
        plan::check_conservation(&self.record, counts.words())?;
        let summary = objects::summarise(out, &counts);
        self.emit(EventKind::ResultRead(summary)).await;
        Ok(())
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
            Err(Stop::Failed(Trouble::new(
                cause,
                "don't use it: run again from the start, and check the services' versions",
            )))
        }
    }

    async fn recount(&mut self) -> Result<Verification, Stop> {
        let Some(out) = self.record.reduce.out().cloned() else {
            return Err(Stop::Failed(Trouble::new(
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
        self.or_cancelled(objects::recount(store.as_ref(), &input, options, &out))
            .await
    }

    /// Why the phase's work failed, from its last failed attempt.
    fn last_failure(&self, phase: Phase) -> Trouble {
        match self.record.last_failure(phase) {
            Some(trouble) if trouble.kind == TroubleKind::InputChanged => {
                objects::input_changed(&self.record.input)
            }
            Some(trouble) => trouble,
            None => Trouble::new(
                format!("the {phase} phase did not finish"),
                "run again from the start",
            ),
        }
    }
}
