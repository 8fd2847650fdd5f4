//! The run engine: split → map → reduce over the tasks of a cluster, told as events.

mod call_error;
pub mod client;
mod dispatch;
pub mod event;
pub mod journal;
pub mod objects;
mod phases;
pub mod plan;
mod queue;
pub mod record;
mod run;
pub mod stats;
mod work;

pub use run::{Context, Job, run};
