//! Whole runs on a local cluster beside what others take for the same text, in turn in one go.
//!
//! `cargo bench -p mrdeck --bench whole_run`; the README's figures come from it. The texts are made here, the same on
//! every machine; `-- --file FILE` takes a file for the small one, and repeats it for the large one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong ends the benchmark"
)]

mod memory;
mod peers;
mod table;
#[path = "../../../services/core/benches/texts/mod.rs"]
mod texts;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mrdeck_testkit::home::Home;
use serde_json::Value;

use self::memory::Peaks;
use self::table::Row;

const USAGE: &str = "usage: cargo bench -p mrdeck --bench whole_run -- [--runs N] [--mappers N] [--file FILE] [--only A,B,C]";
/// How often the large text has the small one.
const REPEATED: usize = 1_600;

/// What is measured.
struct Asked {
    runs: usize,
    mappers: u32,
    file: Option<PathBuf>,
    only: Vec<String>,
}

/// A text to count.
struct Text {
    name: &'static str,
    path: PathBuf,
}

fn main() {
    let asked = asked();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("whole_run");
    fs::create_dir_all(&folder).unwrap();
    println!("{}", table::machine());
    for text in texts(&folder, asked.file.as_deref()) {
        if asked.only.is_empty() || asked.only.iter().any(|name| name == text.name) {
            measure(&text, &asked);
        }
    }
}

fn asked() -> Asked {
    let mut asked = Asked {
        runs: 5,
        mappers: 3,
        file: None,
        only: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        // Cargo's own.
        if name == "--bench" {
            continue;
        }
        let value = arguments.next();
        let value = value.unwrap_or_else(|| panic!("{name} takes a value\n{USAGE}"));
        match name.as_str() {
            "--runs" => asked.runs = value.parse().expect(USAGE),
            "--mappers" => asked.mappers = value.parse().expect(USAGE),
            "--file" => asked.file = Some(value.into()),
            "--only" => asked.only = value.split(',').map(str::to_owned).collect(),
            _ => panic!("there is no {name}\n{USAGE}"),
        }
    }
    asked
}

/// A: a text of a book's act. B: the same many times. C: many different words.
fn texts(folder: &Path, file: Option<&Path>) -> [Text; 3] {
    let small = match file {
        Some(file) => fs::read(file).unwrap(),
        None => texts::Zipf::new(30_000, 6_000).flatten().collect(),
    };
    let path = |name: &str| folder.join(name);
    fs::write(path("a.txt"), &small).unwrap();
    let mut large = BufWriter::new(File::create(path("b.txt")).unwrap());
    for _ in 0..REPEATED {
        large.write_all(&small).unwrap();
    }
    large.flush().unwrap();
    let mut different = BufWriter::new(File::create(path("c.txt")).unwrap());
    for piece in texts::Zipf::large() {
        different.write_all(&piece).unwrap();
    }
    different.flush().unwrap();
    [("A", "a.txt"), ("B", "b.txt"), ("C", "c.txt")].map(|(name, file)| Text {
        name,
        path: path(file),
    })
}

fn measure(text: &Text, asked: &Asked) {
    let home = Home::new();
    // The first one uploads the text, and is verified.
    let (first, _) = run(
        &home,
        text.path.to_str().unwrap(),
        asked.mappers,
        &["--verify"],
    );
    assert_eq!(first["verified"], true, "{first}");
    let input = first["input"].as_str().unwrap();
    let mut ours = Row::new(format!("mrdeck, {} mappers", asked.mappers));
    let mut parts =
        ["split", "map", "reduce", "the rest"].map(|name| Row::new(format!("  {name}")));
    let mut peaks = Peaks::default();
    let mut peers = peers::installed(&text.path);
    for _ in 0..asked.runs {
        let (report, peak) = run(&home, input, asked.mappers, &[]);
        for field in ["words", "unique"] {
            assert_eq!(report[field], first[field], "another {field}");
        }
        let phases = &report["phases"];
        let split = ms(&phases["split"]["ms"]);
        let map = ms(&phases["map"]["wall_ms"]);
        let reduce = ms(&phases["reduce"]["ms"]);
        let total = ms(&report["total_ms"]);
        ours.add(total);
        let shares = [split, map, reduce, total - split - map - reduce];
        for (row, share) in parts.iter_mut().zip(shares) {
            row.add(share);
        }
        peaks.merge(peak);
        for peer in &mut peers {
            peer.measure();
        }
    }
    let size = fs::metadata(&text.path).unwrap().len();
    let about = format!("{} words, {} different", first["words"], first["unique"]);
    println!(
        "\n{}: {size} bytes, {about}; medians of {} runs",
        text.name, asked.runs
    );
    let base = ours.median();
    for row in std::iter::once(&ours).chain(&parts) {
        row.print(base);
    }
    for peer in &peers {
        peer.row().print(base);
    }
    println!("  {peaks}");
}

fn ms(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no time"))
}

/// One run on a cluster of its own over the same data; returns its report and the memory of its processes.
fn run(home: &Home, input: &str, mappers: u32, more: &[&str]) -> (Value, Peaks) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mrdeck"));
    command.env_clear().current_dir(home.path());
    command.envs(mrdeck_testkit::console::environment(home.path()));
    let local = format!("--local={mappers}");
    command.args([
        "run",
        &local,
        "--local-data",
        "data",
        input,
        "--output",
        "json",
    ]);
    command
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let watched = memory::watch(child.id());
    let output = child.wait_with_output().unwrap();
    let peaks = watched.end();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    (serde_json::from_slice(&output.stdout).unwrap(), peaks)
}
