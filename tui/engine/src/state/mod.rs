//! A run as its events tell it: one fold, used by the screens, the reports, the chart and the engine itself.

mod run;
mod work;

pub use run::{PhaseClock, RunState};
pub use work::{Attempt, ChunkState, Outcome, WorkState, WorkStatus, source_text};
