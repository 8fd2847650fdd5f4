//! The progress of a run on standard error: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::stderr;
use mrdeck_core::human::{millis, plural, printable};
use mrdeck_engine::Job;
use mrdeck_engine::event::{EventKind, RunEvent};
use mrdeck_engine::event_text::{after_failure, wording};
use mrdeck_engine::state::WorkState;
use mrdeck_engine::work::Phase;

/// Returns the style of a phase's bar. Only the maps can be counted; the other phases are one request each.
fn style(phase: Phase) -> ProgressStyle {
    let template = match phase {
        Phase::Map => "{spinner} {msg:7} {elapsed:>4} {wide_bar} {pos}/{len} chunks",
        Phase::Split | Phase::Reduce | Phase::Verify => "{spinner} {msg:7} {elapsed:>4}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Shows one run's events.
pub struct RunDisplay {
    bar: Option<ProgressBar>,
    phase: Option<Phase>,
    chunks: u64,
    committed: u64,
}

impl RunDisplay {
    /// Starts the display; of a resumed job, some is done already.
    pub fn of(job: &Job) -> Self {
        let record = match job {
            Job::New { .. } => None,
            Job::Resume { record, .. } | Job::Verify(record) => Some(record),
        };
        let chunks = record.map_or(0, |record| record.chunks.len());
        let committed = record.map_or(0, |record| record.chunks_in(WorkState::Committed));
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(super::TICK);
            bar
        });
        Self {
            bar,
            phase: None,
            chunks: chunks as u64,
            committed: committed as u64,
        }
    }

    pub fn show(&mut self, event: &RunEvent) {
        match &event.kind {
            EventKind::RunStarted { run, input, .. } => {
                let input = input.to_string();
                self.line(&format!("run {run} over {}", printable(&input)));
            }
            EventKind::PhaseStarted { phase } => {
                self.phase = Some(*phase);
                if let Some(bar) = &self.bar {
                    bar.set_style(style(*phase));
                    bar.set_length(self.chunks);
                    bar.set_position(self.committed);
                    bar.set_message(phase.to_string());
                }
            }
            EventKind::ChunksPlanned { chunks, .. } => {
                self.chunks = chunks.len() as u64;
                if let Some(bar) = &self.bar {
                    bar.set_length(self.chunks);
                }
            }
            EventKind::Committed { work, .. } if work.phase() == Phase::Map => {
                self.committed += 1;
                if let Some(bar) = &self.bar {
                    bar.set_position(self.committed);
                }
            }
            EventKind::AttemptFailed {
                work,
                attempt,
                diagnostic,
                retry_in_ms,
                ..
            } => {
                let cause = printable(&diagnostic.cause);
                let next = after_failure(*retry_in_ms);
                self.line(&format!("{work}, attempt {attempt}: {cause}; {next}"));
            }
            EventKind::PhaseFinished { phase, wall_ms } if self.bar.is_none() => {
                let chunks = match phase {
                    Phase::Map => {
                        format!(" ({} of {})", self.committed, plural(self.chunks, "chunk"))
                    }
                    _ => String::new(),
                };
                self.line(&format!("{phase} {}{chunks}", millis(*wall_ms)));
            }
            EventKind::Notice(diagnostic) => {
                self.line(&printable(&diagnostic.to_string()));
            }
            EventKind::Withdrawn { .. } => {
                self.committed = self.committed.saturating_sub(1);
                self.told(event);
            }
            EventKind::RunFinished { .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
            _ => self.told(event),
        }
    }

    /// Prints what the dashboard's event log says of it, if anything.
    fn told(&self, event: &RunEvent) {
        if let Some((_, text)) = wording(&event.kind) {
            self.line(&printable(&text));
        }
    }

    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => stderr::line(text),
        }
    }
}
