//! The scheduler driven without a runtime: what it decides for what it is told, at times that the test sets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::{Duration, Instant};

use mrdeck_client::{AttemptName, CallError, MapRequest, Timed, TimedPart};
use mrdeck_core::api::{ChunkRef, MapAnswer, OutputInfo};
use mrdeck_core::run_id::RunId;
use mrdeck_core::task::{TaskList, TaskStatus};
use reqwest::StatusCode;

use super::attempt::{AttemptId, AttemptResult, GiveUp, Success};
use super::error::AttemptError;
use super::identity::Identities;
use super::queue::MAX_ATTEMPTS;
use super::request::MapWork;
use super::workers::tests::{mapper, mappers};
use super::workers::{EXCLUSION, MAX_FAILURES_IN_A_ROW, PROBES};
use super::{Action, NO_WORKER_TIMEOUT, PendingWork, PhaseSpec, Scheduler};
use crate::event::EventKind;
use crate::work::{ChunkIndex, Work};

const MS: Duration = Duration::from_millis(1);

/// A scheduler at a time of the test's, with everything that it had done.
struct Stage<'a> {
    scheduler: Scheduler<'a, MapWork>,
    now: Instant,
    events: Vec<EventKind>,
    /// Attempts started, and where: the worker's port is its number.
    started: Vec<(AttemptId, u16, Option<bool>)>,
    given_up: Vec<(AttemptId, GiveUp)>,
    aborted: Vec<AttemptId>,
}

impl<'a> Stage<'a> {
    fn new(chunks: u32, workers: &TaskList, identities: &'a mut Identities) -> Self {
        let work = (0..chunks).map(|chunk| {
            let source = ChunkRef::Object(format!("s3://b/{chunk}").parse().unwrap());
            let request = MapWork {
                request: MapRequest { source, etag: None },
                cut_bytes: None,
                is_copy: true,
            };
            PendingWork::new(Work::map(chunk), request, 0, 1)
        });
        let spec = PhaseSpec {
            work: work.collect(),
            total: chunks as usize,
            name: AttemptName {
                run: RunId::generate(),
                chunk: None,
                attempt: 0,
                lease: 1,
                plan: None,
            },
            inputs: HashSet::from(["s3://b/input".parse().unwrap()]),
            attempt_limit: None,
        };
        let mut stage = Self {
            scheduler: Scheduler::new(spec, identities),
            now: Instant::now(),
            events: Vec::new(),
            started: Vec::new(),
            given_up: Vec::new(),
            aborted: Vec::new(),
        };
        stage.tasks(workers);
        stage
    }

    fn poll(&mut self) {
        for action in self.scheduler.poll(self.now).unwrap() {
            match action {
                Action::Emit(event) => self.events.push(event),
                Action::Start(spec) => {
                    let id = (spec.work, spec.name.attempt);
                    assert_eq!(spec.name.chunk, spec.work.chunk().map(|chunk| chunk.0));
                    self.started
                        .push((id, spec.base.port_or_known_default().unwrap(), spec.proof));
                }
                Action::GiveUp(id, why) => self.given_up.push((id, why)),
                Action::Abort(id) => self.aborted.push(id),
            }
        }
    }

    fn tasks(&mut self, list: &TaskList) {
        self.scheduler.tasks_changed(list);
        self.poll();
    }

    fn advance(&mut self, by: Duration) {
        self.now += by;
        self.poll();
    }

    fn end(&mut self, id: AttemptId, latency: Duration, result: Result<(), AttemptError>) {
        self.end_with(id, latency, result, Vec::new());
    }

    fn end_with(
        &mut self,
        id: AttemptId,
        latency: Duration,
        result: Result<(), AttemptError>,
        timing: Vec<TimedPart>,
    ) {
        let answer = |()| {
            Success::Answered(Timed {
                answer: MapAnswer {
                    out: "s3://b/out".parse().unwrap(),
                    info: OutputInfo::default(),
                    of: None,
                },
                timing,
                service: None,
            })
        };
        let result = AttemptResult {
            id,
            latency,
            result: result.map(answer),
        };
        self.scheduler.finished(result, self.now);
        self.poll();
    }

    fn succeed(&mut self, chunk: u32, attempt: u32) {
        self.end((Work::map(chunk), attempt), 100 * MS, Ok(()));
    }

