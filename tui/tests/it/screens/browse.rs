//! The browser: what it shows of buckets and objects, what it asks for and when, and what answers change.

use crossterm::event::KeyCode;
use jiff::Timestamp;
use mrdeck::dashboard::model::{
    Effect, Item, ListAnswer, ListRequest, Listing, Location, Msg, PathCompletion, Whole,
};
use mrdeck::input::InputChoice;
use mrdeck::upload::UploadProgress;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_store::Page;

use super::check;
use super::fixtures::{Scene, entered};

const CTRL_R: char = 'r';

fn at(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(1_773_480_413 - seconds).ok()
}

fn object(key: impl Into<String>, size: u64) -> Item {
    Item::Object {
        key: key.into(),
        size,
        modified: at(i64::try_from(size % 100_000).unwrap()),
    }
}

fn bucket(name: &str) -> Item {
    Item::Bucket {
        name: name.to_owned(),
        created: at(86_400 * 90),
    }
}

fn page(items: Vec<Item>, next: Option<&str>) -> ListAnswer {
    let next = next.map(str::to_owned);
    ListAnswer::Page(Page { items, next })
}

/// The only thing that is asked for.
#[track_caller]
fn asked(effects: &[Effect]) -> ListRequest {
    match effects {
        [Effect::List(request)] => request.clone(),
        other => panic!("{other:?}"),
    }
}

/// The browser is open, and the buckets are there.
fn buckets() -> Scene {
    let mut scene = Scene::new().connected();
    let request = asked(&scene.press("o"));
    assert_eq!(request.location, Location::Buckets);
    let names = ["backups", "logs-of-2026", "mrdeck", "zoo"];
    let items = names.map(bucket).to_vec();
    scene.send(Msg::Listed(request, page(items, None)));
    scene
}

/// In the bucket `mrdeck`, where the cursor was put.
fn in_bucket(items: Vec<Item>, next: Option<&str>) -> Scene {
    let mut scene = buckets();
    let request = asked(&scene.key(KeyCode::Enter));
    assert_eq!(request.location, Location::bucket("mrdeck"));
    scene.send(Msg::Listed(request, page(items, next)));
    scene
}

fn some_objects() -> Vec<Item> {
    vec![
        Item::Prefix("archive/".to_owned()),
        object("empty.txt", 0),
        object("hamlet.txt", 167_801),
        object("liber-primus.txt", 44_950),
        Item::Prefix("mr/".to_owned()),
        object(
            "wikipedia-2026-03-01-pages-articles-multistream-of-all-languages-there-are.txt",
            97_710_505_984,
        ),
    ]
}

/// Keys `00000` and on.
fn many(count: usize, from: usize) -> Vec<Item> {
    (from..from + count)
        .map(|n| object(format!("{n:05}.txt"), 1_000 + n as u64))
        .collect()
}

fn listing(scene: &Scene) -> &Listing {
    let browser = scene.state.browser.as_ref();
    browser.expect("it is open").listing()
}

#[test]
fn what_it_shows() {
    let mut scene = Scene::new().connected();
    scene.press("o");
    check("loading", &scene.state);
    check("buckets", &buckets().state);
    let scene = in_bucket(some_objects(), None).pressed("jj");
    check("objects", &scene.state);
    check("empty", &in_bucket(Vec::new(), None).state);
    let scene = in_bucket(many(1_000, 0), Some("t")).pressed("j");
    check("more", &scene.state);
    let scene = in_bucket(many(1_000, 0), Some("t")).pressed("/99");
    check("filter", &scene.state);
    let scene = in_bucket(some_objects(), None).pressed("/nothing like it");
    check("filter-without-match", &scene.state);
}

