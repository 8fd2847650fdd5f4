//! What is known of an object beside its bytes.

use std::fs::Metadata;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{Checksum, ETag, Timestamp};
use serde::{Deserialize, Serialize};

/// By what the file of an object is known again. Every version has its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) size: u64,
    /// In nanoseconds since 1970.
    modified: u64,
}

/// What HEAD tells of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Description {
    pub(super) stamp: Stamp,
    /// Without its quotes.
    pub(super) etag: String,
    #[serde(default)]
    pub(super) attributes: Attributes,
    #[serde(default)]
    pub(super) checksums: Checksums,
}

/// What whoever put an object said of it. s3s-fs has the same names in its files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_metadata: Option<s3s::dto::Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) website_redirect_location: Option<String>,
}

/// The checksums an object was put with, in Base64. s3s-fs has the same names in its files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Checksums {
    #[serde(rename = "checksum_crc32", skip_serializing_if = "Option::is_none")]
    pub(super) crc32: Option<String>,
    #[serde(rename = "checksum_crc32c", skip_serializing_if = "Option::is_none")]
    pub(super) crc32c: Option<String>,
    #[serde(rename = "checksum_sha1", skip_serializing_if = "Option::is_none")]
    pub(super) sha1: Option<String>,
    #[serde(rename = "checksum_sha256", skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    #[serde(rename = "checksum_crc64nvme", skip_serializing_if = "Option::is_none")]
    pub(super) crc64nvme: Option<String>,
}

impl Stamp {
    /// # Errors
    ///
    /// On systems that don't tell when a file was changed.
    pub(super) fn of(file: &Metadata) -> io::Result<Self> {
        let since = file.modified()?.duration_since(UNIX_EPOCH);
        let nanos = since.map_or(0, |since| since.as_nanos());
        Ok(Self {
            size: file.len(),
            modified: u64::try_from(nanos).unwrap_or(u64::MAX),
        })
    }

    pub(super) fn modified(self) -> Timestamp {
        self.time().into()
    }

    /// Returns the time in whole seconds, as headers have it.
    pub(super) fn modified_second(self) -> Timestamp {
        let whole = self.modified / 1_000_000_000;
        (UNIX_EPOCH + Duration::from_secs(whole)).into()
    }

    fn time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.modified)
    }
}

impl Description {
    pub(super) fn size(&self) -> Option<i64> {
        i64::try_from(self.stamp.size).ok()
    }

    pub(super) fn etag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }
}

impl From<Checksum> for Checksums {
    fn from(sums: Checksum) -> Self {
        Self {
            crc32: sums.checksum_crc32,
            crc32c: sums.checksum_crc32c,
            sha1: sums.checksum_sha1,
            sha256: sums.checksum_sha256,
            crc64nvme: sums.checksum_crc64nvme,
        }
    }
}
