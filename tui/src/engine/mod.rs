//! The run engine: split → map → reduce over the tasks of a cluster, told as events.

pub mod client;
mod dispatch;
pub mod event;
pub mod journal;
pub mod objects;
pub mod plan;
mod queue;
pub mod record;
mod run;
pub mod stats;

pub use run::{Context, Job, run};
