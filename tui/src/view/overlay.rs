//! What lies over the panels: help, descriptions, logs, the question before a task is stopped.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

use super::{Look, text};
use crate::app::keys;
use crate::app::{LogContent, Overlay, PipelineRow, State, Subject};
use crate::cluster::{Probe, Task, TaskId};
use crate::engine::record::{Attempt, Outcome, WorkRecord};
use crate::figures::{age, bytes, millis, printable, thousands};

const KEY_WIDTH: usize = 16;

/// Draws the open overlay, if any; gives how far it can be scrolled.
pub fn draw(state: &State, look: &Look, frame: &mut Frame, body: Rect) -> usize {
    match &state.overlay {
        None | Some(Overlay::Prompt { .. }) => 0,
        Some(Overlay::Help { scroll }) => page(look, frame, body, "Keys", help(look), *scroll),
        Some(Overlay::Describe { subject, scroll }) => {
            let (title, lines) = describe(state, look, subject);
            page(look, frame, body, &title, lines, *scroll)
        }
        Some(Overlay::Logs {
            task,
            content,
            from_end,
        }) => logs(look, frame, body, task, content, *from_end),
        Some(Overlay::ConfirmStop { task }) => {
            confirm(look, frame, body, task);
            0
        }
    }
}

fn frame_block<'a>(look: &Look, title: &str) -> Block<'a> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(look.theme.focus)
        .title(Line::styled(format!(" {title} "), look.theme.focus_title))
}

/// A page of lines over the whole body.
fn page(
    look: &Look,
    frame: &mut Frame,
    body: Rect,
    title: &str,
    lines: Vec<Line>,
    scroll: usize,
) -> usize {
    let block = frame_block(look, title);
    let inside = block.inner(body);
    let wrapped = Paragraph::new(lines).wrap(Wrap { trim: false });
    let count = wrapped_height(&wrapped, inside.width);
    let most = count.saturating_sub(usize::from(inside.height));
    let scroll = u16::try_from(scroll.min(most)).unwrap_or(u16::MAX);
    frame.render_widget(Clear, body);
    frame.render_widget(block, body);
    frame.render_widget(wrapped.scroll((scroll, 0)), inside);
    most
}

/// How many lines a paragraph takes at a width, found by drawing it aside.
fn wrapped_height(paragraph: &Paragraph, width: u16) -> usize {
    paragraph.line_count(width)
}

fn help<'a>(look: &Look) -> Vec<Line<'a>> {
    keys::help()
        .map(|row| {
            Line::from(vec![
                Span::styled(format!("  {:<9}", row.keys_text), look.theme.key),
                Span::raw(row.help),
            ])
        })
        .collect()
}

fn confirm(look: &Look, frame: &mut Frame, body: Rect, task: &TaskId) {
    let [row] = Layout::vertical([Constraint::Length(5)])
        .flex(Flex::Center)
        .areas(body);
    let [area] = Layout::horizontal([Constraint::Length(56)])
        .flex(Flex::Center)
        .areas(row);
    let question = format!("Stop {}?", text::elide(&task.0, 40));
    let lines = vec![
        Line::styled(question, look.theme.title),
        Line::raw(""),
        Line::from(vec![
            Span::styled("y", look.theme.key),
            Span::raw(" stop it    "),
            Span::styled("n Enter Esc", look.theme.key),
            Span::raw(" leave it running"),
        ]),
    ];
    frame.render_widget(Clear, area);
    let block = frame_block(look, "Stop a task");
    frame.render_widget(Paragraph::new(lines).centered().block(block), area);
}

