//! The objects of a run by the names that scenarios use, found through the run's record.

use mrdeck_core::uri::S3Uri;
use serde_json::Value;

/// The key of `input`, `object 1` (of an input of many), `chunk 1`, `output 2` (of a map) or `result`.
///
/// # Errors
///
/// Returns which event the record lacks.
pub fn key_of(name: &str, record: &[Value]) -> Result<String, String> {
    let (kind, number) = name.split_once(' ').unwrap_or((name, "0"));
    let number: usize = number.parse().unwrap();
    let uri = match kind {
        "input" => event(record, "run_started").map(|event| &event["input"]),
        "object" => event(record, "input_pinned").map(|event| &event["objects"][number]["s3"]),
        "chunk" => event(record, "chunks_planned").map(|event| &event["chunks"][number]),
        "output" => output(record, "map", Some(number)),
        "result" => output(record, "reduce", None),
        _ => panic!("what is '{name}'?"),
    };
    let uri = uri.and_then(Value::as_str);
    let uri = uri.ok_or_else(|| format!("the run has no object that is its {name}"))?;
    Ok(uri.parse::<S3Uri>().unwrap().key().to_owned())
}

fn event<'a>(record: &'a [Value], name: &str) -> Option<&'a Value> {
    record.iter().rfind(|event| event["event"] == name)
}

/// What was committed last.
fn output<'a>(record: &'a [Value], phase: &str, chunk: Option<usize>) -> Option<&'a Value> {
    let chunk = chunk.map_or(Value::Null, Value::from);
    let is_of = |event: &Value| event["phase"] == phase && event["chunk"] == chunk;
    let committed = record
        .iter()
        .rfind(|event| event["event"] == "committed" && is_of(event))?;
    let made = record.iter().rfind(|event| {
        is_of(event) && event["attempt"] == committed["attempt"] && event["answer"].is_object()
    })?;
    Some(&made["answer"]["out"])
}
