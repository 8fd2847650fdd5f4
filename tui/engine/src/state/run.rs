//! A whole run, folded from its events.

use super::work::millis_between;
use super::work::{ChunkState, WorkState, WorkStatus};
use crate::event::{
    EventKind, PinnedObject, ResultSummary, RunEvent, RunOptions, RunStatus, Verification,
};
use crate::input::Input;
use crate::work::{ChunkIndex, Phase, Work};
use jiff::Timestamp;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::run_id::RunId;

/// A phase's clock. A phase that ran in several passes (a rerun) adds them up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PhaseClock {
    pub running_since: Option<Timestamp>,
    pub wall_ms: Option<f64>,
}

impl PhaseClock {
    pub fn elapsed_ms(&self, now: Timestamp) -> Option<f64> {
        let running = self.running_since.map(|since| millis_between(since, now));
        match (self.wall_ms, running) {
            (None, None) => None,
            (wall, running) => Some(wall.unwrap_or(0.0) + running.unwrap_or(0.0)),
        }
    }
}

/// A run, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    pub run: RunId,
    pub input: Input,
    /// Of all its objects together.
    pub input_bytes: Option<u64>,
    pub input_etag: Option<String>,
    /// Every object of an input of many, once it is pinned; else none.
    pub objects: Vec<PinnedObject>,
    /// The id of the plan in S3, once it is there.
    pub plan: Option<String>,
    /// Which console this is among those that took up the run, counted from 1.
    pub lease: u32,
    pub cluster: String,
    pub mappers: u32,
    /// The attempts at maps that are in flight, and the most that were at any time.
    maps_in_flight: u32,
    most_maps_in_flight: u32,
    pub options: RunOptions,
    pub started_at: Timestamp,
    pub status: RunStatus,
    pub split: WorkState,
    pub chunks: Vec<ChunkState>,
    pub reduce: WorkState,
    clocks: [PhaseClock; Phase::ALL.len()],
    pub result: Option<ResultSummary>,
    pub verification: Option<Verification>,
    pub notices: Vec<Diagnostic>,
    pub diagnostic: Option<Diagnostic>,
    /// The whole run's wall time; passes of a rerun added up.
    pub wall_ms: f64,
    /// When the present pass began, and when something last happened.
    pass_began: Timestamp,
    last_at: Timestamp,
}

impl RunState {
    /// The record that the first event of a run begins; `None` for any other event.
    pub fn begin(event: &RunEvent) -> Option<Self> {
        let EventKind::RunStarted {
            run,
            input,
            cluster,
            mappers,
            options,
        } = &event.kind
        else {
            return None;
        };
        Some(Self {
            run: *run,
            input: input.clone(),
            input_bytes: None,
            input_etag: None,
            objects: Vec::new(),
            plan: None,
            lease: 1,
            cluster: cluster.clone(),
            mappers: *mappers,
            maps_in_flight: 0,
            most_maps_in_flight: 0,
            options: options.clone(),
            started_at: event.at,
            status: RunStatus::Running,
            split: WorkState::default(),
            chunks: Vec::new(),
            reduce: WorkState::default(),
            clocks: [PhaseClock::default(); Phase::ALL.len()],
            result: None,
            verification: None,
            notices: Vec::new(),
            diagnostic: None,
            wall_ms: 0.0,
            pass_began: event.at,
            last_at: event.at,
        })
    }

    /// Returns every object that is counted, in the version that is; none before the input is pinned.
    pub fn counted_objects(&self) -> Vec<PinnedObject> {
        let one = || {
            Some(PinnedObject {
                s3: self.input.as_object()?.clone(),
                bytes: self.input_bytes?,
                etag: self.input_etag.clone(),
            })
        };
        if self.objects.is_empty() {
            one().into_iter().collect()
        } else {
            self.objects.clone()
        }
    }

    /// Returns how long the cutting took, in milliseconds: the splitter's answer, or this console's own planning where
    /// the input is many objects.
    pub fn split_ms(&self) -> Option<f64> {
        match self.input.as_object() {
            Some(_) => self.split.result().map(|(ms, _)| ms),
            None => self.clock(Phase::Split).wall_ms,
        }
    }

    /// Returns when the present pass began, or the last one: a rerun and a verification are passes of their own.
    pub fn pass_began(&self) -> Timestamp {
        self.pass_began
    }

    /// Returns the most that the map phase's parallelism can be: the number of mappers, or of chunks if those are fewer;
    /// more where mappers got more than one request at a time.
    pub fn ideal_parallelism(&self) -> u32 {
        let chunks = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        let most = self.mappers.max(self.most_maps_in_flight);
        most.min(chunks).max(1)
    }