fn logs(
    look: &Look,
    frame: &mut Frame,
    body: Rect,
    task: &TaskId,
    content: &LogContent,
    from_end: usize,
) -> usize {
    let block = frame_block(look, &format!("Log of {}", text::elide(&task.0, 40)));
    let inside = block.inner(body);
    frame.render_widget(Clear, body);
    frame.render_widget(block, body);
    let lines = match content {
        LogContent::Loading => vec![Line::styled("reading …", look.theme.dim)],
        LogContent::Missing(trouble) => vec![Line::styled(trouble.to_string(), look.theme.error)],
        LogContent::Lines(lines) if lines.is_empty() => {
            vec![Line::styled("nothing was logged yet", look.theme.dim)]
        }
        LogContent::Lines(lines) => {
            let height = usize::from(inside.height);
            let most = lines.len().saturating_sub(height);
            let end = lines.len() - from_end.min(most);
            let shown = &lines[end.saturating_sub(height)..end];
            let lines: Vec<Line> = shown
                .iter()
                .map(|line| Line::raw(printable(line).into_owned()))
                .collect();
            frame.render_widget(Paragraph::new(lines), inside);
            return most;
        }
    };
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }), inside);
    0
}

fn field<'a>(look: &Look, name: &str, value: impl AsRef<str>) -> Line<'a> {
    Line::from(vec![
        Span::styled(format!("  {name:<KEY_WIDTH$}"), look.theme.dim),
        Span::raw(printable(value.as_ref()).into_owned()),
    ])
}

fn describe<'a>(state: &State, look: &Look, subject: &Subject) -> (String, Vec<Line<'a>>) {
    match subject {
        Subject::Task(id) => {
            let task = state.tasks.tasks.iter().find(|task| task.id == *id);
            let lines = match task {
                Some(task) => task_fields(state, look, task),
                None => vec![Line::styled("  this task is gone", look.theme.dim)],
            };
            (format!("Task {}", text::elide(&id.0, 40)), lines)
        }
        Subject::Row(row) => row_fields(state, look, *row),
    }
}

fn task_fields<'a>(state: &State, look: &Look, task: &Task) -> Vec<Line<'a>> {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let probe = match &task.probe {
        Probe::Unknown if task.is_usable() => "not asked yet".to_owned(),
        Probe::Unknown => "not running, so not asked".to_owned(),
        Probe::Reachable { latency } => {
            format!("/health answers in {}", millis(latency.as_secs_f64() * 1e3))
        }
        Probe::Unreachable(trouble) => trouble.to_string(),
    };
    let family = task.family.as_ref().map(|family| match task.revision {
        Some(revision) => format!("{family}:{revision}"),
        None => family.clone(),
    });
    let started = task.started_at.map(|at| started(state.now, at, look));
    let mut lines = vec![
        field(look, "role", task.role.to_string()),
        field(look, "status", task.last_status.to_string()),
        field(
            look,
            "desired",
            or_dash(task.desired_status.as_ref().map(ToString::to_string)),
        ),
        field(look, "health", or_dash(task.health.clone())),
        field(look, "family", or_dash(family)),
        field(
            look,
            "requests go to",
            or_dash(task.base.as_ref().map(ToString::to_string)),
        ),
        field(
            look,
            "private IP",
            or_dash(task.private_ip.map(|ip| ip.to_string())),
        ),
        field(
            look,
            "public IP",
            or_dash(task.public_ip.map(|ip| ip.to_string())),
        ),
        field(
            look,
            "port",
            or_dash(task.port.map(|port| port.to_string())),
        ),
        field(look, "zone", or_dash(task.az.clone())),
        field(look, "started", or_dash(started)),
        field(look, "probe", probe),
    ];
    lines.extend(
        task.details
            .iter()
            .map(|(name, value)| field(look, name, value)),
    );
    lines
}

fn started(now: Timestamp, at: Timestamp, look: &Look) -> String {
    let zoned = at.to_zoned(look.timezone.clone());
    let ago = age(now.duration_since(at).as_secs());
    format!("{} ({ago} ago)", zoned.strftime("%Y-%m-%d %H:%M:%S"))
}

