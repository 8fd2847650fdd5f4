//! The text of a local file: unpacked and transcoded where that is needed, and refused where there is none.

use std::fmt;
use std::io::{self, Cursor, Read};

use mrdeck_core::encoding::{Compression, LOOK, Unsupported, WideText};

use super::transcode::Utf8Reader;
use super::unpack::unpack;

/// What was done to a file's bytes to make text of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    Unpacked(Compression),
    Transcoded(WideText),
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpacked(how) => write!(f, "unpacked from {}", how.name()),
            Self::Transcoded(wide) => write!(f, "converted from {} to UTF-8", wide.name()),
        }
    }
}

/// Why a file has no text to upload.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("can't be read as text: {0}")]
    Read(#[from] io::Error),
    #[error("can't be unpacked from {}: {source}", .how.name())]
    Unpack { how: Compression, source: io::Error },
    #[error("is {0}")]
    Unsupported(Unsupported),
    #[error("is {}-compressed, and what it holds is {what}", .how.name())]
    UnsupportedInside { how: Compression, what: Unsupported },
    #[error("is {}-compressed, and what it holds has 0 bytes", .0.name())]
    EmptyInside(Compression),
}

/// A reader of a file's text, and what it does to the file's bytes.
pub(super) struct Text {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) conversions: Vec<Conversion>,
}

/// Looks at the beginning of a file's bytes, and returns its text. This blocks.
///
/// # Errors
///
/// Returns what the file is, if it is not text, or why its beginning can't be read.
pub(super) fn text_of(file: impl Read + Send + 'static) -> Result<Text, TextError> {
    let (head, reader) = peek(file)?;
    let mut text = Text {
        reader,
        conversions: Vec::new(),
    };
    let mut found = Unsupported::of(None, &head);
    let mut packed = None;
    if let Some(Unsupported::Compressed(how)) = found {
        let broken = |source| TextError::Unpack { how, source };
        let unpacked = unpack(how, text.reader).map_err(broken)?;
        let (head, reader) = peek(unpacked).map_err(broken)?;
        if head.is_empty() {
            return Err(TextError::EmptyInside(how));
        }
        found = Unsupported::of(None, &head);
        packed = Some(how);
        text.reader = reader;
        text.conversions.push(Conversion::Unpacked(how));
    }
    match (found, packed) {
        (None, _) => {}
        (Some(Unsupported::Wide(wide)), _) => {
            text.reader = Box::new(Utf8Reader::new(text.reader, wide));
            text.conversions.push(Conversion::Transcoded(wide));
        }
        (Some(what), None) => return Err(TextError::Unsupported(what)),
        (Some(what), Some(how)) => return Err(TextError::UnsupportedInside { how, what }),
    }
    Ok(text)
}

/// Reads the first bytes, and returns them and a reader that begins with them.
fn peek(mut reader: impl Read + Send + 'static) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::with_capacity(LOOK);
    (&mut reader).take(LOOK as u64).read_to_end(&mut head)?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}
