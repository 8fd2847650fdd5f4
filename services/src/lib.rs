//! The services that mrdeck drives: splitter, mapper and reducer, word counts from S3 to S3 over HTTP.
//!
//! - [`api`] is the HTTP interface as types, [`uri`] an object's address; the console uses both.
//! - [`layout`] is where the objects of a run are in its bucket.
//! - [`digest`] is the SHA-256 by which an output is known again.
//! - [`count`] is the pure work, [`store`] the seam to S3, [`http`] the thin handlers between them.
//! - [`hello`] is the first deployment check, a service of its own that needs no S3.
//! - [`config`] reads the environment, [`memory`] what the container may use, [`logs`] sets logging up, [`server`] listens and stops in good order.
//! - [`entry`] is what the binaries share, with their arguments ([`usage`]) and the [`healthcheck`] of a container.

pub mod api;
pub mod config;
pub mod count;
pub mod digest;
pub mod entry;
pub mod healthcheck;
pub mod hello;
pub mod http;
pub mod layout;
pub mod logs;
pub mod memory;
pub mod server;
pub mod store;
pub mod uri;
pub mod usage;

pub use config::Role;
pub use http::{ServiceState, router};
pub use server::{RunOptions, ServeError, run, serve};
