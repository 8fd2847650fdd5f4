//! The objects of a run by the names that scenarios use, found through the run's record.

use mrdeck_services::uri::S3Uri;
use serde_json::Value;

/// The key of `input`, `chunk 1`, `output 2` (of a map) or `result`.
pub fn key_of(name: &str, record: &[Value]) -> String {
    let (kind, number) = name.split_once(' ').unwrap_or((name, "0"));
    let number: usize = number.parse().unwrap();
    let uri = match kind {
        "input" => event(record, "run_started")["input"].clone(),
        "chunk" => event(record, "chunks_planned")["chunks"][number].clone(),
        "output" => output(record, "map", Some(number)),
        "result" => output(record, "reduce", None),
        _ => panic!("what is '{name}'?"),
    };
    let uri = uri
        .as_str()
        .unwrap_or_else(|| panic!("{name} is no object: {uri}"));
    uri.parse::<S3Uri>().unwrap().key().to_owned()
}

fn event<'a>(record: &'a [Value], name: &str) -> &'a Value {
    let found = record.iter().rfind(|event| event["event"] == name);
    found.unwrap_or_else(|| panic!("no {name} in the record"))
}

/// What was committed last.
fn output(record: &[Value], phase: &str, chunk: Option<usize>) -> Value {
    let chunk = chunk.map_or(Value::Null, Value::from);
    let is_of = |event: &Value| event["phase"] == phase && event["chunk"] == chunk;
    let committed = record
        .iter()
        .rfind(|event| event["event"] == "committed" && is_of(event))
        .unwrap_or_else(|| panic!("no {phase} {chunk} is committed"));
    let made = record.iter().rfind(|event| {
        is_of(event) && event["attempt"] == committed["attempt"] && event["answer"].is_object()
    });
    made.unwrap()["answer"]["out"].clone()
}
