//! The colours, by meaning. With `NO_COLOR` set, bold, dim and reverse carry the meaning alone.

use ratatui::style::{Color, Modifier, Style};

use crate::dashboard::model::Level;
use mrdeck_engine::state::WorkStatus;

#[derive(Debug, Clone, Copy)]
pub struct Theme {
    pub text: Style,
    pub title: Style,
    pub focus_title: Style,
    pub focus: Style,
    pub dim: Style,
    pub good: Style,
    pub warning: Style,
    pub error: Style,
    pub active: Style,
    pub bar: Style,
    pub selected: Style,
    pub key: Style,
}

impl Theme {
    pub fn new(is_colourless: bool) -> Self {
        let plain = Style::new();
        let coloured = |colour| {
            if is_colourless {
                plain
            } else {
                plain.fg(colour)
            }
        };
        let bold = |style: Style| style.add_modifier(Modifier::BOLD);
        Self {
            text: plain,
            title: bold(plain),
            focus_title: bold(coloured(Color::Cyan)),
            focus: if is_colourless {
                bold(plain)
            } else {
                coloured(Color::Cyan)
            },
            dim: if is_colourless {
                plain.add_modifier(Modifier::DIM)
            } else {
                coloured(Color::DarkGray)
            },
            good: coloured(Color::Green),
            warning: coloured(Color::Yellow),
            error: bold(coloured(Color::Red)),
            active: coloured(Color::Cyan),
            bar: coloured(Color::Blue),
            selected: plain
                .fg(Color::Reset)
                .remove_modifier(Modifier::DIM | Modifier::BOLD)
                .add_modifier(Modifier::REVERSED),
            key: bold(coloured(Color::Cyan)),
        }
    }

    pub fn level(&self, level: Level) -> Style {
        match level {
            Level::Info => self.text,
            Level::Good => self.good,
            Level::Warning => self.warning,
            Level::Error => self.error,
        }
    }

    pub fn work(&self, status: WorkStatus) -> Style {
        match status {
            WorkStatus::Waiting | WorkStatus::Abandoned => self.dim,
            WorkStatus::InFlight => self.active,
            WorkStatus::Retrying => self.warning,
            WorkStatus::Committed => self.good,
            WorkStatus::Failed => self.error,
        }
    }
}
