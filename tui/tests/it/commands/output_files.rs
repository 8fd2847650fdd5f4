//! The files that a run writes: the counts and the charts, whole or not at all, and never over another.

use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::words::{self, LIBER_PRIMUS};

#[test]
fn the_counts_and_the_chart_are_written_as_files() {
    let home = Home::new();
    let run = |chart: &str, save: &str| {
        home.local_console(3, "run")
            .args(["--save", save, "--chart", chart])
            .run()
            .expect(0)
    };
    run("chart.png", "counts.json");
    run("chart.svg", "more.json");
    let expected = words::json(&words::count(LIBER_PRIMUS.as_bytes()));
    for name in ["counts.json", "more.json"] {
        assert_eq!(
            String::from_utf8(home.read(name)).unwrap(),
            expected,
            "{name}"
        );
    }
    assert!(home.read("chart.png").starts_with(b"\x89PNG\r\n\x1a\n"));
    let svg = String::from_utf8(home.read("chart.svg")).unwrap();
    assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"));
    let files = ["chart.png", "chart.svg", "counts.json", "data", "more.json"];
    assert_eq!(home.names(), files, "and nothing half-written");
}

#[test]
fn what_is_there_is_not_overwritten_and_nothing_is_started() {
    for (flag, name) in [
        ("--save", "x.json"),
        ("--chart", "x.png"),
        ("--chart", "x.svg"),
    ] {
        let home = Home::new();
        home.write(name, "precious");
        let finished = home.local_console(1, "run").args([flag, name]).run();
        finished.expect_complaint(2, &[name, "already"]);
        assert_eq!(home.read(name), b"precious");
        assert_eq!(home.names(), [name], "no cluster was started for it");
    }
}

#[test]
fn a_place_that_can_t_be_written_to_is_refused_before_anything_starts() {
    let home = Home::new();
    for (flag, name, word) in [
        ("--chart", "x.gif", ".png"),
        ("--chart", "x", ".svg"),
        ("--chart", "nowhere/x.png", "nowhere"),
        ("--save", "nowhere/x.json", "nowhere"),
    ] {
        let finished = home.local_console(1, "run").args([flag, name]).run();
        finished.expect_complaint(2, &[name, word]);
    }
    assert_eq!(home.names(), [""; 0]);
}

/// A file size limit stands in for the full disk: writing fails in the middle, with another number.
#[test]
fn a_disk_that_is_full_is_named_and_leaves_nothing_half_written() {
    let lab = Lab::new([]);
    let addresses = lab.direct_addresses();
    let input = lab.s3.put("input.txt", LIBER_PRIMUS);
    let arguments = format!(
        "run {input} --splitter {} --reducer {} --mapper {} --chart chart.png --save counts.json",
        addresses.splitter, addresses.reducer, addresses.mappers[0]
    );
    // 16 blocks of 512 or 1,024 bytes: enough for the run's record, not for the files.
    let script = format!("trap '' XFSZ; ulimit -f 16; exec \"$CONSOLE\" {arguments}");
    let mut console = Console::by("sh", lab.home.path())
        .args(["-c", &script])
        .env("CONSOLE", mrdeck_testkit::console::binary());
    for (name, value) in lab.s3.environment() {
        console = console.env(name, value);
    }
    let finished = console.run().expect_complaint(3, &["chart.png", "written"]);
    assert!(finished.stdout.contains("7,180"), "the run itself is done");
    assert_eq!(lab.home.names(), ["state"]);
}
