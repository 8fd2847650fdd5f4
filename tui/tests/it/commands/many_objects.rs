//! Many objects as one input: prefixes, globs, directories; pinned, cut, resumed and verified as one object is.

use serde_json::Value;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::proxy::script::{Fault, Gate, Rule};
use mrdeck_testkit::words;

/// Each ends or begins in a word, so that two of them run together would have another count.
const TEXTS: [(&str, &str); 4] = [
    ("logs/a.txt", "the first ends in wo"),
    ("logs/b.txt", "rd and begins so; the second's long "),
    ("logs/2026/01/c.txt", "rd. the third is deeper"),
    ("logs/d.log", "the fourth is no .txt"),
];

/// What counting them as one is: a byte that is in no word stands between two.
fn text_of(keys: &[&str]) -> Vec<u8> {
    let texts = TEXTS.iter().filter(|(key, _)| keys.contains(key));
    let texts: Vec<String> = texts
        .map(|(key, text)| match *key {
            "logs/b.txt" => text.repeat(200),
            _ => (*text).to_owned(),
        })
        .collect();
    texts.join("\n").into_bytes()
}

const ALL: [&str; 4] = [
    "logs/a.txt",
    "logs/b.txt",
    "logs/2026/01/c.txt",
    "logs/d.log",
];

/// A lab with the texts, and beside them what belongs to no input.
fn lab(rules: impl IntoIterator<Item = Rule>) -> Lab {
    let lab = Lab::new(rules);
    for key in ALL {
        lab.s3.put(key, text_of(&[key]));
    }
    for beside in ["logs.txt", "log/e.txt", "logs/_SUCCESS", "logs/.a.txt.crc"] {
        lab.s3.put(beside, "beside");
    }
    lab.s3.put("logs/empty.txt", "");
    lab
}

fn run(lab: &Lab, input: &str) -> mrdeck_testkit::console::Console {
    let console = lab.console("run").arg(input);
    console.args(["--output", "json", "--verify"])
}

fn plan(lab: &Lab, report: &Value) -> Value {
    let run = report["run"].as_str().unwrap();
    let body = lab.s3.get(&format!("s3://lab/mr/runs/{run}/plan.json"));
    serde_json::from_slice(&body).unwrap()
}

/// Which objects were asked for, and whether as a range.
fn maps(lab: &Lab) -> Vec<(String, bool)> {
    let seen = lab.script.seen("/map").into_iter();
    let mut maps: Vec<(String, bool)> = seen
        .map(|request| {
            let of = request.parameter("s3").unwrap().to_owned();
            (of, request.parameter("start").is_some())
        })
        .collect();
    maps.sort();
    maps
}

#[test]
fn a_prefix_and_a_glob_are_all_objects_that_they_name() {
    let lab = lab([]);
    for (input, keys) in [
        ("s3://lab/logs/", &ALL[..]),
        ("s3://lab/logs/*.txt", &ALL[..2]),
        ("s3://lab/logs/**/*.txt", &ALL[..3]),
        ("s3://lab/logs/{a,d}.*", &[ALL[0], ALL[3]]),
        ("s3://lab/l*gs/2026/", &ALL[2..3]),
    ] {
        lab.script.replace([]);
        let finished = run(&lab, input).run();
        let said = finished.stderr.clone();
        let report = lab.expect_exact(finished, &text_of(keys));
        assert_eq!(report["input"], input);
        assert_eq!(report["verified"], true, "{input}");
        assert!(lab.script.seen("/split").is_empty(), "the console plans it");
        let plan = plan(&lab, &report);
        assert_eq!(plan["input"]["pattern"], input);
        let listed = plan["objects"].as_array().unwrap();
        let with_a_byte = listed.iter().filter(|object| object["bytes"] != 0);
        assert_eq!(with_a_byte.count(), keys.len(), "{input}");
        for object in listed {
            let uri = object["s3"].as_str().unwrap();
            assert_eq!(object["bytes"], lab.s3.get(uri).len(), "{uri}");
            assert!(object["etag"].is_string(), "{uri}");
        }
        // No other of these patterns matches a name that is left out.
        let note = "2 objects of s3://lab/logs/ left out: names that begin with '_' or '.'";
        assert_eq!(said.contains(note), input == "s3://lab/logs/", "{said}");
    }
}

#[test]
fn a_whole_bucket_is_counted_without_what_mrdeck_wrote_there() {
    let lab = lab([]);
    let first = lab.expect_exact(run(&lab, "s3://lab/logs/*.log").run(), &text_of(&ALL[3..]));
    assert!(first["out"].as_str().unwrap().contains("/mr/runs/"));
    let mut text = text_of(&ALL);
    text.extend_from_slice(b"\nbeside beside");
    lab.expect_exact(run(&lab, "s3://lab/").run(), &text);
}

