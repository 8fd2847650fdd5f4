//! The services that mrdeck drives: splitter, mapper and reducer, word counts from S3 to S3 over HTTP.
//!
//! - [`http`] has the thin handlers between the counting of `mrdeck-core` and the S3 of `mrdeck-store`.
//! - [`hello`] is the first deployment check, a separate service that needs no S3.
//! - [`config`] reads the environment, [`memory`] and [`descriptors`] the machine's limits, [`logs`] sets up logging,
//!   [`server`] starts a service, [`connections`] serves it and ends it in good order.
//! - [`entry`] is the entry point of the binary, [`usage`] its command line, [`healthcheck`] the container's check.

pub mod config;
pub mod connections;
pub mod descriptors;
pub mod entry;
pub mod healthcheck;
pub mod hello;
pub mod http;
pub mod logs;
pub mod memory;
pub mod server;
pub mod usage;

pub use http::{ServiceState, router};
pub use server::{RunOptions, ServeError, run};
