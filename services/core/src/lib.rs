//! What the services and the console share: no I/O, no async.
//!
//! - [`api`] is the HTTP interface as types, [`uri`] an object's address, [`layout`] where a run's objects are.
//! - [`count`] is the counting itself, [`digest`] the SHA-256 by which an output is known again.
//! - [`role`], [`task`] and [`unreachable`] say what a cluster consists of, [`run_id`] names a run.
//! - [`backoff`] says how long to wait, [`causes`] reads what lies behind an error, [`diagnostic`] is what a person is told of a failure, [`human`] how figures are written,
//!   [`shell`] how a value stands in a command to copy.

pub mod api;
pub mod backoff;
pub mod causes;
pub mod count;
pub mod diagnostic;
pub mod digest;
pub mod human;
pub mod layout;
pub mod role;
pub mod run_id;
pub mod shell;
pub mod task;
pub mod unreachable;
pub mod uri;
