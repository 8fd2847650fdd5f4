//! The attempts of a run on a time axis, a lane for each task: which part of the time is shown, and what lies in each cell.

use std::collections::HashMap;

use jiff::Timestamp;

use super::action::Action;
use mrdeck_core::task::TaskId;
use mrdeck_engine::state::{Attempt, Outcome, RunState};
use mrdeck_engine::stats::percentile;
use mrdeck_engine::work::Work;

/// How often the time shown can be halved.
const MOST_ZOOM: u32 = 10;

/// Which part of a run's time is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timeline {
    /// How often the whole time was halved.
    zoom: u32,
    /// Where the part ends, in milliseconds from the beginning; `None` where it follows the run.
    end: Option<f64>,
    /// The tasks' other columns have its place.
    is_hidden: bool,
}

impl Timeline {
    pub fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// Returns the part that is shown of `whole` milliseconds: where it begins and where it ends.
    pub fn window(&self, whole: f64) -> (f64, f64) {
        let span = whole / f64::from(1_u32 << self.zoom);
        let end = self.end.map_or(whole, |end| end.max(span).min(whole));
        (end - span, end)
    }

    /// Does what a key asks for; any other key does nothing.
    pub(super) fn act(&mut self, action: Action, whole: f64) {
        let (begin, end) = self.window(whole);
        let half = (end - begin) / 2.0;
        match action {
            Action::ZoomIn => self.zoom = (self.zoom + 1).min(MOST_ZOOM),
            Action::ZoomOut => self.zoom = self.zoom.saturating_sub(1),
            Action::PanLeft => self.end = Some((end - half).max(end - begin)),
            Action::PanRight => self.end = Some(end + half).filter(|end| *end < whole),
            Action::Follow => self.end = None,
            Action::ToggleTimeline => self.is_hidden = !self.is_hidden,
            _ => {}
        }
    }
}

/// What an attempt is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    Split,
    Map,
    /// A map beside another attempt at the same chunk.
    Speculative,
    Reduce,
    Failed,
    /// Cancelled, or no longer needed.
    Abandoned,
}

impl Block {
    fn of(work: Work, attempt: &Attempt) -> Self {
        match (&attempt.outcome, work) {
            (Outcome::Failed { .. }, _) => Self::Failed,
            (Outcome::Abandoned { .. }, _) => Self::Abandoned,
            (_, Work::Split) => Self::Split,
            (_, Work::Reduce) => Self::Reduce,
            (_, Work::Map(_)) if attempt.is_speculative => Self::Speculative,
            (_, Work::Map(_)) => Self::Map,
        }
    }
}

/// What lies in one cell of a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cell {
    /// What takes most of it; `None` while the task has nothing to do.
    pub block: Option<Block>,
    /// The part of the cell's time that it takes, at most 1.
    pub share: f64,
    /// An attempt ends here that is long enough for its end to be seen.
    pub is_end: bool,
    /// An attempt failed here.
    pub is_failure: bool,
}

/// What a task did in the time shown, and in figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lane {
    pub cells: Vec<Cell>,
    /// What it does now, if it is one thing.
    pub now: Option<Work>,
    /// The answers it gave, and how many attempts failed on it.
    pub done: usize,
    pub failed: usize,
    /// The 95th percentile of the times of its answers, in milliseconds.
    pub p95_ms: Option<f64>,
}

/// A run's time: from the beginning of its last pass that asked a task for anything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    origin: Timestamp,
    pub whole_ms: f64,
}

impl Axis {
    /// Returns the time of the run; `None` before its first attempt.
    pub fn of(run: &RunState, now: Timestamp) -> Option<Self> {
        let began = run.pass_began();
        let attempts = || run.all_work().flat_map(|(_, work)| &work.attempts);
        let is_of_pass = attempts().any(|attempt| attempt.started_at >= began);
        let origin = if is_of_pass { began } else { run.started_at };
        let axis = Self {
            origin,
            whole_ms: 0.0,
        };
        let ends = attempts().map(|attempt| axis.end(attempt, now));
        let last = ends.fold(None, |last: Option<f64>, end| {
            Some(last.map_or(end, |last| last.max(end)))
        })?;
        let now = axis.at(now);
        let whole_ms = if run.is_running() && is_of_pass {
            now
        } else {
            last
        };
        Some(Self { origin, whole_ms }).filter(|axis| axis.whole_ms > 0.0)
    }

    fn at(&self, time: Timestamp) -> f64 {
        time.duration_since(self.origin).as_secs_f64() * 1e3
    }

    fn end(&self, attempt: &Attempt, now: Timestamp) -> f64 {
        self.at(attempt.started_at) + attempt.elapsed_ms(now).unwrap_or_default()
    }

    /// Returns the lanes of these tasks between two times, in `width` cells each.
    pub fn lanes(
        &self,
        run: &RunState,
        now: Timestamp,
        (begin, end): (f64, f64),
        width: usize,
        tasks: &[&TaskId],
    ) -> Vec<Lane> {
        let index: HashMap<&TaskId, usize> = tasks.iter().copied().zip(0..).collect();
        let mut lanes: Vec<Painter> = tasks.iter().map(|_| Painter::new(width)).collect();
        let cell_ms = (end - begin) / width.max(1) as f64;
        for (work, state) in run.all_work() {
            for attempt in &state.attempts {
                let Some(lane) = index.get(&attempt.task).and_then(|at| lanes.get_mut(*at)) else {
                    continue;
                };
                lane.count(work, attempt);
                let from = (self.at(attempt.started_at) - begin) / cell_ms;
                let to = (self.end(attempt, now) - begin) / cell_ms;
                lane.paint(Block::of(work, attempt), attempt.is_in_flight(), from, to);
            }
        }
        lanes.into_iter().map(Painter::finish).collect()
    }
}

