//! The lanes beside the tasks: each attempt as a block on a common time axis, and each task's figures.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::View;
use crate::dashboard::model::{Axis, Block, Cell, Lane};
use crate::dashboard::view::{Look, axis};
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

/// Draws the axis, and under it a lane for each task.
pub fn draw(view: &View, time: &Axis, tasks: &[&TaskId], frame: &mut Frame, area: Rect) {
    let Some(run) = view.model.run.record() else {
        return;
    };
    let figures = Figures::of(area.width, run.is_running());
    let width = usize::from(area.width).saturating_sub(figures.width());
    let window = view.model.timeline.window(time.whole_ms);
    let lanes = time.lanes(run, view.model.now(), window, width, tasks);
    let theme = &view.look.theme;
    let head = format!("{}{}", axis::labels(window, width), figures.titles());
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
