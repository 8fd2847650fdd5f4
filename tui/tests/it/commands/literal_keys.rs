//! The keys of a local cluster's objects, taken as they are written: by the console and by the services.

use mrdeck_testkit::home::Home;

#[test]
fn a_key_that_is_not_there_is_said_to_be_missing() {
    let home = Home::new();
    for key in [
        "mr/",
        "/mr",
        "//x",
        "..",
        "../mrdeck/liber-primus.txt",
        "a/../liber-primus.txt",
        "./liber-primus.txt",
        "Liber-Primus.txt",
        "liber-primus.txt/",
    ] {
        let input = format!("s3://mrdeck/{key}");
        let finished = home.local_console(1, "run").arg(&input).run();
        // What ends with a slash is everything below it.
        let missing = if key.ends_with('/') {
            format!("no object matches the input {input}")
        } else {
            format!("there is no object {input}")
        };
        finished.expect_complaint(3, &[&missing]);
    }
    let long = format!("s3://mrdeck/{}", "k".repeat(1_025));
    let finished = home.local_console(1, "run").arg(long).run();
    finished.expect_complaint(3, &["KeyTooLongError", "HTTP 400"]);
}

#[test]
fn keys_that_look_alike_are_counted_apart() {
    let home = Home::new();
    // Where an older mrdeck kept them, or a hand put them.
    let folder = home.file("data/s3/mrdeck/a");
    std::fs::create_dir_all(&folder).unwrap();
    let names = ["b", "B", "b%20c", "b c", "b+c", "b?c#d", "é~", "B.", "%62"];
    for (index, name) in names.iter().enumerate() {
        std::fs::write(folder.join(name), "word ".repeat(100 + index)).unwrap();
    }
    for (index, name) in names.iter().enumerate() {
        let input = format!("s3://mrdeck/a/{name}");
        let console = home.local_console(2, "run").arg(&input);
        let finished = console.args(["--output", "json", "--verify"]).run();
        let report = finished.expect(0).json();
        assert_eq!(report["input"], input);
        assert_eq!(report["words"], 100 + index, "{name}");
    }
    assert!(!home.file("data/s3").exists(), "all were taken over");
}
