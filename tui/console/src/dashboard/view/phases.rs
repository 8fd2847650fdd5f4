//! The line of the phases: how far each one is, how fast the maps go, how long they still take.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::{Look, text};
use crate::dashboard::model::{Level, Model};
use mrdeck_core::human::{bytes, duration, percent, thousands};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::progress::{MapProgress, Unit, map_progress};
use mrdeck_engine::state::{RunState, WorkStatus};
use mrdeck_engine::work::Phase;

/// Cells of a phase's bar that has nothing to count: in a narrow window, and in a wide one.
const SMALL_BAR: (usize, usize) = (4, 8);
/// The window that is wide enough for the larger bars.
const WIDE: usize = 100;
/// Cells of the maps' bar.
const MAP_BAR: (usize, usize) = (6, 60);
/// Cells of the sparkline, each of them an equal part of the time so far.
const HISTORY: usize = 10;
/// A sparkline's cells, in eighths.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The columns that a cause needs at least to say anything.
const LEAST_PROBLEM: usize = 16;
/// What is between two phases.
const GAP: &str = "  ";

/// Returns how a phase of the run stands.
pub fn status(run: &RunState, phase: Phase) -> WorkStatus {
    let is_running = run.clock(phase).running_since.is_some();
    match phase {
        Phase::Split if run.input.as_object().is_some() => run.split.status(),
        // Of many objects: no splitter is asked.
        Phase::Split if run.chunks.is_empty() => WorkStatus::Waiting,
        Phase::Split => WorkStatus::Committed,
        Phase::Map => {
            let chunks = run.chunks.len();
            if run.chunks_in(WorkStatus::Failed) > 0 {
                WorkStatus::Failed
            } else if chunks > 0 && run.chunks_in(WorkStatus::Committed) == chunks {
                WorkStatus::Committed
            } else if is_running {
                WorkStatus::InFlight
            } else if matches!(run.status, RunStatus::Cancelled | RunStatus::Stopped) {
                WorkStatus::Abandoned
            } else {
                WorkStatus::Waiting
            }
        }
        Phase::Reduce => run.reduce.status(),
        Phase::Verify => match &run.verification {
            Some(found) if found.is_exact() => WorkStatus::Committed,
            Some(_) => WorkStatus::Failed,
            None if is_running => WorkStatus::InFlight,
            None => WorkStatus::Waiting,
        },
    }
}

/// Draws the line.
pub fn draw(model: &Model, run: &RunState, look: &Look, frame: &mut Frame, area: Rect) {
    let width = usize::from(area.width);
    let phases = Phase::ALL.into_iter().filter(|phase| {
        let is_asked_for = *phase != Phase::Verify || run.options.verify;
        is_asked_for || run.clock(*phase).elapsed_ms(model.now()).is_some()
    });
    let mut segments: Vec<Segment> = phases.map(|phase| segment(model, run, phase)).collect();
    let small = if width < WIDE {
        SMALL_BAR.0
    } else {
        SMALL_BAR.1
    };
    let fixed: usize = segments
        .iter()
        .map(|segment| segment.fixed_width(small))
        .sum();
    let mut room = width.saturating_sub(fixed + 1);
    let progress = map_progress(run, model.now(), HISTORY);
    let left = progress.as_ref().and_then(|progress| progress.left_ms);
    let maps = segments
        .iter_mut()
        .find(|segment| segment.phase == Phase::Map);
    if let (Some(ms), Some(maps)) = (left.filter(|ms| *ms > 0.0), maps) {
        let note = format!(" ≈ {} left", coarse(ms));
        let taken = note.chars().count();
        if room > MAP_BAR.0 + 1 + taken {
            room -= taken;
            maps.note.push_str(&note);
        }
    }
    // What is left beside the least bar is for the notes, the first of them first.
    let mut shown = Vec::new();
    let mut for_notes = room.saturating_sub(MAP_BAR.0 + 1);
    let problem = problem(run);
    let style = problem
        .as_ref()
        .map_or(look.theme.active, |(level, _)| look.theme.level(*level));
    let notes = match problem {
        Some((_, text)) if for_notes > LEAST_PROBLEM => {
            vec![text::elide_end(&text, for_notes - GAP.len())]
        }
        Some(_) => Vec::new(),
        None => notes(progress.as_ref()),
    };
    for note in notes {
        let taken = note.width() + GAP.len();
        if taken > for_notes {
            break;
        }
        for_notes -= taken;
        room -= taken;
        shown.push(note);
    }
    let map_bar = room.saturating_sub(1).min(MAP_BAR.1);
    let mut spans = vec![Span::raw(" ")];
    for (index, segment) in segments.iter().enumerate() {
        if index > 0 {
            spans.push(Span::raw(GAP));
        }
        let bar = if segment.phase == Phase::Map {
            map_bar
        } else {
            small
        };
        segment.draw(look, bar, &mut spans);
    }
    frame.render_widget(Line::from(spans), area);
    let notes = shown.join(GAP);
    // A style of the whole line would be one of the whole row.
    let notes = Line::from(Span::styled(format!("{notes} "), style));
    frame.render_widget(notes.right_aligned(), area);
}

/// Returns why the run ended without a result, or what would go on with it.
fn problem(run: &RunState) -> Option<(Level, String)> {
    match run.status {
        RunStatus::Running | RunStatus::Done => None,
        RunStatus::Failed => {
            let cause = &run.diagnostic.as_ref()?.cause;
            Some((Level::Error, cause.clone()))
        }
        RunStatus::Cancelled => Some((Level::Warning, "cancelled: r resumes it".to_owned())),
        RunStatus::Stopped => Some((Level::Warning, "stopped: r resumes it".to_owned())),
    }
}

