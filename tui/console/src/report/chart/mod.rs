//! The latency chart: a run's record in, one PNG or SVG file out.
//!
//! ```text
//! RunState -> model (pure: bars, histogram, words) -> draw (any plotters backend) -> png | svg -> save
//! ```

mod draw;
mod error;
mod font;
mod format;
mod model;
mod png;
#[cfg(test)]
mod sample;
mod svg;

use std::path::Path;

pub use error::ChartError;

use crate::atomic_file;
use format::Format;
use model::ChartModel;
use mrdeck_engine::state::RunState;

/// Draws the run's latencies into a file; its ending, `.png` or `.svg`, chooses the format.
///
/// The file appears whole or not at all, and an existing one stays unless `overwrite` says otherwise.
///
/// # Errors
///
/// Returns what [`check_path`] would, or that there is nothing to draw yet.
pub fn write_chart(record: &RunState, path: &Path, overwrite: bool) -> Result<(), ChartError> {
    check_path(path, overwrite)?;
    let model = ChartModel::of(record).ok_or(ChartError::NothingToDraw)?;
    let bytes = match Format::of(path)? {
        Format::Png => png::render(&model)?,
        Format::Svg => svg::render(&model)?.into_bytes(),
    };
    atomic_file::write(path, &bytes, overwrite)?;
    Ok(())
}

/// Checks that [`write_chart`] could write there; called before a run begins, so that a typo costs no run.
///
/// # Errors
///
/// Returns an error for another ending, a missing folder, or an existing file that must stay.
pub fn check_path(path: &Path, overwrite: bool) -> Result<(), ChartError> {
    Format::of(path)?;
    atomic_file::check(path, overwrite)?;
    Ok(())
}

#[cfg(test)]
mod tests;
