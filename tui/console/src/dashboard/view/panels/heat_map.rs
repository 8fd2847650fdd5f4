//! The chunks as a heat map: one cell a chunk, or a group of them where there are more than cells.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::View;
use super::pipeline::glyph;
use crate::dashboard::model::Panel;
use mrdeck_engine::state::{RunState, WorkStatus};

/// The list below keeps so many lines at least.
const LEAST_LIST: u16 = 3;

/// Divides the pipeline panel: the map, where no list could show every chunk at once, and the list.
pub fn split(run: &RunState, area: Rect) -> [Rect; 2] {
    let width = usize::from(area.width).max(1);
    let most = (area.height / 2).min(area.height.saturating_sub(LEAST_LIST));
    let cells = run
        .chunks
        .len()
        .div_ceil(group(run.chunks.len(), width * usize::from(most)));
    let is_needed = run.chunks.len() > usize::from(area.height);
    let lines = u16::try_from(cells.div_ceil(width)).unwrap_or(u16::MAX);
    let lines = if is_needed { lines.min(most) } else { 0 };
    Layout::vertical([Constraint::Length(lines), Constraint::Fill(1)]).areas(area)
}

/// Draws the map; the cell of the chunk `cursor` is marked while the panel has the focus.
pub fn draw(view: &View, run: &RunState, cursor: Option<usize>, frame: &mut Frame, area: Rect) {
    if area.is_empty() {
        return;
    }
    let theme = &view.look.theme;
    let width = usize::from(area.width);
    let group = group(run.chunks.len(), width * usize::from(area.height));
    let cursor = cursor.filter(|_| view.model.panels.focus() == Panel::Pipeline);
    let cursor = cursor.map(|chunk| chunk / group);
    let cells: Vec<Span> = run
        .chunks
        .chunks(group)
        .map(|chunks| chunks.iter().map(|chunk| chunk.work.status()))
        .enumerate()
        .map(|(index, statuses)| {
            let status = of_group(statuses);
            let style = if cursor == Some(index) {
                theme.selected
            } else {
                theme.work(status)
            };
            Span::styled(cell(status).to_string(), style)
        })
        .collect();
    let lines = cells.chunks(width).map(|cells| Line::from(cells.to_vec()));
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
}

/// Returns how many chunks a cell stands for.
fn group(chunks: usize, cells: usize) -> usize {
    chunks.div_ceil(cells.max(1)).max(1)
}

/// Returns what a cell shows of a group: what one would look for, though it be one of a hundred.
fn of_group(statuses: impl Iterator<Item = WorkStatus>) -> WorkStatus {
    let urgency = |status: &WorkStatus| match status {
        WorkStatus::Failed => 5,
        WorkStatus::Retrying => 4,
        WorkStatus::InFlight => 3,
        WorkStatus::Waiting => 2,
        WorkStatus::Abandoned => 1,
        WorkStatus::Committed => 0,
    };
    statuses
        .max_by_key(urgency)
        .unwrap_or(WorkStatus::Committed)
}

fn cell(status: WorkStatus) -> char {
    match status {
        WorkStatus::Committed => '■',
        status => glyph(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_chunks_fit_into_any_map() {
        for (chunks, cells, expected) in [
            (0, 10, 1),
            (10, 10, 1),
            (11, 10, 2),
            (10_000, 36, 278),
            (5, 0, 5),
        ] {
            let group = group(chunks, cells);
            assert_eq!(group, expected);
            assert!(chunks.div_ceil(group) <= cells.max(1));
        }
    }

    #[test]
    fn one_failure_among_many_shows() {
        let many = |one| of_group(std::iter::repeat_n(WorkStatus::Committed, 99).chain([one]));
        for status in [
            WorkStatus::Failed,
            WorkStatus::InFlight,
            WorkStatus::Waiting,
        ] {
            assert_eq!(many(status), status);
        }
        assert_eq!(many(WorkStatus::Committed), WorkStatus::Committed);
    }
}
