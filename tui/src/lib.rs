//! mrdeck: a terminal console that runs MapReduce on an Amazon ECS cluster.

pub mod cluster;
pub mod engine;
pub mod report;
pub mod trouble;
