//! What the model decides, from runs made of events.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::report::chart::sample::{End, Sample, spread};
use mrdeck_engine::event::RunStatus;

fn model(record: &RunState) -> ChartModel {
    ChartModel::of(record).unwrap()
}

fn names(model: &ChartModel) -> Vec<&str> {
    model.slots.iter().map(|slot| slot.name.as_str()).collect()
}

#[test]
fn up_to_24_chunks_have_a_bar_each() {
    for count in [1, 3, 8, 12, 13, 24] {
        let model = model(&Sample::ordinary(1.0, &spread(count, 50.0), 2.0));
        assert!(model.histogram.is_none());
        assert_eq!(model.slots.len(), count as usize + 3);
        let first = if count > 12 { "0" } else { "chunk 0" };
        assert_eq!(names(&model)[..2], ["split", first]);
        assert_eq!(names(&model)[count as usize + 1..], ["map wall", "reduce"]);
        assert!(
            model
                .slots
                .iter()
                .all(|slot| slot.ms.is_some() && slot.losses.is_empty())
        );
    }
}

#[test]
fn more_chunks_become_a_distribution() {
    for count in [25, 100, 1000, 10_000] {
        let latencies = spread(count, 820.0);
        let model = model(&Sample::ordinary(1.0, &latencies, 2.0));
        assert_eq!(names(&model), ["split", "map wall", "reduce"]);
        let histogram = model.histogram.unwrap();
        let counted: usize = histogram.bins.iter().map(Bin::total).sum();
        assert_eq!(counted, count as usize);
        for bin in &histogram.bins {
            let inside = latencies
                .iter()
                .filter(|ms| (bin.from..bin.to).contains(*ms));
            assert_eq!(bin.done, inside.count(), "{}..{}", bin.from, bin.to);
        }
        assert!(
            (8..=40).contains(&histogram.bins.len()),
            "{}",
            histogram.bins.len()
        );
    }
}

#[test]
fn percentiles_are_marked_on_the_distribution() {
    let latencies: Vec<f64> = (1..=100).map(f64::from).collect();
    let histogram = model(&Sample::ordinary(1.0, &latencies, 2.0))
        .histogram
        .unwrap();
    let marks = histogram.marks.iter();
    let marks: Vec<_> = marks
        .map(|mark| format!("{} {}", mark.name, mark.ms))
        .collect();
    assert_eq!(marks, ["p50 50", "p95 95", "max 100"]);
}

#[test]
fn an_outlier_makes_the_axis_logarithmic_and_hides_nobody() {
    let mut latencies = vec![50.0; 99];
    latencies.push(3_600_000.0);
    let histogram = model(&Sample::ordinary(1.0, &latencies, 2.0))
        .histogram
        .unwrap();
    assert!(histogram.span.is_log);
    assert_eq!(histogram.bins.first().unwrap().done, 99);
    assert_eq!(histogram.bins.last().unwrap().done, 1);
    let ticks: Vec<_> = histogram
        .span
        .ticks(8.0)
        .iter()
        .map(|(ms, _)| format!("{ms:.0}"))
        .collect();
    assert_eq!(ticks, ["100", "1000", "10000", "100000", "1000000"]);
}

#[test]
fn equal_latencies_share_a_bin_that_is_no_wall() {
    for ms in [0.0, 0.1, 25.0, 3_600_000.0] {
        let histogram = model(&Sample::ordinary(1.0, &[ms; 30], 2.0))
            .histogram
            .unwrap();
        assert_eq!(histogram.fullest(), 30, "{ms}");
        assert!(histogram.bins.len() >= 8, "{ms}: {}", histogram.bins.len());
    }
}

