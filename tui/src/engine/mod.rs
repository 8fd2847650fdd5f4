//! The run engine: split → map → reduce over the tasks of a cluster, told as events.

pub mod event;
pub mod record;
pub mod stats;
