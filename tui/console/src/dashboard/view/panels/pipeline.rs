//! The pipeline panel: each phase and each chunk with its state, task, attempt and time so far.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Span;
use ratatui::widgets::{Row, Table};

use super::{View, heat_map, mark_selected};
use crate::dashboard::model::{Link, Model, Panel, PipelineRow, status_word};
use crate::dashboard::view::{draw_hint, phases, text};
use mrdeck_core::human::{duration, plural, thousands};
use mrdeck_engine::state::{Outcome, RunState, WorkState, WorkStatus};
use mrdeck_engine::work::Phase;

/// What the title counts, and in which order.
const IN_TITLE: [WorkStatus; 6] = [
    WorkStatus::Failed,
    WorkStatus::Retrying,
    WorkStatus::InFlight,
    WorkStatus::Committed,
    WorkStatus::Abandoned,
    WorkStatus::Waiting,
];
/// The last column, which takes the room that is left.
const DETAIL: usize = 3;

pub fn title(model: &Model) -> String {
    match model.run.record() {
        Some(run) if !run.chunks.is_empty() => {
            let mut title = format!("Pipeline {}", plural(run.chunks.len() as u64, "chunk"));
            for status in IN_TITLE {
                let count = run.chunks_in(status);
                if count > 0 {
                    let count = thousands(count as u64);
                    title.push_str(" · ");
                    title.push_str(&count);
                    title.push(glyph(status));
                }
            }
            title
        }
        _ => "Pipeline".to_owned(),
    }
}

pub fn fixed_lines(view: &View, area: Rect) -> Option<u16> {
    let run = view.model.run.record()?;
    let [map, _] = heat_map::split(run, area);
    Some(map.height)
}

pub fn draw(view: &View, frame: &mut Frame, area: Rect) {
    let Some(run) = view.model.run.record() else {
        return draw_hint(view.look, frame, area, hint(view.model));
    };
    let rows = view.rows.pipeline();
    let [map, area] = heat_map::split(run, area);
    let cursor = match rows.selected() {
        Some(PipelineRow::Chunk(index)) => Some(*index),
        _ => None,
    };
    heat_map::draw(view, run, cursor, frame, map);
    let shown = text::window(rows.len(), usize::from(area.height), rows.cursor());
    let visible = rows.all().get(shown.clone()).unwrap_or_default();
    let mut cells: Vec<[Span; DETAIL + 1]> =
        visible.iter().map(|row| cells(view, run, *row)).collect();
    let widest = |column: usize| cells.iter().map(|row| row[column].width()).max();
    let widths = [0, 1, 2].map(|column| widest(column).unwrap_or(0));
    let taken = widths.iter().sum::<usize>() + widths.len();
    let room = usize::from(area.width).saturating_sub(taken);
    for row in &mut cells {
        let detail = &mut row[DETAIL];
        detail.content = text::elide_end(&detail.content, room).into();
    }
    let [name, word, time] =
        widths.map(|width| Constraint::Length(u16::try_from(width).unwrap_or(u16::MAX)));
    let widths = [name, word, time, Constraint::Fill(1)];
    let table = Table::new(cells.into_iter().map(Row::new), widths);
    frame.render_widget(table, area);
    mark_selected(view, frame, Panel::Pipeline, area, &shown);
}

fn hint(model: &Model) -> &'static str {
    match model.session.link() {
        Link::Up(_) => "split → map → reduce: s starts a run",
        Link::Connecting | Link::Down { .. } => "split → map → reduce, once connected",
    }
}

