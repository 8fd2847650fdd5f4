//! The top line: where this console is connected, what a run would read, how the run stands.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Look, text};
use crate::app::{Activity, Link, State};
use crate::engine::event::{Phase, RunStatus};
use crate::figures::millis;

pub fn draw(state: &State, look: &Look, frame: &mut Frame, area: Rect) {
    let theme = &look.theme;
    let run = run_line(state, look);
    let room = usize::from(area.width).saturating_sub(run.width());
    let mut left = vec![Span::styled(" mrdeck ", theme.key)];
    if state.read_only {
        left.push(Span::styled(" read-only ", theme.warning));
    }
    match &state.link {
        Link::Connecting => left.push(Span::styled(" connecting …", theme.warning)),
        Link::Down(_) => left.push(Span::styled(
            " not connected: ctrl-r tries again",
            theme.error,
        )),
        Link::Up(info) => {
            left.push(Span::styled(
                format!(" {}", text::elide(&info.cluster, 24)),
                theme.good,
            ));
            if let Some(input) = &state.input {
                let used: usize = left.iter().map(Span::width).sum();
                let input = text::elide(&input.to_string(), room.saturating_sub(used + 4));
                left.push(Span::styled(format!("  {input}"), theme.dim));
            }
        }
    }
    frame.render_widget(Line::from(left), area);
    frame.render_widget(run.right_aligned(), area);
}

fn run_line(state: &State, look: &Look) -> Line<'static> {
    let theme = &look.theme;
    let Some(run) = &state.run else {
        let text = match state.activity {
            Activity::Idle => "no run yet ",
            Activity::Busy | Activity::Cancelling => "preparing … ",
        };
        return Line::styled(text, theme.dim);
    };
    let (text, style) = match run.status {
        RunStatus::Running => {
            let phase = Phase::ALL
                .into_iter()
                .find(|phase| run.clock(*phase).running_since.is_some());
            let phase = phase.map_or("running".to_owned(), |phase| phase.to_string());
            let elapsed: f64 = Phase::ALL
                .into_iter()
                .filter_map(|phase| run.clock(phase).elapsed_ms(state.now))
                .sum();
            (format!("{phase} … {}", millis(elapsed)), theme.active)
        }
        RunStatus::Done => (format!("done in {}", millis(run.wall_ms)), theme.good),
        RunStatus::Failed => ("failed".to_owned(), theme.error),
        RunStatus::Cancelled => ("cancelled".to_owned(), theme.warning),
    };
    let id = run.run.to_string();
    Line::from(vec![
        Span::styled(format!("run …{}  ", &id[id.len() - 6..]), theme.dim),
        Span::styled(format!("{text} "), style),
    ])
}
