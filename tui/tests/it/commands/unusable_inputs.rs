//! Inputs and stores that a run can't use: the exit code, a sentence that names the cause, nothing written.

use mrdeck_testkit::lab::{DeadEnd, Lab};

#[test]
fn an_object_that_can_t_be_counted_is_named() {
    let lab = Lab::new([]);
    let few = lab.s3.put("few.txt", "three words only");
    let empty = lab.s3.put("empty.txt", "");
    let cases: [(&[&str], &[&str]); 4] = [
        (&["s3://nosuch/key.txt"], &["there is no bucket 'nosuch'"]),
        (
            &["s3://lab/nosuch.txt"],
            &["there is no object s3://lab/nosuch.txt", "key"],
        ),
        (&[&empty], &["empty.txt has 0 bytes", "another input"]),
        (
            &[&few, "--chunks", "4"],
            &["few.txt has 3 words", "4 chunks", "3 at most"],
        ),
    ];
    for (args, words) in cases {
        let console = lab.console("run").args(args);
        console
            .args(["--save", "counts.json"])
            .run()
            .expect_complaint(3, words);
    }
    assert_eq!(lab.home.names(), ["state"]);
    assert_eq!(
        lab.s3.keys(""),
        ["empty.txt", "few.txt"],
        "no chunk, no output"
    );
    assert!(lab.script.seen("/map").is_empty());
    assert_eq!(
        lab.script.seen("/split").len(),
        1,
        "a mistake is not tried again"
    );
}

#[test]
fn a_wrong_argument_is_refused_before_anything_is_asked() {
    let lab = Lab::new([]);
    let cases: [(&[&str], &[&str]); 14] = [
        (&["--chunks", "0"], &["--chunks", "'0'", "1 to 10000"]),
        (
            &["--chunks", "10001"],
            &["--chunks", "'10001'", "1 to 10000"],
        ),
        (&["--chunks", "x"], &["--chunks", "'x'", "1 to 10000"]),
        (&["--chunks=-1"], &["--chunks", "'-1'", "1 to 10000"]),
        (&["--chunks", "-1"], &["-1"]),
        (&["--chunks", "1.5"], &["--chunks", "'1.5'"]),
        (&["--split", "halves"], &["halves", "copy", "range"]),
        (&["--top", "x"], &["x", "--top"]),
        (&["--timeout", "0"], &["--timeout", "'0'", "above 0"]),
        (&["http://x/y"], &["http://x/y", "s3://BUCKET/KEY"]),
        (&["s3://b"], &["s3://b", "no object in it"]),
        (&["s3:///key"], &["names no bucket"]),
        (&[""], &["no input was named"]),
        (&[], &["no input was named", "s3://BUCKET/KEY"]),
    ];
    for (args, words) in cases {
        let finished = lab.console("run").args(args).run();
        let finished = finished.expect_complaint(2, words);
        assert_eq!(finished.stdout, "");
    }
    assert_eq!(lab.home.names(), [""; 0]);
    assert!(lab.script.seen("/split").is_empty());
}

#[test]
fn a_store_that_is_not_there_is_named() {
    let lab = Lab::new([]);
    let dead = DeadEnd::new();
    let console = lab
        .console("run")
        .args(["s3://lab/input.txt", "--endpoint-url", &dead.url()]);
    let finished = console.env("AWS_MAX_ATTEMPTS", "1").run();
    finished.expect_complaint(3, &["S3 can't be reached", "--endpoint-url"]);
    assert!(lab.script.seen("/split").is_empty());
}

#[test]
fn credentials_that_don_t_do_have_an_exit_code_of_their_own() {
    let lab = Lab::new([]);
    let input = lab.s3.put("input.txt", "a b c");
    let console = || lab.console("run").arg(&input);
    let missing = console()
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    missing
        .run()
        .expect_complaint(5, &["no valid AWS credentials", "--profile"]);
    let wrong = console().env("AWS_SECRET_ACCESS_KEY", "wrong");
    wrong
        .run()
        .expect_complaint(5, &["no valid AWS credentials"]);
    assert!(lab.script.seen("/split").is_empty());
}
