//! Stopped by ctrl-z or a signal and brought back by `fg`, in a shell with job control.

use mrdeck_testkit::console::binary;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::process::{self, Process};
use mrdeck_testkit::pty::{Deck, Open};
use mrdeck_testkit::{wait_for, wait_until};

use super::{local, wait_until_gone};

const CTRL_Z: &str = "\x1a";
const PROMPT: &str = "shell> ";
const START: &str = r#""$MRDECK" --local --local-data data"#;

/// A shell in which `command` has opened a dashboard on a local cluster that is up; and the dashboard.
fn in_shell(home: &Home, command: &str) -> (Open, Process) {
    let shell = Deck::of("sh", home.path()).args(["-i"]);
    let mut shell = shell.env("PS1", PROMPT).env("MRDECK", binary()).open();
    shell.wait_text(&[PROMPT]);
    shell.send(&format!("{command}\r"));
    shell.wait_until_up();
    let dashboard = wait_for("the dashboard", || dashboard_below(shell.children()));
    (shell, dashboard)
}

/// The console is the only one that starts five services.
fn dashboard_below(processes: Vec<Process>) -> Option<Process> {
    processes.into_iter().find_map(|process| {
        let children = process::children_of(process.pid);
        match children.len() {
            5 => Some(process),
            _ => dashboard_below(children),
        }
    })
}

/// Waits until the dashboard is stopped and the shell has the terminal.
#[track_caller]
fn expect_stopped(shell: &Open, dashboard: &Process) {
    wait_until("the stop", || dashboard.is_frozen());
    shell.wait_for("the shell's prompt", |screen| {
        screen.trim_end().ends_with(PROMPT.trim_end())
    });
    shell.expect_given_back();
}

fn go_on(shell: &mut Open) {
    shell.send("fg\r");
}

/// Quits from the panels, and leaves the shell.
fn quit(mut shell: Open, dashboard: &Process) {
    shell.send("q");
    wait_until_gone(std::slice::from_ref(dashboard));
    expect_left(shell);
}

/// The shell goes on as if nothing had been.
fn expect_left(mut shell: Open) {
    shell.wait_for("the shell's prompt", |screen| {
        screen.trim_end().ends_with(PROMPT.trim_end())
    });
    shell.send("echo heard$((40 + 2))\r");
    shell.wait_text(&["heard42"]);
    shell.send("exit\r");
    shell.wait().expect_restored();
}

#[test]
fn ctrl_z_goes_to_the_shell_from_anywhere_and_fg_comes_back_there() {
    let home = Home::new();
    let (mut shell, dashboard) = in_shell(&home, START);
    let places: [(&str, &[&str]); 6] = [
        ("", &["q quit", "Tasks", "Pipeline"]),
        ("?", &["Keys", "quit from anywhere"]),
        ("jd", &["Task mapper-1"]),
        ("S", &["Stop", "n Enter Esc"]),
        ("o", &["Buckets", "mrdeck"]),
        (":nonsense", &[":nonsense", "Esc cancel"]),
    ];
    for (keys, shown) in places {
        shell.send(keys);
        shell.wait_text(shown);
        shell.send(CTRL_Z);
        expect_stopped(&shell, &dashboard);
        go_on(&mut shell);
        shell.wait_text(shown);
        assert!(!dashboard.is_frozen(), "{keys}");
        match keys {
            "" => {}
            keys if keys.starts_with(':') => {
                shell.send("x\r");
                shell.wait_text(&["there is no command", "nonsensex"]);
                shell.escape(":nonsensex");
            }
            _ => shell.escape(shown[0]),
        }
    }
    quit(shell, &dashboard);
}

#[test]
fn signals_from_outside_do_the_same() {
    let home = Home::new();
    let (mut shell, dashboard) = in_shell(&home, START);
    for signal in ["TSTP", "TSTP"] {
        dashboard.signal(signal);
        expect_stopped(&shell, &dashboard);
        go_on(&mut shell);
        shell.wait_until_up();
    }
    // This one can't be caught, so that the shell finds the screen as it is; fg mends that.
    dashboard.signal("STOP");
    shell.wait_text(&["Stopped", PROMPT.trim_end()]);
    // The terminal is in raw mode still, so that Enter is no line's end. Many shells mend that themselves.
    shell.send("stty sane; echo spoilt$((40 + 2))\n");
    shell.wait_text(&["spoilt42"]);
    go_on(&mut shell);
    shell.wait_for("a clean screen", |screen| !screen.contains("spoilt"));
    shell.wait_until_up();
    shell.send("?");
    shell.wait_text(&["Keys", "quit from anywhere"]);
    shell.escape("quit from anywhere");
    quit(shell, &dashboard);
}

