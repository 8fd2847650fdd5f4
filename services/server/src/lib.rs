//! The services that mrdeck drives: splitter, mapper and reducer, word counts from S3 to S3 over HTTP.
//!
//! - [`http`] is the thin handlers between the counting of `mrdeck-core` and the S3 of `mrdeck-store`.
//! - [`hello`] is the first deployment check, a service of its own that needs no S3.
//! - [`config`] reads the environment, [`memory`] what the container may use, [`logs`] sets logging up, [`server`] listens and stops in good order.
//! - [`entry`] is what the binaries share, with their arguments ([`usage`]) and the [`healthcheck`] of a container.

pub mod config;
pub mod entry;
pub mod healthcheck;
pub mod hello;
pub mod http;
pub mod logs;
pub mod memory;
pub mod server;
pub mod usage;

pub use http::{ServiceState, router};
pub use server::{RunOptions, ServeError, run, serve};
