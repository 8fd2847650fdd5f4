//! The run engine: split → map → reduce over the tasks of a cluster, told as events.
//!
//! | module | job |
//! |---|---|
//! | [`mod@run`], `job`, `phases` | a run from its first event to its last: what is asked for, the phases in order |
//! | [`input`] | what a run reads: one object, or many as one |
//! | `scheduler` | which worker does which work, and when: retries, speculation, deadlines, exclusion |
//! | `checkpoint` | what a run keeps in S3, so that another console can carry it on |
//! | [`event`], [`work`], [`event_text`] | what happens in a run, what it consists of, how that is worded |
//! | [`state`], [`stats`], [`progress`], [`breakdown`] | a run folded from its events, its figures, how far it has come, what its time goes to |
//! | `recorder`, [`journal`] | how events are recorded |
//! | `checks`, [`error`] | what can't be trusted, and why a run ends |

pub mod breakdown;
mod checkpoint;
mod checks;
pub mod error;
pub mod event;
pub mod event_text;
pub mod input;
mod job;
pub mod journal;
mod phases;
pub mod progress;
mod recorder;
pub mod run;
mod scheduler;
pub mod state;
pub mod stats;
pub mod work;

pub use checkpoint::objects::read_all;
pub use checkpoint::resume::from_s3;
pub use job::Job;
pub use phases::pin::{FindError, Found, find};
pub use run::{Context, run};
