//! What each phase of a run asks for, and what must hold of what it gets.

use std::time::Instant;

use mrdeck_client::{MapRequest, ReduceRequest, SplitRequest};
use mrdeck_core::api::ChunkRef;
use mrdeck_core::uri::S3Uri;

use super::dispatch::{Check, Outcome, dispatch};
use super::event::{EventKind, Phase, Work};
use super::queue::Item;
use super::run::{Runner, Stop};
use super::{objects, plan, recover};
use crate::call::{Answer, Request};
use mrdeck_client::AttemptName;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::role::Role;

/// An output that was found wrong is made again so often.
const MAX_WITHDRAWALS: u32 = 3;

/// What came of a reduce.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reduced {
    Committed,
    /// Map outputs were withdrawn: they have to be made again first.
    AfterMaps,
}

impl Runner {
    pub(super) async fn split(&mut self) -> Result<(), Stop> {
        let input = self.record.input.clone();
        let bytes = self.record.input_bytes.unwrap_or_default();
        let asked = self.record.options.chunks;
        let mut chunks = asked.unwrap_or_else(|| plan::default_chunks(bytes, self.record.mappers));
        let check = |_, _: &AttemptName, answer: &Answer| match answer {
            Answer::Split(answer) => plan::check_split(answer, &input, bytes),
            _ => Ok(()),
        };
        let answer = loop {
            let request = Request::Split(SplitRequest {
                input: input.clone(),
                chunks,
                mode: self.record.options.split,
                etag: self.record.input_etag.clone(),
            });
            let attempt = self.record.split.next_attempt();
            let item = Item::new(Work::SPLIT, request, bytes, attempt);
            let outcome = self
                .dispatch_phase(Phase::Split, vec![item], 1, &check)
                .await?;
            if let Some((_, Answer::Split(answer))) = outcome.commits.into_iter().next() {
                break answer;
            }
            let why = self.last_failure(Phase::Split);
            // Nobody asked for so many: a text of few words is one chunk.
            if why.kind != DiagnosticKind::TooManyChunks || asked.is_some() || chunks == 1 {
                return Err(Stop::Failed(why));
            }
            chunks = 1;
        };
        let made = answer.chunks.len();
        if made != chunks as usize {
            let notice = Diagnostic::new(
                format!("asked for {chunks} chunks, the splitter made {made}"),
                "",
            );
            self.emit(EventKind::Notice(notice)).await;
        }
        let (chunks, sizes) = (answer.chunks, answer.sizes);
        let store = self.store.clone();
        let looking = recover::versions(store.as_ref(), &chunks);
        let etags = self.or_cancelled(looking).await?;
        let planned = EventKind::ChunksPlanned {
            chunks,
            sizes,
            etags,
        };
        self.emit(planned).await;
        Ok(())
    }

    pub(super) async fn map(&mut self) -> Result<(), Stop> {
        loop {
            let missing = plan::missing_chunks(&self.record);
            if missing.is_empty() {
                return Ok(());
            }
            let items = self.map_items(&missing);
            let chunks: Vec<_> = self
                .record
                .chunks
                .iter()
                .map(|chunk| (chunk.source.clone(), chunk.bytes))
                .collect();
            let total = chunks.len();
            let check = move |work: Work, name: &AttemptName, answer: &Answer| {
                let index = work.chunk.and_then(|chunk| usize::try_from(chunk).ok());
                match (index.and_then(|index| chunks.get(index)), answer) {
                    (Some((source, bytes)), Answer::Map(answer)) => {
                        plan::check_map(source, *bytes, name, answer)
                    }
                    _ => Ok(()),
                }
            };
            let outcome = self
                .dispatch_phase(Phase::Map, items, total, &check)
                .await?;
            let failed = plan::missing_chunks(&self.record);
            let is_mended = self.replace_lost(&outcome.culprits, &failed).await?;
            if !failed.is_empty() && !is_mended {
                return Err(Stop::Failed(self.unmapped(failed.len())));
            }
        }
    }

    fn map_items(&self, missing: &[u32]) -> Vec<Item> {
        let chunks = u64::try_from(self.record.chunks.len()).unwrap_or(1).max(1);
        let average = self.record.input_bytes.unwrap_or_default() / chunks;
        let item = |index: &u32| {
            let chunk = self.record.chunks.get(usize::try_from(*index).ok()?)?;
            let bytes = match &chunk.source {
                ChunkRef::Object(_) => chunk.bytes.unwrap_or(average),
                ChunkRef::Range { start, end, .. } => end.saturating_sub(*start),
            };
            let source = chunk.source.clone();
            let attempt = chunk.work.next_attempt();
            let etag = match &source {
                ChunkRef::Object(_) => chunk.etag.clone(),
                ChunkRef::Range { .. } => self.record.input_etag.clone(),
            };
            let request = Request::Map(MapRequest { source, etag });
            Some(Item::new(Work::map(*index), request, bytes, attempt))
        };
        missing.iter().filter_map(item).collect()
    }

