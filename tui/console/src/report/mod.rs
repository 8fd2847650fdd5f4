//! A run reported in three forms, all from the same record: text, JSON, a chart; and runs beside each other.

pub mod chart;
pub mod comparison;
mod json;
pub mod list;
pub mod text;
pub mod text_table;

pub use json::RunReport;