    fn fail(&mut self, chunk: u32, attempt: u32, error: CallError) {
        self.end((Work::map(chunk), attempt), MS, Err(error.into()));
    }

    fn where_it_ran(&self, chunk: u32, attempt: u32) -> u16 {
        let id = (Work::map(chunk), attempt);
        let found = self.started.iter().find(|(started, ..)| *started == id);
        found.unwrap_or_else(|| panic!("{id:?} was not started")).1
    }

    fn is_started(&self, chunk: u32, attempt: u32) -> bool {
        let id = (Work::map(chunk), attempt);
        self.started.iter().any(|(started, ..)| *started == id)
    }

    fn committed(&self) -> Vec<(u32, u32)> {
        let commits = self.events.iter().filter_map(|event| match event {
            EventKind::Committed {
                work: Work::Map(ChunkIndex(chunk)),
                attempt,
            } => Some((*chunk, *attempt)),
            _ => None,
        });
        commits.collect()
    }
}

fn broken() -> CallError {
    CallError::Interrupted {
        address: "h:1".to_owned(),
        detail: "reset".to_owned(),
    }
}

fn slow_down() -> CallError {
    CallError::Status {
        address: "h:1".to_owned(),
        status: StatusCode::SERVICE_UNAVAILABLE,
        excerpt: "slow down".to_owned(),
    }
}

fn late() -> CallError {
    CallError::Deadline {
        address: "h:1".to_owned(),
        after: MS,
    }
}

fn refused() -> CallError {
    CallError::Connect {
        address: "h:1".to_owned(),
        detail: "connection refused".to_owned(),
    }
}

#[test]
fn each_worker_gets_one_piece_of_work_at_a_time_and_all_of_it_is_done() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(5, &mappers(2), &mut identities);
    assert_eq!(stage.started.len(), 2);
    for chunk in 0..5 {
        assert!(!stage.scheduler.is_done());
        stage.succeed(chunk, 1);
        assert_eq!(stage.started.len(), (chunk as usize + 3).min(5));
    }
    assert!(stage.scheduler.is_done());
    assert_eq!(stage.committed(), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]);
    assert_eq!(stage.scheduler.next_wakeup(stage.now), None);
}

#[test]
fn failed_work_is_tried_elsewhere_after_a_pause_and_given_up_in_the_end() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(1, &mappers(2), &mut identities);
    let mut ran_on = Vec::new();
    for attempt in 1..=MAX_ATTEMPTS {
        ran_on.push(stage.where_it_ran(0, attempt));
        stage.fail(0, attempt, broken());
        assert!(!stage.is_started(0, attempt + 1), "it pauses first");
        if let Some(wakeup) = stage.scheduler.next_wakeup(stage.now) {
            stage.now = wakeup;
            stage.poll();
        }
    }
    assert_ne!(ran_on[0], ran_on[1], "{ran_on:?}");
    assert!(stage.scheduler.is_done() && stage.committed().is_empty());
    let retries: Vec<bool> = stage
        .events
        .iter()
        .filter_map(|event| match event {
            EventKind::AttemptFailed { retry_in_ms, .. } => Some(retry_in_ms.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(retries, [true, true, true, false]);
    assert!(stage.scheduler.into_outcome().last_error.is_some());
}

#[test]
fn a_worker_that_keeps_failing_is_excluded_and_gets_one_request_afterwards() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(100, &mappers(2), &mut identities);
    let mut failed = 0;
    while failed < MAX_FAILURES_IN_A_ROW {
        let (id, ..) = *stage
            .started
            .iter()
            .rfind(|(_, port, _)| *port == 1)
            .unwrap();
        stage.end(id, MS, Err(broken().into()));
        failed += 1;
    }
    let excluded = stage.events.iter().filter_map(|event| match event {
        EventKind::WorkerExcluded { task, .. } => Some(task.0.as_str()),
        _ => None,
    });
    assert_eq!(excluded.collect::<Vec<_>>(), ["mapper-1"]);
    let on_first = |stage: &Stage<'_>| {
        let on_first = stage.started.iter().filter(|(_, port, _)| *port == 1);
        on_first.count()
    };
    let before = on_first(&stage);
    stage.advance(EXCLUSION.saturating_sub(MS));
    assert_eq!(on_first(&stage), before);
    stage.advance(MS);
    assert_eq!(on_first(&stage), before + 1);
}

