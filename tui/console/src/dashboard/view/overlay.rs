//! What lies over the panels: help, descriptions, logs, the questions before tasks are stopped.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use super::describe::describe;
use super::page::Page;
use super::{Look, completion, text};
use crate::clean::Inventory;
use crate::dashboard::keymap;
use crate::dashboard::model::{Activity, LogContent, Model, Overlay, Scroll};
use mrdeck_cluster::{ScalePlan, Step};
use mrdeck_core::human::{plural, thousands};

/// Columns that the keys take on the help page.
const KEYS_WIDTH: usize = 10;
const QUESTION_WIDTH: usize = 64;

/// Draws the open overlay, if any.
pub fn draw(model: &Model, look: &Look, frame: &mut Frame, body: Rect) {
    let Some(overlay) = &model.overlay else {
        return;
    };
    match overlay {
        Overlay::Prompt(prompt) => completion::draw(model, prompt, look, frame, body),
        Overlay::Help { scroll }
        | Overlay::Describe { scroll, .. }
        | Overlay::Logs { scroll, .. } => {
            let page = page(model, overlay, look, body);
            draw_page(page, *scroll, look, frame, body);
        }
        Overlay::ConfirmStop { task } => {
            let question = format!("Stop {}?", text::elide(&task.0, 40));
            let answers = ["stop it", "keep it running (default)"];
            draw_question(look, frame, body, "Stop a task", &question, answers);
        }
        Overlay::ConfirmQuit => {
            let (title, answers) = ("Quit", ["quit", "stay (default)"]);
            draw_question(look, frame, body, title, quit_question(model), answers);
        }
        Overlay::ConfirmClean { found } => {
            let total = found.total().unwrap_or_default();
            let question = format!("Remove {total}?");
            let answers = ["remove them", "keep them (default)"];
            let list = listed(found, body);
            let title = format!("Old uploads and runs in s3://{}", found.bucket);
            draw_list_question(look, frame, body, &title, &list, &question, answers);
        }
        Overlay::ConfirmScale { plan } => {
            let answers = ["stop them", "keep them running (default)"];
            let question = text::elide(&scale_question(plan), QUESTION_WIDTH - 4);
            draw_question(look, frame, body, "Stop tasks", &question, answers);
        }
    }
}

/// Returns by how many lines the open overlay can be scrolled.
pub fn scroll_limit(model: &Model, look: &Look, body: Rect) -> usize {
    let lines = model
        .overlay
        .as_ref()
        .map_or(0, |overlay| page(model, overlay, look, body).lines.len());
    lines.saturating_sub(inside(body))
}

/// Lines of text that fit.
fn inside(body: Rect) -> usize {
    usize::from(body.height.saturating_sub(2))
}

/// Lays out the text of an overlay that is read; the others have none.
fn page<'l>(model: &Model, overlay: &Overlay, look: &'l Look, body: Rect) -> Page<'l> {
    let mut page = Page::new(look, body.width.saturating_sub(2));
    match overlay {
        Overlay::Help { .. } => {
            "Keys".clone_into(&mut page.title);
            for row in keymap::help() {
                page.entry(row.keys_text, look.theme.key, KEYS_WIDTH, row.help);
            }
        }
        Overlay::Describe { subject, .. } => page.title = describe(model, &mut page, subject),
        Overlay::Logs { task, content, .. } => {
            page.title = format!("Log of {}", text::elide(&task.0, 40));
            match content {
                LogContent::Loading => page.wrapped("reading …", look.theme.dim),
                LogContent::Missing(diagnostic) => {
                    page.wrapped(&diagnostic.to_string(), look.theme.error);
                }
                LogContent::Lines(lines) if lines.is_empty() => {
                    page.wrapped("nothing logged yet", look.theme.dim);
                }
                LogContent::Lines(lines) => {
                    for line in lines {
                        page.hanging(line);
                    }
                }
            }
        }
        Overlay::ConfirmStop { .. }
        | Overlay::ConfirmQuit
        | Overlay::ConfirmScale { .. }
        | Overlay::ConfirmClean { .. }
        | Overlay::Prompt(_) => {}
    }
    page
}

fn quit_question(model: &Model) -> &'static str {
    match model.run.activity() {
        Activity::Preparing => "The run has not begun yet. Quit?",
        Activity::Idle => "Quit?",
        Activity::Busy | Activity::Cancelling => "The run stops here, to be resumed later. Quit?",
    }
}

pub(super) fn bordered<'a>(look: &Look, title: &str) -> Block<'a> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(look.theme.focus)
        .title(Line::styled(format!(" {title} "), look.theme.focus_title))
}

fn draw_page(page: Page, scroll: Scroll, look: &Look, frame: &mut Frame, body: Rect) {
    let block = bordered(look, &page.title);
    let area = block.inner(body);
    let limit = page.lines.len().saturating_sub(inside(body));
    let lines = page.lines.into_iter().skip(scroll.top(limit));
    let shown: Vec<Line> = lines.take(inside(body)).collect();
    frame.render_widget(Clear, body);
    frame.render_widget(block, body);
    frame.render_widget(Paragraph::new(shown), area);
}

/// What would happen, as a question.
fn scale_question(plan: &ScalePlan) -> String {
    if let Step::Service { .. } = &plan.step {
        return format!("{plan}?");
    }
    let role = plan.wanted.role.to_string();
    let stopped = plural(plan.stops().into(), &role);
    format!("Stop {stopped}, leaving {}?", plan.wanted.count)
}

/// Returns as many of the uploads and runs as there is room for.
fn listed(found: &Inventory, body: Rect) -> Vec<String> {
    // The border, the question, the answers, and what is not shown.
    let room = usize::from(body.height).saturating_sub(8).max(1);
    let mut lines = found.lines();
    let more = lines.len().saturating_sub(room);
    lines.truncate(room);
    let mut lines: Vec<String> = lines
        .iter()
        .map(|line| text::elide(line, QUESTION_WIDTH - 4))
        .collect();
    if more > 0 {
        lines.push(format!("… and {} more", thousands(more as u64)));
    }
    lines
}

fn draw_question(
    look: &Look,
    frame: &mut Frame,
    body: Rect,
    title: &str,
    question: &str,
    answers: [&str; 2],
) {
    draw_list_question(look, frame, body, title, &[], question, answers);
}

fn draw_list_question(
    look: &Look,
    frame: &mut Frame,
    body: Rect,
    title: &str,
    list: &[String],
    question: &str,
    [yes, no]: [&str; 2],
) {
    let blank = usize::from(!list.is_empty());
    let height = u16::try_from(list.len() + blank + 5).unwrap_or(u16::MAX);
    let [row] = Layout::vertical([Constraint::Length(height)])
        .flex(Flex::Center)
        .areas(body);
    let width = u16::try_from(QUESTION_WIDTH).unwrap_or(u16::MAX);
    let [area] = Layout::horizontal([Constraint::Length(width)])
        .flex(Flex::Center)
        .areas(row);
    let mut lines: Vec<Line> = list
        .iter()
        .map(|line| Line::raw(line.clone()).left_aligned())
        .collect();
    lines.extend(vec![Line::raw(""); blank]);
    lines.extend([
        Line::styled(question.to_owned(), look.theme.title),
        Line::raw(""),
        Line::from(vec![
            Span::styled("y", look.theme.key),
            Span::raw(format!(" {yes}    ")),
            Span::styled("n Enter Esc", look.theme.key),
            Span::raw(format!(" {no}")),
        ]),
    ]);
    frame.render_widget(Clear, area);
    let block = bordered(look, title);
    frame.render_widget(Paragraph::new(lines).centered().block(block), area);
}
