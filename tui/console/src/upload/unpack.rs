//! Undoes a compression while it reads.

use std::io::{self, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use mrdeck_core::encoding::Compression;

/// The most memory that an xz file may ask for, in KiB: four times what `xz -9` needs.
const XZ_MEMORY: u32 = 256 << 10;

/// Returns a reader of what `packed` holds: one compressed stream, or several in a row. It ends with an error unless
/// they are whole, and their checksums right.
///
/// # Errors
///
/// Returns an error if there is no memory to begin.
pub(super) fn unpack(
    how: Compression,
    packed: impl Read + Send + 'static,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(match how {
        Compression::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
        Compression::Zstd => Box::new(zstd::Decoder::new(packed)?),
        Compression::Xz => Box::new(XzReader::new_mem_limit(packed, true, XZ_MEMORY)),
    })
}