#[test]
fn the_first_of_two_attempts_to_finish_is_committed_and_the_other_is_ended() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(4, &mappers(4), &mut identities);
    for chunk in 0..3 {
        stage.succeed(chunk, 1);
    }
    assert!(!stage.is_started(3, 2), "not late yet");
    let wakeup = stage.scheduler.next_wakeup(stage.now).unwrap();
    stage.now = wakeup;
    stage.poll();
    assert!(stage.is_started(3, 2));
    assert_ne!(stage.where_it_ran(3, 1), stage.where_it_ran(3, 2));
    let speculative = stage.events.iter().filter(|event| {
        matches!(
            event,
            EventKind::AttemptStarted {
                speculative: true,
                ..
            }
        )
    });
    assert_eq!(speculative.count(), 1);

    stage.succeed(3, 2);
    assert_eq!(stage.aborted, [(Work::map(3), 1)]);
    assert!(stage.scheduler.is_done());
    // The slow one's answer comes all the same, and is late.
    let events = stage.events.len();
    stage.succeed(3, 1);
    assert_eq!(stage.events.len(), events);
    assert_eq!(stage.committed()[3], (3, 2));
}

#[test]
fn work_fails_only_once_none_of_its_attempts_is_in_flight() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(2, &mappers(2), &mut identities);
    stage.succeed(0, 1);
    stage.advance(Duration::ZERO);
    // A median needs two latencies, so there is no speculative attempt; the one attempt fails.
    stage.fail(1, 1, broken());
    let Some(EventKind::AttemptFailed { retry_in_ms, .. }) = stage.events.last() else {
        panic!("{:?}", stage.events.last());
    };
    assert!(retry_in_ms.is_some_and(|pause| pause > 0));
}

#[test]
fn an_attempt_is_given_up_once_it_takes_ten_times_as_long_as_the_others() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(20, &mappers(2), &mut identities);
    // One worker does all of it; the other's first attempt takes and takes.
    let stuck = stage.started[1].0;
    for _ in 0..5 {
        let (id, ..) = *stage
            .started
            .iter()
            .rfind(|(_, port, _)| *port == 1)
            .unwrap();
        stage.end(id, Duration::from_secs(2), Ok(()));
    }
    stage.advance(Duration::from_millis(19_999));
    assert_eq!(stage.given_up, []);
    let wakeup = stage.scheduler.next_wakeup(stage.now).unwrap();
    assert_eq!(wakeup, stage.now + MS);
    stage.advance(MS);
    assert!(stage.given_up.contains(&(stuck, GiveUp::Deadline)));
    let told = stage.given_up.len();
    stage.advance(MS);
    assert_eq!(stage.given_up.len(), told, "told once");

    // What was late once gets all of its time: it may just be more work.
    stage.end(stuck, Duration::from_secs(20), Err(late().into()));
    while !stage.is_started(stuck.0.chunk().unwrap().0, 2) {
        let (id, ..) = *stage
            .started
            .iter()
            .rfind(|(_, port, _)| *port == 1)
            .unwrap();
        stage.now += Duration::from_secs(1);
        stage.end(id, Duration::from_secs(2), Ok(()));
    }
    stage.given_up.clear();
    stage.advance(Duration::from_secs(29));
    assert!(!stage.given_up.contains(&((stuck.0, 2), GiveUp::Deadline)));
    stage.advance(Duration::from_secs(1));
    assert!(stage.given_up.contains(&((stuck.0, 2), GiveUp::Deadline)));
}

#[test]
fn after_a_pause_of_everything_results_count_before_deadlines() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(2, &mappers(2), &mut identities);
    // The whole process stood still for ten minutes; both answers were there in time.
    stage.now += Duration::from_mins(10);
    for chunk in 0..2 {
        let id = (Work::map(chunk), 1);
        let result = AttemptResult {
            id,
            latency: 5 * MS,
            result: Ok(Success::Answered(Timed {
                answer: MapAnswer {
                    out: "s3://b/out".parse().unwrap(),
                    info: OutputInfo::default(),
                    of: None,
                },
                timing: Vec::new(),
                service: None,
            })),
        };
        stage.scheduler.finished(result, stage.now);
    }
    stage.poll();
    assert_eq!(stage.given_up, []);
    assert_eq!(stage.committed(), [(0, 1), (1, 1)]);
}

