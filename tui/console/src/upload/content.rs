//! What a local file's text is, found by reading it once: its SHA-256, by which it is known in S3.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use mrdeck_core::digest::{Digest, Hasher};
use tokio_util::sync::CancellationToken;

use super::local_file::Progress;
use super::{Opened, UploadError, fault_text, open};

/// Bytes hashed at a time.
const PIECE: usize = 256 << 10;

/// Reads the whole text of a file, and returns its SHA-256 and its size. This blocks, until `given_up`.
///
/// # Errors
///
/// Returns an error if the file can't be read, is no text, or changes meanwhile.
pub(super) fn digest_of(
    path: &Path,
    as_bytes: bool,
    given_up: &CancellationToken,
) -> Result<(Digest, u64), UploadError> {
    let Opened { text, progress, .. } = open(path, as_bytes)?;
    let first = text.conversions.first().copied();
    let mut reader = text.reader;
    let mut hasher = Hasher::default();
    let mut size = 0;
    let mut piece = vec![0; PIECE];
    loop {
        if given_up.is_cancelled() {
            return Err(UploadError::BrokeOff(path.to_owned()));
        }
        match reader.read(&mut piece) {
            Ok(0) => return Ok((hasher.digest(), size)),
            Ok(got) => {
                hasher.update(&piece[..got]);
                size += got as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let detail = fault_text(path, &progress, first, &error);
                return Err(mrdeck_store::StoreError::Source { detail }.into());
            }
        }
    }
}

/// Reads a text again, and ends with an error unless it is the same as before.
pub(super) struct Same<R> {
    pub(super) reader: R,
    pub(super) expected: Digest,
    pub(super) hasher: Hasher,
    pub(super) progress: Arc<Progress>,
    pub(super) path: std::path::PathBuf,
}

impl<R: Read> Read for Same<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.reader.read(into)?;
        self.hasher.update(&into[..got]);
        if got == 0 && !into.is_empty() && self.hasher.digest() != self.expected {
            return Err(self.progress.changed(&self.path));
        }
        Ok(got)
    }
}
