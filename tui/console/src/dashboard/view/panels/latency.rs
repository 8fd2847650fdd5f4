//! The latency panel: how long the maps took as a histogram, what the mappers' time went to, and the parallelism.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr as _;

use super::View;
use crate::dashboard::model::{Histogram, Latencies, Model};
use crate::dashboard::view::{Look, axis, draw_hint, text};
use mrdeck_core::human::duration;
use mrdeck_engine::breakdown::{Part, PartKind, advice, map_time, share_text};
use mrdeck_engine::state::RunState;
use mrdeck_engine::work::Phase;

/// Columns of a name, of a time, and of a share.
const LABEL: usize = 10;
const VALUE: usize = 10;
const SHARE: usize = 6;
/// Columns on the left of the histogram: the count of the highest column.
const COUNT: usize = 5;
/// Columns on the right of it, for what took much longer.
const BEYOND: usize = 12;
/// The lines from which on each part of the time has a bar of its own.
const WITH_BARS: u16 = 12;
/// Lines that the histogram's columns have at most, and at least.
const MOST_LINES: u16 = 20;
const LEAST_LINES: u16 = 2;
/// A bar's last cell is drawn in eighths, and a column's highest one.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const HEIGHTS: [char; 8] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇'];

pub fn title(model: &Model) -> String {
    let run = model.run.record();
    match run.and_then(|run| Latencies::of(run).percentiles()) {
        None => "Latency".to_owned(),
        Some(percentiles) => {
            let [p50, p95, max] = percentiles.map(duration);
            format!("Latency p50 {p50} p95 {p95} max {max}")
        }
    }
}

pub fn draw(view: &View, frame: &mut Frame, area: Rect) {
    let look = view.look;
    let Some(run) = view.model.run.record() else {
        return draw_hint(look, frame, area, "phase latencies appear here live");
    };
    let now = view.model.now();
    let parts = map_time(run, now);
    let width = usize::from(area.width);
    let mut below = if area.height >= WITH_BARS || parts.is_empty() {
        bars(view, run, &parts, width)
    } else {
        vec![shares(&parts, look, width)]
    };
    if let Some(advice) = advice(run, &parts, now).filter(|_| area.height >= WITH_BARS) {
        below.push(Line::styled(
            text::elide_end(&advice, width),
            look.theme.warning,
        ));
    }
    below.push(parallelism_line(view, run, area.width));
    let below_height = u16::try_from(below.len()).unwrap_or(u16::MAX);
    // Its axis is a line more.
    let lines = area.height.saturating_sub(below_height + 1).min(MOST_LINES);
    let latencies = Latencies::of(run);
    let histogram = latencies
        .histogram(columns(width, 0))
        .filter(|_| lines >= LEAST_LINES);
    let Some(histogram) = histogram else {
        below.truncate(usize::from(area.height));
        return frame.render_widget(Paragraph::new(below), area);
    };
    // What is beyond the columns has a place of its own beside them.
    let histogram = match histogram.beyond {
        0 => Some(histogram),
        _ => latencies.histogram(columns(width, BEYOND)),
    };
    let heights = [Constraint::Length(lines + 1), Constraint::Fill(1)];
    let [top, bottom] = Layout::vertical(heights).areas(area);
    if let Some(histogram) = histogram {
        let drawn = histogram_lines(&histogram, look, usize::from(lines));
        frame.render_widget(Paragraph::new(drawn), top);
    }
    frame.render_widget(Paragraph::new(below), bottom);
}

fn columns(width: usize, beyond: usize) -> usize {
    width.saturating_sub(COUNT + beyond)
}