fn cells<'a>(view: &View, run: &RunState, row: PipelineRow) -> [Span<'a>; DETAIL + 1] {
    let theme = &view.look.theme;
    match row {
        PipelineRow::Split if run.input.as_object().is_none() => planned_cells(view, run),
        PipelineRow::Split => work_cells(view, "split".to_owned(), &run.split),
        PipelineRow::Reduce => work_cells(view, "reduce".to_owned(), &run.reduce),
        PipelineRow::Chunk(index) => match run.chunks.get(index) {
            Some(chunk) => work_cells(view, format!(" chunk {index}"), &chunk.work),
            None => Default::default(),
        },
        PipelineRow::Map => {
            let style = phases::status(run, Phase::Map);
            let word = map_word(run, style);
            let in_flight = run.chunks_in(WorkStatus::InFlight);
            let detail = match in_flight {
                0 => String::new(),
                count => format!("{count} in flight"),
            };
            [
                Span::raw("map"),
                Span::styled(word, theme.work(style)),
                Span::raw(clock(run, Phase::Map, view.model)),
                Span::styled(detail, theme.dim),
            ]
        }
        PipelineRow::Verify => {
            let style = phases::status(run, Phase::Verify);
            let word = glyph_word(style);
            let detail = match style {
                WorkStatus::Waiting => "",
                _ => "recounted here",
            };
            [
                Span::raw("verify"),
                Span::styled(word, theme.work(style)),
                Span::raw(clock(run, Phase::Verify, view.model)),
                Span::styled(detail, theme.dim),
            ]
        }
    }
}

/// The split of many objects: no splitter is asked.
fn planned_cells<'a>(view: &View, run: &RunState) -> [Span<'a>; DETAIL + 1] {
    let state = phases::status(run, Phase::Split);
    let detail = match run.objects.len() {
        0 => String::new(),
        count => format!("{}, cut here", plural(count as u64, "object")),
    };
    [
        Span::raw("split"),
        Span::styled(glyph_word(state), view.look.theme.work(state)),
        Span::raw(clock(run, Phase::Split, view.model)),
        Span::styled(detail, view.look.theme.dim),
    ]
}

fn map_word(run: &RunState, status: WorkStatus) -> String {
    match status {
        WorkStatus::Failed => format!("✗ {} failed", run.chunks_in(WorkStatus::Failed)),
        WorkStatus::Committed => "✓ done".to_owned(),
        WorkStatus::InFlight => {
            let done = run.chunks_in(WorkStatus::Committed);
            format!("▸ {done}/{}", run.chunks.len())
        }
        status => glyph_word(status),
    }
}

fn clock(run: &RunState, phase: Phase, model: &Model) -> String {
    let elapsed = run.clock(phase).elapsed_ms(model.now());
    elapsed.map_or(String::new(), |ms| right(&duration(ms)))
}

fn work_cells<'a>(view: &View, name: String, work: &WorkState) -> [Span<'a>; DETAIL + 1] {
    let theme = &view.look.theme;
    let stands = work.status();
    let shown = work.committed_attempt().or(work.attempts.last());
    let elapsed = shown.and_then(|attempt| attempt.elapsed_ms(view.model.now()));
    let time = elapsed.map_or(String::new(), |ms| right(&duration(ms)));
    let detail = shown.map_or(String::new(), |attempt| {
        let task = text::elide(&attempt.task.0, 14);
        match &attempt.outcome {
            Outcome::Failed { diagnostic, .. } => {
                format!("{task} #{} {}", attempt.number, diagnostic.cause)
            }
            _ if attempt.number > 1 => format!("{task} #{}", attempt.number),
            _ => task,
        }
    });
    [
        Span::raw(name),
        Span::styled(glyph_word(stands), theme.work(stands)),
        Span::raw(time),
        Span::styled(detail, theme.dim),
    ]
}

fn right(text: &str) -> String {
    format!("{text:>8}")
}

fn glyph_word(status: WorkStatus) -> String {
    format!("{} {}", glyph(status), status_word(status))
}

/// Returns the sign of a status.
pub fn glyph(status: WorkStatus) -> char {
    match status {
        WorkStatus::Waiting => '·',
        WorkStatus::InFlight => '▸',
        WorkStatus::Retrying => '↻',
        WorkStatus::Committed => '✓',
        WorkStatus::Failed => '✗',
        WorkStatus::Abandoned => '⊘',
    }
}