#[test]
fn large_objects_are_cut_and_small_ones_are_read_whole() {
    let lab = lab([]);
    let console = run(&lab, "s3://lab/logs/").args(["--chunks", "7"]);
    lab.expect_exact(console.run(), &text_of(&ALL));
    let large = ("s3://lab/logs/b.txt".to_owned(), true);
    let small = |key: &str| (format!("s3://lab/{key}"), false);
    let mut expected = vec![small(ALL[0]), small(ALL[2]), small(ALL[3])];
    expected.extend(std::iter::repeat_n(large, 4));
    expected.sort();
    assert_eq!(maps(&lab), expected);

    // Fewer chunks than objects there can't be.
    let console = run(&lab, "s3://lab/logs/").args(["--chunks", "2"]);
    let finished = console.run();
    let note = "asked for 2 chunks, but there are 4 chunks: each object is one at least";
    assert!(finished.stderr.contains(note), "{}", finished.stderr);
    lab.expect_exact(finished, &text_of(&ALL));
}

#[test]
fn mappers_of_other_authors_get_one_object_per_map() {
    let lab = lab([Fault::Plain.at("/health"), Fault::Plain.at("/map")]);
    let console = run(&lab, "s3://lab/logs/").args(["--chunks", "7"]);
    let finished = console.run();
    let why = "each object is one: not every mapper is known to read byte ranges";
    assert!(finished.stderr.contains(why), "{}", finished.stderr);
    lab.expect_exact(finished, &text_of(&ALL));
    let mut expected: Vec<_> = ALL
        .iter()
        .map(|key| (format!("s3://lab/{key}"), false))
        .collect();
    expected.sort();
    assert_eq!(maps(&lab), expected);
}

#[test]
fn an_object_that_appears_later_is_no_part_of_the_run() {
    let gate = Gate::closed();
    let lab = lab([Fault::Hold(gate.clone()).at("/map")]);
    let running = run(&lab, "s3://lab/logs/").start();
    lab.script
        .wait_until("a map", |seen| seen.iter().any(|r| r.path == "/map"));
    lab.s3.put("logs/late.txt", "late late late");
    gate.open();
    lab.expect_exact(running.wait(), &text_of(&ALL));
}

#[test]
fn an_object_that_changes_or_goes_fails_the_run_by_its_name() {
    for change in ["overwritten", "deleted", "emptied"] {
        for path in ["/map", "/reduce"] {
            let gate = Gate::closed();
            let lab = lab([Fault::Hold(gate.clone()).at(path)]);
            let running = run(&lab, "s3://lab/logs/").start();
            lab.script
                .wait_until("it", |seen| seen.iter().any(|r| r.path == path));
            match change {
                "deleted" => std::fs::remove_file(lab.s3.file("logs/d.log")).unwrap(),
                "emptied" => drop(lab.s3.put("logs/d.log", "")),
                _ => drop(lab.s3.put("logs/d.log", "the fourth is no .TXT")),
            }
            gate.open();
            let finished = running.wait();
            let said = format!("{change} before {path}: {finished}");
            assert_ne!(finished.code, Some(0), "{said}");
            assert!(finished.stderr.contains("s3://lab/logs/d.log"), "{said}");
            let report = finished.json();
            assert_eq!(report["words"], Value::Null, "{said}");
            let run = report["run"].as_str().unwrap();
            assert!(
                !lab.s3.has(&format!("mr/runs/{run}/success.json")),
                "{said}"
            );
        }
    }
}

#[test]
fn another_machine_goes_on_with_the_same_list() {
    let lab = lab([Fault::answer(500, "boom").at("/map").chunk(2)]);
    let report = run(&lab, "s3://lab/logs/").run().expect(4).json();
    let run = report["run"].as_str().unwrap();
    lab.s3.put("logs/late.txt", "late late late");
    lab.script.replace([]);
    let finished = lab.resume_elsewhere(&Home::new(), run).run();
    lab.expect_exact(finished, &text_of(&ALL));
    assert_eq!(lab.script.seen("/map").len(), 1);

    // And where one of them is another one by now, nothing is counted.
    let lab = self::lab([Fault::answer(500, "boom").at("/map").chunk(2)]);
    let report = self::run(&lab, "s3://lab/logs/").run().expect(4).json();
    lab.s3.put("logs/a.txt", "something else");
    lab.script.replace([]);
    let run = report["run"].as_str().unwrap();
    let finished = lab.resume_elsewhere(&Home::new(), run).run().expect(3);
    let said = &finished.stderr;
    assert!(
        said.contains("the input s3://lab/logs/a.txt was changed"),
        "{said}"
    );
}

