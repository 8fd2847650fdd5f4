//! Reads a table of counts: strictly, because a misread table is a wrong result.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

use super::CountError;
use super::table::Counts;

/// The error of bytes that are not a table of counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("it is not valid JSON: {detail}")]
    Syntax { detail: String },
    #[error("it is JSON, but not an object of words and counts")]
    NotAnObject,
    #[error("the word '{word}' is in it twice")]
    DuplicateWord { word: String },
    #[error("the count of '{word}' is {value}, not a whole number from 0 to 18446744073709551615")]
    BadCount { word: String, value: String },
    #[error(transparent)]
    Count(#[from] CountError),
}

impl Counts {
    /// Reads any JSON object whose values are whole numbers that fit 64 bits, whatever its layout.
    ///
    /// Words with a count of 0 are accepted and dropped.
    ///
    /// # Errors
    ///
    /// Returns an error for anything but such an object, for a repeated word, and if the counts overflow.
    pub fn from_json(json: &[u8]) -> Result<Self, ReadError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let counts = reader
            .deserialize_map(TableVisitor)
            .map_err(|e| refusal(&e))?;
        reader.end().map_err(|e| refusal(&e))?;
        counts
    }
}

fn refusal(error: &serde_json::Error) -> ReadError {
    match error.classify() {
        Category::Data => ReadError::NotAnObject,
        Category::Syntax | Category::Eof | Category::Io => ReadError::Syntax {
            detail: error.to_string(),
        },
    }
}

/// Collects the table. The value includes what is wrong with a well-formed object, since serde's own errors carry
/// only text.
struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = Result<Counts, ReadError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of words and counts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut counts = Counts::new();
        let mut zeros = Counts::new();
        let mut refused = None;
        // Read on after a refusal: the rest still has to be JSON, or the error would be the wrong one.
        while let Some((word, value)) = map.next_entry::<String, Value>()? {
            if refused.is_none() {
                refused = take(&mut counts, &mut zeros, word, &value).err();
            }
        }
        Ok(refused.map_or(Ok(counts), Err))
    }
}

fn take(
    counts: &mut Counts,
    zeros: &mut Counts,
    word: String,
    value: &Value,
) -> Result<(), ReadError> {
    if counts.contains(&word) || zeros.contains(&word) {
        return Err(ReadError::DuplicateWord { word });
    }
    match value.as_u64() {
        // Kept separately, so that `{"a":0,"a":1}` is still a duplicate.
        Some(0) => Ok(zeros.add(&word, 1)?),
        Some(n) => Ok(counts.add(&word, n)?),
        None => Err(ReadError::BadCount {
            word,
            value: shown(value),
        }),
    }
}

/// Returns the value for a message: a number as it is, anything else by its kind, as it may be long.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn refused(json: &str) -> ReadError {
        Counts::from_json(json.as_bytes()).expect_err(json)
    }

    #[test]
    fn any_layout_is_read() {
        let counts =
            Counts::from_json(b" {\"b\":2 ,\n\"\\u0061\" : 18446744073709551613} \n").unwrap();
        assert_eq!(counts.sorted(), [("a", u64::MAX - 2), ("b", 2)]);
        assert!(Counts::from_json(b"{}").unwrap().is_empty());
        assert_eq!(
            Counts::from_json(br#"{"a":0,"b":1}"#).unwrap().sorted(),
            [("b", 1)]
        );
    }

    #[test]
    fn a_duplicate_is_refused_however_it_is_written() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":0,"a":1}"#,
            r#"{"a":1,"a":0}"#,
        ] {
            assert_eq!(
                refused(json),
                ReadError::DuplicateWord {
                    word: "a".to_owned()
                }
            );
        }
    }

    #[test]
    fn a_count_that_is_no_u64_is_refused() {
        let values = [
            "1.0",
            "1e3",
            "-1",
            "18446744073709551616",
            "null",
            "true",
            "\"1\"",
            "[1]",
            r#"{"b":1}"#,
        ];
        for value in values {
            let error = refused(&format!(r#"{{"a":{value},"z":1}}"#));
            assert!(
                matches!(error, ReadError::BadCount { ref word, .. } if word == "a"),
                "{value}: {error}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["[]", "1", "null", "\"a\"", r#"[{"a":1}]"#] {
            assert_eq!(refused(json), ReadError::NotAnObject, "{json}");
        }
    }

    #[test]
    fn broken_json_and_trailing_bytes_are_refused() {
        for json in [
            "",
            " ",
            "{",
            r#"{"a":1"#,
            r#"{"a":1}x"#,
            r#"{"a":1}{}"#,
            r#"{"a":1,}"#,
            "{a:1}",
            r#"{"a":01}"#,
        ] {
            assert!(
                matches!(refused(json), ReadError::Syntax { .. }),
                "{json}: {:?}",
                refused(json)
            );
        }
        assert!(matches!(
            Counts::from_json(b"{\"\xff\":1}"),
            Err(ReadError::Syntax { .. })
        ));
    }

    #[test]
    fn a_total_beyond_64_bits_is_refused() {
        let error = refused(r#"{"a":18446744073709551615,"b":1}"#);
        assert_eq!(error, ReadError::Count(CountError::Overflow));
    }
}
