//! What a run leaves behind for people and programs, all read from its record.

pub mod chart;
