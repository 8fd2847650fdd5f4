//! The results panel: how many words, verified or not, where they are, the most frequent ones.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Look, draw_hint, mark_selected, text};
use crate::dashboard::model::{self, Panel, State};
use mrdeck_core::human::thousands;
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::Record;

const WORD: usize = 18;

pub fn title(_: &State) -> String {
    "Results".to_owned()
}

pub fn draw(state: &State, look: &Look, frame: &mut Frame, area: Rect) {
    let result = state
        .run
        .as_ref()
        .and_then(|run| Some((run, run.result.as_ref()?)));
    let Some((run, result)) = result else {
        return draw_hint(look, frame, area, hint(state));
    };
    let [head, list] = Layout::vertical([Constraint::Length(2), Constraint::Fill(1)]).areas(area);
    let (word, style) = standing(run, look);
    let mut totals = vec![
        Span::styled(thousands(result.words), look.theme.title),
        Span::styled(" words  ", look.theme.dim),
        Span::styled(thousands(result.unique), look.theme.title),
        Span::styled(" unique  ", look.theme.dim),
    ];
    let used: usize = totals.iter().map(Span::width).sum();
    let room = usize::from(head.width).saturating_sub(used);
    totals.push(Span::styled(text::elide_end(word, room), style));
    let totals = Line::from(totals);
    let out = text::elide(&result.out.to_string(), usize::from(area.width));
    let out = Line::styled(out, look.theme.dim);
    frame.render_widget(Paragraph::new(vec![totals, out]), head);

    let words: Vec<_> = model::top_words(state).collect();
    let shown = text::window(
        words.len(),
        usize::from(list.height),
        state.cursor(Panel::Results),
    );
    let lines: Vec<Line> = shown
        .clone()
        .filter_map(|index| {
            let (word, count) = words.get(index)?;
            let line = format!("{:>12}  {}", thousands(*count), text::elide(word, WORD));
            Some(Line::raw(line))
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), list);
    mark_selected(state, look, frame, Panel::Results, list, &shown);
}

fn hint(state: &State) -> &'static str {
    match state.run.as_ref().map(|run| run.status) {
        Some(RunStatus::Failed) => "no result: the run failed, see the events",
        Some(RunStatus::Cancelled) => "no result: the run was cancelled",
        Some(RunStatus::Stopped) => "no result yet: r goes on with the run",
        _ => "the counts appear here when a run is done",
    }
}

fn standing(run: &Record, look: &Look) -> (&'static str, Style) {
    let theme = &look.theme;
    match &run.verification {
        Some(found) if found.is_exact() => ("✓ verified", theme.good),
        Some(_) => ("✗ wrong", theme.error),
        None if run.status == RunStatus::Failed => ("✗ refused", theme.error),
        None => ("unverified", theme.dim),
    }
}
