//! The plan of a run as an object in S3: what is counted and how it is cut, written once, before the first map.

use jiff::Timestamp;
use mrdeck_core::api::{ChunkRef, SplitAnswer};
use mrdeck_core::count::RULES;
use mrdeck_core::layout;
use mrdeck_core::uri::S3Uri;
use serde::{Deserialize, Serialize};

use super::event::RunOptions;
use super::plan::check_split;
use super::record::Record;
use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};
use mrdeck_core::run_id::RunId;

/// `mr/runs/RUN/plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    /// The version of the counting rules.
    pub rules: u32,
    pub run: RunId,
    pub input: S3Uri,
    /// The input's version and its size in bytes.
    pub etag: Option<String>,
    pub bytes: u64,
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
    /// The version of each copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub etags: Vec<Option<String>>,
}

impl PlanFile {
    /// The plan that a record has, once its input is pinned and cut.
    pub fn of(record: &Record, now: Timestamp) -> Self {
        let sizes = record.chunks.iter().map(|chunk| chunk.bytes).collect();
        let chunks = record.chunks.iter().map(|chunk| chunk.source.clone());
        Self {
            rules: RULES,
            run: record.run,
            input: record.input.clone(),
            etag: record.input_etag.clone(),
            bytes: record.input_bytes.unwrap_or_default(),
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

    /// Reads a plan back; refuses one that this console must not follow.
    pub fn read(at: &str, body: &[u8], run: RunId) -> Result<Self, Diagnostic> {
        let refused = |cause: String, advice: &str| {
            Diagnostic::new(cause, advice).of_kind(DiagnosticKind::Refused)
        };
        let plan: Self = serde_json::from_slice(body).map_err(|error| {
            refused(
                format!("{at} is not the plan of a run: {error}"),
                "run again from the start",
            )
        })?;
        if plan.rules != RULES {
            return Err(refused(
                format!(
                    "the run was planned under version {} of the counting rules, and this mrdeck counts by version {RULES}",
                    plan.rules
                ),
                "go on with the mrdeck that planned it, or run again from the start",
            ));
        }
        if plan.run != run {
            return Err(refused(
                format!("{at} is the plan of another run"),
                "run again from the start",
            ));
        }
        let split = SplitAnswer {
            chunks: plan.chunks.clone(),
            bytes: Some(plan.bytes),
            sizes: plan.sizes.clone(),
        };
        check_split(&split, &plan.input, plan.bytes).map_err(|diagnostic| {
            refused(
                format!("{at} can't be followed: {}", diagnostic.cause),
                "see who else writes into this bucket, and run again from the start",
            )
        })?;
        Ok(plan)
    }

    /// Do both cut the same version of the same input in the same way?
    pub fn agrees_with(&self, other: &Self) -> bool {
        let essence = |plan: &Self| {
            (
                plan.run,
                plan.input.clone(),
                plan.etag.clone(),
                plan.bytes,
                plan.chunks.clone(),
                plan.etags.clone(),
            )
        };
        essence(self) == essence(other)
    }
}

/// Where the plan of a run is, beside its input.
pub fn address(input: &S3Uri, run: RunId) -> Option<S3Uri> {
    input.sibling(&layout::plan(&run.to_string())).ok()
}