#[test]
fn lost_attempts_are_kept_beside_what_counts() {
    let record = Sample::new(4)
        .split(1.0, 4)
        .map(0, &[End::Fails(10.0), End::Fails(20.0), End::Ok(30.0)])
        .map(1, &[End::Fails(5.0), End::FailsForGood(6.0)])
        .map(2, &[End::Ok(7.0), End::TooLate(9.0)])
        .map(3, &[End::Abandoned(8.0)])
        .finish(RunStatus::Cancelled, None);
    let model = model(&record);
    let slot = |index: usize| {
        let slot = &model.slots[index];
        let kinds: Vec<BarKind> = slot.losses.iter().map(|loss| loss.kind).collect();
        format!(
            "{:?} {kinds:?} {} {:?}",
            slot.ms,
            slot.lost_ms(),
            slot.missing
        )
    };
    assert_eq!(slot(1), "Some(30.0) [Failed, Failed] 30 None");
    assert_eq!(slot(2), "None [Failed, Failed] 11 Some(\"failed\")");
    assert_eq!(slot(3), "Some(7.0) [Unused] 9 None");
    assert_eq!(slot(4), "None [Abandoned] 8 Some(\"abandoned\")");
    assert_eq!(slot(6), "None [] 0 Some(\"not run\")");
    let legend: Vec<&str> = model.legend.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(
        legend[4..],
        [
            "4 failed attempts",
            "1 abandoned attempt",
            "1 unused attempt"
        ]
    );
    assert!(model.slots[2].is_failed && !model.slots[1].is_failed);
}

#[test]
fn a_retry_that_never_came_is_a_failure_once_the_run_is_over() {
    let sample = Sample::new(1).split(1.0, 1).map(0, &[End::Fails(10.0)]);
    let missing = |record: &RunState| model(record).slots[1].missing;
    assert_eq!(missing(&sample.so_far()), Some("retrying"));
    assert_eq!(missing(&sample.failed("it ended")), Some("failed"));
}

#[test]
fn lost_attempts_are_part_of_the_distribution() {
    let mut sample = Sample::new(30).split(1.0, 30);
    for chunk in 0..30 {
        sample = sample.map(chunk, &[End::Fails(10.0), End::Ok(100.0)]);
    }
    let histogram = model(&sample.map_wall(120.0).done()).histogram.unwrap();
    let lost: Vec<_> = histogram
        .bins
        .iter()
        .filter(|bin| !bin.lost.is_empty())
        .collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(
        (lost[0].done, lost[0].lost.as_slice()),
        (0, [(BarKind::Failed, 30)].as_slice())
    );
    assert!((lost[0].from..lost[0].to).contains(&10.0));
}

#[test]
fn only_lost_attempts_make_a_distribution_without_percentiles() {
    let mut sample = Sample::new(30).split(1.0, 30);
    for chunk in 0..30 {
        sample = sample.map(chunk, &[End::FailsForGood(f64::from(chunk))]);
    }
    let histogram = model(&sample.failed("all of them")).histogram.unwrap();
    assert!(histogram.marks.is_empty());
    assert_eq!(histogram.bins.iter().map(Bin::total).sum::<usize>(), 30);
}

#[test]
fn impossible_times_are_drawable() {
    let latencies = [f64::NAN, f64::INFINITY, -1.0, f64::MAX];
    let model = model(&Sample::ordinary(f64::NAN, &latencies, -0.0));
    assert!(
        model
            .slots
            .iter()
            .filter_map(|slot| slot.ms)
            .all(|ms| (0.0..=1e10).contains(&ms))
    );
    let header = &model.header;
    assert!(
        !header
            .lines
            .iter()
            .any(|line| line.contains("NaN") || line.contains("inf")),
        "{header:?}"
    );
}

#[test]
fn the_header_says_what_ran_and_what_it_gained() {
    let header = model(&Sample::ordinary(148.2, &[400.0; 3], 122.6)).header;
    assert_eq!(
        header.lines,
        [
            "s3://shakespeare/input/hamlet.txt  ·  182,567 bytes  ·  3 chunks  ·  3 mappers  ·  cluster mapreduce-lab",
            "map: 1,200 ms added up ÷ 416 ms wall = parallelism 2.88 of 3",
        ]
    );
    assert_eq!((header.mood, header.diagnostic), (Mood::Good, None));
    assert!(header.footer.starts_with("run 01KK"), "{}", header.footer);
}

#[test]
fn nothing_ended_is_nothing_to_draw() {
    assert_eq!(ChartModel::of(&Sample::new(3).so_far()), None);
    let only_failed =
        Sample::new(3).attempts(mrdeck_engine::work::Work::Split, &[End::FailsForGood(3.0)]);
    let model = model(&only_failed.failed("no split"));
    assert_eq!(names(&model), ["split", "reduce"]);
    assert_eq!(model.slots[0].missing, Some("failed"));
}
