//! Nobody reads what is printed, or there is no terminal to draw on.

use std::time::Duration;

use mrdeck_testkit::console::{Console, binary};
use mrdeck_testkit::lab::Lab;
use mrdeck_testkit::words::LIBER_PRIMUS;

pub fn nobody_reads() -> Option<Duration> {
    let lab = Lab::new([]);
    for (out_is_read, err_is_read) in [(false, true), (true, false), (false, false)] {
        let finished = lab.run(3).run_unread(out_is_read, err_is_read).expect(0);
        if out_is_read {
            lab.expect_exact(finished, LIBER_PRIMUS.as_bytes());
        }
    }
    for (nth, redirected) in [">&-", "2>&-", ">&- 2>&- <&-", ">/dev/full 2>/dev/full"]
        .iter()
        .enumerate()
    {
        let lab = Lab::new([]);
        redirected_run(&lab, redirected);
        let record = lab.home.record();
        let last = record
            .last()
            .unwrap_or_else(|| panic!("run {nth} left no record"));
        assert_eq!(last["status"], "done", "{redirected}: {last}");
    }
    without_a_terminal(&lab);
    None
}

/// In the console's place a shell is started, which closes or fills what the console writes to.
fn redirected_run(lab: &Lab, redirected: &str) {
    let input = lab.s3.put("input.txt", LIBER_PRIMUS);
    let script = format!("exec \"$@\" {redirected}");
    let console = Console::by("sh", lab.home.path())
        .args(["-c", &script, "sh", binary(), "run", &input])
        .args(lab.addresses().flags());
    let code = console.envs(lab.environment()).run().code;
    // A report that could not be written may be complained of, if there is somebody to hear it.
    assert!(matches!(code, Some(0 | 3)), "{redirected}: {code:?}");
}

fn without_a_terminal(lab: &Lab) {
    let console = lab
        .home
        .console()
        .args(["--local=1", "--local-data", "data"]);
    let finished = console
        .run()
        .expect_complaint(2, &["terminal", "mrdeck run"]);
    assert!(
        !finished.stdout.contains('\u{1b}'),
        "no escape sequence goes to a pipe"
    );
}
