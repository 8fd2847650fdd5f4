//! The run engine: split → map → reduce over the tasks of a cluster, told as events.

mod call;
mod claim;
mod concurrency;
mod dispatch;
mod doubt;
pub mod event;
mod flight;
mod job;
pub mod journal;
mod landing;
mod liveness;
pub mod objects;
mod phases;
pub mod plan;
mod plan_file;
mod queue;
pub mod record;
mod recover;
mod result;
mod run;
pub mod stats;
mod success;
mod take_up;
pub mod wording;
mod work;

pub use job::Job;
pub use run::{Context, run};
pub use take_up::left_in_s3;
