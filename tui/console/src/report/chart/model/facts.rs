//! The run's parameters as names and values, for the picture file's metadata.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::TITLE;
use super::number::sane_ms;
use super::text::clean;
use mrdeck_engine::state::RunState;
use mrdeck_engine::stats::map_stats;
use mrdeck_engine::work::Phase;

/// Returns the facts. `Title`, `Software` and `Creation Time` are the PNG standard's own keywords.
pub fn of(record: &RunState) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Title", TITLE.to_owned()),
        ("Software", format!("mrdeck {}", env!("CARGO_PKG_VERSION"))),
        ("Creation Time", now()),
        ("Run", record.run.to_string()),
        ("Run started", record.started_at.to_string()),
        ("Status", record.status.to_string()),
        ("Input", clean(&record.input.to_string())),
        ("Cluster", clean(&record.cluster)),
        ("Mappers", record.mappers.to_string()),
        ("Chunks", record.chunks.len().to_string()),
    ];
    if let Some(bytes) = record.input_bytes {
        facts.push(("Input bytes", bytes.to_string()));
    }
    let mut add = |name, ms: Option<f64>| {
        facts.extend(ms.map(|ms| (name, format!("{:.3}", sane_ms(ms)))));
    };
    add("Split ms", record.split_ms());
    add("Map wall ms", record.clock(Phase::Map).wall_ms);
    if let Some(stats) = map_stats(record) {
        add("Map sum ms", Some(stats.sum_ms));
        add("Map p50 ms", Some(stats.p50_ms));
        add("Map p95 ms", Some(stats.p95_ms));
        add("Map max ms", Some(stats.max_ms));
        add("Parallelism", Some(stats.parallelism));
        add("Ideal parallelism", Some(f64::from(stats.ideal)));
    }
    add("Reduce ms", record.reduce.result().map(|(ms, _)| ms));
    add("Run ms", Some(record.wall_ms));
    facts
}

/// Returns the present time in the form that the PNG standard recommends.
fn now() -> String {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    jiff::fmt::rfc2822::to_string(&now).unwrap_or_else(|_| now.to_string())
}
