//! `mrdeck run --local`: the report as JSON and as text, and the record that is left of the run.

use serde_json::Value;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::words::{self, LIBER_PRIMUS};

fn fields(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

/// A time in milliseconds as a report gives it.
#[track_caller]
fn assert_ms(value: &Value) -> f64 {
    let ms = value.as_f64().unwrap_or_else(|| panic!("no time: {value}"));
    assert!(ms > 0.0 && ms < 60_000.0, "{ms}");
    ms
}

#[test]
fn the_json_has_every_field_and_the_counts_are_right() {
    let home = Home::new();
    let finished = home
        .local_console(3, "run")
        .args([
            "--output", "json", "--verify", "--chunks", "7", "--top", "5",
        ])
        .run()
        .expect(0);
    let report = finished.json();
    let all = [
        "error",
        "input",
        "input_bytes",
        "input_objects",
        "non_ascii_bytes",
        "non_ascii_share",
        "out",
        "phases",
        "run",
        "status",
        "top",
        "total_ms",
        "unique",
        "verified",
        "words",
    ];
    assert_eq!(fields(&report), all);
    assert_eq!(
        fields(&report["phases"]),
        ["map", "reduce", "split", "verify"]
    );
    for phase in ["split", "reduce", "verify"] {
        assert_eq!(fields(&report["phases"][phase]), ["ms"]);
        assert_ms(&report["phases"][phase]["ms"]);
    }
    let run = report["run"].as_str().unwrap();
    assert!(run.len() == 26 && run.bytes().all(|b| b.is_ascii_alphanumeric()));
    assert_eq!(report["input"], "s3://mrdeck/liber-primus.txt");
    assert_eq!(report["status"], "done");
    assert_eq!(report["verified"], true);
    assert_eq!(report["error"], Value::Null);

    let counts = words::count(LIBER_PRIMUS.as_bytes());
    let total: u64 = counts.values().sum();
    assert_eq!(report["words"], total);
    assert_eq!(report["unique"], counts.len());
    let top: Vec<Value> = words::top(&counts, 5)
        .into_iter()
        .map(|(word, count)| serde_json::json!({"word": word, "count": count}))
        .collect();
    assert_eq!(report["top"], Value::from(top));
    let out = report["out"].as_str().unwrap();
    let key = out.strip_prefix("s3://mrdeck/").unwrap();
    assert!(key.starts_with(&format!("mr/runs/{run}/reduce/")), "{key}");
    let written = std::fs::read(home.local_object(key)).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), words::json(&counts));

    let map = &report["phases"]["map"];
    assert_eq!(fields(map), ["chunks", "parallelism", "sum_ms", "wall_ms"]);
    let chunks = map["chunks"].as_array().unwrap();
    assert_eq!(chunks.len(), 7);
    let (mut mapped, mut sum_ms) = (0, 0.0);
    for (index, chunk) in chunks.iter().enumerate() {
        assert_eq!(
            fields(chunk),
            ["attempts", "chunk", "ip", "ms", "task", "words"]
        );
        assert_eq!(chunk["chunk"], index);
        assert_eq!(chunk["attempts"], 1);
        assert_eq!(chunk["ip"], "127.0.0.1");
        let task = chunk["task"].as_str().unwrap();
        assert!(
            ["mapper-1", "mapper-2", "mapper-3"].contains(&task),
            "{task}"
        );
        mapped += chunk["words"].as_u64().unwrap();
        sum_ms += assert_ms(&chunk["ms"]);
    }
    assert_eq!(mapped, total);
    assert!((assert_ms(&map["sum_ms"]) - sum_ms).abs() < 1e-6);
    let wall_ms = assert_ms(&map["wall_ms"]);
    let parallelism = map["parallelism"].as_f64().unwrap();
    assert!((parallelism - sum_ms / wall_ms).abs() < 1e-6);
    assert!(
        parallelism <= 3.0,
        "three mappers, one request at a time each"
    );
    assert!(assert_ms(&report["total_ms"]) >= wall_ms);

    // Progress is for people, and goes elsewhere.
    for line in [
        "run ",
        "split ",
        "map ",
        "(7 of 7 chunks)",
        "reduce ",
        "verify ",
    ] {
        assert!(finished.stderr.contains(line), "{}", finished.stderr);
    }
}

#[test]
fn without_verify_nothing_is_claimed_and_every_mapper_gets_a_chunk() {
    let home = Home::new();
    let finished = home
        .local_console(2, "run")
        .args(["--output", "json"])
        .run();
    let report = finished.expect(0).json();
    assert_eq!(report["verified"], Value::Null);
    assert_eq!(report["phases"]["verify"]["ms"], Value::Null);
    let chunks = report["phases"]["map"]["chunks"].as_array().unwrap();
    let mut tasks: Vec<_> = chunks.iter().map(|c| c["task"].as_str().unwrap()).collect();
    tasks.sort_unstable();
    assert_eq!(tasks, ["mapper-1", "mapper-2"]);
    assert_eq!(report["top"].as_array().unwrap().len(), 10);
}

#[test]
fn the_text_says_what_was_counted() {
    let home = Home::new();
    let finished = home
        .local_console(3, "run")
        .args(["--verify", "--top", "3"])
        .run()
        .expect(0);
    let text = &finished.stdout;
    for part in [
        "  done\n",
        "input   s3://mrdeck/liber-primus.txt",
        "3 chunks",
        "parallelism",
        "1 attempt  ",
        "7,180  2,727 unique, verified",
        "out     s3://mrdeck/mr/runs/",
        "           229  et\n           114  non\n",
    ] {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
    let counts = words::count(LIBER_PRIMUS.as_bytes());
    assert_eq!((counts.values().sum::<u64>(), counts.len()), (7_180, 2_727));
    // Exactly three words are listed, after the line that says where the output is.
    let (_, listed) = text.split_once("out     ").unwrap();
    assert_eq!(listed.lines().count(), 1 + 3, "{listed}");
}

#[test]
fn the_record_is_one_event_a_line_from_the_start_to_the_end() {
    let home = Home::new();
    let finished = home
        .local_console(2, "run")
        .args(["--output", "json", "--chunks", "3", "--verify"])
        .run();
    let report = finished.expect(0).json();
    let file = home.record_files().remove(0);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("{}.jsonl", report["run"].as_str().unwrap()));

    let events = home.record();
    let names: Vec<&str> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(names.first(), Some(&"run_started"));
    assert_eq!(names.last(), Some(&"run_finished"));
    let count = |name| names.iter().filter(|n| **n == name).count();
    assert_eq!(count("phase_started"), 4, "split, map, reduce, verify");
    assert_eq!(count("phase_finished"), 4);
    assert_eq!(count("attempt_started"), 5, "split, three chunks, reduce");
    assert_eq!(count("committed"), 5);
    assert_eq!(count("attempt_failed"), 0);
    assert_eq!(events.last().unwrap()["status"], "done");
    let times: Vec<jiff::Timestamp> = events
        .iter()
        .map(|event| event["at"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}
