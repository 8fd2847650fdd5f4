#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use super::sample::{End, Sample, spread};
use super::*;
use crate::engine::event::RunStatus;

fn troubled() -> Record {
    Sample::new(3)
        .split(148.2, 3)
        .map(0, &[End::Ok(412.7)])
        .map(1, &[End::Fails(205.3), End::Ok(451.9)])
        .map(
            2,
            &[
                End::Fails(390.0),
                End::Fails(310.5),
                End::FailsForGood(388.1),
            ],
        )
        .failed("map 2 failed 3 times: 10.0.0.1:8080 closed the connection")
}

fn many(count: u32) -> Record {
    let mut sample = Sample::new(count).split(612.0, count);
    for (chunk, ms) in (0..).zip(spread(count, 820.0)) {
        let ends = match chunk % 40 {
            7 => vec![End::Fails(ms * 0.4), End::Ok(ms)],
            21 => vec![End::Ok(ms), End::TooLate(ms * 1.3)],
            _ => vec![End::Ok(ms)],
        };
        sample = sample.map(chunk, &ends);
    }
    sample.map_wall(2310.0).reduce(941.0).done()
}

/// Every kind of chart there is. `MRDECK_CHARTS=FOLDER` keeps them there, to look at.
#[test]
fn every_kind_of_run_is_drawn() {
    let temporary = tempfile::tempdir().unwrap();
    let folder =
        std::env::var_os("MRDECK_CHARTS").map_or(temporary.path().to_owned(), PathBuf::from);
    let mut wide = Sample::new(8).split(130.0, 8).map(0, &[End::Ok(9.3)]);
    for chunk in 1..8 {
        wide = wide.map(chunk, &[End::Ok(0.4 + f64::from(chunk))]);
    }
    let mut crowded = Sample::new(24).split(1480.2, 24);
    for (chunk, ms) in (0..).zip(spread(24, 4120.0)) {
        let ends = match chunk {
            3 | 17 => vec![End::Fails(ms / 2.0), End::Ok(ms)],
            9 => vec![End::Abandoned(ms / 3.0)],
            11 => vec![End::Fails(900.0), End::FailsForGood(1204.0)],
            20 => vec![End::Ok(ms), End::TooLate(ms * 1.2)],
            _ => vec![End::Ok(ms)],
        };
        crowded = crowded.map(chunk, &ends);
    }
    let mut tail = spread(300, 50.0);
    tail[7] = 3_600_000.0;
    let hostile = "s3://b/<&\"\u{1b}[31m\u{202e}漢".to_owned() + &"W".repeat(500);
    let runs = [
        ("1", Sample::ordinary(120.4, &[655.1], 88.0)),
        ("3", Sample::ordinary(148.2, &[412.7, 398.1, 451.9], 122.6)),
        ("3-troubled", troubled()),
        ("8-fast", wide.map_wall(10.1).reduce(0.16).done()),
        (
            "12-hours",
            Sample::ordinary(5_000.0, &spread(12, 7.2e6), 1.8e6),
        ),
        ("24", Sample::ordinary(148.2, &spread(24, 400.0), 122.6)),
        ("24-troubled", crowded.finish(RunStatus::Cancelled, None)),
        ("25", Sample::ordinary(148.2, &spread(25, 400.0), 122.6)),
        ("100-equal", Sample::ordinary(10.0, &[25.0; 100], 10.0)),
        ("300-tail", Sample::ordinary(148.2, &tail, 122.6)),
        ("1000", many(1000)),
        ("10000", many(10_000)),
        (
            "hostile",
            Sample::named(1, &hostile, "c\u{0}\u{7}<x>")
                .split(3.0, 1)
                .map(0, &[End::Ok(9.0)])
                .so_far(),
        ),
    ];
    for (name, record) in &runs {
        for ending in ["png", "svg"] {
            let path = folder.join(format!("{name}.{ending}"));
            write_chart(record, &path, true).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
