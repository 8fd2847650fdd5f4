//! A run told three ways, all from the same record: text, JSON, a chart. And the columns of a task list.

pub mod chart;
mod json;
pub mod tasks;
pub mod text;

pub use json::RunReport;