    /// Returns how many bytes of the input are not ASCII, once that is known.
    pub fn non_ascii(&self) -> Option<u64> {
        let recounted = self.verification.as_ref().and_then(|found| found.non_ascii);
        recounted.or_else(|| self.result.as_ref()?.non_ascii)
    }

    /// The record of a whole sequence of events; `None` if it doesn't begin with a run's start.
    pub fn from_events<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Option<Self> {
        let mut events = events.into_iter();
        let mut record = Self::begin(events.next()?)?;
        for event in events {
            record.apply(event);
        }
        Some(record)
    }

    pub fn apply(&mut self, event: &RunEvent) {
        match &event.kind {
            EventKind::RunResumed { mappers } => {
                self.break_off();
                self.pass_began = event.at;
                self.continue_with(*mappers);
            }
            EventKind::InputPinned {
                bytes,
                etag,
                objects,
            } => {
                self.input_bytes = Some(*bytes);
                self.input_etag.clone_from(etag);
                self.objects.clone_from(objects);
            }
            EventKind::PhaseStarted { phase } => {
                self.clocks[*phase as usize].running_since = Some(event.at);
            }
            EventKind::PhaseFinished { phase, wall_ms } => {
                let clock = &mut self.clocks[*phase as usize];
                clock.running_since = None;
                clock.wall_ms = Some(clock.wall_ms.unwrap_or(0.0) + wall_ms);
            }
            EventKind::LeaseTaken { lease } => self.lease = *lease,
            EventKind::ChunksPlanned {
                chunks,
                sizes,
                etags,
            } => {
                self.result = None;
                self.verification = None;
                let size = |index| sizes.as_ref()?.get(index).copied();
                self.chunks = chunks
                    .iter()
                    .enumerate()
                    .map(|(index, source)| ChunkState {
                        source: source.clone(),
                        bytes: size(index),
                        etag: etags.get(index).cloned().flatten(),
                        work: WorkState::default(),
                    })
                    .collect();
            }
            EventKind::PlanWritten { plan } => self.plan = Some(plan.clone()),
            EventKind::ChunkReplaced { chunk, source } => {
                if let Some(chunk) = self.chunks.get_mut(chunk.as_usize()) {
                    chunk.source = source.clone();
                    chunk.etag = None;
                }
            }
            EventKind::RunStarted { .. }
            | EventKind::WorkerExcluded { .. }
            | EventKind::WorkerDown { .. }
            | EventKind::Concurrency { .. }
            | EventKind::SuccessRecorded => {}
            EventKind::ResultRead(summary) => {
                let before = self.result.replace(summary.clone());
                // A recount is about the bytes that were there.
                if before.is_some_and(|before| before.sha256 != summary.sha256) {
                    self.verification = None;
                }
            }
            EventKind::Verified(found) => self.verification = Some(found.clone()),
            EventKind::Notice(diagnostic) => self.notices.push(diagnostic.clone()),
            EventKind::RunFinished {
                status,
                wall_ms,
                diagnostic,
            } => self.finish(*status, *wall_ms, diagnostic.as_ref()),
            EventKind::AttemptStarted { work, .. }
            | EventKind::AttemptSucceeded { work, .. }
            | EventKind::AttemptFound { work, .. }
            | EventKind::Invalidated { work, .. }
            | EventKind::AttemptFailed { work, .. }
            | EventKind::AttemptAbandoned { work, .. }
            | EventKind::Committed { work, .. } => {
                if let EventKind::Invalidated { .. } = event.kind
                    && *work == Work::Reduce
                {
                    // They were of that result.
                    self.result = None;
                    self.verification = None;
                }
                if let Some(record) = self.work_mut(*work) {
                    record.apply(event);
                }
                if work.chunk().is_some() {
                    self.count_in_flight(&event.kind);
                }
            }
        }
        self.last_at = event.at;
    }

    fn count_in_flight(&mut self, event: &EventKind) {
        match event {
            EventKind::AttemptStarted { .. } => {
                self.maps_in_flight += 1;
                self.most_maps_in_flight = self.most_maps_in_flight.max(self.maps_in_flight);
            }
            EventKind::AttemptSucceeded { .. }
            | EventKind::AttemptFailed { .. }
            | EventKind::AttemptAbandoned { .. } => {
                self.maps_in_flight = self.maps_in_flight.saturating_sub(1);
            }
            _ => {}
        }
    }

    /// A pass without an end lasted as long as it told of itself.
    fn break_off(&mut self) {
        if self.status != RunStatus::Running {
            return;
        }
        for clock in &mut self.clocks {
            if let Some(since) = clock.running_since.take() {
                let wall_ms = millis_between(since, self.last_at);
                clock.wall_ms = Some(clock.wall_ms.unwrap_or(0.0) + wall_ms);
            }
        }
        let wall_ms = millis_between(self.pass_began, self.last_at);
        self.finish(RunStatus::Stopped, wall_ms, None);
    }

