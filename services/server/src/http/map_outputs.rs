//! The map outputs that a reduce names, with the expected SHA-256 of each.

use std::collections::HashSet;

use super::error::Error;
use super::params::object;
use crate::config::Config;
use mrdeck_core::digest::Digest;
use mrdeck_core::uri::S3Uri;

/// A map output to add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapOutput {
    pub uri: S3Uri,
    /// The expected hash: known for all map outputs or for none.
    pub sha256: Option<Digest>,
}

impl MapOutput {
    /// Checks that a hash is the one that the caller expects.
    pub fn compare(&self, expected: Digest, found: Digest) -> Result<(), Error> {
        if found == expected {
            return Ok(());
        }
        Err(Error::MapOutputMismatch {
            uri: self.uri.clone(),
            expected,
            found,
        })
    }
}

/// Returns the map outputs at these addresses, each with the SHA-256 at the same position, if any are given.
pub fn named<'a>(
    addresses: impl Iterator<Item = &'a str>,
    digests: impl Iterator<Item = &'a str>,
    config: &Config,
) -> Result<Vec<MapOutput>, Error> {
    let uris = addresses
        .map(|text| object(text, config))
        .collect::<Result<Vec<_>, _>>()?;
    if uris.is_empty() {
        return Err(Error::MissingIn);
    }
    let mut seen = HashSet::new();
    if let Some(twice) = uris.iter().find(|uri| !seen.insert(*uri)) {
        return Err(Error::DuplicateIn { uri: twice.clone() });
    }
    let digests = digests.map(digest).collect::<Result<Vec<_>, _>>()?;
    if !digests.is_empty() && digests.len() != uris.len() {
        let detail = format!("{} for {} map outputs", digests.len(), uris.len());
        return Err(Error::BadSha256 { detail });
    }
    let mut digests = digests.into_iter();
    let paired = uris.into_iter().map(|uri| MapOutput {
        uri,
        sha256: digests.next(),
    });
    Ok(paired.collect())
}

fn digest(text: &str) -> Result<Digest, Error> {
    text.parse().map_err(|_| Error::BadSha256 {
        detail: format!("'{text}' is not 64 hexadecimal digits"),
    })
}
