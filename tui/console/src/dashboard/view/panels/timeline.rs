//! The lanes beside the tasks: each attempt as a block on a common time axis, and each task's figures.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::View;
use crate::dashboard::model::{Axis, Block, Cell, Lane};
use crate::dashboard::view::Look;
use mrdeck_core::human::duration;
use mrdeck_core::task::TaskId;
use mrdeck_engine::work::Work;

/// The columns that lanes get at least, where the tasks' own columns can be cut that far.
pub const LEAST: u16 = 24;
/// The columns from which on the figures have room beside them: the answers, and the 95th percentile too.
const WITH_DONE: u16 = 30;
const WITH_P95: u16 = 44;
const WITH_NOW: u16 = 60;
/// Columns of a figure, with the blank before it.
const DONE: usize = 6;
const P95: usize = 9;
const NOW: usize = 7;
/// Cells from one label of the axis to the next, at least.
const LABEL: usize = 9;

/// Draws the axis, and under it a lane for each task.
pub fn draw(view: &View, axis: &Axis, tasks: &[&TaskId], frame: &mut Frame, area: Rect) {
    let Some(run) = view.model.run.record() else {
        return;
    };
    let figures = Figures::of(area.width, run.is_running());
    let width = usize::from(area.width).saturating_sub(figures.width());
    let window = view.model.timeline.window(axis.whole_ms);
    let lanes = axis.lanes(run, view.model.now(), window, width, tasks);
    let theme = &view.look.theme;
    let head = format!("{}{}", labels(window, width), figures.titles());
    let mut drawn_lines = vec![Line::styled(head, theme.dim)];
    for lane in &lanes {
        let mut spans: Vec<Span> = lane
            .cells
            .iter()
            .map(|cell| drawn(*cell, view.look))
            .collect();
        spans.push(Span::styled(figures.of_lane(lane), theme.text));
        drawn_lines.push(Line::from(spans));
    }
    frame.render_widget(Paragraph::new(drawn_lines), area);
}

fn drawn(cell: Cell, look: &Look) -> Span<'static> {
    let theme = &look.theme;
    let Some(block) = cell.block else {
        return Span::raw(" ");
    };
    if cell.is_failure {
        return Span::styled("✗", theme.error);
    }
    // Textures tell them apart where there are no colours.
    let (full, style) = match block {
        Block::Split => ("▒", theme.bar),
        Block::Map => ("█", theme.good),
        Block::Speculative => ("▓", theme.warning),
        Block::Reduce => ("▒", theme.active),
        Block::Failed => ("░", theme.error),
        Block::Abandoned => ("░", theme.dim),
    };
    let glyph = match cell.share {
        share if share < 0.25 => "▏",
        share if share < 0.75 || cell.is_end => "▌",
        _ => full,
    };
    Span::styled(glyph, style)
}

/// The figures beside the lanes.
#[derive(Debug, Clone, Copy)]
struct Figures {
    now: bool,
    done: bool,
    p95: bool,
}

impl Figures {
    fn of(width: u16, is_running: bool) -> Self {
        Self {
            now: is_running && width >= WITH_NOW,
            done: width >= WITH_DONE,
            p95: width >= WITH_P95,
        }
    }

    fn width(self) -> usize {
        let columns = [(self.now, NOW), (self.done, DONE), (self.p95, P95)];
        let shown = columns.iter().filter(|(is_shown, _)| *is_shown);
        shown.map(|(_, width)| width).sum()
    }

    fn line(self, now: &str, done: &str, p95: &str) -> String {
        let columns = [
            (self.now, NOW, now),
            (self.done, DONE, done),
            (self.p95, P95, p95),
        ];
        let shown = columns.iter().filter(|(is_shown, ..)| *is_shown);
        shown
            .map(|(_, width, text)| format!("{text:>width$}"))
            .collect::<Vec<_>>()
            .concat()
    }

    fn titles(self) -> String {
        self.line("NOW", "DONE", "P95")
    }

    fn of_lane(self, lane: &Lane) -> String {
        let now = match lane.now {
            None => "–".to_owned(),
            Some(Work::Split) => "split".to_owned(),
            Some(Work::Reduce) => "reduce".to_owned(),
            Some(Work::Map(chunk)) => chunk.0.to_string(),
        };
        let p95 = lane.p95_ms.map_or("–".to_owned(), duration);
        self.line(&now, &lane.done.to_string(), &p95)
    }
}

/// Returns the axis: round times, each at its place.
fn labels((begin, end): (f64, f64), width: usize) -> String {
    let mut axis = String::new();
    let per_cell = (end - begin) / width.max(1) as f64;
    let step = round_up(per_cell * LABEL as f64);
    if step <= 0.0 || !step.is_finite() {
        return " ".repeat(width);
    }
    let mut time = (begin / step).ceil() * step;
    while time < end {
        // From 0 to the width: the time is between the two.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let at = ((time - begin) / per_cell) as usize;
        let label = label(time, step);
        let used = axis.chars().count();
        if at >= used && at + label.chars().count() <= width {
            axis.push_str(&" ".repeat(at - used));
            axis.push_str(&label);
        }
        time += step;
    }
    let used = axis.chars().count();
    axis.push_str(&" ".repeat(width.saturating_sub(used)));
    axis
}

/// Returns the next one up of 1, 2 and 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|round| *round >= value)
        .unwrap_or(10.0 * power)
}

/// Returns a time with the unit that its step has.
fn label(ms: f64, step: f64) -> String {
    if ms == 0.0 {
        return "0".to_owned();
    }
    if step < 1.0 {
        return format!("{ms:.1} ms");
    }
    if step < 100.0 && ms < 1_000.0 {
        return format!("{ms:.0} ms");
    }
    let seconds = ms / 1e3;
    match step {
        step if step < 10.0 => format!("{seconds:.3} s"),
        step if step < 100.0 => format!("{seconds:.2} s"),
        step if step < 1_000.0 => format!("{seconds:.1} s"),
        _ if seconds < 60.0 => format!("{seconds:.0} s"),
        _ => duration(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_round_times_at_their_places() {
        assert_eq!(
            labels((0.0, 4_000.0), 40),
            "0         1 s       2 s       3 s       "
        );
        assert_eq!(labels((500.0, 900.0), 24), "      0.6 s       0.8 s ");
        assert_eq!(labels((0.0, 0.0), 3), "   ");
        assert_eq!(labels((0.0, 10.0), 0), "");
        for whole in [0.01, 0.7, 3.0, 99.0, 2_500.0, 59_000.0, 7_200_000.0] {
            for width in 1..120 {
                assert_eq!(
                    labels((0.0, whole), width).chars().count(),
                    width,
                    "{whole}"
                );
                assert_eq!(labels((whole / 3.0, whole), width).chars().count(), width);
            }
        }
    }
}
