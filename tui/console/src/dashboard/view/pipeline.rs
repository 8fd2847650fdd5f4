//! The pipeline panel: each phase and each chunk with its state, task, attempt and time so far.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Span;
use ratatui::widgets::{Row, Table};

use super::{Look, draw_hint, mark_selected, text};
use crate::dashboard::model::{self, Link, Panel, PipelineRow, State};
use mrdeck_core::human::{millis, plural, thousands};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::{Outcome, Record, WorkRecord, WorkState};
use mrdeck_engine::work::Phase;

/// The last column, which takes the room that is left.
const DETAIL: usize = 3;

pub fn title(state: &State) -> String {
    match &state.run {
        Some(run) if !run.chunks.is_empty() => {
            let done = run.chunks_in(WorkState::Committed);
            format!(
                "Pipeline {} of {} mapped",
                thousands(done as u64),
                plural(run.chunks.len() as u64, "chunk")
            )
        }
        _ => "Pipeline".to_owned(),
    }
}

pub fn draw(state: &State, look: &Look, frame: &mut Frame, area: Rect) {
    let Some(run) = &state.run else {
        return draw_hint(look, frame, area, hint(state));
    };
    let all = model::pipeline(state);
    let shown = text::window(
        all.len(),
        usize::from(area.height),
        state.cursor(Panel::Pipeline),
    );
    let mut cells: Vec<[Span; DETAIL + 1]> = shown
        .clone()
        .filter_map(|index| Some(cells(state, look, run, *all.get(index)?)))
        .collect();
    let widest = |column: usize| cells.iter().map(|row| row[column].width()).max();
    let widths = [0, 1, 2].map(|column| widest(column).unwrap_or(0));
    let taken = widths.iter().sum::<usize>() + widths.len();
    let room = usize::from(area.width).saturating_sub(taken);
    for row in &mut cells {
        let detail = &mut row[DETAIL];
        detail.content = text::elide_end(&detail.content, room).into();
    }
    let [name, state_word, time] =
        widths.map(|width| Constraint::Length(u16::try_from(width).unwrap_or(u16::MAX)));
    let widths = [name, state_word, time, Constraint::Fill(1)];
    let table = Table::new(cells.into_iter().map(Row::new), widths);
    frame.render_widget(table, area);
    mark_selected(state, look, frame, Panel::Pipeline, area, &shown);
}

fn hint(state: &State) -> &'static str {
    match state.link {
        Link::Up(_) => "split → map → reduce: s starts a run",
        Link::Connecting | Link::Down { .. } => "split → map → reduce, once connected",
    }
}

fn cells<'a>(state: &State, look: &Look, run: &Record, row: PipelineRow) -> [Span<'a>; 4] {
    let theme = &look.theme;
    match row {
        PipelineRow::Split => work_cells(state, look, "split".to_owned(), &run.split),
        PipelineRow::Reduce => work_cells(state, look, "reduce".to_owned(), &run.reduce),
        PipelineRow::Chunk(index) => match run.chunks.get(index) {
            Some(chunk) => work_cells(state, look, format!(" chunk {index}"), &chunk.work),
            None => Default::default(),
        },
        PipelineRow::Map => {
            let (word, style) = map_state(run);
            let in_flight = run.chunks_in(WorkState::InFlight);
            let detail = match in_flight {
                0 => String::new(),
                count => format!("{count} in flight"),
            };
            [
                Span::raw("map"),
                Span::styled(word, theme.work(style)),
                Span::raw(clock(run, Phase::Map, state)),
                Span::styled(detail, theme.dim),
            ]
        }
        PipelineRow::Verify => {
            let (word, style) = verify_state(run);
            let detail = match style {
                WorkState::Waiting => "",
                _ => "recounted here",
            };
            [
                Span::raw("verify"),
                Span::styled(word, theme.work(style)),
                Span::raw(clock(run, Phase::Verify, state)),
                Span::styled(detail, theme.dim),
            ]
        }
    }
}

fn map_state(run: &Record) -> (String, WorkState) {
    let chunks = run.chunks.len();
    let done = run.chunks_in(WorkState::Committed);
    let failed = run.chunks_in(WorkState::Failed);
    let state = if failed > 0 {
        WorkState::Failed
    } else if chunks > 0 && done == chunks {
        WorkState::Committed
    } else if run.clock(Phase::Map).running_since.is_some() {
        WorkState::InFlight
    } else if matches!(run.status, RunStatus::Cancelled | RunStatus::Stopped) {
        WorkState::Abandoned
    } else {
        WorkState::Waiting
    };
    let word = match state {
        WorkState::Failed => format!("✗ {failed} failed"),
        WorkState::Committed => "✓ done".to_owned(),
        WorkState::InFlight => format!("▸ {done}/{chunks}"),
        state => glyph_word(state),
    };
    (word, state)
}

fn verify_state(run: &Record) -> (String, WorkState) {
    let state = match &run.verification {
        Some(found) if found.is_exact() => WorkState::Committed,
        Some(_) => WorkState::Failed,
        None if run.clock(Phase::Verify).running_since.is_some() => WorkState::InFlight,
        None => WorkState::Waiting,
    };
    (glyph_word(state), state)
}

fn clock(run: &Record, phase: Phase, state: &State) -> String {
    let elapsed = run.clock(phase).elapsed_ms(state.now);
    elapsed.map_or(String::new(), |ms| right(&millis(ms)))
}

fn work_cells<'a>(state: &State, look: &Look, name: String, work: &WorkRecord) -> [Span<'a>; 4] {
    let theme = &look.theme;
    let stands = work.state();
    let shown = work.committed_attempt().or(work.attempts.last());
    let elapsed = shown.and_then(|attempt| attempt.elapsed_ms(state.now));
    let time = elapsed.map_or(String::new(), |ms| right(&millis(ms)));
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

fn glyph_word(state: WorkState) -> String {
    let glyph = match state {
        WorkState::Waiting => '·',
        WorkState::InFlight => '▸',
        WorkState::Retrying => '↻',
        WorkState::Committed => '✓',
        WorkState::Failed => '✗',
        WorkState::Abandoned => '⊘',
    };
    format!("{glyph} {}", model::state_word(state))
}
