//! The progress of a run on standard error: a bar on a terminal that takes one, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::{stderr, tty};
use mrdeck_core::human::{plural, printable};
use mrdeck_engine::Job;
use mrdeck_engine::event::{EventKind, RunEvent};
use mrdeck_engine::event_text;
use mrdeck_engine::state::WorkStatus;
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
    is_verification: bool,
}

impl RunDisplay {
    /// Starts the display; of a resumed job, some is done already.
    pub fn of(job: &Job) -> Self {
        let record = match job {
            Job::New { .. } => None,
            Job::Resume { record, .. } | Job::Verify(record) => Some(record),
        };
        let chunks = record.map_or(0, |record| record.chunks.len());
        let committed = record.map_or(0, |record| record.chunks_in(WorkStatus::Committed));
        let bar = tty::takes_escapes(&std::io::stderr()).then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(super::TICK);
            bar
        });
        Self {
            bar,
            phase: None,
            chunks: chunks as u64,
            committed: committed as u64,
            is_verification: matches!(job, Job::Verify(_)),
        }
    }

    pub fn show(&mut self, event: &RunEvent) {
        match &event.kind {
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
            // The bar shows it.
            EventKind::PhaseFinished { .. } if self.bar.is_some() => {}
            EventKind::PhaseFinished {
                phase: Phase::Map, ..
            } => {
                let chunks = plural(self.chunks, "chunk");
                self.say(event, &format!(" ({} of {chunks})", self.committed));
            }
            EventKind::Notice(diagnostic) => {
                self.line(&printable(&diagnostic.to_string()));
            }
            EventKind::Invalidated { .. } => {
                self.committed = self.committed.saturating_sub(1);
                self.say(event, "");
            }
            EventKind::RunFinished { .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
            // The report says it.
            EventKind::InputPinned { .. } | EventKind::ResultRead(_) | EventKind::Verified(_) => {}
            // A verification is no resumption.
            EventKind::RunResumed { .. } if self.is_verification => {}
            _ => self.say(event, ""),
        }
    }

    /// Prints what the dashboard's log says of the event, if anything.
    fn say(&self, event: &RunEvent, more: &str) {
        for said in event_text::texts(&event.kind) {
            self.line(&format!("{}{more}", printable(&said.text)));
        }
    }

    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => stderr::line(text),
        }
    }
}