#[test]
fn hostile_names_are_shown_safely_and_chosen_as_they_are() {
    let evil = "a\u{1b}]52;c;ZXZpbA==\u{7}b\r\n\u{202e}gpj.txt";
    let items = vec![
        Item::Prefix("/".to_owned()),
        Item::Prefix("  two spaces/".to_owned()),
        object(evil, 12),
        object("任務識別碼很長很長的集群".repeat(9), 1),
        object("x".repeat(1_024), u64::MAX),
    ];
    let mut scene = in_bucket(items, None).pressed("jj");
    check("hostile", &scene.state);
    scene.key(KeyCode::Enter);
    let chosen = scene.state.next_run.input().expect("it is chosen");
    assert_eq!(chosen.to_string(), format!("s3://mrdeck/{evil}"));
}

#[test]
fn buckets_that_may_not_be_listed_give_way_to_the_configured_one() {
    let mut scene = Scene::new().connected();
    let request = asked(&scene.press("o"));
    let denied = || {
        ListAnswer::Denied(Diagnostic::new(
            "access to the list of buckets is denied: Access Denied (AccessDenied, HTTP 403)",
            "ask for the permission s3:ListAllMyBuckets, or type s3://BUCKET/ after i",
        ))
    };
    let next = asked(&scene.send(Msg::Listed(request, denied())));
    assert_eq!(next.location, Location::bucket("mrdeck"));
    scene.send(Msg::Listed(next, page(some_objects(), None)));
    check("denied-buckets", &scene.state);
    scene.key(KeyCode::Esc);
    assert!(scene.state.browser.is_none(), "it is the top");

    // The bucket itself may be the one that is denied; ctrl-r asks again.
    let mut scene = buckets();
    let request = asked(&scene.key(KeyCode::Enter));
    assert_eq!(scene.send(Msg::Listed(request.clone(), denied())), []);
    check("denied", &scene.state);
    assert_eq!(asked(&scene.ctrl(CTRL_R)), request);
}

#[test]
fn levels_are_gone_down_and_up_again_where_one_was() {
    let mut scene = in_bucket(some_objects(), None).pressed("jjjj");
    let request = asked(&scene.press("l"));
    assert_eq!(request.location.to_string(), "s3://mrdeck/mr/");
    let below = vec![
        object("mr/", 0),
        Item::Prefix("mr//".to_owned()),
        object("mr/a b", 1),
    ];
    scene.send(Msg::Listed(request, page(below, None)));
    let names: Vec<&str> = listing(&scene)
        .shown()
        .iter()
        .map(|item| listing(&scene).name(item))
        .collect();
    assert_eq!(names, ["/", "a b"], "the folder's own marker is not in it");
    let request = asked(&scene.press("l"));
    assert_eq!(request.location.to_string(), "s3://mrdeck/mr//");
    scene.press("h");
    scene.key(KeyCode::Backspace);
    assert_eq!(
        (listing(&scene).cursor(), listing(&scene).items.len()),
        (4, 6)
    );
    scene.key(KeyCode::Left);
    assert_eq!(listing(&scene).location, Location::Buckets);
    scene.key(KeyCode::Esc);
    assert!(scene.state.browser.is_none());
    assert_eq!(buckets().press("q"), [], "q closes it, and does not quit");
}

#[test]
fn an_object_becomes_the_input_and_an_empty_one_does_not() {
    let mut scene = in_bucket(some_objects(), None).pressed("jjl");
    let expected = "s3://mrdeck/hamlet.txt".parse::<InputChoice>().unwrap();
    assert_eq!(scene.state.next_run.input(), Some(&expected));
    assert!(scene.state.browser.is_none());
    assert!(matches!(&scene.press("s")[..], [Effect::Start { .. }]));

    let mut scene = in_bucket(some_objects(), None).pressed("j");
    let before = scene.state.next_run.input().cloned();
    scene.key(KeyCode::Enter);
    assert_eq!(scene.state.next_run.input(), before.as_ref());
    let shown = super::screen(&scene.state, (120, 40));
    assert!(shown.contains("empty.txt has 0 bytes"), "{shown}");
}

