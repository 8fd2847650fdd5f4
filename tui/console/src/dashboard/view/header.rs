//! The top line: where this console is connected, what a run would read, how the run stands.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Look, text};
use crate::dashboard::model::{Activity, Link, Model};
use mrdeck_core::api::ChunkRef;
use mrdeck_core::human::{age, bytes, duration, plural};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::RunState;
use mrdeck_engine::work::Phase;

/// What is said while a command of the user's profile has not given credentials yet.
const WAITING: &str = "waiting for credentials from credential_process";
/// Columns a name takes at most.
const NAME_WIDTH: usize = 24;

pub fn draw(model: &Model, look: &Look, frame: &mut Frame, area: Rect) {
    let theme = &look.theme;
    let run = run_line(model, look);
    let room = usize::from(area.width).saturating_sub(run.width());
    let mut left = vec![Span::styled(" mrdeck ", theme.key)];
    if model.access().is_read_only() {
        left.push(Span::styled(" read-only ", theme.warning));
    }
    let target = model.session.target().cluster();
    let goal = target.map_or(String::new(), |name| {
        format!(" {}:", text::elide(name, NAME_WIDTH))
    });
    let is_waiting = model.session.is_waiting_for_credentials();
    match model.session.link() {
        Link::Connecting if is_waiting => {
            let used: usize = left.iter().map(Span::width).sum();
            let text = format!("{goal} {WAITING}");
            let text = text::elide_end(&text, room.saturating_sub(used + 1));
            left.push(Span::styled(text, theme.warning));
        }
        Link::Connecting => {
            left.push(Span::styled(format!("{goal} connecting …"), theme.warning));
        }
        Link::Down { is_retried, .. } => {
            let text = if is_waiting {
                format!(" {WAITING}")
            } else if *is_retried {
                " not connected: retrying (ctrl-r: now)".to_owned()
            } else {
                " not connected: ctrl-r reconnects".to_owned()
            };
            let used: usize = left.iter().map(Span::width).sum();
            let text = text::elide_end(&format!("{goal}{text}"), room.saturating_sub(used + 1));
            left.push(Span::styled(text, theme.error));
        }
        Link::Up(info) => {
            let name = text::elide(&info.cluster, NAME_WIDTH);
            left.push(Span::styled(format!(" {name}"), theme.good));
            for word in info.region.iter().chain(&model.session.target().profile) {
                let used: usize = left.iter().map(Span::width).sum();
                let word = format!(" {}", text::elide(word, NAME_WIDTH));
                let word = Span::styled(word, theme.dim);
                if used + word.width() < room {
                    left.push(word);
                }
            }
            if is_waiting {
                left.push(Span::styled(format!("  {WAITING}"), theme.warning));
            }
            if let Some(late) = stale(model) {
                left.push(Span::styled(format!("  {late}"), theme.warning));
            }
            if let Some(input) = model.next_run.input() {
                let used: usize = left.iter().map(Span::width).sum();
                // What is shown below may be of another input.
                let run = model.run.record();
                let is_next = run.is_some_and(|run| !input.became(&run.input));
                let label = if is_next { "  next: " } else { "  " };
                let most = room.saturating_sub(used + label.len() + 2);
                let input = text::elide(&input.to_string(), most);
                left.push(Span::styled(format!("{label}{input}"), theme.dim));
                let facts = run.filter(|_| !is_next).map(facts).unwrap_or_default();
                for fact in facts {
                    let used: usize = left.iter().map(Span::width).sum();
                    let fact = Span::styled(format!(" · {fact}"), theme.dim);
                    if used + fact.width() + 2 < room {
                        left.push(fact);
                    }
                }
            }
        }
    }
    frame.render_widget(Line::from(left), area);
    frame.render_widget(run.right_aligned(), area);
}

/// What a run over the input shown is made of: its size, its chunks, how they were cut, whether it is verified.
fn facts(run: &RunState) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(run.input_bytes.map(bytes));
    if let Some(chunk) = run.chunks.first() {
        facts.push(plural(run.chunks.len() as u64, "chunk"));
        let cut = match chunk.source {
            ChunkRef::Range { .. } => "ranges",
            ChunkRef::Object(_) => "copies",
        };
        facts.push(cut.to_owned());
    }
    let is_verified = run.options.verify || run.verification.is_some();
    let verify = if is_verified { "on" } else { "off" };
    facts.push(format!("verify {verify}"));
    facts
}

/// A list that is not fresh any more says so in every view; the tasks panel says why.
fn stale(model: &Model) -> Option<String> {
    let list = model.session.tasks();
    let at = list.at.filter(|_| list.problem.is_some())?;
    let age = age(model.now().duration_since(at).as_secs());
    Some(format!("tasks as of {age} ago"))
}

fn run_line(model: &Model, look: &Look) -> Line<'static> {
    let theme = &look.theme;
    let is_preparing = model.run.activity() == Activity::Preparing;
    if let (true, Some((progress, since))) = (is_preparing, model.run.upload()) {
        let seconds = age(model.now().duration_since(since).as_secs());
        let (sent, total) = (bytes(progress.sent), bytes(progress.total));
        let percent = progress.percent();
        let text = format!("uploading {sent} of {total}, {percent} %, {seconds} ");
        return Line::from(Span::styled(text, theme.active));
    }
    if is_preparing {
        return Line::from(Span::styled("preparing … ", theme.active));
    }
    let Some(run) = model.run.record() else {
        return Line::from(Span::styled("no run yet ", theme.dim));
    };
    let (text, style) = match run.status {
        RunStatus::Running => {
            let phase = Phase::ALL
                .into_iter()
                .find(|phase| run.clock(*phase).running_since.is_some());
            let phase = phase.map_or("running".to_owned(), |phase| phase.to_string());
            let elapsed: f64 = Phase::ALL
                .into_iter()
                .filter_map(|phase| run.clock(phase).elapsed_ms(model.now()))
                .sum();
            (format!("{phase} … {}", duration(elapsed)), theme.active)
        }
        RunStatus::Done => (format!("done in {}", duration(run.wall_ms)), theme.good),
        RunStatus::Failed => ("failed".to_owned(), theme.error),
        RunStatus::Cancelled => ("cancelled".to_owned(), theme.warning),
        RunStatus::Stopped => ("stopped".to_owned(), theme.warning),
    };
    let id = run.run.to_string();
    Line::from(vec![
        Span::styled(format!("run …{}  ", &id[id.len() - 6..]), theme.dim),
        Span::styled(format!("{text} "), style),
    ])
}