#[test]
fn what_looks_like_a_glob_and_is_a_key_is_that_object() {
    let lab = Lab::new([]);
    lab.s3.put("a[1].txt", "meant");
    lab.s3.put("a1.txt", "not meant");
    let report = lab.expect_exact(run(&lab, "s3://lab/a[1].txt").run(), b"meant");
    assert_eq!(report["input"], "s3://lab/a[1].txt");
    assert_eq!(report["input_objects"], 1);
    let glob = lab.expect_exact(run(&lab, "s3://lab/a[12].txt").run(), b"not meant");
    assert_eq!(glob["input"], "s3://lab/a[12].txt");
}

#[test]
fn what_can_not_be_counted_as_one_is_refused_by_name() {
    let lab = lab([]);
    lab.s3.put("zipped/a.txt", "text");
    lab.s3
        .put("zipped/b.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice());
    lab.s3.put("nothing/a", "");
    lab.s3.put("nothing/b", "");
    lab.s3.put("drafts/_a", "text");
    for (input, said) in [
        (
            "s3://lab/none/",
            "no object matches the input s3://lab/none/",
        ),
        (
            "s3://lab/logs/*.csv",
            "no object matches the input s3://lab/logs/*.csv",
        ),
        (
            "s3://lab/drafts/",
            "but one that is left out: names that begin",
        ),
        (
            "s3://lab/nothing/",
            "the input s3://lab/nothing/ has 0 bytes",
        ),
        (
            "s3://lab/zipped/",
            "the input s3://lab/zipped/b.gz is gzip-compressed",
        ),
    ] {
        let finished = run(&lab, input).run().expect(3);
        assert!(
            finished.stderr.contains(said),
            "{input}: {}",
            finished.stderr
        );
        assert!(lab.script.seen("/map").is_empty(), "{input}");
    }
}

#[test]
fn a_directory_is_uploaded_file_by_file_and_two_equal_files_count_twice() {
    let home = Home::new();
    let directory = home.file("my logs");
    std::fs::create_dir_all(directory.join("deeper")).unwrap();
    for (name, text) in [
        ("a.txt", "one two wo"),
        ("same.txt", "one two wo"),
        ("deeper/b.txt", "rd three"),
        ("_SUCCESS", "beside"),
    ] {
        std::fs::write(directory.join(name), text).unwrap();
    }
    let run = || {
        let console = home.local_console(2, "run").arg("my logs");
        console
            .args(["--output", "json", "--verify"])
            .run()
            .expect(0)
    };
    let first = run();
    let report = first.json();
    assert_eq!(report["input"], "my logs (3 files)");
    assert_eq!(report["input_objects"], 3);
    assert_eq!(
        (&report["words"], &report["unique"]),
        (&8.into(), &5.into())
    );
    let expected = words::count(b"one two wo\none two wo\nrd three");
    for word in report["top"].as_array().unwrap() {
        assert_eq!(word["count"], expected[word["word"].as_str().unwrap()]);
    }
    let note = "my logs: 3 files, 1 name beginning with '_' or '.' left out";
    assert!(
        first.stderr.replace(", 1 there already", "").contains(note),
        "{}",
        first.stderr
    );
    let again = run();
    assert!(again.stderr.contains("3 there already"), "{}", again.stderr);
    assert_eq!(again.json()["words"], 8);
}

#[test]
fn several_inputs_are_counted_as_one() {
    let lab = lab([]);
    std::fs::create_dir(lab.home.file("dir")).unwrap();
    lab.home.write("x.txt", "from a file wo");
    lab.home.write("dir/y.txt", "rd of a directory");
    let console = run(&lab, "s3://lab/logs/d.log")
        .args(["x.txt", "dir", "s3://lab/logs/*.txt", "x.txt"])
        .args(["--bucket", "lab"]);
    let finished = console.run();
    let mut text = text_of(&ALL[..2]);
    for other in [
        "the fourth is no .txt",
        "from a file wo",
        "rd of a directory",
        "from a file wo",
    ] {
        text.extend_from_slice(format!("\n{other}").as_bytes());
    }
    let report = lab.expect_exact(finished, &text);
    // An empty one is listed, and has no chunk.
    assert_eq!(report["input_objects"], 7);

    lab.s3.put("other.txt", "x");
    let finished = run(&lab, "s3://elsewhere/k")
        .arg("s3://lab/other.txt")
        .run();
    let said = finished.expect(3).stderr;
    assert!(
        said.contains("must be in one bucket, not in 'elsewhere' and in 'lab'"),
        "{said}"
    );
}
