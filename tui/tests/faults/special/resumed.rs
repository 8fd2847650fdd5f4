//! The console killed with `kill -9` after each event of a run, and another one that goes on, here or elsewhere.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::oracle;
use mrdeck_testkit::proxy::script::{Fault, Rule};
use mrdeck_testkit::wait_until;
use mrdeck_testkit::words::{self, LIBER_PRIMUS};

/// Runs that go on side by side: they wait more than they work.
const SIDE_BY_SIDE: usize = 4;
/// Between two events, so that the console is killed before the next one.
const PAUSE: Duration = Duration::from_millis(40);

pub fn killed_after_each_event() -> Option<Duration> {
    let events = undisturbed();
    assert!(events.len() > 20, "{events:?}");
    let next = Mutex::new(1..=events.len());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                let take = || next.lock().unwrap().next();
                while let Some(after) = take() {
                    killed_after(after, after % 2 == 0);
                }
            });
        }
    });
    None
}

/// Every request takes a while, so that events come one by one.
fn paused() -> [Rule; 2] {
    [
        Fault::Delay(PAUSE).on("*"),
        Fault::Delay(PAUSE).on("console → s3"),
    ]
}

/// The names of the events of a run that nothing is done to.
fn undisturbed() -> Vec<String> {
    let lab = Lab::proxied(3);
    lab.script.replace(paused());
    lab.expect_exact(lab.run(3).run(), LIBER_PRIMUS.as_bytes());
    let names = lab.home.record().into_iter();
    names
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect()
}

fn killed_after(events: usize, elsewhere: bool) {
    let lab = Lab::proxied(3);
    lab.script.replace(paused());
    let mut running = lab.run(3).start();
    wait_until("the event", || {
        lab.home.record().len() >= events || running.has_ended()
    });
    running.signal("KILL");
    running.wait();
    let record = lab.home.record();
    let run = record[0]["run"].as_str().unwrap();
    let said = format!("killed after {} events, {:?}", record.len(), record.last());
    // A crash of the machine leaves a line that was not finished.
    let mut file = OpenOptions::new()
        .append(true)
        .open(&lab.home.record_files()[0])
        .unwrap();
    file.write_all(b"{\"at\":\"2026-01-0").unwrap();
    let before = lab.script.seen("/map").len();
    let home = Home::new();
    let at = if elsewhere { &home } else { &lab.home };
    let resumed = lab.console_in(at, &lab.addresses(), "resume");
    let resumed = resumed
        .args([run, "--bucket", "lab", "--output", "json"])
        .run();
    let is_planned = lab.s3.has(&format!("mr/runs/{run}/plan.json"));
    if elsewhere && !is_planned {
        resumed.expect_complaint(3, &[run, "plan.json"]);
        return;
    }
    let expected = words::count(LIBER_PRIMUS.as_bytes());
    let verdict = oracle::judge(&lab.s3, Some(run), &resumed, || expected);
    assert_eq!(verdict, oracle::Verdict::Exact, "{said}: {resumed}");
    let success = format!("s3://lab/{}", oracle::success_key(run));
    let success: Value = serde_json::from_slice(&lab.s3.get(&success)).unwrap();
    assert_eq!(success["out"], resumed.json()["out"], "{said}");

    // What had been committed is not made again.
    let committed = |phase: &str| {
        let is_one = |event: &&Value| event["event"] == "committed" && event["phase"] == phase;
        record.iter().filter(is_one).count()
    };
    let maps = lab.script.seen("/map").len() - before;
    assert!(maps <= 3 - committed("map"), "{said}: {maps} maps");
    if committed("reduce") > 0 && !elsewhere {
        assert_eq!(lab.script.seen("/reduce").len(), 1, "{said}");
    }
}