    /// Chunks whose copies are gone, or not what was cut, are read from the input instead; says whether there was one.
    async fn replace_lost(
        &mut self,
        culprits: &[(Work, S3Uri, Diagnostic)],
        failed: &[u32],
    ) -> Result<bool, Stop> {
        let store = self.store.clone();
        let mut any = false;
        for &chunk in failed {
            let index = chunk as usize;
            let source = self.record.chunks.get(index).map(|chunk| &chunk.source);
            let Some(ChunkRef::Object(copy)) = source.cloned() else {
                continue;
            };
            let is_named = culprits.iter().any(|(_, object, _)| *object == copy);
            let looking = async { Ok(is_named || recover::is_gone(store.as_ref(), &copy).await) };
            if !self.or_cancelled(looking).await? {
                continue;
            }
            let Some(source) = plan::range_of(&self.record, index) else {
                if is_named {
                    // It may only be what the services make of it.
                    continue;
                }
                return Err(Stop::Failed(
                    Diagnostic::new(
                        format!(
                            "the copy {copy} of chunk {chunk} is gone, and nothing says which bytes of the input it had"
                        ),
                        "run again from the start",
                    )
                    .of_kind(DiagnosticKind::Refused),
                ));
            };
            self.emit(EventKind::ChunkReplaced { chunk, source }).await;
            any = true;
        }
        Ok(any)
    }

    fn unmapped(&self, failed: usize) -> Diagnostic {
        let why = self.last_failure(Phase::Map);
        if why.kind == DiagnosticKind::InputChanged {
            return why;
        }
        let chunks = self.record.chunks.len();
        Diagnostic::new(
            format!(
                "{failed} of {chunks} chunks could not be mapped; the last reason: {}",
                why.cause
            ),
            "what was counted is kept: only the failed mappers need to run again",
        )
        .of_kind(why.kind)
    }

    /// Adds the committed map outputs up; [`Reduced::AfterMaps`] when some of them have to be made again first.
    pub(super) async fn reduce(&mut self) -> Result<Reduced, Stop> {
        let inputs = plan::reduce_inputs(&self.record)?;
        let sha256 = plan::reduce_hashes(&self.record);
        let files = u64::try_from(inputs.len()).unwrap_or(u64::MAX);
        let attempt = self.record.reduce.next_attempt();
        let bytes = self.record.input_bytes.unwrap_or_default();
        let request = Request::Reduce(ReduceRequest { inputs, sha256 });
        let item = Item::new(Work::REDUCE, request, bytes, attempt);
        let check = move |_, name: &AttemptName, answer: &Answer| match answer {
            Answer::Reduce(answer) => plan::check_reduce(files, name, answer),
            _ => Ok(()),
        };
        let outcome = self
            .dispatch_phase(Phase::Reduce, vec![item], 1, &check)
            .await?;
        if !outcome.commits.is_empty() {
            return Ok(Reduced::Committed);
        }
        for (_, object, diagnostic) in outcome.culprits {
            self.withdraw_map(&object, diagnostic).await?;
        }
        // The reducer stops at the first one, and not every reducer says which it was.
        self.withdraw_lost().await?;
        if plan::missing_chunks(&self.record).is_empty() {
            return Err(Stop::Failed(self.last_failure(Phase::Reduce)));
        }
        Ok(Reduced::AfterMaps)
    }

    async fn withdraw_lost(&mut self) -> Result<(), Stop> {
        let store = self.store.clone();
        let looking = recover::lost_outputs(store.as_ref(), &self.record);
        let lost = self.or_cancelled(async { Ok(looking.await) }).await?;
        for (object, what) in lost {
            let cause = format!("{object} {what}");
            self.withdraw_map(&object, Diagnostic::new(cause, ""))
                .await?;
        }
        Ok(())
    }

    /// The map output at this address is not what it should be: it does not count any more.
    async fn withdraw_map(&mut self, object: &S3Uri, diagnostic: Diagnostic) -> Result<(), Stop> {
        let chunks = (0..).zip(&self.record.chunks);
        let found = chunks
            .filter(|(_, chunk)| chunk.work.out() == Some(object))
            .find_map(|(index, chunk)| Some((Work::map(index), chunk.work.committed?)));
        match found {
            Some((work, attempt)) => self.withdraw(work, attempt, diagnostic).await,
            None => Ok(()),
        }
    }

    pub(super) async fn withdraw(
        &mut self,
        work: Work,
        attempt: u32,
        diagnostic: Diagnostic,
    ) -> Result<(), Stop> {
        let before = self.record.withdrawals(work);
        let withdrawn = EventKind::Withdrawn {
            work,
            attempt,
            diagnostic: diagnostic.clone(),
        };
        self.emit(withdrawn).await;
        if before < MAX_WITHDRAWALS {
            return Ok(());
        }
        Err(Stop::Failed(Diagnostic::new(
            format!(
                "the output of {work} was wrong {} times; the last reason: {}",
                before + 1,
                diagnostic.cause
            ),
            "see who else writes into this bucket, and the tasks' logs",
        )))
    }

    async fn dispatch_phase(
        &mut self,
        phase: Phase,
        items: Vec<Item>,
        total: usize,
        check: Check<'_>,
    ) -> Result<Outcome, Stop> {
        let role = match phase {
            Phase::Split => Role::Splitter,
            Phase::Reduce => Role::Reducer,
            Phase::Map | Phase::Verify => Role::Mapper,
        };
        self.emit(EventKind::PhaseStarted { phase }).await;
        let started = Instant::now();
        let result = dispatch(self, role, items, total, check).await;
        self.phase(phase, started, result).await
    }

    /// Why the phase's work failed, from its last failed attempt.
    pub(super) fn last_failure(&self, phase: Phase) -> Diagnostic {
        match self.record.last_failure(phase) {
            Some(diagnostic) if diagnostic.kind == DiagnosticKind::InputChanged => {
                objects::input_changed(&self.record.input)
            }
            Some(diagnostic) => diagnostic,
            None => Diagnostic::new(
                format!("the {phase} phase did not finish"),
                "run again from the start",
            ),
        }
    }
}
