//! What the services and the console share: no I/O, no async.
//!
//! - [`api`] has the types of the HTTP interface, [`uri`] the address of an object, [`layout`] the keys of a run's
//!   objects.
//! - [`count`] counts words; [`digest`] is the SHA-256 that identifies an output.
//! - [`encoding`] recognises inputs that are not text.
//! - [`role`], [`task`] and [`mod@unreachable`] describe a cluster, [`run_id`] names a run.
//! - [`backoff`] paces retries, [`causes`] unfolds an error, [`diagnostic`] explains a failure to people.
//! - [`human`] formats figures and foreign text, [`shell`] quotes values in commands to copy.

pub mod api;
pub mod backoff;
pub mod causes;
pub mod count;
pub mod diagnostic;
pub mod digest;
pub mod encoding;
pub mod human;
pub mod layout;
pub mod role;
pub mod run_id;
pub mod shell;
pub mod task;
pub mod unreachable;
pub mod uri;
