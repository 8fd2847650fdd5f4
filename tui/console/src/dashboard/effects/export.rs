//! The chart's file: a name in the current folder that is still free.

use std::path::PathBuf;

use crate::atomic_file::SaveError;
use crate::report::chart;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_engine::state::RunState;

/// Names tried before giving up: RUN.png, RUN-2.png, …
const CHART_NAMES: u32 = 99;

/// Draws into the current folder, under the first name that is free.
pub(super) fn export_chart(record: &RunState) -> Result<PathBuf, Diagnostic> {
    let run = record.run;
    let names = (1..=CHART_NAMES).map(|number| match number {
        1 => PathBuf::from(format!("mrdeck-{run}.png")),
        _ => PathBuf::from(format!("mrdeck-{run}-{number}.png")),
    });
    let mut last = None;
    for path in names {
        match chart::write_chart(record, &path, false) {
            Ok(()) => return Ok(path),
            Err(chart::ChartError::Save(SaveError::Exists(_))) => last = Some(path),
            Err(error) => return Err(error.into()),
        }
    }
    let last = last.unwrap_or_default();
    Err(Diagnostic::new(
        format!("{} and every name before it are taken", last.display()),
        "remove old charts of this run",
    ))
}
