//! A run as its events tell it: one fold, used by the screens, the reports, the chart and the engine itself.

mod run;
mod work;

pub use run::{PhaseClock, Record};
pub use work::{Attempt, ChunkRecord, Outcome, WorkRecord, WorkState, source_text};
