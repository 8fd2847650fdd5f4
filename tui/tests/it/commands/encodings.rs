//! Inputs that are not text as they are: compressed, in a wide encoding, binary. Made text of on the way, or refused by
//! name; never counted as something else.

use std::io::Write;

use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::words::LIBER_PRIMUS;

const TEXT: &[u8] = b"one two two\n";

/// `TEXT` as the programs `gzip`, `bzip2`, `zstd` and `xz` pack it.
#[rustfmt::skip]
const PACKED: [(&str, &[u8], &str); 4] = [
    ("t.txt.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xcf\x4b\x55\x28\x29\xcf\x07\x61\x2e\x00\x93\xf1\x6b\x18\x0c\x00\x00\x00", "gzip"),
    ("t.txt.bz2", b"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xcc\xbf\x36\x3e\x00\x00\x03\xd1\x80\x00\x10\x40\x00\x02\x01\x84\x80\x20\x00\x21\x28\x3d\x4d\x08\x60\x13\x5c\x83\xc4\x3c\x5d\xc9\x14\xe1\x42\x43\x32\xfc\xd8\xf8", "bzip2"),
    ("t.txt.zst", b"\x28\xb5\x2f\xfd\x04\x58\x61\x00\x00\x6f\x6e\x65\x20\x74\x77\x6f\x20\x74\x77\x6f\x0a\x79\x86\xb3\x1b", "zstd"),
    ("t.txt.xz", b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x0b\x6f\x6e\x65\x20\x74\x77\x6f\x20\x74\x77\x6f\x0a\x00\x1d\x3e\x0b\x91\x8f\x1b\x1a\xf9\x00\x01\x24\x0c\xa6\x18\xd8\xd8\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a", "xz"),
];

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_compressed_file_is_unpacked_on_the_way_and_that_is_said() {
    for (name, packed, how) in PACKED {
        // Each of its own: they hold the same.
        let lab = Lab::new([]);
        // Twice in a row is what such programs make of two files, and of large ones.
        for (bytes, expected) in [
            (packed.to_vec(), TEXT.to_vec()),
            ([packed, packed].concat(), [TEXT, TEXT].concat()),
        ] {
            lab.home.write(name, bytes);
            let console = lab.console("run").arg(name).args(["--bucket", "lab"]);
            let finished = console.args(["--output", "json", "--verify"]).run();
            let said = format!("{name} was unpacked from {how}");
            assert!(finished.stderr.contains(&said), "{}", finished.stderr);
            let report = lab.expect_exact(finished, &expected);
            let input = report["input"].as_str().unwrap();
            assert!(input.ends_with("/t.txt"), "{input}");
            assert_eq!(lab.s3.get(input), expected, "{name}");
        }
    }
}

#[test]
fn a_file_in_a_wide_encoding_is_uploaded_as_utf_8_and_that_is_said() {
    let text = "one \u{441}\u{43b}\u{43e}\u{432}\u{43e} two\n";
    let utf32: Vec<u8> = text
        .chars()
        .flat_map(|c| u32::from(c).to_be_bytes())
        .collect();
    let marked = format!("\u{feff}{text}");
    for (name, bytes, how) in [
        ("a.txt", utf16(text), "converted from UTF-16LE to UTF-8"),
        ("b.txt", utf16(&marked), "converted from UTF-16LE to UTF-8"),
        ("c.txt", utf32, "converted from UTF-32BE to UTF-8"),
        (
            "d.txt.gz",
            gzip(&utf16(&marked)),
            "unpacked from gzip and converted from UTF-16LE to UTF-8",
        ),
    ] {
        let lab = Lab::new([]);
        lab.home.write(name, bytes);
        let console = lab.console("run").arg(name).args(["--bucket", "lab"]);
        let finished = console.args(["--output", "json", "--verify"]).run();
        let said = format!("{name} was {how}");
        assert!(finished.stderr.contains(&said), "{}", finished.stderr);
        let report = lab.expect_exact(finished, text.as_bytes());
        assert_eq!(
            lab.s3.get(report["input"].as_str().unwrap()),
            text.as_bytes()
        );
    }
}

/// Damage that is found only after megabytes of good text were sent in parts.
#[test]
fn a_broken_archive_is_refused_and_nothing_of_it_remains() {
    let lab = Lab::new([]);
    let text = LIBER_PRIMUS.repeat(200).into_bytes();
    let gz = gzip(&text);
    let mut bz2 = BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bz2.write_all(&text).unwrap();
    let bz2 = bz2.finish().unwrap();
    let zst = {
        let mut packer = zstd::Encoder::new(Vec::new(), 3).unwrap();
        packer.include_checksum(true).unwrap();
        packer.write_all(&text).unwrap();
        packer.finish().unwrap()
    };
    let xz = PACKED[3].1.to_vec();
    for (name, good, how) in [
        ("t.gz", gz, "gzip"),
        ("t.bz2", bz2, "bzip2"),
        ("t.zst", zst, "zstd"),
        ("t.xz", xz, "xz"),
    ] {
        let cut = good[..good.len() - 3].to_vec();
        let mut flipped = good.clone();
        let near_the_end = flipped.len() - flipped.len() / 8 - 1;
        flipped[near_the_end] ^= 0x10;
        let trailed = [&good[..], b"and more"].concat();
        for bad in [cut, flipped, trailed] {
            lab.home.write(name, bad);
            let finished = lab.console("run").arg(name).args(["--bucket", "lab"]).run();
            let said = format!("{name} can't be unpacked from {how}: ");
            finished.expect_complaint(3, &[&said, "nothing was written"]);
            assert_eq!(lab.s3.keys(""), [""; 0]);
        }
    }
    assert!(lab.home.record_files().is_empty(), "no run was begun");
}

#[test]
fn a_file_that_has_no_text_is_refused_by_name_or_counted_as_bytes_when_asked() {
    let lab = Lab::new([]);
    let tar = [[b'a'; 257].as_slice(), b"ustar\x0000", &[0; 248]].concat();
    let elf = std::fs::read(mrdeck_testkit::console::binary()).unwrap();
    for (name, bytes, what) in [
        (
            "x.zip",
            b"PK\x03\x04\x14 a b".to_vec(),
            "x.zip is a zip archive",
        ),
        ("x.tar", tar.clone(), "x.tar is a tar archive"),
        (
            "x.tar.gz",
            gzip(&tar),
            "x.tar.gz is gzip-compressed, and what it holds is a tar archive",
        ),
        (
            "x.gz.gz",
            gzip(&gzip(TEXT)),
            "x.gz.gz is gzip-compressed, and what it holds is gzip-compressed",
        ),
        (
            "none.gz",
            gzip(b""),
            "none.gz is gzip-compressed, and what it holds has 0 bytes",
        ),
        (
            "x.pdf",
            b"%PDF-1.7\na b".to_vec(),
            "x.pdf is a PDF document, not text",
        ),
        (
            "elf",
            elf[..100_000].to_vec(),
            "elf is an ELF program, not text",
        ),
        ("nul", b"a\0b".to_vec(), "nul is not text: it has NUL bytes"),
    ] {
        lab.home.write(name, &bytes);
        let run = || lab.console("run").arg(name).args(["--bucket", "lab"]);
        run().run().expect_complaint(3, &[what]);
        assert_eq!(lab.s3.keys(""), [""; 0]);
        let finished = run()
            .args(["--as-bytes", "--verify", "--output", "json"])
            .run();
        let report = lab.expect_exact(finished, &bytes);
        let input = report["input"].as_str().unwrap();
        assert_eq!(lab.s3.get(input), bytes, "{name}");
        for key in lab.s3.keys("") {
            std::fs::remove_file(lab.s3.file(&key)).unwrap();
        }
    }
}

#[test]
fn an_object_that_is_not_text_is_refused_before_it_is_split() {
    let lab = Lab::new([]);
    for (key, bytes, what) in [
        ("x.gz", PACKED[0].1.to_vec(), "is gzip-compressed"),
        ("x.zst", PACKED[2].1.to_vec(), "is zstd-compressed"),
        ("utf16", utf16("a b\n"), "is UTF-16LE text, not UTF-8"),
        ("nul", b"a\0b".to_vec(), "is not text: it has NUL bytes"),
    ] {
        let input = lab.s3.put(key, bytes.clone());
        let run = || lab.console("run").arg(&input);
        let finished = run().run();
        finished.expect_complaint(3, &[&format!("the input {input} {what}"), "--as-bytes"]);
        assert_eq!(lab.s3.keys("mr/"), [""; 0]);
        assert!(lab.script.seen("/split").is_empty());
        // A copy of a chunk begins anywhere: the services must not look again.
        for split in ["copy", "range"] {
            let run = run().args(["--as-bytes", "--verify", "--split", split]);
            lab.expect_exact(run.args(["--output", "json"]).run(), &bytes);
        }
        lab.script.replace([]);
        for key in lab.s3.keys("mr/") {
            std::fs::remove_file(lab.s3.file(&key)).unwrap();
        }
    }
}

#[test]
fn a_report_says_what_share_of_the_input_is_beyond_ascii() {
    let lab = Lab::new([]);
    let text = "F\u{fc}ller don\u{2019}t \u{441}\u{43b}\u{43e}\u{432}\u{43e} ".repeat(1_000);
    let input = lab.s3.put("f.txt", text.as_bytes());
    let share = "55 % of the input is not ASCII (15,000 of 27,000 bytes)";
    for verify in [&[][..], &["--verify"]] {
        let run = || {
            lab.console("run")
                .arg(&input)
                .args(["--chunks", "7"])
                .args(verify)
        };
        let finished = run().args(["--output", "json"]).run();
        let report = lab.expect_exact(finished, text.as_bytes());
        assert_eq!(report["input_bytes"], 27_000);
        assert_eq!(report["non_ascii_bytes"], 15_000);
        let part = report["non_ascii_share"].as_f64().unwrap();
        assert!((part - 15.0 / 27.0).abs() < 1e-9, "{part}");
        let told = run().run().expect(0);
        assert_eq!(told.stdout.matches(share).count(), 1, "{}", told.stdout);
    }
    let plain = lab.s3.put("ascii.txt", "a b");
    let finished = lab.console("run").arg(&plain).run().expect(0);
    assert!(!finished.stdout.contains("ASCII"), "{}", finished.stdout);
}

#[test]
fn a_name_is_taken_as_it_is_written() {
    use std::os::unix::ffi::OsStrExt;

    let home = Home::new();
    let odd = std::ffi::OsStr::from_bytes(b"\xff.txt");
    std::fs::write(home.path().join(odd), "not utf eight here").unwrap();
    home.write("n.txt", "wrong");
    for (name, text) in [
        ("n.txt ", "right file here"),
        (" lead.txt", "a lead"),
        ("\t", "tab"),
    ] {
        home.write(name, text);
        let finished = home.local_console(1, "run").arg(name).run().expect(0);
        let expected = format!("words   {:>10}", text.split(' ').count());
        assert!(
            finished.stdout.contains(&expected),
            "{name:?}: {}",
            finished.stdout
        );
    }
    let finished = home.local_console(1, "run").arg(odd).run().expect(0);
    assert!(
        finished.stdout.contains("words            4"),
        "{}",
        finished.stdout
    );

    let lab = Lab::new([]);
    lab.s3.put("tail", "wrong");
    let input = lab.s3.put("tail ", "right object here");
    let finished = lab
        .console("run")
        .arg(&input)
        .args(["--output", "json"])
        .run();
    assert_eq!(
        lab.expect_exact(finished, b"right object here")["input"],
        "s3://lab/tail "
    );
    let lead = lab.console("run").arg(" s3://lab/tail").run();
    lead.expect_complaint(2, &["' s3://lab/tail' is not an s3:// address"]);
}