/// The columns, line by line from above, and their axis.
fn histogram_lines(found: &Histogram, look: &Look, height: usize) -> Vec<Line<'static>> {
    let theme = &look.theme;
    let most = found.answers.iter().copied().max().unwrap_or(0).max(1);
    let eighths = |count: usize| (count * height * 8).div_ceil(most);
    let mut lines: Vec<Line> = (0..height)
        .map(|line| {
            let floor = (height - 1 - line) * 8;
            let label = match line {
                0 => format!("{most:>4}┤"),
                _ => "    │".to_owned(),
            };
            let mut spans = vec![Span::styled(label, theme.dim)];
            for (answers, failures) in found.answers.iter().zip(&found.failures) {
                let filled = eighths(*answers);
                // A failure stands on its column, or on the highest line of one that reaches it.
                let stands_here = filled.div_ceil(8).min(height - 1) == height - 1 - line;
                spans.push(if *failures > 0 && stands_here {
                    Span::styled("✗", theme.error)
                } else if filled >= floor + 8 {
                    Span::styled("█", theme.good)
                } else {
                    let part = filled.saturating_sub(floor).min(7);
                    Span::styled(HEIGHTS[part].to_string(), theme.good)
                });
            }
            if line == height - 1 && found.beyond > 0 {
                let beyond = format!(" ⋯ {} more", found.beyond);
                spans.push(Span::styled(beyond, theme.warning));
            }
            Line::from(spans)
        })
        .collect();
    let labels = axis::labels(found.window, found.answers.len());
    let mut last = vec![Span::styled(format!("   0└{labels}"), theme.dim)];
    if found.beyond > 0 {
        let longest = format!(" ⋯ {}", duration(found.longest_ms));
        last.push(Span::styled(longest, theme.warning));
    }
    lines.push(Line::from(last));
    lines
}

/// A bar for each part of the mappers' time, or for each phase where no service said what its time was spent on.
fn bars(view: &View, run: &RunState, parts: &[Part], width: usize) -> Vec<Line<'static>> {
    let theme = &view.look.theme;
    if parts.is_empty() {
        let clocks = Phase::ALL.into_iter().filter_map(|phase| {
            let clock = run.clock(phase);
            let is_running = clock.running_since.is_some();
            Some((phase, clock.elapsed_ms(view.model.now())?, is_running))
        });
        let clocks: Vec<_> = clocks.collect();
        let longest = clocks.iter().map(|(_, ms, _)| *ms).fold(0.0, f64::max);
        let room = width.saturating_sub(LABEL + VALUE);
        let line = |(phase, ms, is_running): &(Phase, f64, bool)| {
            let style = if *is_running { theme.active } else { theme.bar };
            Line::from(vec![
                Span::styled(format!("{phase:LABEL$}"), theme.text),
                Span::styled(bar(*ms, longest, room), style),
                Span::styled(format!("{:>VALUE$}", duration(*ms)), theme.text),
            ])
        };
        return clocks.iter().map(line).collect();
    }
    let room = width.saturating_sub(LABEL + SHARE + VALUE);
    let line = |part: &Part| {
        let style = match part.kind {
            PartKind::Idle => theme.dim,
            PartKind::Lost => theme.error,
            PartKind::Count => theme.good,
            _ => theme.bar,
        };
        let name = text::pad(&text::elide(part.kind.name(), LABEL - 1), LABEL);
        Line::from(vec![
            Span::styled(name, theme.text),
            Span::styled(bar(part.share, 1.0, room), style),
            Span::styled(format!("{:>SHARE$}", share_text(part.share)), theme.text),
            Span::styled(format!("{:>VALUE$}", duration(part.ms)), theme.dim),
        ])
    };
    parts.iter().map(line).collect()
}

/// The parts in one line, the largest first; those that have no room are left out.
fn shares(parts: &[Part], look: &Look, width: usize) -> Line<'static> {
    let mut largest_first: Vec<&Part> = parts.iter().collect();
    largest_first.sort_by(|a, b| b.share.total_cmp(&a.share));
    let mut line = String::new();
    for part in largest_first {
        let name = text::elide(part.kind.name(), LABEL);
        let gap = if line.is_empty() { "" } else { " · " };
        let more = format!("{gap}{name} {}", share_text(part.share));
        if line.width() + more.width() > width {
            break;
        }
        line.push_str(&more);
    }
    Line::styled(line, look.theme.text)
}

/// A bar of `width` cells, filled in proportion; anything above zero shows.
fn bar(value: f64, longest: f64, width: usize) -> String {
    if longest <= 0.0 || value <= 0.0 || width == 0 {
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
