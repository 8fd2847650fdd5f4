//! Inputs in S3 as moto imitates it: lists of more than a page, large uploads, and uploads that are given up.

use std::sync::Arc;

use bytes::Bytes;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::Store as _;

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::{PUBLIC, deploy};
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::DeadEnd;
use mrdeck_testkit::proxy::Proxy;
use mrdeck_testkit::proxy::script::{Fault, Gate, Script, Seen};
use mrdeck_testkit::pty::{Deck, Open};
use mrdeck_testkit::runtime;
use mrdeck_testkit::s3;
use mrdeck_testkit::words;

pub const TESTS: &[Test] = tests![
    a_bucket_of_more_than_a_page_is_read_page_by_page,
    buckets_that_may_not_be_listed_give_way_to_the_configured_one,
    an_object_that_is_stored_compressed_is_refused_whatever_its_bytes_are,
    a_large_file_goes_in_parts_and_is_counted_exactly,
    ctrl_c_in_mid_upload_leaves_nothing,
    on_a_terminal_a_bar_shows_the_upload_and_ctrl_c_ends_it,
    x_in_mid_upload_leaves_nothing_and_the_next_upload_works,
];

const MIB: usize = 1 << 20;
/// Five parts of 8 MiB, the last of them not full.
const LARGE: usize = 40 * MIB - 1_000;

fn text_of(size: usize) -> Vec<u8> {
    let line = b"the quick brown fox jumps over the lazy dog 0123456789 again \n";
    line.iter().copied().cycle().take(size).collect()
}

