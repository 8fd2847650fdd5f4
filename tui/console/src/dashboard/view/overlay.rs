//! What lies over the panels: help, descriptions, logs, the questions before tasks are stopped.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

use super::describe::describe;
use super::page::Page;
use super::{Look, completion, text};
use crate::dashboard::keymap;
use crate::dashboard::model::{LogContent, Overlay, State};
use mrdeck_cluster::{ScalePlan, Step};
use mrdeck_core::human::{plural, printable};
use mrdeck_core::task::TaskId;

/// Columns that the keys take on the help page.
const KEYS_WIDTH: usize = 9;
const QUESTION_WIDTH: usize = 64;

/// Draws the open overlay, if any; gives how far it can be scrolled.
pub fn draw(state: &State, look: &Look, frame: &mut Frame, body: Rect) -> usize {
    let mut page = Page::new(look, body.width.saturating_sub(2));
    match &state.overlay {
        None => 0,
        Some(Overlay::Prompt { .. }) => {
            completion::draw(state, look, frame, body);
            0
        }
        Some(Overlay::Help { scroll }) => {
            for row in keymap::help() {
                page.entry(row.keys_text, look.theme.key, KEYS_WIDTH, row.help);
            }
            draw_page(page, frame, body, "Keys", *scroll)
        }
        Some(Overlay::Describe { subject, scroll }) => {
            let title = describe(state, &mut page, subject);
            draw_page(page, frame, body, &title, *scroll)
        }
        Some(Overlay::Logs {
            task,
            content,
            from_end,
        }) => draw_log(look, frame, body, task, content, *from_end),
        Some(Overlay::ConfirmStop { task }) => {
            let question = format!("Stop {}?", text::elide(&task.0, 40));
            let answers = ["stop it", "leave it running (the default)"];
            draw_question(look, frame, body, "Stop a task", &question, answers);
            0
        }
        Some(Overlay::ConfirmScale { plan }) => {
            let answers = ["do it", "leave them running (the default)"];
            let question = text::elide(&scale_question(plan), QUESTION_WIDTH - 4);
            draw_question(look, frame, body, "Stop tasks", &question, answers);
            0
        }
    }
}

pub(super) fn bordered<'a>(look: &Look, title: &str) -> Block<'a> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(look.theme.focus)
        .title(Line::styled(format!(" {title} "), look.theme.focus_title))
}

fn draw_page(page: Page, frame: &mut Frame, body: Rect, title: &str, scroll: usize) -> usize {
    let block = bordered(page.look, title);
    let inside = block.inner(body);
    let most = page.lines.len().saturating_sub(usize::from(inside.height));
    let shown: Vec<Line> = page.lines.into_iter().skip(scroll.min(most)).collect();
    frame.render_widget(Clear, body);
    frame.render_widget(block, body);
    frame.render_widget(Paragraph::new(shown), inside);
    most
}

/// What would happen, as a question.
fn scale_question(plan: &ScalePlan) -> String {
    if let Step::Service { .. } = &plan.step {
        return format!("{plan}?");
    }
    let role = plan.wanted.role.to_string();
    let stopped = plural(plan.stops().into(), &role);
    format!("Stop {stopped}, so that {} run?", plan.wanted.count)
}

fn draw_question(
    look: &Look,
    frame: &mut Frame,
    body: Rect,
    title: &str,
    question: &str,
    [yes, no]: [&str; 2],
) {
    let [row] = Layout::vertical([Constraint::Length(5)])
        .flex(Flex::Center)
        .areas(body);
    let width = u16::try_from(QUESTION_WIDTH).unwrap_or(u16::MAX);
    let [area] = Layout::horizontal([Constraint::Length(width)])
        .flex(Flex::Center)
        .areas(row);
    let lines = vec![
        Line::styled(question.to_owned(), look.theme.title),
        Line::raw(""),
        Line::from(vec![
            Span::styled("y", look.theme.key),
            Span::raw(format!(" {yes}    ")),
            Span::styled("n Enter Esc", look.theme.key),
            Span::raw(format!(" {no}")),
        ]),
    ];
    frame.render_widget(Clear, area);
    let block = bordered(look, title);
    frame.render_widget(Paragraph::new(lines).centered().block(block), area);
}

fn draw_log(
    look: &Look,
    frame: &mut Frame,
    body: Rect,
    task: &TaskId,
    content: &LogContent,
    from_end: usize,
) -> usize {
    let block = bordered(look, &format!("Log of {}", text::elide(&task.0, 40)));
    let inside = block.inner(body);
    frame.render_widget(Clear, body);
    frame.render_widget(block, body);
    let message = match content {
        LogContent::Loading => Line::styled("reading …", look.theme.dim),
        LogContent::Missing(diagnostic) => Line::styled(diagnostic.to_string(), look.theme.error),
        LogContent::Lines(lines) if lines.is_empty() => {
            Line::styled("nothing was logged yet", look.theme.dim)
        }
        LogContent::Lines(lines) => {
            let height = usize::from(inside.height);
            let width = usize::from(inside.width).max(1);
            let wrapped: Vec<String> = lines.iter().flat_map(|line| wrap(line, width)).collect();
            let most = wrapped.len().saturating_sub(height);
            let end = wrapped.len() - from_end.min(most);
            let shown: Vec<Line> = wrapped[end.saturating_sub(height)..end]
                .iter()
                .map(|line| Line::raw(line.clone()))
                .collect();
            frame.render_widget(Paragraph::new(shown), inside);
            return most;
        }
    };
    frame.render_widget(Paragraph::new(message).wrap(Wrap { trim: true }), inside);
    0
}

fn wrap(line: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width).subsequent_indent("  ");
    textwrap::wrap(&printable(line), options)
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}
