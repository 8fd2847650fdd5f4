//! A run reported in three forms, all from the same record: text, JSON, a chart.

pub mod chart;
mod json;
pub mod text;

pub use json::RunReport;
