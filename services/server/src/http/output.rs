//! The output of a map or a reduce: counts as JSON with their hash, written so that they say what they are.

use bytes::Bytes;

use super::ServiceState;
use super::error::Error;
use super::params::Attempt;
use super::timing::{Part, Timings};
use mrdeck_core::api::{AttemptParams, Provenance};
use mrdeck_core::count::RULES;
use mrdeck_core::count::table::Counts;
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::WriteOptions;

/// Counts ready to be written.
pub struct Output {
    json: String,
    pub sha256: String,
    pub words: u64,
    pub unique: u64,
}

impl Output {
    /// Sorts, writes down and hashes a table: that takes a while.
    pub fn of(counts: &Counts) -> Self {
        let json = counts.to_json();
        Self {
            sha256: Digest::of(json.as_bytes()).to_string(),
            words: counts.words(),
            unique: counts.unique(),
            json,
        }
    }

    /// Writes them to `at`. An attempt of a run says in the object's metadata what it is: with the `bytes` of its chunk,
    /// or the number of `files` added up. Gives the attempt as it was named.
    pub async fn write(
        self,
        state: &ServiceState,
        at: &S3Uri,
        attempt: Option<&Attempt>,
        (bytes, files): (Option<u64>, Option<u64>),
        timings: &Timings,
    ) -> Result<Option<AttemptParams>, Error> {
        let of = attempt.map(Attempt::named);
        let provenance = of.clone().map(|of| Provenance {
            of,
            rules: RULES,
            sha256: self.sha256,
            words: self.words,
            unique: self.unique,
            bytes,
            files,
        });
        let options = WriteOptions {
            provenance,
            ..WriteOptions::default()
        };
        let write = state.store.write(at, Bytes::from(self.json), options);
        timings.wait(Part::Put, write).await?;
        Ok(of)
    }
}
