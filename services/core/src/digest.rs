//! The SHA-256 of an object's bytes: computed, written as hexadecimal digits, read back.

use std::fmt;
use std::str::FromStr;

use ring::digest::{Context, SHA256, digest};

/// The digits, of 64, that are enough to tell two digests apart by eye.
const SHOWN: usize = 12;

/// A SHA-256, displayed as 64 lower-case hexadecimal digits; with `{:#}`, as the first twelve only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; LENGTH]);

/// The bytes of a SHA-256.
const LENGTH: usize = 32;

impl Digest {
    /// Computes the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::computed(&digest(&SHA256, bytes))
    }

    fn computed(computed: &ring::digest::Digest) -> Self {
        let mut bytes = [0; LENGTH];
        // A SHA-256 has this length, whatever it is of.
        bytes.copy_from_slice(computed.as_ref());
        Self(bytes)
    }
}

/// A SHA-256 of bytes that come in pieces.
///
/// It is ring's, which has an implementation for processors that have no instructions for it; without that, hashing was
/// a quarter of a run.
#[derive(Clone)]
pub struct Hasher(Context);

impl Default for Hasher {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all bytes so far.
    pub fn digest(&self) -> Digest {
        Digest::computed(&self.0.clone().finish())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::encode(self.0);
        f.write_str(if f.alternate() {
            &digits[..SHOWN]
        } else {
            &digits
        })
    }
}

/// The error of a text that is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is 64 hexadecimal digits")]
pub struct DigestError;

impl FromStr for Digest {
    type Err = DigestError;

    /// Reads digits of either case.
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; LENGTH];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// The standard's own example.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn it_is_the_standard_s_and_read_as_it_is_written() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), ABC);
        assert_eq!(format!("{digest:#}"), "ba7816bf8f01");
        assert_eq!(ABC.parse(), Ok(digest));
        assert_eq!(ABC.to_ascii_uppercase().parse(), Ok(digest));
        assert_ne!(Digest::of(b"abd"), digest);
    }

    #[test]
    fn anything_but_64_digits_is_refused() {
        let signed = format!("+{}", &ABC[1..]);
        let long = format!("{ABC}00");
        let wide = format!("{}é", &ABC[2..]);
        for text in ["", "0", &ABC[1..], &ABC[2..], &signed, &long, &wide, "é"] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError), "{text}");
        }
    }
}
