//! The latency panel: a live bar for each phase and each mapper, and the parallelism.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{View, mark_selected};
use crate::dashboard::model::{LatencyRow, Model, Panel};
use crate::dashboard::view::{Look, draw_hint, text};
use mrdeck_core::human::duration;
use mrdeck_engine::state::RunState;
use mrdeck_engine::work::Phase;

const LABEL: usize = 12;
const VALUE: usize = 10;
/// A bar's last cell is drawn in eighths.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

pub fn title(_: &Model) -> String {
    "Latency".to_owned()
}

pub fn draw(view: &View, frame: &mut Frame, area: Rect) {
    let look = view.look;
    let Some(run) = view.model.run.record() else {
        return draw_hint(look, frame, area, "phase latencies appear here live");
    };
    let rows = view.rows.latency();
    let [bars, summary] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    let longest = rows.all().iter().map(|row| row.ms).fold(0.0, f64::max);
    // Every bar leaves room for the longest note, so that all have one scale.
    let note = rows
        .all()
        .iter()
        .map(|row| mapper_note(row).chars().count())
        .max();
    let note = note.unwrap_or(0);
    let shown = text::window(rows.len(), usize::from(bars.height), rows.cursor());
    let visible = rows.all().get(shown.clone()).unwrap_or_default();
    let lines: Vec<Line> = visible
        .iter()
        .map(|row| bar_line(look, row, longest, bars.width, note))
        .collect();
    frame.render_widget(Paragraph::new(lines), bars);
    mark_selected(view, frame, Panel::Latency, bars, &shown);
    frame.render_widget(parallelism_line(view, run, summary.width), summary);
}

fn bar_line<'a>(
    look: &Look,
    row: &LatencyRow,
    longest: f64,
    width: u16,
    note_width: usize,
) -> Line<'a> {
    let theme = &look.theme;
    let note = mapper_note(row);
    let room = usize::from(width).saturating_sub(LABEL + 1 + VALUE + note_width);
    let style = match row {
        LatencyRow {
            is_in_flight: true, ..
        } => theme.active,
        LatencyRow { failures: 1.., .. } => theme.warning,
        LatencyRow { is_phase: true, .. } => theme.bar,
        _ => theme.good,
    };
    let label = if row.is_phase {
        text::elide(&row.label, LABEL)
    } else {
        format!(" {}", text::elide(&row.label, LABEL - 1))
    };
    Line::from(vec![
        Span::styled(text::pad(&label, LABEL + 1), theme.text),
        Span::styled(bar(row.ms, longest, room), style),
        Span::styled(format!("{:>VALUE$}", duration(row.ms)), theme.text),
        Span::styled(format!("{note:note_width$}"), theme.dim),
    ])
}

fn mapper_note(row: &LatencyRow) -> String {
    if row.is_phase {
        return String::new();
    }
    let chunks = format!(" ×{}", row.chunks);
    match row.failures {
        0 => chunks,
        failures => format!("{chunks} ✗{failures}"),
    }
}

/// A bar of `width` cells, filled in proportion; anything above zero shows.
fn bar(value: f64, longest: f64, width: usize) -> String {
    if longest <= 0.0 || width == 0 {
        return " ".repeat(width);
    }
    let eighths = (value / longest * width as f64 * 8.0).round().max(1.0);
    // At most `width * 8`: `value` doesn't exceed `longest`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let eighths = (eighths as usize).min(width * 8);
    let (full, part) = (eighths / 8, eighths % 8);
    let mut text = "█".repeat(full);
    if part > 0 {
        text.push(EIGHTHS[part]);
    }
    let used = full + usize::from(part > 0);
    text.push_str(&" ".repeat(width - used));
    text
}

/// Live while the maps run: the time of all attempts so far over the wall time so far.
fn parallelism_line<'a>(view: &View, run: &RunState, width: u16) -> Line<'a> {
    let (theme, now) = (&view.look.theme, view.model.now());
    let Some(wall) = run.clock(Phase::Map).elapsed_ms(now).filter(|ms| *ms > 0.0) else {
        return Line::default();
    };
    let sum: f64 = run
        .chunks
        .iter()
        .filter_map(|chunk| {
            chunk
                .work
                .committed_attempt()
                .or(chunk.work.attempts.last())
        })
        .filter_map(|attempt| attempt.elapsed_ms(now))
        .sum();
    let ideal = run.ideal_parallelism();
    let parallelism = sum / wall;
    let of_ideal = format!(
        " of {ideal} ({:.0} %)",
        parallelism / f64::from(ideal) * 100.0
    );
    let terms = format!("  Σ {} / wall {}", duration(sum), duration(wall));
    let mut spans = vec![
        Span::styled("parallelism ", theme.dim),
        Span::styled(format!("{parallelism:.2}"), theme.title),
        Span::styled(of_ideal, theme.dim),
    ];
    let used: usize = spans.iter().map(Span::width).sum();
    if used + terms.chars().count() <= usize::from(width) {
        spans.push(Span::styled(terms, theme.dim));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(10.0, 10.0, 4), "████");
        assert_eq!(bar(5.0, 10.0, 4), "██  ");
        assert_eq!(bar(1.0, 10.0, 4), "▍   ");
        assert_eq!(bar(0.001, 10.0, 2), "▏ ", "anything shows");
        assert_eq!(bar(0.0, 0.0, 2), "  ");
        assert_eq!(bar(1.0, 1.0, 0), "");
    }
}
