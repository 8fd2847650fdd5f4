//! The output of a map or a reduce: counts as JSON, with a description in the object's metadata.

use bytes::Bytes;

use super::ServiceState;
use super::error::Error;
use super::params::Attempt;
use super::timing::{Part, Timings};
use mrdeck_core::api::{OutputAnswer, OutputInfo, Provenance};
use mrdeck_core::count::RULES;
use mrdeck_core::count::table::Counts;
use mrdeck_core::digest::Hasher;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::WriteOptions;

/// Counts that are ready to be written.
pub struct Output {
    json: Bytes,
    pub info: OutputInfo,
}

impl Output {
    /// Sorts, serializes and hashes a table, which takes a while.
    pub fn of(counts: &Counts) -> Self {
        let mut json = Vec::with_capacity(counts.json_size());
        let mut hasher = Hasher::default();
        for piece in counts.json_pieces() {
            hasher.update(&piece);
            json.extend_from_slice(&piece);
        }
        let info = OutputInfo {
            words: Some(counts.words()),
            unique: Some(counts.unique()),
            sha256: Some(hasher.digest().to_string()),
            rules: Some(RULES),
            ..OutputInfo::default()
        };
        Self {
            json: json.into(),
            info,
        }
    }

    /// Takes counts that are serialized and described already.
    pub fn made(json: Bytes, info: OutputInfo) -> Self {
        Self { json, info }
    }

    /// Writes the counts to `out` and returns the answer. For an attempt of a run, the object's metadata describes
    /// the output.
    pub async fn write(
        self,
        state: &ServiceState,
        out: S3Uri,
        attempt: Option<&Attempt>,
        timings: &Timings,
    ) -> Result<OutputAnswer, Error> {
        let Self { json, info } = self;
        let of = attempt.map(Attempt::named);
        let provenance = of.clone().map(|of| Provenance {
            of,
            info: info.clone(),
        });
        let options = WriteOptions {
            provenance,
            ..WriteOptions::default()
        };
        let write = state.store.write(&out, json, options);
        timings.wait(Part::Put, write).await?;
        Ok(OutputAnswer { out, info, of })
    }
}
