//! Local files as inputs: uploaded first, byte for byte, and refused where there is nothing to count.

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::words;

#[test]
fn a_local_file_is_uploaded_and_counted_byte_for_byte() {
    let texts: [(&str, &[u8]); 4] = [
        (
            "crlf and bom.txt",
            b"\xef\xbb\xbfOne two\r\nTWO three's\r\n\xff\xfe bad\0good caf\xc3\xa9\r\n",
        ),
        ("one-byte", b"x"),
        ("no-newline.txt", b"to be or not to be"),
        ("\u{e9}t\u{e9}.txt", b"a name that is no plain key"),
    ];
    let lab = Lab::new([]);
    for (name, text) in texts {
        lab.home.write(name, text);
        let console = lab.console("run").arg(name).args(["--bucket", "lab"]);
        let finished = console
            .args(["--output", "json", "--verify", "--as-bytes"])
            .run();
        let report = lab.expect_exact(finished, text);
        let input = report["input"].as_str().unwrap();
        assert!(input.starts_with("s3://lab/mr/uploads/"), "{input}");
        assert_eq!(lab.s3.get(input), text, "{name}");
    }
}

#[test]
fn the_same_file_is_uploaded_once() {
    let lab = Lab::new([]);
    // Above 16 MiB it goes in parts.
    for (name, words) in [("small.txt", 1_000), ("large.txt", 4_000_000)] {
        let text = "words ".repeat(words);
        lab.home.write(name, &text);
        let run = || {
            let console = lab.console("run").arg(name).args(["--bucket", "lab"]);
            console.args(["--output", "json"]).run().expect(0)
        };
        let first = run();
        assert!(!first.stderr.contains("already"), "{}", first.stderr);
        let input = first.json()["input"].as_str().unwrap().to_owned();
        for _ in 0..2 {
            let again = run();
            let said = format!("{name} is already there as {input}");
            assert!(again.stderr.contains(&said), "{}", again.stderr);
            assert!(!again.stderr.contains("uploading"), "{}", again.stderr);
            assert_eq!(again.json()["input"], input);
            assert_eq!(again.json()["words"], words);
        }
        let changed = text.replacen("words", "sword", 1);
        lab.home.write(name, &changed);
        let other = run().json();
        assert_eq!(
            lab.s3.get(other["input"].as_str().unwrap()),
            changed.as_bytes()
        );
        assert_eq!(lab.s3.get(&input), text.as_bytes());
    }
    assert_eq!(lab.s3.keys("mr/uploads").len(), 4);
}

#[test]
fn with_a_local_cluster_the_same_file_is_uploaded_once() {
    let home = Home::new();
    home.write("text.txt", "one two three");
    let run = || home.local_console(1, "run").arg("text.txt").run().expect(0);
    run();
    let again = run().stderr;
    assert!(
        again.contains("text.txt is already there as s3://mrdeck/mr/uploads/"),
        "{again}"
    );
    let uploads = std::fs::read_dir(home.file("data/objects/mrdeck/mr/uploads"));
    assert_eq!(uploads.unwrap().count(), 1);
}

#[test]
fn with_a_local_cluster_a_file_needs_no_bucket() {
    let home = Home::new();
    let text = words::random_text(7, 2_000);
    home.write("text.txt", &text);
    let console = home.local_console(2, "run").arg("text.txt");
    let finished = console
        .args(["--output", "json", "--save", "counts.json"])
        .run();
    let report = finished.expect(0).json();
    let counts = words::count(&text);
    assert_eq!(report["words"], counts.values().sum::<u64>());
    assert_eq!(
        String::from_utf8(home.read("counts.json")).unwrap(),
        words::json(&counts)
    );
}

#[test]
fn a_file_that_can_t_be_counted_is_refused_and_nothing_is_uploaded() {
    let lab = Lab::new([]);
    lab.home.write("empty.txt", "");
    std::fs::create_dir(lab.home.file("folder")).unwrap();
    for (name, words) in [
        (
            "empty.txt",
            ["empty.txt has 0 bytes", "choose another file"],
        ),
        (
            "missing.txt",
            ["missing.txt can't be read", "s3://BUCKET/KEY"],
        ),
        (
            "folder",
            ["folder has no file with a byte in it", "another directory"],
        ),
    ] {
        let finished = lab.console("run").arg(name).args(["--bucket", "lab"]).run();
        let finished = finished.expect_complaint(3, &words);
        assert_eq!(finished.stdout, "", "{name}");
    }
    assert_eq!(lab.s3.keys(""), [""; 0]);
    assert!(lab.home.record_files().is_empty(), "no run was begun");
}

#[test]
fn a_file_without_a_bucket_to_upload_to_is_refused() {
    let lab = Lab::new([]);
    lab.home.write("text.txt", "a b c");
    let finished = lab.console("run").arg("text.txt").run();
    finished.expect_complaint(3, &["no bucket to upload text.txt to", "--bucket"]);
    assert_eq!(lab.s3.keys(""), [""; 0]);
}
