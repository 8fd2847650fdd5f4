//! The pipeline panel: each phase and each chunk with its state, task, attempt and time so far.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Span;
use ratatui::widgets::{Row, Table};

use super::{View, mark_selected};
use crate::dashboard::model::{Link, Model, Panel, PipelineRow, status_word};
use crate::dashboard::view::{draw_hint, text};
use mrdeck_core::human::{duration, plural, thousands};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::{Outcome, RunState, WorkState, WorkStatus};
use mrdeck_engine::work::Phase;

/// The last column, which takes the room that is left.
const DETAIL: usize = 3;

pub fn title(model: &Model) -> String {
    match model.run.record() {
        Some(run) if !run.chunks.is_empty() => {
            let done = run.chunks_in(WorkStatus::Committed);
            format!(
                "Pipeline {} of {} mapped",
                thousands(done as u64),
                plural(run.chunks.len() as u64, "chunk")
            )
        }
        _ => "Pipeline".to_owned(),
    }
}

pub fn draw(view: &View, frame: &mut Frame, area: Rect) {
    let Some(run) = view.model.run.record() else {
        return draw_hint(view.look, frame, area, hint(view.model));
    };
    let rows = view.rows.pipeline();
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
            let (word, style) = map_state(run);
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
            let (word, style) = verify_state(run);
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
    let state = if run.chunks.is_empty() {
        WorkStatus::Waiting
    } else {
        WorkStatus::Committed
    };
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

fn map_state(run: &RunState) -> (String, WorkStatus) {
    let chunks = run.chunks.len();
    let done = run.chunks_in(WorkStatus::Committed);
    let failed = run.chunks_in(WorkStatus::Failed);
    let state = if failed > 0 {
        WorkStatus::Failed
    } else if chunks > 0 && done == chunks {
        WorkStatus::Committed
    } else if run.clock(Phase::Map).running_since.is_some() {
        WorkStatus::InFlight
    } else if matches!(run.status, RunStatus::Cancelled | RunStatus::Stopped) {
        WorkStatus::Abandoned
    } else {
        WorkStatus::Waiting
    };
    let word = match state {
        WorkStatus::Failed => format!("✗ {failed} failed"),
        WorkStatus::Committed => "✓ done".to_owned(),
        WorkStatus::InFlight => format!("▸ {done}/{chunks}"),
        state => glyph_word(state),
    };
    (word, state)
}

fn verify_state(run: &RunState) -> (String, WorkStatus) {
    let state = match &run.verification {
        Some(found) if found.is_exact() => WorkStatus::Committed,
        Some(_) => WorkStatus::Failed,
        None if run.clock(Phase::Verify).running_since.is_some() => WorkStatus::InFlight,
        None => WorkStatus::Waiting,
    };
    (glyph_word(state), state)
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
    let glyph = match status {
        WorkStatus::Waiting => '·',
        WorkStatus::InFlight => '▸',
        WorkStatus::Retrying => '↻',
        WorkStatus::Committed => '✓',
        WorkStatus::Failed => '✗',
        WorkStatus::Abandoned => '⊘',
    };
    format!("{glyph} {}", status_word(status))
}