fn row_fields<'a>(state: &State, look: &Look, row: PipelineRow) -> (String, Vec<Line<'a>>) {
    let Some(run) = &state.run else {
        return ("Run".to_owned(), Vec::new());
    };
    match row {
        PipelineRow::Split => ("Split".to_owned(), work_fields(state, look, &run.split)),
        PipelineRow::Reduce => ("Reduce".to_owned(), work_fields(state, look, &run.reduce)),
        PipelineRow::Chunk(index) => {
            let Some(chunk) = run.chunks.get(index) else {
                return (format!("Chunk {index}"), Vec::new());
            };
            let mut lines = vec![field(look, "source", chunk_source(&chunk.source))];
            lines.extend(work_fields(state, look, &chunk.work));
            (format!("Chunk {index}"), lines)
        }
        PipelineRow::Map | PipelineRow::Verify => {
            let mut lines = vec![
                field(look, "run", run.run.to_string()),
                field(look, "input", run.input.to_string()),
                field(look, "status", run.status.to_string()),
                field(look, "chunks", run.chunks.len().to_string()),
                field(look, "mappers", run.mappers.to_string()),
            ];
            if let Some(size) = run.input_bytes {
                lines.push(field(look, "input size", bytes(size)));
            }
            if let Some(trouble) = &run.trouble {
                lines.push(field(look, "failed because", &trouble.cause));
                lines.push(field(look, "what to do", &trouble.advice));
            }
            for sample in run.verification.iter().flat_map(|found| &found.samples) {
                lines.push(field(look, "wrong", sample));
            }
            ("Run".to_owned(), lines)
        }
    }
}

fn chunk_source(source: &mrdeck_services::api::ChunkRef) -> String {
    use mrdeck_services::api::ChunkRef;
    match source {
        ChunkRef::Object(uri) => uri.to_string(),
        ChunkRef::Range { s3, start, end } => format!("{s3}, bytes {start} to {end}"),
    }
}

/// Every attempt, first to last.
fn work_fields<'a>(state: &State, look: &Look, work: &WorkRecord) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    if work.attempts.is_empty() {
        lines.push(Line::styled("  not begun yet", look.theme.dim));
    }
    for attempt in &work.attempts {
        lines.push(Line::raw(""));
        lines.extend(attempt_fields(state, look, attempt, work.committed));
    }
    lines
}

fn attempt_fields<'a>(
    state: &State,
    look: &Look,
    attempt: &Attempt,
    committed: Option<u32>,
) -> Vec<Line<'a>> {
    let theme = &look.theme;
    let (word, style) = match &attempt.outcome {
        Outcome::InFlight => ("in flight", theme.active),
        Outcome::Succeeded { .. } if committed == Some(attempt.number) => ("committed", theme.good),
        Outcome::Succeeded { .. } => ("succeeded", theme.good),
        Outcome::Failed { .. } => ("failed", theme.error),
        Outcome::Abandoned { .. } => ("abandoned", theme.warning),
    };
    let mut lines = vec![
        Line::from(vec![
            Span::styled(format!("  attempt {} ", attempt.number), theme.title),
            Span::styled(word, style),
        ]),
        field(
            look,
            "task",
            format!("{} at {}", attempt.task, attempt.address),
        ),
        field(
            look,
            "started",
            started(state.now, attempt.started_at, look),
        ),
        field(look, "took", millis(attempt.elapsed_ms(state.now))),
    ];
    match &attempt.outcome {
        Outcome::Succeeded { answer, .. } => {
            if let Some(words) = answer.words {
                lines.push(field(look, "words", thousands(words)));
            }
            if let Some(out) = &answer.out {
                lines.push(field(look, "out", out.to_string()));
            }
            for part in &answer.timing {
                lines.push(field(look, &part.name, millis(part.ms)));
            }
        }
        Outcome::Failed { trouble, .. } => {
            lines.push(field(look, "because", &trouble.cause));
            if !trouble.advice.is_empty() {
                lines.push(field(look, "what to do", &trouble.advice));
            }
        }
        Outcome::InFlight | Outcome::Abandoned { .. } => {}
    }
    lines
}