    fn continue_with(&mut self, mappers: u32) {
        let last_at = self.last_at;
        self.status = RunStatus::Running;
        self.mappers = mappers;
        self.maps_in_flight = 0;
        self.diagnostic = None;
        for work in self.all_work_mut() {
            work.given_up = false;
            work.dropped = false;
            work.invalidations = 0;
            work.abandon(last_at);
        }
    }

    fn finish(&mut self, status: RunStatus, wall_ms: f64, diagnostic: Option<&Diagnostic>) {
        self.status = status;
        self.wall_ms += wall_ms;
        self.diagnostic = diagnostic.cloned();
        for clock in &mut self.clocks {
            clock.running_since = None;
        }
        let last_at = self.last_at;
        if matches!(status, RunStatus::Cancelled | RunStatus::Stopped) {
            for work in self.all_work_mut() {
                work.abandon(last_at);
                // What was given up before stays failed: that is why it is not done.
                work.dropped = !work.given_up;
            }
        }
    }

    /// Returns how often an output of this work was found wrong, in this pass of the run.
    pub(crate) fn invalidations(&self, work: Work) -> u32 {
        self.work(work).map_or(0, |work| work.invalidations)
    }

    fn all_work_mut(&mut self) -> impl Iterator<Item = &mut WorkState> {
        let chunks = self.chunks.iter_mut().map(|chunk| &mut chunk.work);
        chunks.chain([&mut self.split, &mut self.reduce])
    }

    /// Returns every piece of work, with what is known of it.
    pub fn all_work(&self) -> impl Iterator<Item = (Work, &WorkState)> {
        let chunks = ChunkIndex::all(self.chunks.len()).zip(&self.chunks);
        let maps = chunks.map(|(index, chunk)| (Work::Map(index), &chunk.work));
        maps.chain([(Work::Split, &self.split), (Work::Reduce, &self.reduce)])
    }

    /// Returns a chunk, if the run has been cut into that many.
    pub fn chunk(&self, index: ChunkIndex) -> Option<&ChunkState> {
        self.chunks.get(index.as_usize())
    }

    /// Returns what is known of a piece of work; `None` for a chunk that is not planned.
    pub fn work(&self, work: Work) -> Option<&WorkState> {
        match work {
            Work::Split => Some(&self.split),
            Work::Map(index) => Some(&self.chunk(index)?.work),
            Work::Reduce => Some(&self.reduce),
        }
    }

    fn work_mut(&mut self, work: Work) -> Option<&mut WorkState> {
        match work {
            Work::Split => Some(&mut self.split),
            Work::Map(index) => Some(&mut self.chunks.get_mut(index.as_usize())?.work),
            Work::Reduce => Some(&mut self.reduce),
        }
    }

    pub fn clock(&self, phase: Phase) -> &PhaseClock {
        &self.clocks[phase as usize]
    }

    pub fn is_running(&self) -> bool {
        self.status == RunStatus::Running
    }

    /// Returns how many chunks have this status.
    pub fn chunks_in(&self, status: WorkStatus) -> usize {
        self.chunks
            .iter()
            .filter(|chunk| chunk.work.status() == status)
            .count()
    }

    /// A run that ended early and whose missing part can be done again. Of a result that was found wrong nothing is missing.
    pub fn can_rerun(&self) -> bool {
        let is_wrong = self
            .verification
            .as_ref()
            .is_some_and(|found| !found.is_exact());
        let kind = self.diagnostic.as_ref().map(|diagnostic| diagnostic.kind);
        let is_final = matches!(
            kind,
            Some(DiagnosticKind::InputChanged | DiagnosticKind::Refused)
        );
        let is_short = matches!(
            self.status,
            RunStatus::Failed | RunStatus::Cancelled | RunStatus::Stopped
        );
        is_short && !is_wrong && !is_final
    }

    /// Returns whether a later `mrdeck resume` is worth it: it keeps something, or the run was only cancelled.
    pub fn can_resume(&self) -> bool {
        let is_cancelled = self.status == RunStatus::Cancelled;
        self.can_rerun() && (is_cancelled || !self.chunks.is_empty())
    }

    /// Returns how far it has come: attempts and commits, and whether it was recounted.
    pub(crate) fn progress(&self) -> (RunStatus, usize, usize, bool) {
        let (mut attempts, mut committed) = (0, 0);
        for (_, work) in self.all_work() {
            attempts += work.attempts.len();
            committed += usize::from(work.committed.is_some());
        }
        let is_recounted = self.verification.is_some();
        (self.status, attempts, committed, is_recounted)
    }

    /// The record of a run whose console ended without a word: it stopped where the record ends.
    #[must_use]
    pub fn stopped(mut self) -> Self {
        self.break_off();
        self
    }
}
