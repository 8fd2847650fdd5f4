//! A line of a task's log as a person reads it: our services, and others, log JSON.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// What the time, the level and the message are called, by the logging libraries people use.
const TIMES: [&str; 3] = ["timestamp", "time", "ts"];
const LEVELS: [&str; 3] = ["level", "lvl", "severity"];
const MESSAGES: [&str; 2] = ["message", "msg"];
/// Where in the code it was logged; and `span` again, with those around it.
const LEFT_OUT: [&str; 2] = ["target", "spans"];
/// The fields of the request that the line is about.
const SPAN: &str = "span";

/// `{"timestamp":…,"level":"INFO","message":"answered","status":200}` as `MM-DD HH:MM:SS.mmm INFO answered
/// status=200`; any other line as it is.
pub fn readable(line: &str, timezone: &TimeZone) -> String {
    let parsed = serde_json::from_str::<Value>(line);
    let Ok(Value::Object(mut fields)) = parsed else {
        return line.replace('\t', "    ");
    };
    let Some(message) = take(&mut fields, &MESSAGES) else {
        return line.to_owned();
    };
    let mut text = String::new();
    if let Some(time) = take(&mut fields, &TIMES) {
        let at = time.parse::<Timestamp>().ok();
        let time = at.map_or(time, |at| {
            let here = at.to_zoned(timezone.clone());
            here.strftime("%m-%d %H:%M:%S%.3f").to_string()
        });
        text.push_str(&time);
        text.push(' ');
    }
    if let Some(level) = take(&mut fields, &LEVELS) {
        // Writing to a String can't fail.
        let _ = write!(text, "{level:5} ");
    }
    text.push_str(&one_line(&message));
    let span = fields.remove(SPAN);
    append(&mut text, &fields);
    if let Some(Value::Object(mut span)) = span {
        span.remove("name");
        append(&mut text, &span);
    }
    text
}

/// The first of these fields that is there and is text.
fn take(fields: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    let name = names
        .iter()
        .find(|name| fields.get(**name).is_some_and(Value::is_string))?;
    match fields.remove(*name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn append(text: &mut String, fields: &Map<String, Value>) {
    for (name, value) in fields {
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let value = match value {
            Value::String(value) if value.contains(char::is_whitespace) || value.is_empty() => {
                format!("{value:?}")
            }
            Value::String(value) => value.clone(),
            Value::Number(number) if number.is_f64() => {
                format!("{:.2}", number.as_f64().unwrap_or_default())
            }
            other => other.to_string(),
        };
        // Writing to a String can't fail.
        let _ = write!(text, " {name}={value}");
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_our_services() {
        let line = r#"{"timestamp":"2026-11-23T09:28:25.952970Z","level":"INFO","message":"answered",
            "ms":11.864441,"status":200,"target":"mrdeck_services::http::layers",
            "span":{"attempt":"1","path":"/map","name":"request"},"spans":[{"attempt":"1"}]}"#;
        let expected = "11-23 09:28:25.952 INFO  answered ms=11.86 status=200 attempt=1 path=/map";
        assert_eq!(readable(line, &TimeZone::UTC), expected);
    }

    #[test]
    fn lines_of_other_libraries() {
        for (line, expected) in [
            (
                r#"{"time":"soon","severity":"error","msg":"lost\nit","why":"no route"}"#,
                r#"soon error lost it why="no route""#,
            ),
            (
                r#"{"level":30,"msg":"pino","err":{"code":5}}"#,
                r#"pino err={"code":5} level=30"#,
            ),
        ] {
            assert_eq!(readable(line, &TimeZone::UTC), expected);
        }
    }

    #[test]
    fn what_is_no_log_line_in_json_stays() {
        for line in [
            "2026/07/29 10:00:00 listening",
            "",
            "{",
            "[1]",
            "42",
            r#"{"count":1}"#,
            r#"{"message":{"nested":true}}"#,
        ] {
            assert_eq!(readable(line, &TimeZone::UTC), line);
        }
        assert_eq!(readable("\tat f()", &TimeZone::UTC), "    at f()");
    }
}