#[test]
fn pages_are_asked_for_as_the_end_comes_near_and_one_at_a_time() {
    let mut scene = in_bucket(many(1_000, 0), Some("t"));
    assert_eq!(scene.press("jjj"), [], "far from the end");
    let request = asked(&scene.press("G"));
    assert_eq!(request.from.as_deref(), Some("t"));
    assert_eq!(scene.press("Gjk"), [], "it is on its way");
    scene.send(Msg::Listed(request, page(many(3, 1_000), None)));
    assert_eq!(listing(&scene).items.len(), 1_003);
    assert_eq!(listing(&scene).cursor(), 998, "one stays where one is");
    assert_eq!(scene.press("G"), [], "that is all");

    // A page that fails loses nothing, and is asked for again.
    let mut scene = in_bucket(many(1_000, 0), Some("t"));
    let request = asked(&scene.press("G"));
    let diagnostic = Diagnostic::new("S3 can't be reached: no route", "check the network");
    scene.send(Msg::Listed(request.clone(), ListAnswer::Failed(diagnostic)));
    assert_eq!(scene.press("kG"), [], "not by itself");
    check("failed", &scene.state);
    assert_eq!(asked(&scene.ctrl(CTRL_R)), request);
    scene.send(Msg::Listed(request, page(many(1, 1_000), None)));
    assert_eq!(listing(&scene).items.len(), 1_001);
    assert_eq!(asked(&scene.ctrl(CTRL_R)).from, None, "all of it again");
}

#[test]
fn an_answer_for_another_folder_is_dropped() {
    let mut scene = buckets();
    let request = asked(&scene.key(KeyCode::Enter));
    scene.press("h");
    scene.press("j");
    let other = asked(&scene.key(KeyCode::Enter));
    scene.send(Msg::Listed(request.clone(), page(some_objects(), None)));
    assert!(
        listing(&scene).items.is_empty(),
        "{:?}",
        listing(&scene).location
    );
    scene.send(Msg::Listed(other.clone(), page(many(1, 0), None)));
    scene.send(Msg::Listed(other, page(many(2, 0), None)));
    assert_eq!(listing(&scene).items.len(), 1, "answered once");
    scene.press("hh");
    scene.send(Msg::Listed(request, page(some_objects(), None)));
    assert!(scene.state.browser.is_none());
}

#[test]
fn a_filter_looks_through_what_is_loaded_and_with_a_caret_s3_looks() {
    let mut scene = in_bucket(many(1_000, 0), Some("t"));
    assert_eq!(scene.press("/0099"), []);
    assert_eq!(scene.key(KeyCode::Enter), [], "nothing is asked unasked");
    assert_eq!(listing(&scene).shown().len(), 11);
    assert_eq!(asked(&scene.press("G")).from.as_deref(), Some("t"));
    scene.key(KeyCode::Esc);
    assert_eq!(listing(&scene).shown().len(), 1_000);

    let mut scene = in_bucket(many(1_000, 0), Some("t"));
    scene.press("/^07");
    assert_eq!(listing(&scene).shown().len(), 0);
    let request = asked(&scene.key(KeyCode::Enter));
    assert_eq!((request.beginning.as_str(), &request.from), ("07", &None));
    scene.send(Msg::Listed(request, page(many(1_000, 7_000), Some("u"))));
    check("beginning", &scene.state);
    assert_eq!(asked(&scene.press("G")).beginning, "07");
    assert_eq!(asked(&scene.key(KeyCode::Esc)).beginning, "");

    let mut scene = in_bucket(some_objects(), None).pressed("/^ham");
    assert_eq!(scene.key(KeyCode::Enter), [], "all of it is here");
    assert_eq!(listing(&scene).shown().len(), 1);
}