/// An attempt's end is seen where it takes so many cells.
const LONG: f64 = 3.0;

/// A lane while its attempts are laid into it.
struct Painter {
    lane: Lane,
    in_flight: Vec<Work>,
    times: Vec<f64>,
}

impl Painter {
    fn new(width: usize) -> Self {
        Self {
            lane: Lane {
                cells: vec![Cell::default(); width],
                ..Lane::default()
            },
            in_flight: Vec::new(),
            times: Vec::new(),
        }
    }

    fn count(&mut self, work: Work, attempt: &Attempt) {
        match &attempt.outcome {
            Outcome::InFlight => self.in_flight.push(work),
            Outcome::Succeeded { ms, .. } => {
                self.lane.done += 1;
                self.times.push(*ms);
            }
            Outcome::Found { .. } => self.lane.done += 1,
            Outcome::Failed { .. } => self.lane.failed += 1,
            Outcome::Abandoned { .. } => {}
        }
    }

    /// Lays a block into the lane, from one place to another in cells; what is beyond the lane is left out.
    fn paint(&mut self, block: Block, is_in_flight: bool, from: f64, to: f64) {
        let width = self.lane.cells.len();
        if width == 0 || !(to >= 0.0 && from < width as f64) {
            return;
        }
        // Both are between 0 and the width.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let place = |at: f64| (at.max(0.0) as usize).min(width - 1);
        let (first, last) = (place(from), place(to));
        for (offset, cell) in self.lane.cells[first..=last].iter_mut().enumerate() {
            let left = (first + offset) as f64;
            let share = to.min(left + 1.0) - from.max(left);
            // Of two in one cell the longer one shows, and a failure always.
            let is_failure = block == Block::Failed;
            if cell.block.is_none() || (share >= cell.share && !cell.is_failure) || is_failure {
                cell.block = Some(block);
            }
            cell.share = (cell.share + share.max(0.0)).min(1.0);
        }
        let is_within = to <= width as f64 && !is_in_flight;
        let end = &mut self.lane.cells[last];
        end.is_end |= is_within && to - from >= LONG;
        end.is_failure |= is_within && block == Block::Failed;
    }

    fn finish(mut self) -> Lane {
        self.times.sort_by(f64::total_cmp);
        if !self.times.is_empty() {
            self.lane.p95_ms = Some(percentile(&self.times, 95));
        }
        if let [work] = self.in_flight[..] {
            self.lane.now = Some(work);
        }
        self.lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(painter: Painter) -> Vec<(Option<Block>, f64)> {
        let cells = painter.finish().cells.into_iter();
        cells.map(|cell| (cell.block, cell.share)).collect()
    }

    #[test]
    fn a_block_takes_its_share_of_each_cell() {
        let mut lane = Painter::new(4);
        lane.paint(Block::Map, false, 0.5, 2.25);
        let map = Some(Block::Map);
        assert_eq!(
            shares(lane),
            [(map, 0.5), (map, 1.0), (map, 0.25), (None, 0.0)]
        );
    }

    #[test]
    fn what_is_beyond_the_lane_is_left_out() {
        let mut lane = Painter::new(2);
        lane.paint(Block::Map, false, -9.0, -1.0);
        lane.paint(Block::Map, false, 2.0, 5.0);
        lane.paint(Block::Map, false, f64::NAN, f64::NAN);
        assert_eq!(shares(lane), [(None, 0.0), (None, 0.0)]);
        let mut lane = Painter::new(2);
        lane.paint(Block::Reduce, false, -1e300, 1e300);
        let reduce = Some(Block::Reduce);
        assert_eq!(shares(lane), [(reduce, 1.0), (reduce, 1.0)]);
        Painter::new(0).paint(Block::Map, false, 0.0, 1.0);
    }

    #[test]
    fn a_failure_shows_however_short_it_was() {
        let mut lane = Painter::new(1);
        lane.paint(Block::Map, false, 0.0, 0.6);
        lane.paint(Block::Failed, false, 0.6, 0.61);
        lane.paint(Block::Map, false, 0.61, 0.99);
        let cell = lane.finish().cells[0];
        assert_eq!((cell.block, cell.is_failure), (Some(Block::Failed), true));
    }

    #[test]
    fn the_keys_never_leave_the_run_s_time() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.window(800.0), (0.0, 800.0));
        timeline.act(Action::PanLeft, 800.0);
        assert_eq!(timeline.window(800.0), (0.0, 800.0));
        timeline.act(Action::Follow, 800.0);
        timeline.act(Action::ZoomIn, 800.0);
        timeline.act(Action::ZoomIn, 800.0);
        assert_eq!(timeline.window(800.0), (600.0, 800.0));
        assert_eq!(timeline.window(1_600.0), (1_200.0, 1_600.0), "it follows");
        timeline.act(Action::PanLeft, 800.0);
        assert_eq!(timeline.window(800.0), (500.0, 700.0));
        assert_eq!(timeline.window(900.0), (475.0, 700.0), "it stays");
        for _ in 0..99 {
            timeline.act(Action::PanLeft, 800.0);
        }
        assert_eq!(timeline.window(800.0), (0.0, 200.0));
        for _ in 0..99 {
            timeline.act(Action::PanRight, 800.0);
        }
        assert_eq!(timeline.window(800.0), (600.0, 800.0));
        for _ in 0..99 {
            timeline.act(Action::ZoomIn, 800.0);
        }
        let (begin, end) = timeline.window(800.0);
        assert!(begin < end);
    }
}