#[test]
fn the_background_is_no_place_for_it() {
    let home = Home::new();
    let (mut shell, dashboard) = in_shell(&home, START);
    shell.send(CTRL_Z);
    expect_stopped(&shell, &dashboard);
    shell.send("bg\r");
    // It wants the terminal, and stops again until it gets it.
    wait_until("the stop", || dashboard.is_frozen());
    shell.send("echo undisturbed$((40 + 2))\r");
    shell.wait_text(&["undisturbed42"]);
    shell.expect_given_back();
    go_on(&mut shell);
    shell.wait_until_up();
    quit(shell, &dashboard);
}

#[test]
fn what_started_it_is_stopped_with_it_and_its_services_are_not() {
    let home = Home::new();
    let (mut shell, dashboard) = in_shell(&home, &format!("sh -c '{START}; echo over$?'"));
    let services = process::children_of(dashboard.pid);
    shell.send(CTRL_Z);
    expect_stopped(&shell, &dashboard);
    assert_eq!(services.len(), 5);
    assert!(services.iter().all(|s| s.is_alive() && !s.is_frozen()));
    go_on(&mut shell);
    shell.wait_until_up();
    shell.send("q");
    shell.wait_text(&["over0"]);
    wait_until_gone(&services);
    expect_left(shell);
}

#[test]
fn it_comes_back_at_the_size_that_the_window_has_then() {
    let home = Home::new();
    let (mut shell, dashboard) = in_shell(&home, START);
    shell.send(CTRL_Z);
    expect_stopped(&shell, &dashboard);
    shell.resize((90, 30));
    go_on(&mut shell);
    shell.wait_for("a frame as wide as the window", |screen| {
        let is_closed = |line: &str| line.starts_with('╭') && line.chars().count() == 90;
        screen.lines().count() == 30 && screen.lines().any(is_closed)
    });
    quit(shell, &dashboard);
}

#[test]
fn a_run_goes_on_where_it_was() {
    let home = Home::new();
    let (mut shell, dashboard) = in_shell(&home, START);
    for command in [":split range\r", ":chunks 2000\r", ":verify on\r"] {
        shell.send(command);
    }
    shell.send("s");
    let committed = || {
        let record = home.record();
        record.iter().filter(|e| e["event"] == "committed").count()
    };
    wait_until("the first maps", || committed() > 50);
    shell.send(CTRL_Z);
    expect_stopped(&shell, &dashboard);
    assert!(committed() < 2_000, "stopped amid the run");
    go_on(&mut shell);
    shell.wait_text(&["done and verified", "7,180 words"]);
    let record = home.ended_record();
    assert_eq!(record.last().unwrap()["status"], "done");
    quit(shell, &dashboard);
}

#[test]
fn signals_that_end_it_do_so_while_it_is_stopped() {
    let home = Home::new();
    let (mut shell, dashboard) = in_shell(&home, START);
    let services = process::children_of(dashboard.pid);
    shell.send(CTRL_Z);
    expect_stopped(&shell, &dashboard);
    dashboard.signal("TERM");
    go_on(&mut shell);
    wait_until_gone(std::slice::from_ref(&dashboard));
    wait_until_gone(&services);
    shell.send("echo code$?\r");
    shell.wait_text(&["code130"]);
    expect_left(shell);
}

#[test]
fn without_a_shell_it_says_that_nothing_would_bring_it_back() {
    let home = Home::new();
    let mut deck = local(&home);
    let dashboard = process::of(deck.pid());
    deck.send(CTRL_Z);
    deck.wait_text(&["not suspended: there is no shell here", "Tasks"]);
    // The next key takes it away.
    deck.send("j");
    deck.wait_for("the key", |screen| !screen.contains("not suspended"));
    deck.signal("TSTP");
    deck.wait_text(&["not suspended"]);
    deck.send(":");
    deck.wait_text(&["Esc cancel"]);
    deck.send(CTRL_Z);
    deck.wait_text(&["✗ not suspended"]);
    deck.escape("✗ not suspended");
    assert!(!dashboard.is_frozen());
    deck.send("q");
    let closed = deck.wait();
    assert_eq!(closed.code, 0);
    closed.expect_restored();
}