#[test]
fn a_place_can_be_typed() {
    for (keys, line) in [("oi", "s3://theirs/a b/"), (":", "input s3://theirs/a b/")] {
        let mut scene = Scene::new().connected().pressed(keys);
        scene.press(line);
        let request = asked(&scene.key(KeyCode::Enter));
        assert_eq!(request.location.to_string(), "s3://theirs/a b/");
        assert!(scene.state.overlay.is_none());
    }
    let mut scene = Scene::new().pressed("o");
    assert!(
        scene.state.overlay.is_some(),
        "without a cluster one can still type"
    );
    scene.press("s3://theirs/key");
    assert_eq!(scene.key(KeyCode::Enter), []);
    assert!(scene.state.next_run.input().is_some());
}

#[test]
fn tab_completes_a_path_and_nothing_else() {
    let complete = |scene: &mut Scene, found: &[&str]| {
        let effects = scene.key(KeyCode::Tab);
        let [Effect::Complete(typed)] = &effects[..] else {
            panic!("{effects:?}");
        };
        let found = found.iter().map(|path| (*path).to_owned()).collect();
        scene.send(Msg::Completed(PathCompletion {
            typed: typed.clone(),
            found: Ok(found),
        }));
    };
    for (keys, before) in [("oi", ""), (":", "input ")] {
        let mut scene = Scene::new().connected().pressed(keys);
        scene.press(&format!("{before}texts/h"));
        complete(&mut scene, &["texts/hamlet.txt", "texts/hamburg/"]);
        check(
            &format!(
                "complete-{}",
                if before.is_empty() {
                    "input"
                } else {
                    "command"
                }
            ),
            &scene.state,
        );
        scene.press("l");
        complete(&mut scene, &["texts/hamlet.txt"]);
        scene.key(KeyCode::Enter);
        let expected = "texts/hamlet.txt".parse::<InputChoice>().unwrap();
        assert_eq!(scene.state.next_run.input(), Some(&expected));
    }
    let mut scene = Scene::new().connected().pressed("ois3://b/k");
    assert_eq!(scene.key(KeyCode::Tab), []);
    let mut scene = Scene::new().connected().pressed("oia");
    scene.key(KeyCode::Tab);
    scene.press("b");
    scene.send(Msg::Completed(PathCompletion {
        typed: "a".to_owned(),
        found: Ok(vec!["aaa".to_owned()]),
    }));
    assert!(
        super::screen(&scene.state, (80, 24)).contains("input: ab"),
        "typed on meanwhile"
    );
}

#[test]
fn an_upload_says_how_far_it_is() {
    let mut scene = Scene::new().connected().pressed("oibig.txt");
    scene.key(KeyCode::Enter);
    scene.press("s");
    let total = 40 << 20;
    scene.send(Msg::Uploading(UploadProgress { sent: 0, total }));
    scene.wait(12_000);
    scene.send(Msg::Uploading(UploadProgress {
        sent: 16 << 20,
        total,
    }));
    assert!(scene.state.tick().is_some(), "its time goes on");
    check("uploading", &scene.state);
    assert_eq!(scene.press("x"), [Effect::Cancel]);
    scene.send(Msg::Uploading(UploadProgress { sent: total, total }));
    let diagnostic = Diagnostic::new("cancelled before the run began, nothing was written", "");
    scene.send(Msg::StartFailed(diagnostic));
    check("upload-cancelled", &scene.state);
}

fn counted(objects: usize, bytes: u64) -> Whole {
    Whole::Counted { objects, bytes }
}

/// In the bucket `mrdeck`, where what is below it has been counted.
fn counted_bucket(whole: Whole) -> Scene {
    let mut scene = buckets();
    let request = asked(&scene.key(KeyCode::Enter));
    let effects = scene.send(Msg::Listed(request, page(some_objects(), None)));
    let [Effect::CountObjects(pattern)] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(pattern.to_string(), "s3://mrdeck/");
    scene.send(Msg::Counted(pattern.clone(), whole));
    scene
}

