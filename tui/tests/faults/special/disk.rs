//! A disk that is full: a small tmpfs in a mount namespace of the console's own, so that nothing is left of it.

use std::process::Command;
use std::time::Duration;

use mrdeck_testkit::console::{Console, binary};
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::namespace::unshare;
use mrdeck_testkit::oracle;
use mrdeck_testkit::skip::Lack;
use mrdeck_testkit::words::{self, LIBER_PRIMUS};

pub fn full() -> Option<Duration> {
    record_does_not_fit();
    files_do_not_fit();
    // Full at the split, at the maps, at the reduce, and not full.
    std::thread::scope(|scope| {
        for size in [80, 160, 240, 320] {
            scope.spawn(move || local_data_does_not_fit(size));
        }
    });
    None
}

/// Returns what is missing to play this on this machine.
pub fn lack() -> Lack {
    let mut command = Command::new("unshare");
    let mount = ["sh", "-c", "mount -t tmpfs -o size=4k none /mnt"];
    let tried = command.args(unshare(&["--mount"])).args(mount).output();
    let may_mount = tried.is_ok_and(|tried| tried.status.success());
    if may_mount {
        return Lack::Nothing;
    }
    Lack::Absent("nothing may be mounted here, not even in a namespace of its own".to_owned())
}

/// A console with a disk of this size at `at` in its home, started as the script's `"$@"`.
fn console(home: &Home, size: &str, at: &str, script: &str) -> Console {
    std::fs::create_dir_all(home.file(at)).unwrap();
    let script = format!("mount -t tmpfs -o size={size} none {at} && cd . && {script}");
    Console::by("unshare", home.path())
        .args(unshare(&["--mount"]))
        .args(["sh", "-c", &script, "sh", binary()])
}

fn in_lab(lab: &Lab, console: Console) -> Console {
    let input = lab.s3.put("input.txt", LIBER_PRIMUS);
    let console = console.args(["run", &input, "--output", "json"]);
    let console = console.args(lab.direct_addresses().flags());
    console.envs(lab.environment())
}

fn record_does_not_fit() {
    let lab = Lab::new([]);
    let run = console(&lab.home, "4k", "state", "exec \"$@\"");
    let finished = in_lab(&lab, run).run();
    for word in ["record", "can't be written", "No space left"] {
        assert!(
            finished.stderr.contains(word),
            "{word}: {}",
            finished.stderr
        );
    }
    lab.expect_exact(finished, LIBER_PRIMUS.as_bytes());
}

fn files_do_not_fit() {
    let lab = Lab::new([]);
    let left = "\"$@\"; code=$?; echo left: $(ls -A full) >&2; exit $code";
    let run = in_lab(&lab, console(&lab.home, "8k", "full", left));
    let finished = run.args(["--save", "full/counts.json"]).run();
    assert!(finished.stderr.contains("\nleft:\n"), "{}", finished.stderr);
    let finished = finished.expect_complaint(3, &["counts.json", "No space left"]);
    let report = finished.json();
    // The run itself is done, and only its file is missing.
    oracle::expect_exact(&lab.s3, &report, &words::count(LIBER_PRIMUS.as_bytes()));
}

/// Everything of a local cluster is on the full disk: its objects, its logs, the record.
fn local_data_does_not_fit(kib: u32) {
    let home = Home::new();
    let run = console(&home, &format!("{kib}k"), "data", "exec \"$@\"");
    let run = run.args(["run", "--local=2", "--local-data", "data", "--verify"]);
    let finished = run.args(["--output", "json"]).run();
    if finished.code == Some(0) {
        let report = finished.json();
        let expected = words::count(LIBER_PRIMUS.as_bytes());
        assert_eq!(report["words"], expected.values().sum::<u64>(), "{report}");
        assert_eq!(report["verified"], true, "{report}");
    } else {
        assert!(matches!(finished.code, Some(3 | 4)), "{finished}");
        let mut lines = finished.stderr.lines();
        let cause = lines.find(|line| line.starts_with("mrdeck: "));
        assert!(cause.is_some(), "no cause: {finished}");
        assert!(!finished.stderr.contains("panicked"), "{finished}");
    }
}
