//! Why a chart was not written: the cause and the next step, one sentence each.

use std::path::PathBuf;

use crate::atomic_file::SaveError;

#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error(
        "a chart can't be written to {}: its name ends in neither .png nor .svg; give it one of these endings",
        .0.display()
    )]
    Ending(PathBuf),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(
        "there is nothing to draw yet: no part of the run has finished; try again once one has"
    )]
    NothingToDraw,
    #[error("the chart could not be drawn: {0}; please report this as a defect")]
    Drawing(String),
}
