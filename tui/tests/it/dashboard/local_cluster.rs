//! The local cluster from the first frame to the last: a run, its verification, its chart, a task replaced.

use super::{local, wait_until_gone};
use mrdeck_testkit::console::binary;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::pty::Deck;
use mrdeck_testkit::words;

/// `1234567` as `1,234,567`, written the naive way.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let (head, tail) = digits.split_at(digits.len() % 3);
    let mut groups: Vec<String> = vec![head.to_owned()];
    let groups_of_three = tail.as_bytes().chunks(3);
    groups.extend(groups_of_three.map(|three| String::from_utf8_lossy(three).into_owned()));
    groups.retain(|group| !group.is_empty());
    groups.join(",")
}

fn charts(home: &Home) -> Vec<String> {
    let names = home.names().into_iter();
    names.filter(|name| name.contains(".png")).collect()
}

#[test]
fn a_newcomer_runs_verifies_and_exports() {
    let home = Home::new();
    let mut deck = local(&home);
    let screen = deck.wait_text(&["s start", "s3://mrdeck/liber-primus.txt"]);
    for id in [
        "splitter-1",
        "mapper-1",
        "mapper-2",
        "mapper-3",
        "reducer-1",
    ] {
        let line = screen.lines().find(|line| line.contains(id)).unwrap();
        assert!(
            line.contains("RUNNING") && line.contains("127.0.0.1:"),
            "{line}"
        );
    }

    deck.send("s");
    deck.wait_text(&["done in"]);
    for phase in ["split", "map", "reduce"] {
        deck.wait_line(&[phase, "✓ done", " ms"]);
    }
    let counts = words::count(words::LIBER_PRIMUS.as_bytes());
    let total = grouped(counts.values().sum());
    assert_eq!(total, "7,180", "the text is the one we think it is");
    let unique = grouped(counts.len() as u64);
    deck.wait_line(&[
        &format!("{total} words"),
        &format!("{unique} unique"),
        "unverified",
    ]);
    for (word, count) in words::top(&counts, 5) {
        deck.wait_line(&[&count.to_string(), &word]);
    }
    deck.wait_text(&["parallelism", " of 3", "v verify"]);

    deck.send("v");
    deck.wait_text(&["✓ verified", "e export chart"]);

    assert_eq!(charts(&home), Vec::<String>::new());
    deck.send("e");
    deck.wait_text(&["chart written to"]);
    let [first] = &charts(&home)[..] else {
        panic!("{:?}", home.names());
    };
    let drawn = home.read(first);
    assert!(drawn.starts_with(b"\x89PNG\r\n\x1a\n") && drawn.ends_with(b"IEND\xaeB`\x82"));
    deck.send("e");
    deck.wait_text(&["-2.png"]);
    assert_eq!(charts(&home).len(), 2, "{:?}", home.names());
    assert_eq!(home.read(first), drawn, "the first one is untouched");

    let children = deck.children();
    assert_eq!(children.len(), 5);
    deck.send("q");
    let closed = deck.wait();
    assert_eq!(closed.code, 0);
    closed.expect_restored();
    wait_until_gone(&children);
}

#[test]
fn a_stopped_task_is_replaced_and_can_be_looked_into() {
    let home = Home::new();
    let mut deck = local(&home);
    deck.send("jS");
    deck.wait_text(&["Stop mapper-1?"]);
    deck.send("\r");
    deck.wait_for("the question to go", |screen| {
        !screen.contains("Stop mapper-1?")
    });
    deck.wait_line(&["mapper-1", "RUNNING"]);

    deck.send("S");
    deck.wait_text(&["Stop mapper-1?"]);
    deck.send("y");
    deck.wait_line(&["mapper-1", "STOPPED"]);
    deck.wait_line(&["mapper-4", "RUNNING", "127.0.0.1:"]);

    deck.send("l");
    deck.wait_text(&["Log of mapper-1", "listening"]);
    deck.escape("Log of mapper-1");
    deck.send("d");
    deck.wait_text(&["Task mapper-1", "stopped from the console"]);
    deck.send("qs");
    deck.wait_text(&["done in", "7,180 words"]);
    deck.send("\t");
    deck.wait_line(&["chunk", "✓ done", "mapper-4"]);
}

#[test]
fn a_task_that_does_not_start_again_is_said_with_the_way_back() {
    let home = Home::new();
    // A copy: it is moved away and back while it runs, as by an upgrade.
    let (program, away) = (home.file("mrdeck"), home.file("away"));
    std::fs::copy(binary(), &program).unwrap();
    let deck = Deck::of(&program, home.path()).args(["--local", "--local-data", "data"]);
    let mut deck = deck.open();
    deck.wait_until_up();
    std::fs::rename(&program, &away).unwrap();
    let mut services = deck.children().into_iter();
    let mapper = services.find(|child| child.command_line().contains("serve mapper"));
    mapper.unwrap().signal("KILL");
    deck.wait_text(&["2 mappers running · mapper-6 did not start"]);
    deck.wait_text(&["→ when that is mended, :scale mapper 3 starts it"]);
    std::fs::rename(&away, &program).unwrap();
    deck.send(":scale mapper 3\r");
    deck.wait_line(&["mapper-7", "RUNNING", "127.0.0.1:"]);
    deck.wait_text(&["3 mappers running ─"]);
}

#[test]
fn a_second_console_says_what_is_in_its_way_and_takes_over_later() {
    let home = Home::new();
    let mut first = local(&home);
    let mut second = Deck::local(home.path()).open();
    second.wait_text(&["not connected", "ctrl-r", "another mrdeck already runs"]);
    second.send("s");
    second.send("\x12");
    second.wait_for("the second refusal", |screen| {
        screen.contains("2 errors") && screen.contains("not connected")
    });
    first.send("q");
    assert_eq!(first.wait().code, 0);
    second.send("\x12");
    second.wait_until_up();
    second.send("s");
    second.wait_text(&["done in", "7,180 words"]);
}