#[track_caller]
fn chosen(scene: &mut Scene) -> String {
    scene.key(KeyCode::Enter);
    assert!(scene.state.browser.is_none(), "it is closed");
    match scene.press("s").as_slice() {
        [Effect::Start { input, .. }] => input.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_is_offered_as_a_whole_above_its_entries() {
    let mut scene = counted_bucket(counted(1_204, 3 << 20)).pressed("k");
    check("whole", &scene.state);
    assert_eq!(chosen(&mut scene), "s3://mrdeck/");
    // From the first entry the cursor goes there and back; a filter is about the entries.
    let mut scene = counted_bucket(Whole::Unknown).pressed("gj");
    assert_eq!(listing(&scene).cursor(), 0);
    assert!(!listing(&scene).is_on_whole());
    scene.press("g");
    assert!(listing(&scene).is_on_whole());
    scene.press("/ham");
    scene.key(KeyCode::Enter);
    assert!(!listing(&scene).is_on_whole());
    assert_eq!(chosen(&mut scene), "s3://mrdeck/hamlet.txt");
}

#[test]
fn a_folder_that_no_run_can_count_is_refused() {
    for (whole, said) in [
        (Whole::TooMany, "more objects than a run can have"),
        (counted(3, 0), "0 bytes"),
    ] {
        let mut scene = counted_bucket(whole).pressed("g");
        scene.key(KeyCode::Enter);
        assert!(scene.state.browser.is_some());
        let status = scene.state.feedback.status().unwrap();
        assert!(status.text.contains(said), "{}", status.text);
    }
}

#[test]
fn a_folder_that_was_typed_has_the_cursor_on_all_of_it() {
    let mut scene = Scene::new().connected();
    let request = asked(&entered(&mut scene, ":input s3://mrdeck/mr/"));
    scene.send(Msg::Listed(request, page(vec![object("mr/a", 5)], None)));
    assert_eq!(chosen(&mut scene), "s3://mrdeck/mr/");
    // And a glob is chosen at once.
    let mut scene = Scene::new().connected();
    assert!(entered(&mut scene, ":input s3://mrdeck/*.txt").is_empty());
    let started = scene.press("s");
    let [Effect::Start { input, .. }] = &started[..] else {
        panic!("{started:?}");
    };
    assert_eq!(input.to_string(), "s3://mrdeck/*.txt");
}

#[test]
fn marked_objects_are_counted_as_one() {
    let mut scene = counted_bucket(counted(4, 97_710_718_735)).pressed("jj  ");
    check("marked", &scene.state);
    // Enter on a folder opens it; the marks stay.
    let request = asked(&scene.key(KeyCode::Enter));
    assert_eq!(request.location.to_string(), "s3://mrdeck/mr/");
    scene.send(Msg::Listed(request, page(vec![object("mr/x", 7)], None)));
    scene.press(" ");
    assert_eq!(chosen(&mut scene), "3 objects of s3://mrdeck/");

    // A mark is taken away as it was made; one that is left is that object.
    let mut scene = counted_bucket(Whole::Unknown).pressed("jj  kk ");
    assert_eq!(chosen(&mut scene), "s3://mrdeck/liber-primus.txt");
}

#[test]
fn what_can_not_be_marked_says_why() {
    for (keys, said) in [
        (" ", "only objects are marked"),
        ("j ", "0 bytes"),
        ("g ", "only objects are marked"),
    ] {
        let scene = counted_bucket(Whole::Unknown).pressed(keys);
        let status = scene.state.feedback.status().unwrap();
        assert!(status.text.contains(said), "{keys}: {}", status.text);
    }
    // One input is in one bucket.
    let mut scene = counted_bucket(Whole::Unknown).pressed("jj h");
    scene.press("gj");
    let request = asked(&scene.key(KeyCode::Enter));
    let effects = scene.send(Msg::Listed(request, page(vec![object("y", 7)], None)));
    drop(effects);
    scene.press(" ");
    let status = scene.state.feedback.status().unwrap();
    assert!(
        status.text.contains("marked objects are in s3://mrdeck/"),
        "{}",
        status.text
    );
}
