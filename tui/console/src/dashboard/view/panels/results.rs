//! The results panel: how many words, verified or not, where they are, the most frequent ones.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{View, mark_selected};
use crate::dashboard::model::{Model, Panel};
use crate::dashboard::view::{Look, draw_hint, text};
use mrdeck_core::human::{percent, thousands};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::RunState;

const WORD: usize = 18;

pub fn title(_: &Model) -> String {
    "Results".to_owned()
}

pub fn fixed_lines(view: &View, _: Rect) -> Option<u16> {
    let run = view.model.run.record()?;
    Some(if uncounted(run).is_some() { 3 } else { 2 })
}

pub fn draw(view: &View, frame: &mut Frame, area: Rect) {
    let (model, look) = (view.model, view.look);
    let run = model.run.record();
    let result = run.and_then(|run| Some((run, run.result.as_ref()?)));
    let Some((run, result)) = result else {
        return draw_hint(look, frame, area, hint(model));
    };
    let uncounted = uncounted(run);
    let height = fixed_lines(view, area).unwrap_or_default();
    let heights = [Constraint::Length(height), Constraint::Fill(1)];
    let [head, list] = Layout::vertical(heights).areas(area);
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
    let mut lines = vec![totals, out];
    lines.extend(uncounted.map(|text| {
        let text = text::elide_end(&text, usize::from(area.width));
        Line::styled(text, look.theme.warning)
    }));
    frame.render_widget(Paragraph::new(lines), head);

    let words = view.rows.results();
    let shown = text::window(words.len(), usize::from(list.height), words.cursor());
    let visible = words.all().get(shown.clone()).unwrap_or_default();
    let lines: Vec<Line> = visible
        .iter()
        .map(|(word, count)| {
            let word = text::elide(word, WORD);
            Line::raw(format!("{:>12}  {word}", thousands(*count)))
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), list);
    mark_selected(view, frame, Panel::Results, list, &shown);
}

fn hint(model: &Model) -> &'static str {
    match model.run.record().map(|run| run.status) {
        Some(RunStatus::Failed) => "no result: the run failed, see the events",
        Some(RunStatus::Cancelled) => "no result: the run was cancelled",
        Some(RunStatus::Stopped) => "no result yet: r resumes the run",
        _ => "the counts appear here when a run is done",
    }
}

/// Says what share of the input is text in which no words are counted.
fn uncounted(run: &RunState) -> Option<String> {
    let (bytes, non_ascii) = (run.input_bytes?, run.non_ascii()?);
    (non_ascii > 0).then(|| format!("{} not ASCII: no words there", percent(non_ascii, bytes)))
}

fn standing(run: &RunState, look: &Look) -> (&'static str, Style) {
    let theme = &look.theme;
    match &run.verification {
        Some(found) if found.is_exact() => ("✓ verified", theme.good),
        Some(_) => ("✗ wrong", theme.error),
        None if run.status == RunStatus::Failed => ("✗ refused", theme.error),
        None => ("unverified", theme.dim),
    }
}