#[test]
fn attempts_on_tasks_that_are_gone_are_not_waited_for() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(2, &mappers(2), &mut identities);
    let mut list = mappers(2).tasks.to_vec();
    list[0].last_status = TaskStatus::Stopped;
    stage.tasks(&TaskList::new(list));
    let gone = (stage.started[0].0, GiveUp::TaskGone);
    assert_eq!(stage.given_up, [gone]);
}

#[test]
fn without_a_worker_a_phase_ends_after_a_while_and_only_then() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(1, &TaskList::default(), &mut identities);
    stage.advance(NO_WORKER_TIMEOUT.saturating_sub(MS));
    assert_eq!(stage.scheduler.next_wakeup(stage.now), Some(stage.now + MS));
    stage.now += MS;
    assert!(stage.scheduler.poll(stage.now).is_err());
    // One that comes in time is used.
    let mut identities = Identities::default();
    let mut stage = Stage::new(1, &TaskList::default(), &mut identities);
    stage.advance(NO_WORKER_TIMEOUT.saturating_sub(MS));
    stage.tasks(&TaskList::new(vec![mapper(7)]));
    stage.advance(MS);
    assert_eq!(stage.where_it_ran(0, 1), 7);
}

#[test]
fn a_worker_that_can_not_be_reached_gets_a_probe_now_and_then_and_costs_no_attempt() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(200, &mappers(3), &mut identities);
    // The first refuses connections for 20 s; the others take 100 ms for a chunk.
    let mut at_first = 0;
    for round in 0..200 {
        let running = std::mem::take(&mut stage.started);
        for &((work, attempt), port, _) in &running {
            if port == 1 {
                at_first += 1;
                stage.end((work, attempt), MS, Err(refused().into()));
            }
        }
        for ((work, attempt), port, _) in running {
            if port != 1 {
                stage.end((work, attempt), 100 * MS, Ok(()));
            }
        }
        stage.advance(100 * MS);
        if stage.scheduler.is_done() {
            assert!(round >= 99, "two did it all");
            break;
        }
    }
    assert!(stage.scheduler.is_done());
    let committed: Vec<_> = stage.committed();
    assert_eq!(committed.len(), 200);
    // 0 s, 0.25, 0.75, 1.75, 3.75, 7.75.
    assert_eq!(at_first, 6);
    let given_up = stage.events.iter().any(|event| {
        matches!(
            event,
            EventKind::AttemptFailed {
                retry_in_ms: None,
                ..
            }
        )
    });
    assert!(!given_up);
    let down = |event: &&EventKind| matches!(event, EventKind::WorkerDown { .. });
    assert_eq!(
        stage.events.iter().filter(down).count(),
        1,
        "it is told once"
    );
}

#[test]
fn a_worker_that_is_back_gets_work_again() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(9, &mappers(1), &mut identities);
    stage.fail(0, 1, refused());
    stage.advance(PROBES.first.saturating_sub(MS));
    assert_eq!(stage.started.len(), 1, "alone it pauses, too");
    assert_eq!(stage.scheduler.next_wakeup(stage.now), Some(stage.now + MS));
    stage.advance(MS);
    assert_eq!(stage.started.len(), 2);
    let (id, ..) = stage.started[1];
    stage.end(id, MS, Ok(()));
    assert_eq!(stage.started.len(), 3, "at once");
}

#[test]
fn where_none_can_be_reached_the_phase_ends_after_a_while_with_the_reason() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(1_000, &mappers(2), &mut identities);
    let start = stage.now;
    while !stage.scheduler.is_done() {
        assert!(stage.now < start + 2 * NO_WORKER_TIMEOUT);
        for ((work, attempt), ..) in std::mem::take(&mut stage.started) {
            stage.end((work, attempt), MS, Err(refused().into()));
        }
        stage.advance(100 * MS);
    }
    assert!(stage.now >= start + NO_WORKER_TIMEOUT);
    let outcome = stage.scheduler.into_outcome();
    assert!(outcome.answer.is_none());
    assert!(outcome.last_error.unwrap().is_unsent());
}

