//! The pictures themselves: pixels, texts and metadata.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use super::sample::{End, Sample, spread};
use super::*;
use mrdeck_engine::event::RunStatus;

fn troubled() -> RunState {
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
        .failed("chunk 2 failed 3 times: 10.0.0.1:8080 closed the connection")
}

fn many(count: u32) -> RunState {
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

/// Draws every kind of chart. `MRDECK_CHARTS=FOLDER` keeps them there, to look at.
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
        (
            "chinese",
            Sample::named(1, "s3://shu-cang/三国演义/第一回.txt", "mr")
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

fn drawn(record: &RunState) -> (usize, usize, Vec<u8>, Vec<(String, String)>) {
    let model = ChartModel::of(record).unwrap();
    let file = png::render(&model).unwrap();
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let info = reader.info();
    let latin = info.uncompressed_latin1_text.iter();
    let latin = latin.map(|text| (text.keyword.clone(), text.text.clone()));
    let utf8 = info
        .utf8_text
        .iter()
        .map(|text| (text.keyword.clone(), text.get_text().unwrap()));
    let facts = latin.chain(utf8).collect();
    (frame.width as usize, frame.height as usize, pixels, facts)
}

/// Counts the pixels of each column that have the colour, below the legend.
fn column_heights(
    (wide, _, pixels, _): &(usize, usize, Vec<u8>, Vec<(String, String)>),
    color: [u8; 3],
) -> Vec<usize> {
    let mut heights = vec![0; *wide];
    for (index, pixel) in pixels.chunks_exact(3).enumerate().skip(230 * wide) {
        heights[index % wide] += usize::from(pixel == color);
    }
    heights
}

const BLUE: [u8; 3] = [0, 114, 178];
const SKY: [u8; 3] = [86, 180, 233];
const GREEN: [u8; 3] = [0, 158, 115];
const VERMILLION: [u8; 3] = [213, 94, 0];

#[test]
fn a_bars_height_is_its_latency() {
    let picture = drawn(&Sample::ordinary(100.0, &[400.0], 200.0));
    // The left half holds the split and the map; the wall time's outline, as blue, begins after it.
    let tallest = |color, columns: std::ops::Range<usize>| {
        let heights = column_heights(&picture, color);
        heights[columns].iter().copied().max().unwrap() as f64
    };
    let (split, map) = (tallest(SKY, 0..800), tallest(BLUE, 0..800));
    let reduce = tallest(GREEN, 800..1600);
    assert!(map > 300.0, "{map}");
    assert!((map / split - 4.0).abs() < 0.05, "{map} {split}");
    assert!((map / reduce - 2.0).abs() < 0.03, "{map} {reduce}");
}

#[test]
fn only_failures_are_hatched() {
    let calm = drawn(&Sample::ordinary(148.2, &[412.7, 398.1, 451.9], 122.6));
    assert_eq!(column_heights(&calm, VERMILLION).iter().sum::<usize>(), 0);
    let heights = column_heights(&drawn(&troubled()), VERMILLION);
    // The retried attempt's column and, three attempts high, the failed chunk's.
    let hatched = heights.iter().filter(|height| **height > 30).count();
    assert!(hatched > 120, "{hatched} columns of pixels");
}

#[test]
fn the_page_is_paper_to_its_edges() {
    let (wide, high, pixels, _) = drawn(&troubled());
    assert_eq!((wide, high), (1600, 900));
    let is_paper = |x: usize, y: usize| pixels[(y * wide + x) * 3..][..3] == [255; 3];
    assert!((0..wide).all(|x| is_paper(x, 0) && is_paper(x, high - 1)));
    assert!((0..high).all(|y| is_paper(0, y) && is_paper(wide - 1, y)));
}

#[test]
fn the_png_carries_the_runs_parameters() {
    let record = Sample::named(3, "s3://b/Füße.txt", "lab")
        .split(100.0, 1)
        .map(0, &[End::Ok(50.0)]);
    let (.., facts) = drawn(&record.map_wall(25.0).reduce(10.0).done());
    let fact = |name: &str| {
        let found = facts.iter().find(|(keyword, _)| keyword == name);
        found.map_or_else(|| panic!("no {name}"), |(_, value)| value.as_str())
    };
    assert_eq!(
        fact("Software"),
        concat!("mrdeck ", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(fact("Input"), "s3://b/Füße.txt");
    assert_eq!(
        (fact("Status"), fact("Chunks"), fact("Cluster")),
        ("done", "1", "lab")
    );
    assert_eq!(
        (fact("Map wall ms"), fact("Map sum ms")),
        ("25.000", "50.000")
    );
    assert_eq!((fact("Split ms"), fact("Reduce ms")), ("100.000", "10.000"));
    assert_eq!(fact("Parallelism"), "2.000");
    jiff::fmt::rfc2822::parse(fact("Creation Time")).unwrap();
}

/// Returns the texts of a well-formed SVG, the names and values in its metadata among them.
fn texts(svg: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(svg);
    let mut texts = vec![String::new()];
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(_) | Event::End(_) => texts.push(String::new()),
            Event::Text(text) => texts.last_mut().unwrap().push_str(&text.decode().unwrap()),
            Event::GeneralRef(name) => {
                let name = name.decode().unwrap();
                let text = quick_xml::escape::resolve_predefined_entity(&name).unwrap();
                texts.last_mut().unwrap().push_str(text);
            }
            _ => {}
        }
    }
    texts
        .iter()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect()
}

fn svg_of(record: &RunState) -> Vec<String> {
    texts(&svg::render(&ChartModel::of(record).unwrap()).unwrap())
}

#[test]
fn the_svg_names_every_bar_and_its_value() {
    let texts = svg_of(&Sample::ordinary(148.2, &[412.7, 1398.1, 0.25], 122.6));
    for text in [
        "split",
        "chunk 0",
        "chunk 1",
        "chunk 2",
        "map wall",
        "reduce",
        "148 ms",
        "413 ms",
        "1,398 ms",
        "0.25 ms",
        "1,454 ms",
        "123 ms",
        "latency (ms)",
        "done in 2,617 ms",
    ] {
        let found = texts.iter().any(|found| found == text);
        assert!(found, "no {text:?} in {texts:?}");
    }
    assert!(
        texts
            .iter()
            .any(|text| text.contains("= parallelism 1.25 of 3")),
        "{texts:?}"
    );
}

#[test]
fn what_others_named_is_escaped_in_the_svg() {
    let hostile = "s3://b/<script>&\"'\u{1b}[31m\u{202e}]]>";
    let sample = Sample::named(1, hostile, "</text><x y='\u{0}'>").split(3.0, 1);
    let model = ChartModel::of(&sample.map(0, &[End::Ok(9.0)]).so_far()).unwrap();
    let svg = svg::render(&model).unwrap();
    assert!(!svg.contains("<script") && !svg.contains("<x"), "{svg}");
    assert!(!svg.contains(['\u{1b}', '\u{202e}', '\u{0}']));
    let texts = texts(&svg);
    assert!(
        texts
            .iter()
            .any(|text| text == "s3://b/<script>&\"'□[31m□]]>"),
        "{texts:?}"
    );
}

#[test]
fn many_mappers_become_a_distribution_in_the_svg() {
    let texts = svg_of(&many(1000));
    for start in [
        "p50 ",
        "p95 ",
        "max ",
        "map attempts per bin",
        "25 failed attempts",
    ] {
        assert!(
            texts.iter().any(|text| text.starts_with(start)),
            "no {start:?} in {texts:?}"
        );
    }
    assert!(!texts.iter().any(|text| text == "map chunks"));
}

#[test]
fn a_run_that_was_cancelled_says_so() {
    let sample = Sample::new(2)
        .split(10.0, 2)
        .map(0, &[End::Abandoned(30.0)]);
    let texts = svg_of(&sample.finish(RunStatus::Cancelled, None));
    for text in [
        "abandoned",
        "30.0 ms",
        "not run",
        "unfinished",
        "1 abandoned attempt",
    ] {
        assert!(
            texts.iter().any(|found| found == text),
            "no {text:?} in {texts:?}"
        );
    }
}

#[test]
fn an_svg_names_the_input_as_it_is_and_a_png_only_beside_its_pixels() {
    let name = "s3://shu-cang/三国演义/第一回.txt";
    let record = Sample::named(1, name, "mr").split(3.0, 1);
    let record = record.map(0, &[End::Ok(9.0)]).so_far();
    let svg = svg::render(&ChartModel::of(&record).unwrap()).unwrap();
    let is_drawn = svg.split("<text").skip(1).any(|text| text.contains(name));
    assert!(is_drawn, "{svg}");
    let (.., facts) = drawn(&record);
    assert!(facts.contains(&("Input".to_owned(), name.to_owned())));
}
