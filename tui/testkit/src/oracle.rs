//! What every run must end with, whatever happened to it: exact counts, or a refusal with a cause and no success.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::console::Finished;
use crate::s3::ObjectStore;
use crate::words;

/// How a run came out, and it was one of the two ways it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Exact,
    Refused { code: i32, cause: String },
}

/// Judges the run whose id is `run` (`None` where it had none yet) by how its last console ended.
///
/// `expected` is a count of the raw bytes in one process; it is asked for only where there is a result.
#[track_caller]
pub fn judge(
    s3: &ObjectStore,
    run: Option<&str>,
    finished: &Finished,
    expected: impl FnOnce() -> BTreeMap<String, u64>,
) -> Verdict {
    let said = finished.to_string();
    assert!(!finished.stderr.contains("panicked"), "{said}");
    let code = finished.code.unwrap_or_else(|| panic!("killed: {said}"));
    if code == 0 {
        expect_exact(s3, &finished.json(), &expected());
        return Verdict::Exact;
    }
    let claims = run.filter(|run| s3.has(&success_key(run)));
    assert!(
        claims.is_none(),
        "exit code {code}, but there is a success record: {said}"
    );
    let report: Option<Value> = serde_json::from_str(&finished.stdout).ok();
    if let Some(report) = &report {
        assert_ne!(report["status"], "done", "exit code {code}: {said}");
        for claimed in ["words", "unique", "out"] {
            assert_eq!(report[claimed], Value::Null, "a result is claimed: {said}");
        }
    }
    let cause = cause(report.as_ref(), &finished.stderr);
    let cause = cause.unwrap_or_else(|| panic!("exit code {code} without a cause: {said}"));
    Verdict::Refused { code, cause }
}

/// Where a run that is done says so.
pub fn success_key(run: &str) -> String {
    format!("mr/runs/{run}/success.json")
}

/// Why it was refused: as the report has it, or as it was complained of. To be cancelled is a cause too.
fn cause(report: Option<&Value>, stderr: &str) -> Option<String> {
    let reported = report.and_then(|report| match report["error"]["cause"].as_str() {
        None if report["status"] == "cancelled" => Some("cancelled".to_owned()),
        cause => cause.map(str::to_owned),
    });
    let complaint = stderr
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("mrdeck: "));
    let cause = reported.or_else(|| complaint.map(str::to_owned))?;
    (!cause.trim().is_empty()).then_some(cause)
}

/// Asserts that a report is of a run that is done, and that its counts are the expected ones, byte for byte.
#[track_caller]
pub fn expect_exact(s3: &ObjectStore, report: &Value, expected: &BTreeMap<String, u64>) {
    assert_eq!(report["status"], "done", "{report}");
    assert_eq!(report["words"], expected.values().sum::<u64>(), "{report}");
    assert_eq!(report["unique"], expected.len(), "{report}");
    let out = s3.get(report["out"].as_str().unwrap());
    assert!(
        String::from_utf8(out).unwrap() == words::json(expected),
        "the counts in S3 are not those of the input: {report}"
    );
}