#[test]
fn a_request_to_slow_down_halves_what_is_in_flight_and_blames_no_worker() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(100, &mappers(8), &mut identities);
    stage.fail(0, 1, slow_down());
    assert!(
        stage.events.contains(&EventKind::Concurrency { limit: 4 }),
        "{:?}",
        stage.events
    );
    assert_eq!(stage.started.len(), 8, "seven are more than four");
    for chunk in 1..4 {
        stage.succeed(chunk, 1);
    }
    assert_eq!(stage.started.len(), 8);
    stage.succeed(4, 1);
    assert_eq!(stage.started.len(), 9);
    let is_excluded = |event: &EventKind| matches!(event, EventKind::WorkerExcluded { .. });
    assert!(!stage.events.iter().any(is_excluded));
}

/// Workers that do one thing at a time for `busy`, and are so far that an answer comes `away` later than that. Returns how
/// long the phase takes, and the most requests that one of them had at a time.
fn far_workers(busy: Duration, away: Duration, tells: bool) -> (Duration, usize) {
    let workers = 4;
    let mut identities = Identities::default();
    let mut stage = Stage::new(400, &mappers(workers), &mut identities);
    let begun = stage.now;
    let mut free_at = HashMap::new();
    let mut answers = BinaryHeap::new();
    let (mut seen, mut most) = (0, 0);
    loop {
        for (id, worker, _) in &stage.started[seen..] {
            let free: &mut Instant = free_at.entry(*worker).or_insert(stage.now);
            *free = (stage.now + away / 2).max(*free) + busy;
            answers.push(Reverse((*free + away / 2, *id, *worker, stage.now)));
        }
        seen = stage.started.len();
        for worker in 1..=workers {
            let on_it = answers.iter().filter(|Reverse(answer)| answer.2 == worker);
            most = most.max(on_it.count());
        }
        let Some(Reverse((at, id, _, since))) = answers.pop() else {
            break;
        };
        stage.now = at;
        let ms = busy.as_secs_f64() * 1e3;
        let name = "count".to_owned();
        let timing = tells.then_some(TimedPart { name, ms });
        stage.end_with(id, at - since, Ok(()), timing.into_iter().collect());
    }
    assert!(stage.scheduler.is_done());
    (stage.now - begun, most)
}

#[test]
fn a_far_worker_is_kept_busy_and_a_near_one_gets_one_request_at_a_time() {
    let (alone, most) = far_workers(20 * MS, 80 * MS, false);
    assert_eq!((alone, most), (100 * 100 * MS, 1), "one that says nothing");
    let (wall, most) = far_workers(20 * MS, 80 * MS, true);
    assert_eq!(most, 5, "so many that one is always in work");
    // 100 turns of 20 ms, and until all have their slots.
    assert!(wall < 2_500 * MS, "{wall:?}");
    let (_, most) = far_workers(20 * MS, 2 * MS, true);
    assert_eq!(most, 1, "a near one");
}

#[test]
fn an_address_must_prove_what_it_is_after_its_connection_broke() {
    let mut identities = Identities::default();
    let mut stage = Stage::new(3, &mappers(1), &mut identities);
    assert_eq!(stage.started[0].2, None);
    stage.fail(0, 1, broken());
    assert_eq!(
        stage.started[1].2,
        Some(false),
        "it has not named itself yet"
    );
    stage.succeed(1, 1);
    assert_eq!(stage.started[2].2, None, "it has proved it");
}

/// The cost of an event must not grow with the number of workers: this is a law about sets, not about the clock, but
/// sets that are walked show in any clock. So it is a ratio within one run, with room for noise.
#[test]
fn an_event_costs_as_much_with_many_workers_as_with_few() {
    let per_event = |workers: u16| {
        let mut identities = Identities::default();
        let chunks = 20_000;
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let mut stage = Stage::new(chunks, &mappers(workers), &mut identities);
            let begun = Instant::now();
            let mut next = 0;
            while !stage.scheduler.is_done() {
                let (id, ..) = stage.started[next];
                stage.now += MS;
                stage.end(id, 200 * MS, Ok(()));
                next += 1;
            }
            assert_eq!(stage.committed().len(), chunks as usize);
            best = best.min(begun.elapsed());
        }
        best
    };
    let (few, many) = (per_event(10), per_event(2_000));
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    assert!(
        ratio < 5.0,
        "200 times the workers cost {ratio:.1} times as much"
    );
}
