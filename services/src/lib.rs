//! The services that mrdeck drives: splitter, mapper and reducer, word counts from S3 to S3 over HTTP.

pub mod api;
pub mod store;
pub mod uri;
