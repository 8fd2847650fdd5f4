//! Recognises inputs whose bytes are not those of a text: compressed, in a wide encoding, or no text at all.
//!
//! The counting rules know bytes only. They would count the bytes of a gzip archive as words of one letter or two, and
//! be exact about it. So an input is looked at before it is counted: at its first [`LOOK`] bytes, and at the
//! `Content-Encoding` that it is stored with.

use std::fmt;

/// The number of bytes at the start of an input that are looked at: what git and diff look at, too.
pub const LOOK: usize = 8 << 10;

/// A compression that can be undone while a local file is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Bzip2,
    Zstd,
    Xz,
}

impl Compression {
    /// The name of the compression, as users know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }
}

/// An encoding of text in units of more than one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WideText {
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

impl WideText {
    /// The name of the encoding, as iconv takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Utf32Le => "UTF-32LE",
            Self::Utf32Be => "UTF-32BE",
        }
    }

    /// The bytes of one unit: 2 or 4.
    pub fn unit(self) -> usize {
        match self {
            Self::Utf16Le | Self::Utf16Be => 2,
            Self::Utf32Le | Self::Utf32Be => 4,
        }
    }

    /// Reads a 16-bit or 32-bit unit; `bytes` has [`Self::unit`] bytes.
    pub fn read(self, bytes: &[u8]) -> u32 {
        let join = |high: u32, byte: &u8| high << 8 | u32::from(*byte);
        match self {
            Self::Utf16Le | Self::Utf32Le => bytes.iter().rev().fold(0, join),
            Self::Utf16Be | Self::Utf32Be => bytes.iter().fold(0, join),
        }
    }
}

/// What an input is, if it is not a text whose bytes can be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsupported {
    Compressed(Compression),
    Wide(WideText),
    /// An archive, or a compression that mrdeck does not undo; with its name and article.
    Archive(&'static str),
    /// A known kind of file that is no text, with its article.
    Binary(&'static str),
    /// Bytes that no text has.
    NotText(&'static str),
    /// Stored with this `Content-Encoding`.
    ContentEncoding(String),
}

impl Unsupported {
    /// Looks at the `Content-Encoding` and at the first bytes of an input, at most [`LOOK`] of them. Returns `None` if
    /// they may be those of a text.
    pub fn of(content_encoding: Option<&str>, head: &[u8]) -> Option<Self> {
        let head = &head[..head.len().min(LOOK)];
        by_signature(head)
            .or_else(|| content_encoding.and_then(by_header))
            .or_else(|| wide_text(head).map(Self::Wide))
            .or_else(|| not_text(head).map(Self::NotText))
    }

    /// Returns what to do about it, as a clause.
    pub fn advice(&self) -> String {
        match self {
            Self::Compressed(_) | Self::Archive(_) | Self::ContentEncoding(_) => {
                "unpack it first".to_owned()
            }
            Self::Wide(wide) => format!(
                "convert it to UTF-8 first, for instance with 'iconv -f {} -t UTF-8'",
                wide.name()
            ),
            Self::Binary(_) | Self::NotText(_) => "name a text".to_owned(),
        }
    }
}

impl fmt::Display for Unsupported {
    /// Writes what the input is, to follow "the input is".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compressed(how) => write!(f, "{}-compressed", how.name()),
            Self::Wide(wide) => write!(f, "{} text, not UTF-8", wide.name()),
            Self::Archive(what) => f.write_str(what),
            Self::Binary(what) => write!(f, "{what}, not text"),
            Self::NotText(why) => write!(f, "not text: {why}"),
            Self::ContentEncoding(value) => {
                let value = crate::human::printable(value);
                write!(f, "stored with 'Content-Encoding: {value}'")
            }
        }
    }
}

/// Returns how many of the bytes are not ASCII: text that the counting rules count no word in.
pub fn non_ascii(bytes: &[u8]) -> u64 {
    // In blocks whose sums fit a byte, so that the compiler can count many bytes at once.
    let blocks = bytes
        .chunks(255)
        .map(|block| block.iter().map(|byte| byte >> 7).sum::<u8>());
    blocks.map(u64::from).sum()
}

