//! Turns UTF-16 and UTF-32 into UTF-8 while it reads.

use std::io::{self, Read};

use mrdeck_core::encoding::WideText;

/// Bytes taken from the source at a time; a multiple of every unit.
const PIECE: usize = 64 << 10;
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a text in a wide encoding as UTF-8, without its byte order mark. It ends with an error where the text is not
/// valid.
pub(super) struct Utf8Reader<R> {
    source: R,
    wide: WideText,
    /// Bytes of the source that are no whole unit yet, or the first half of a surrogate pair.
    rest: Vec<u8>,
    /// Text that was not taken yet, from `taken` on.
    ready: String,
    taken: usize,
    is_begun: bool,
}

impl<R: Read> Utf8Reader<R> {
    pub(super) fn new(source: R, wide: WideText) -> Self {
        Self {
            source,
            wide,
            rest: Vec::new(),
            ready: String::new(),
            taken: 0,
            is_begun: false,
        }
    }

    /// Makes more text ready. Returns whether there is some.
    fn fill(&mut self) -> io::Result<bool> {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let before = self.rest.len();
            (&mut self.source)
                .take(PIECE as u64)
                .read_to_end(&mut self.rest)?;
            let is_end = self.rest.len() == before;
            if is_end && !self.rest.is_empty() {
                return Err(self.invalid("ends within a character"));
            }
            if is_end {
                return Ok(false);
            }
            self.decode()?;
        }
        Ok(true)
    }

    fn decode(&mut self) -> io::Result<()> {
        let unit = self.wide.unit();
        let mut units: Vec<u32> = self
            .rest
            .chunks_exact(unit)
            .map(|bytes| self.wide.read(bytes))
            .collect();
        // A pair that the next bytes complete.
        if unit == 2
            && units
                .last()
                .is_some_and(|last| (0xd800..0xdc00).contains(last))
        {
            units.pop();
        }
        let used = units.len() * unit;
        let decoded: Option<String> = if unit == 2 {
            let halves = units.iter().filter_map(|unit| u16::try_from(*unit).ok());
            char::decode_utf16(halves).map(Result::ok).collect()
        } else {
            units.iter().map(|unit| char::from_u32(*unit)).collect()
        };
        let decoded = decoded.ok_or_else(|| self.invalid("has what is no character"))?;
        self.rest.drain(..used);
        let text = if self.is_begun {
            &decoded
        } else {
            decoded.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&decoded)
        };
        self.is_begun |= used > 0;
        self.ready.push_str(text);
        Ok(())
    }

    fn invalid(&self, what: &str) -> io::Error {
        let text = format!("it begins as {} text, but {what}", self.wide.name());
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() && !self.fill()? {
            return Ok(0);
        }
        let got = (&self.ready.as_bytes()[self.taken..]).read(into)?;
        self.taken += got;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = into.len().min(self.1);
            self.0.read(&mut into[..most])
        }
    }

    fn read(bytes: &[u8], wide: WideText, piece: usize) -> io::Result<String> {
        let mut text = String::new();
        Utf8Reader::new(Slow(bytes, piece), wide).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn every_text_comes_out_as_it_was() {
        let text = "\u{feff}a b, слово, 文字 🎉\u{feff}\n".repeat(9_000);
        let expected = text.strip_prefix('\u{feff}').unwrap();
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let utf32: Vec<u32> = text.chars().map(u32::from).collect();
        let cases = [
            (
                WideText::Utf16Le,
                utf16
                    .iter()
                    .flat_map(|u| u.to_le_bytes())
                    .collect::<Vec<u8>>(),
            ),
            (
                WideText::Utf16Be,
                utf16.iter().flat_map(|u| u.to_be_bytes()).collect(),
            ),
            (
                WideText::Utf32Le,
                utf32.iter().flat_map(|u| u.to_le_bytes()).collect(),
            ),
            (
                WideText::Utf32Be,
                utf32.iter().flat_map(|u| u.to_be_bytes()).collect(),
            ),
        ];
        for (wide, bytes) in cases {
            for piece in [1, 3, PIECE - 1, usize::MAX] {
                assert!(
                    read(&bytes, wide, piece).unwrap() == expected,
                    "{wide:?} {piece}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_valid_is_an_error() {
        let cases: &[(WideText, &[u8])] = &[
            (WideText::Utf16Le, b"a\0b"),
            (WideText::Utf16Le, b"a\0\x3d\xd8"),
            (WideText::Utf16Le, b"\x89\xdf\x3d\xd8a\0"),
            (WideText::Utf16Be, b"\xd8\x3d\0a"),
            (WideText::Utf32Le, b"a\0\0\0\0\0\x11\0"),
            (WideText::Utf32Be, b"\0\0\0"),
        ];
        for (wide, bytes) in cases {
            let error = read(bytes, *wide, 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
        assert_eq!(read(b"", WideText::Utf16Le, 1).unwrap(), "");
    }
}