/// What is said of one phase.
struct Segment {
    phase: Phase,
    name: String,
    status: WorkStatus,
    /// The part of it that is done.
    done: f64,
    note: String,
}

fn segment(model: &Model, run: &RunState, phase: Phase) -> Segment {
    let status = status(run, phase);
    let elapsed = run.clock(phase).elapsed_ms(model.now());
    let time = elapsed.map_or(String::new(), |ms| format!(" {}", duration(ms)));
    let chunks = run.chunks.len();
    let committed = run.chunks_in(WorkStatus::Committed);
    let (done, note) = match (phase, status) {
        (_, WorkStatus::Committed) => (1.0, format!("{time} ✓")),
        (Phase::Map, _) if chunks > 0 && elapsed.is_some() => {
            let (done, all) = (committed as u64, chunks as u64);
            let mark = mark(status);
            let counts = format!(
                "{}/{} {}",
                thousands(done),
                thousands(all),
                percent(done, all)
            );
            (committed as f64 / chunks as f64, format!(" {counts}{mark}"))
        }
        (_, status) => (0.0, format!("{time}{}", mark(status))),
    };
    Segment {
        phase,
        name: phase.to_string().to_uppercase(),
        status,
        done,
        note,
    }
}

fn mark(status: WorkStatus) -> &'static str {
    match status {
        WorkStatus::Waiting | WorkStatus::InFlight => "",
        WorkStatus::Committed => " ✓",
        WorkStatus::Retrying => " ↻",
        WorkStatus::Failed => " ✗",
        WorkStatus::Abandoned => " ⊘",
    }
}

impl Segment {
    /// Returns the columns that it takes, but for the maps' bar.
    fn fixed_width(&self, small: usize) -> usize {
        let bar = if self.phase == Phase::Map { 0 } else { small };
        GAP.len() + self.name.len() + 1 + bar + self.note.chars().count()
    }

    fn draw(&self, look: &Look, width: usize, spans: &mut Vec<Span<'static>>) {
        let theme = &look.theme;
        let style = theme.work(self.status);
        let is_over = !matches!(self.status, WorkStatus::Waiting | WorkStatus::InFlight);
        let name = if is_over { theme.text } else { style };
        spans.push(Span::styled(format!("{} ", self.name), name));
        let (full, rest) = bar(self.done, width);
        spans.push(Span::styled(full, style));
        let empty = if self.status == WorkStatus::Waiting {
            "┄"
        } else {
            "─"
        };
        spans.push(Span::styled(empty.repeat(rest), theme.dim));
        spans.push(Span::styled(self.note.clone(), style));
    }
}

/// Returns the filled part of a bar of `width` cells, and how many cells are left. Full is what is done, and no less.
fn bar(done: f64, width: usize) -> (String, usize) {
    let halves = (done.clamp(0.0, 1.0) * (2 * width) as f64).floor();
    // From 0 to `2 * width`, and NaN is 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let halves = (halves as usize).min(2 * width);
    let mut full = "━".repeat(halves / 2);
    if halves % 2 == 1 {
        full.push('╸');
    }
    (full, width - halves.div_ceil(2))
}

/// Returns what is said of the maps' pace, what matters most first.
fn notes(progress: Option<&MapProgress>) -> Vec<String> {
    let Some(progress) = progress else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    if let Some(rate) = progress.rate {
        // Not negative, and a rate beyond 64 bits would be cut.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = rate.round() as u64;
        notes.push(match progress.unit {
            Unit::Bytes => format!("{}/s", bytes(whole)),
            Unit::Chunks if rate < 10.0 => format!("{rate:.1} chunks/s"),
            Unit::Chunks => format!("{} chunks/s", thousands(whole)),
        });
        notes.push(sparkline(&progress.history));
    }
    notes
}

/// Returns an estimated time without figures that it doesn't have.
fn coarse(ms: f64) -> String {
    if ms < 1_000.0 {
        return "1 s".to_owned();
    }
    let seconds = (ms / 1e3).ceil();
    if seconds < 60.0 {
        return format!("{seconds:.0} s");
    }
    duration(seconds * 1e3)
}

/// Returns a line of columns, the highest being the highest value; an empty one is the lowest.
fn sparkline(values: &[f64]) -> String {
    let highest = values.iter().copied().fold(0.0, f64::max);
    let column = |value: &f64| {
        let eighths = (value / highest * 7.0).round();
        // From 0 to 7, and NaN is 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        EIGHTHS[(eighths as usize).min(7)]
    };
    values.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_only_at_the_end() {
        let text = |done| {
            let (full, rest) = bar(done, 4);
            format!("{full}{}", "─".repeat(rest))
        };
        assert_eq!(text(0.0), "────");
        assert_eq!(text(0.13), "╸───");
        assert_eq!(text(0.5), "━━──");
        assert_eq!(text(0.999), "━━━╸");
        assert_eq!(text(1.0), "━━━━");
        assert_eq!(
            [text(f64::NAN), text(-1.0), text(7.0)],
            ["────", "────", "━━━━"]
        );
        assert_eq!(bar(0.5, 0), (String::new(), 0));
    }

    #[test]
    fn a_sparkline_has_a_column_a_value() {
        assert_eq!(sparkline(&[0.0, 1.0, 7.0]), "▁▂█");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn an_estimate_is_coarse() {
        assert_eq!(
            [3.0, 1_400.0, 59_000.0, 186_000.0].map(coarse),
            ["1 s", "2 s", "59 s", "3m06s"]
        );
    }
}