/// Signatures from the formats' specifications: where they stand, their bytes, what they mean. Only such as no text
/// begins with.
const SIGNATURES: &[(usize, &[u8], Unsupported)] = &[
    (
        0,
        b"\x1f\x8b\x08",
        Unsupported::Compressed(Compression::Gzip),
    ),
    (
        0,
        b"\x28\xb5\x2f\xfd",
        Unsupported::Compressed(Compression::Zstd),
    ),
    (0, b"\xfd7zXZ\0", Unsupported::Compressed(Compression::Xz)),
    (0, b"PK\x03\x04", Unsupported::Archive("a zip archive")),
    (0, b"PK\x05\x06", Unsupported::Archive("a zip archive")),
    (
        0,
        b"7z\xbc\xaf\x27\x1c",
        Unsupported::Archive("a 7z archive"),
    ),
    (0, b"Rar!\x1a\x07", Unsupported::Archive("a RAR archive")),
    (
        0,
        b"\x04\x22\x4d\x18",
        Unsupported::Archive("lz4-compressed"),
    ),
    (
        0,
        b"\xff\x06\0\0sNaPpY",
        Unsupported::Archive("snappy-compressed"),
    ),
    (
        0,
        b"\x89LZO\0\r\n\x1a\n",
        Unsupported::Archive("lzop-compressed"),
    ),
    (0, b"LZIP\x01", Unsupported::Archive("lzip-compressed")),
    (
        0,
        b"\x1f\x9d",
        Unsupported::Archive("compressed with compress (.Z)"),
    ),
    (257, b"ustar", Unsupported::Archive("a tar archive")),
    (0, b"\x7fELF", Unsupported::Binary("an ELF program")),
    (0, b"\x89PNG\r\n\x1a\n", Unsupported::Binary("a PNG image")),
    (0, b"\xff\xd8\xff", Unsupported::Binary("a JPEG image")),
    (0, b"GIF87a", Unsupported::Binary("a GIF image")),
    (0, b"GIF89a", Unsupported::Binary("a GIF image")),
    (0, b"%PDF-", Unsupported::Binary("a PDF document")),
    (0, b"PAR1\x15", Unsupported::Binary("a Parquet file")),
    (0, b"Obj\x01", Unsupported::Binary("an Avro file")),
    (
        0,
        b"SQLite format 3\0",
        Unsupported::Binary("an SQLite database"),
    ),
    (
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        Unsupported::Binary("an Office document"),
    ),
];