/// A dashboard that has moto's S3 and services that nobody runs.
fn deck(home: &Home, end: &DeadEnd, environment: Vec<(&'static str, String)>) -> Open {
    let deck = Deck::new(home.path())
        .args(["--splitter", &end.url(), "--mapper", &end.url()])
        .args(["--reducer", &end.url(), "--bucket", "lab"])
        .envs(environment)
        .open();
    deck.wait_text(&["fixed addresses"]);
    deck
}

fn put_all(moto: &Moto, keys: impl Iterator<Item = String>) {
    moto.put_object("lab", "first", b"x");
    runtime().block_on(async {
        let store = s3::client_of(&moto.url(), "testing", "testing");
        for key in keys {
            let uri = S3Uri::new("lab", &key).unwrap();
            store
                .put(&uri, Bytes::from_static(b"one two"))
                .await
                .unwrap();
        }
    });
}

fn a_bucket_of_more_than_a_page_is_read_page_by_page() {
    let moto = Moto::start();
    let odd = ["a b/c+d é%41.txt", "a b//double", "a b/漢字.txt"];
    let many = (0..1_005).map(|n| format!("many/{n:04}.txt"));
    put_all(&moto, many.chain(odd.map(str::to_owned)));
    let (home, end) = (Home::new(), DeadEnd::new());
    let script = Script::new([]);
    let (_proxy, environment) = moto.through(&script);
    let mut deck = deck(&home, &end, environment);

    deck.send("o");
    deck.wait_text(&["Buckets · 1 bucket", "lab"]);
    deck.send("\r");
    deck.wait_text(&["s3://lab/ · 3 entries", "a b/", "first", "many/"]);
    deck.send("G\r");
    deck.wait_text(&["1,000 entries loaded, more in S3", "0000.txt", "7 B"]);
    deck.wait_text(&["all 1,005 objects", "6.9 KiB"]);
    assert_eq!(lists(&script), 3, "the buckets, the bucket, one page");
    deck.send("G");
    deck.wait_text(&["s3://lab/many/ · 1,005 entries"]);
    deck.send("G");
    deck.wait_text(&["1004.txt"]);
    assert_eq!(lists(&script), 4);

    // What is chosen is what the key says.
    deck.send("hgjl");
    deck.wait_text(&["s3://lab/a b/ · 3 entries", "c+d é%41.txt", "漢字.txt"]);
    deck.send("/+d\r\r");
    deck.wait_text(&["input is s3://lab/a b/c+d é%41.txt"]);
    deck.send("oi");
    deck.send("s3://nosuch/\r");
    deck.wait_text(&["there is no bucket 'nosuch'", "then press ctrl-r"]);
}

/// How many lists of entries were asked for: of buckets, and of what is directly in a folder.
fn lists(script: &Script) -> usize {
    count(script, |request| {
        let is_flat = request.parameter("delimiter").is_none() && request.path != "/";
        request.method == "GET" && !is_flat
    })
}

fn count(script: &Script, is_one: impl Fn(&Seen) -> bool) -> usize {
    let mut count = 0;
    script.wait_until("a look at the requests", |seen| {
        count = seen.iter().filter(|request| is_one(request)).count();
        true
    });
    count
}

fn buckets_that_may_not_be_listed_give_way_to_the_configured_one() {
    let moto = Moto::start();
    moto.put_object("lab", "input.txt", b"one two");
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let script = Script::new([Fault::answer(403, denied).at("/")]);
    let (_proxy, environment) = moto.through(&script);
    let (home, end) = (Home::new(), DeadEnd::new());
    let mut deck = deck(&home, &end, environment);
    deck.send("o");
    deck.wait_text(&[
        "access to the list of buckets is denied",
        "this is the configured bucket",
        "s3://lab/ · 1 entry",
        "input.txt",
    ]);
}

fn an_object_that_is_stored_compressed_is_refused_whatever_its_bytes_are() {
    let deployed = deploy();
    let home = Home::new();
    let run = |key: &str| {
        let console = home.console().args(["run", &format!("s3://lab/{key}")]);
        let console = console.args(PUBLIC).args(["--bucket", "lab"]);
        console.envs(deployed.moto.environment())
    };
    for encoding in ["gzip", "br", "zstd"] {
        deployed.moto.put_encoded("lab", "k", encoding, b"a b\n");
        let said = format!("s3://lab/k is stored with 'Content-Encoding: {encoding}'");
        let finished = run("k").run();
        finished.expect_complaint(3, &[&said, "unpack it first", "--as-bytes"]);
    }
    let keys = deployed.moto.keys("lab");
    assert_eq!(keys, ["input.txt", "k"], "nothing was split");
    run("k").arg("--as-bytes").run().expect(0);
    for harmless in ["aws-chunked", "identity", "utf-8"] {
        deployed.moto.put_encoded("lab", "h", harmless, b"a b\n");
        run("h").run().expect(0);
    }
}

fn a_large_file_goes_in_parts_and_is_counted_exactly() {
    let deployed = deploy();
    let home = Home::new();
    let text = text_of(LARGE);
    home.write("large.txt", &text);
    let script = Script::new([]);
    let (_proxy, environment) = deployed.moto.through(&script);
    let console = home.console().args(["run", "large.txt"]).args(PUBLIC);
    let console = console.args(["--bucket", "lab", "--verify", "--output", "json"]);
    let finished = console.envs(environment).run().expect(0);
    assert!(
        finished.stderr.contains("uploading large.txt, 40.0 MiB"),
        "{}",
        finished.stderr
    );
    let report = finished.json();
    let counts = words::count(&text);
    assert_eq!(report["words"], counts.values().sum::<u64>(), "{report}");
    assert_eq!(report["verified"], true, "{report}");
    let mut parts = Vec::new();
    script.wait_until("the parts", |seen| {
        parts = seen
            .iter()
            .filter_map(|request| request.parameter("partNumber"))
            .map(str::to_owned)
            .collect();
        true
    });
    parts.sort();
    assert_eq!(parts, ["1", "2", "3", "4", "5"], "each once");
}

/// The third of the parts hangs.
fn hanging(moto: &Moto) -> (Arc<Script>, Proxy, Vec<(&'static str, String)>) {
    moto.put_object("lab", "first", b"x");
    let held = Fault::Hold(Gate::closed());
    let script = Script::new([held.always().parameter("partNumber", "3")]);
    let (proxy, environment) = moto.through(&script);
    (script, proxy, environment)
}

fn wait_for_the_third_part(script: &Script) {
    script.wait_until("the third part", |seen| {
        seen.iter()
            .any(|request| request.parameter("partNumber") == Some("3"))
    });
}

/// Neither an object nor parts of one.
#[track_caller]
fn expect_nothing_left(moto: &Moto, script: &Script) {
    assert_eq!(moto.keys("lab"), ["first"]);
    let uploads = moto.s3_get("/lab?uploads");
    assert!(uploads.contains("ListMultipartUploadsResult"), "{uploads}");
    assert!(!uploads.contains("<UploadId>"), "{uploads}");
    let aborts = count(script, |request| request.method == "DELETE");
    assert_eq!(aborts, 1, "it was given up, not forgotten");
}

fn ctrl_c_in_mid_upload_leaves_nothing() {
    let moto = Moto::start();
    let (script, _proxy, environment) = hanging(&moto);
    let (home, end) = (Home::new(), DeadEnd::new());
    home.write("large.txt", text_of(LARGE));
    let running = home
        .console()
        .args(["run", "large.txt", "--bucket", "lab"])
        .args([
            "--splitter",
            &end.url(),
            "--mapper",
            &end.url(),
            "--reducer",
            &end.url(),
        ])
        .envs(environment)
        .start();
    wait_for_the_third_part(&script);
    running.signal("INT");
    running.wait().expect(130);
    expect_nothing_left(&moto, &script);
}

fn on_a_terminal_a_bar_shows_the_upload_and_ctrl_c_ends_it() {
    let moto = Moto::start();
    let (script, _proxy, environment) = hanging(&moto);
    let (home, end) = (Home::new(), DeadEnd::new());
    home.write("large.txt", text_of(LARGE));
    let mut console = Deck::new(home.path())
        .args(["run", "large.txt", "--bucket", "lab"])
        .args(["--splitter", &end.url(), "--mapper", &end.url()])
        .args(["--reducer", &end.url()])
        .envs(environment)
        .open();
    console.wait_text(&["uploading large.txt, 40.0 MiB"]);
    console.wait_line(&["upload", "32.00 MiB of 40.00 MiB", "80 %"]);
    console.send("\x03");
    assert_eq!(console.wait().code, 130);
    expect_nothing_left(&moto, &script);
}

fn x_in_mid_upload_leaves_nothing_and_the_next_upload_works() {
    let moto = Moto::start();
    let (script, _proxy, environment) = hanging(&moto);
    let (home, end) = (Home::new(), DeadEnd::new());
    home.write("large.txt", text_of(LARGE));
    let mut deck = deck(&home, &end, environment);
    deck.send("oilarge.txt\rs");
    wait_for_the_third_part(&script);
    deck.wait_text(&["uploading 32.0 MiB of 40.0 MiB, 79 %", "x cancel"]);
    deck.send("x");
    deck.wait_text(&[
        "cancelled before the run began, nothing was written",
        "s start",
    ]);
    expect_nothing_left(&moto, &script);

    script.replace([]);
    deck.send("s");
    deck.wait_text(&["splitter-1"]);
    script.wait_until("the upload's end", |seen| {
        seen.iter()
            .any(|r| r.method == "POST" && r.parameter("uploadId").is_some())
    });
}
