//! A reader of a piped `mrdeck run` that stops reading stops only what is printed.

use std::process::{Command, Stdio};

use mrdeck_testkit::console::{binary, environment};
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::process;
use mrdeck_testkit::proxy::script::Fault;
use mrdeck_testkit::words::LIBER_PRIMUS;
use mrdeck_testkit::{wait_for, wait_until, words};

/// Each has a failure that is printed in more than 200 bytes: together more than a pipe holds (64 KiB).
const CHUNKS: u32 = 500;

#[test]
fn a_run_ends_while_its_output_is_not_read() {
    // The first attempt at every chunk fails, so that much is printed.
    let failing = Fault::answer(500, &"boom ".repeat(20)).at("/map");
    let lab = Lab::new([failing.attempts(1..=1)]);
    lab.s3.put("input.txt", LIBER_PRIMUS.as_bytes());
    // The reader is stopped before the console begins.
    let script = r#""$0" "$@" 2>&1 | { echo $$ >reader; kill -STOP $$; cat; }"#;
    let pipeline = format!("set -o pipefail; {script}").replace("$$", "$BASHPID");
    let addresses = lab.addresses();
    let shell = Command::new("bash")
        .args(["-c", &pipeline, binary(), "run", "s3://lab/input.txt"])
        .args(["--split", "range", "--chunks", &CHUNKS.to_string()])
        .args(addresses.flags())
        .env_clear()
        .envs(environment(lab.home.path()))
        .envs(lab.s3.environment())
        .current_dir(lab.home.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let reader = wait_for("the reader", || {
        let text = std::fs::read_to_string(lab.home.file("reader")).ok()?;
        Some(process::of(text.trim().parse().ok()?))
    });
    wait_until("the reader to stop", || reader.is_frozen());

    let record = lab.home.ended_record();
    let last = record.last().unwrap();
    assert_eq!(last["status"], "done", "{last}");
    assert!(reader.is_frozen(), "it reads still nothing");
    let failures = record.iter().filter(|e| e["event"] == "attempt_failed");
    assert_eq!(
        failures.count(),
        CHUNKS as usize,
        "only those of the script"
    );
    let read = record.iter().find(|e| e["event"] == "result_read").unwrap();
    let counts = words::count(LIBER_PRIMUS.as_bytes());
    assert_eq!(read["words"], counts.values().sum::<u64>());

    reader.signal("CONT");
    let finished = shell.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&finished.stdout);
    assert_eq!(finished.status.code(), Some(0), "{said}");
    assert!(
        said.len() > 64 << 10,
        "more than a pipe holds: {}",
        said.len()
    );
}
