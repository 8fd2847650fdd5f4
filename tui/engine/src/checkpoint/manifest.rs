//! The manifest of a run: the plan of what is counted and how it is cut, written to S3 once, before the first map.

use jiff::Timestamp;
use mrdeck_core::api::{ChunkRef, SplitAnswer};
use mrdeck_core::count::RULES;
use mrdeck_core::layout;
use mrdeck_core::uri::S3Uri;
use serde::{Deserialize, Serialize};

use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::run_id::RunId;

use crate::checks::{CheckError, check_cuts, check_split};
use crate::event::{PinnedObject, RunOptions};
use crate::input::Input;
use crate::state::RunState;

/// Why a manifest can't be followed. No resume can mend that.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("{at} is not the manifest of a run: {source}")]
    NotOne {
        at: String,
        source: serde_json::Error,
    },
    #[error(
        "the run was planned under version {rules} of the counting rules, and this mrdeck counts by version {RULES}"
    )]
    OtherRules { rules: u32 },
    #[error("{at} is the manifest of another run")]
    OtherRun { at: String },
    #[error("{at} can't be followed: {source}")]
    Unusable { at: String, source: CheckError },
}

impl From<&ManifestError> for Diagnostic {
    fn from(error: &ManifestError) -> Self {
        let advice = match error {
            ManifestError::NotOne { .. } | ManifestError::OtherRun { .. } => {
                "run again from the start"
            }
            ManifestError::OtherRules { .. } => {
                "resume with the mrdeck that planned it, or run again from the start"
            }
            ManifestError::Unusable { .. } => {
                "see who else writes into this bucket, and run again from the start"
            }
        };
        Self::new(error.to_string(), advice).of_kind(DiagnosticKind::Refused)
    }
}

/// `mr/runs/RUN/plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of the counting rules.
    pub rules: u32,
    pub run: RunId,
    pub input: Input,
    /// The input's version and its size in bytes.
    pub etag: Option<String>,
    pub bytes: u64,
    /// Every object of an input of many, with its version and its size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<PinnedObject>,
    pub cluster: String,
    pub planned_at: Timestamp,
    #[serde(flatten)]
    pub options: RunOptions,
    /// The cuts.
    #[serde(rename = "cuts")]
    pub chunks: Vec<ChunkRef>,
    /// Each chunk's size in bytes, where the splitter said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Vec<u64>>,
    /// The version of each copy, or of the object that has the chunk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub etags: Vec<Option<String>>,
}

impl Manifest {
    /// Returns the manifest of a run whose input is pinned and cut.
    pub(crate) fn of(record: &RunState, now: Timestamp) -> Self {
        let sizes = record.chunks.iter().map(|chunk| chunk.bytes).collect();
        let chunks = record.chunks.iter().map(|chunk| chunk.source.clone());
        Self {
            rules: RULES,
            run: record.run,
            input: record.input.clone(),
            etag: record.input_etag.clone(),
            bytes: record.input_bytes.unwrap_or_default(),
            objects: record.objects.clone(),
            cluster: record.cluster.clone(),
            planned_at: now,
            options: record.options.clone(),
            chunks: chunks.collect(),
            sizes,
            etags: record
                .chunks
                .iter()
                .map(|chunk| chunk.etag.clone())
                .collect(),
        }
    }

    /// Reads a manifest back; refuses one that this console must not follow.
    pub(crate) fn read(at: &str, body: &[u8], run: RunId) -> Result<Self, ManifestError> {
        let at = || at.to_owned();
        let manifest: Self = serde_json::from_slice(body)
            .map_err(|source| ManifestError::NotOne { at: at(), source })?;
        if manifest.rules != RULES {
            let rules = manifest.rules;
            return Err(ManifestError::OtherRules { rules });
        }
        if manifest.run != run {
            return Err(ManifestError::OtherRun { at: at() });
        }
        let split = SplitAnswer {
            chunks: manifest.chunks.clone(),
            bytes: Some(manifest.bytes),
            sizes: manifest.sizes.clone(),
        };
        let checked = match &manifest.input {
            Input::Object(input) => check_split(&split, input, manifest.bytes),
            Input::Pattern { .. } | Input::Objects { .. } => check_cuts(&split, &manifest.objects),
        };
        checked.map_err(|source| ManifestError::Unusable { at: at(), source })?;
        Ok(manifest)
    }

    /// Returns whether both cut the same version of the same input in the same way.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let essence = |manifest: &Self| {
            (
                manifest.run,
                manifest.input.clone(),
                manifest.etag.clone(),
                manifest.bytes,
                manifest.objects.clone(),
                manifest.chunks.clone(),
                manifest.etags.clone(),
            )
        };
        essence(self) == essence(other)
    }
}

/// Returns where the manifest of a run is, beside its input.
pub(crate) fn address(input: &Input, run: RunId) -> Option<S3Uri> {
    input.sibling(&layout::plan(&run.to_string())).ok()
}
