//! Why a chart was not written.

use std::error::Error;
use std::path::PathBuf;

use crate::atomic_file::SaveError;
use mrdeck_core::diagnostic::Diagnostic;

#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error(
        "{} is no chart file: the name must end in .png or .svg",
        .0.display()
    )]
    Ending(PathBuf),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error("there is nothing to draw yet: no part of the run has finished")]
    NothingToDraw,
    #[error("the chart could not be drawn: {0}")]
    Drawing(#[source] Box<dyn Error + Send + Sync>),
}

impl From<&ChartError> for Diagnostic {
    fn from(error: &ChartError) -> Self {
        let advice = match error {
            ChartError::Save(error) => return error.into(),
            ChartError::Ending(_) => "change the ending",
            ChartError::NothingToDraw => "try again once a phase has finished",
            ChartError::Drawing(_) => "report this as a defect",
        };
        Self::new(error.to_string(), advice)
    }
}

impl From<ChartError> for Diagnostic {
    fn from(error: ChartError) -> Self {
        Self::from(&error)
    }
}