fn by_signature(head: &[u8]) -> Option<Unsupported> {
    // bzip2's first three bytes are letters, so the start of its first block, or its end if it is empty, must follow.
    if let [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] = head
        && (rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90"))
    {
        return Some(Unsupported::Compressed(Compression::Bzip2));
    }
    let mut signatures = SIGNATURES.iter();
    let found = signatures
        .find(|(at, bytes, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(bytes)))?;
    Some(found.2.clone())
}

/// What is stored compressed says so. What many clients write there by mistake means nothing.
fn by_header(value: &str) -> Option<Unsupported> {
    const HARMLESS: &[&str] = &[
        "",
        "identity",
        "aws-chunked",
        "utf-8",
        "utf8",
        "us-ascii",
        "ascii",
    ];
    let codings = || {
        value
            .split(',')
            .map(|coding| coding.trim().to_ascii_lowercase())
    };
    let is_harmless = codings().all(|coding| HARMLESS.contains(&coding.as_str()));
    (!is_harmless).then(|| Unsupported::ContentEncoding(value.to_owned()))
}

/// Recognises UTF-16 and UTF-32, with a byte order mark or by the NULs that Western letters, spaces and line ends have.
fn wide_text(head: &[u8]) -> Option<WideText> {
    const MARKS: &[(&[u8], WideText)] = &[
        (b"\xff\xfe\0\0", WideText::Utf32Le),
        (b"\0\0\xfe\xff", WideText::Utf32Be),
        (b"\xff\xfe", WideText::Utf16Le),
        (b"\xfe\xff", WideText::Utf16Be),
    ];
    let marked = MARKS.iter().find(|(mark, _)| head.starts_with(mark));
    if let Some((_, wide)) = marked {
        return Some(*wide);
    }
    let unmarked = [
        WideText::Utf32Le,
        WideText::Utf32Be,
        WideText::Utf16Le,
        WideText::Utf16Be,
    ];
    unmarked.into_iter().find(|wide| may_be(*wide, head))
}

/// Returns whether all units are characters of a text, and one in twenty of them at least is one of Latin-1.
fn may_be(wide: WideText, head: &[u8]) -> bool {
    let units = head.chunks_exact(wide.unit());
    if head.len() < wide.unit() || (head.len() < LOOK && !units.remainder().is_empty()) {
        return false;
    }
    let (mut all, mut latin) = (0_usize, 0_usize);
    for unit in units.map(|unit| wide.read(unit)) {
        let is_surrogate = (0xd800..0xe000).contains(&unit);
        let is_character = char::from_u32(unit).is_some_and(|c| !is_control(c));
        if !(is_character || (is_surrogate && wide.unit() == 2)) {
            return false;
        }
        all += 1;
        latin += usize::from(unit < 0x100);
    }
    latin * 20 >= all
}

/// Returns whether it is a control character that texts don't have.
fn is_control(c: char) -> bool {
    // A terminal's recordings have \x07, \x08 and \x1b.
    c.is_ascii_control()
        && !matches!(
            c,
            '\t' | '\n' | '\x0b' | '\x0c' | '\r' | '\x07' | '\x08' | '\x1b'
        )
}

/// Returns what shows that the bytes are not those of a text in an encoding that extends ASCII.
fn not_text(head: &[u8]) -> Option<&'static str> {
    if head.contains(&0) {
        return Some("it has NUL bytes");
    }
    // A few are in old texts, for instance the ctrl-Z at a file's end.
    let controls = head
        .iter()
        .filter(|byte| is_control(char::from(**byte)))
        .count();
    (controls > 3 && controls * 10 > head.len()).then_some("it has many control characters")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(head: &[u8]) -> Option<String> {
        Unsupported::of(None, head).map(|found| found.to_string())
    }

    fn wide(text: &str, wide: WideText) -> Vec<u8> {
        let bytes = |unit: u32| {
            let all = unit.to_be_bytes();
            all[4 - wide.unit()..].to_vec()
        };
        let units: Vec<Vec<u8>> = if wide.unit() == 2 {
            text.encode_utf16().map(|unit| bytes(unit.into())).collect()
        } else {
            text.chars().map(|c| bytes(c.into())).collect()
        };
        let is_little = matches!(wide, WideText::Utf16Le | WideText::Utf32Le);
        let turn = |mut unit: Vec<u8>| {
            if is_little {
                unit.reverse();
            }
            unit
        };
        units.into_iter().flat_map(turn).collect()
    }

    #[test]
    fn texts_are_texts() {
        let long = "word ".repeat(4_000);
        let texts: &[&[u8]] = &[
            b"",
            b"a",
            b"\xef\xbb\xbfwith a mark\r\n",
            "Füller, Слово, 文字, don’t".as_bytes(),
            b"caf\xe9 in Latin-1",
            b"BZh9 is how it begins",
            b"BZh91AY is not enough",
            b"PK and 7z and MZ and GIF8 and LZIP, PAR1 too",
            b"\x1b[31mred\x1b[0m \x07",
            b"the end\x1a",
            b"%!PS-Adobe",
            long.as_bytes(),
        ];
        for text in texts {
            assert_eq!(of(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        let tar = [[b'a'; 257].as_slice(), b"ustar\x0000"].concat();
        let cases: &[(&[u8], &str)] = &[
            (b"\x1f\x8b\x08\0", "gzip-compressed"),
            (b"BZh91AY&SY\x01", "bzip2-compressed"),
            (b"BZh9\x17\x72\x45\x38\x50\x90", "bzip2-compressed"),
            (b"\x28\xb5\x2f\xfd\x04", "zstd-compressed"),
            (b"\xfd7zXZ\0\0", "xz-compressed"),
            (b"PK\x03\x04\x14", "a zip archive"),
            (&tar, "a tar archive"),
            (b"\x7fELF\x02", "an ELF program, not text"),
            (b"%PDF-1.7\n", "a PDF document, not text"),
            (b"abc\0def", "not text: it has NUL bytes"),
            (
                b"\x01\x02\x03\x04\x05abc",
                "not text: it has many control characters",
            ),
        ];
        for (head, expected) in cases {
            assert_eq!(
                of(head).as_deref(),
                Some(*expected),
                "{}",
                head.escape_ascii()
            );
        }
    }

    #[test]
    fn wide_encodings_are_found_with_a_mark_and_without() {
        let texts = ["a", "a b\n", "слово и слово\n", "文字 🎉 文字\n"];
        let all = [
            WideText::Utf16Le,
            WideText::Utf16Be,
            WideText::Utf32Le,
            WideText::Utf32Be,
        ];
        for (text, encoding) in texts.iter().flat_map(|text| all.map(|wide| (text, wide))) {
            for mark in ["", "\u{feff}"] {
                let bytes = wide(&format!("{mark}{text}"), encoding);
                let found = Unsupported::of(None, &bytes);
                assert_eq!(found, Some(Unsupported::Wide(encoding)), "{mark:?} {text}");
            }
        }
        // The first bytes of a long one end within a pair.
        let long = wide(&"🎉 ".repeat(9_000), WideText::Utf16Le);
        assert_eq!(
            Unsupported::of(None, &long),
            Some(Unsupported::Wide(WideText::Utf16Le))
        );
    }

    #[test]
    fn bytes_beyond_ascii_are_counted() {
        assert_eq!(non_ascii("Füller – don’t".as_bytes()), 2 + 3 + 3);
        assert_eq!(non_ascii(&[0xff; 1_000]), 1_000);
        assert_eq!(non_ascii(&[0x7f; 1_000]), 0);
    }

    #[test]
    fn a_header_counts_if_it_means_something() {
        let of = |value| Unsupported::of(Some(value), b"a b\n").map(|found| found.to_string());
        for harmless in [
            "",
            "identity",
            "aws-chunked",
            "UTF-8",
            "aws-chunked, identity",
        ] {
            assert_eq!(of(harmless), None, "{harmless}");
        }
        assert_eq!(of("br").unwrap(), "stored with 'Content-Encoding: br'");
        assert!(of("aws-chunked,gzip").is_some());
        assert!(!of("x\u{1b}[2J").unwrap().contains('\u{1b}'));
    }
}
