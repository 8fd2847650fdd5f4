//! The body of a refusal, in whichever of the three shapes AWS gives it.

use serde::Deserialize;
use serde_json::Value;

/// What AWS says of a call that it refused.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(rename = "Code")]
    pub(super) code: Option<String>,
    #[serde(rename = "Message")]
    pub(super) message: Option<String>,
}

impl ErrorBody {
    /// Reads JSON or XML; anything else has neither code nor message.
    pub(super) fn read(body: &str) -> Self {
        if let Ok(json) = serde_json::from_str::<Value>(body) {
            let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
            return Self {
                // `com.amazonaws.logs#ResourceNotFoundException`, or without what stands before the #.
                code: text("__type").map(|code| match code.rsplit_once('#') {
                    Some((_, code)) => code.to_owned(),
                    None => code,
                }),
                message: text("message").or_else(|| text("Message")),
            };
        }
        let document: Document = quick_xml::de::from_str(body).unwrap_or_default();
        document.error.unwrap_or(document.errors.error)
    }
}

/// `Response/Errors/Error` of EC2, `ErrorResponse/Error` of the others.
#[derive(Debug, Default, Deserialize)]
struct Document {
    #[serde(rename = "Errors", default)]
    errors: Errors,
    #[serde(rename = "Error")]
    error: Option<ErrorBody>,
}

#[derive(Debug, Default, Deserialize)]
struct Errors {
    #[serde(rename = "Error", default)]
    error: ErrorBody,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_refusal_is_read() {
        for body in [
            "<Response><Errors><Error><Code>C</Code><Message>m</Message></Error></Errors></Response>",
            "<ErrorResponse><Error><Type>Sender</Type><Code>C</Code><Message>m</Message></Error></ErrorResponse>",
            r#"{"__type":"com.amazonaws.x#C","message":"m"}"#,
            r#"{"__type":"C","Message":"m"}"#,
        ] {
            let expected = ErrorBody {
                code: Some("C".to_owned()),
                message: Some("m".to_owned()),
            };
            assert_eq!(ErrorBody::read(body), expected, "{body}");
        }
        assert_eq!(ErrorBody::read("<html>"), ErrorBody::default());
    }
}
