//! Which keys are read where: typing, quitting, keys that mean nothing; the help and the footer that tell them.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use mrdeck::dashboard::keymap;
use mrdeck::dashboard::model::{Effect, Model, Msg, Overlay};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::{Probe, TaskId};
use mrdeck_engine::event::{EventKind, RunStatus, SplitChoice};

use super::fixtures::{Scene, entered};

fn connected() -> Scene {
    Scene::new().connected()
}

fn overlay(scene: &Scene) -> &Overlay {
    scene.state.overlay.as_ref().expect("something is open")
}

#[test]
fn commands_do_what_they_say() {
    let mut scene = connected();
    let mut say = |line: &str| {
        let mut effects = scene.press(":");
        effects.extend(scene.press(line));
        effects.extend(scene.key(KeyCode::Enter));
        (
            effects,
            scene.state.next_run.options().clone(),
            scene.state.overlay.is_some(),
        )
    };
    assert_eq!(say("chunks 7").1.chunks, Some(7));
    assert_eq!(say("chunks auto").1.chunks, None);
    assert_eq!(say("split range").1.split, SplitChoice::Range);
    assert!(say("verify on").1.verify);
    assert!(!say("verify off").1.verify);
    assert!(!say("").2, "an empty command is none");
    assert!(
        !say("export").2,
        "nothing to export, said in the status line"
    );
    assert!(say("chunks 0").2, "a mistake can be corrected");
    scene.key(KeyCode::Esc);
    scene.press(":q");
    assert_eq!(scene.key(KeyCode::Enter), [Effect::Quit]);
}

#[test]
fn while_a_line_is_typed_every_letter_is_a_letter() {
    for open in ["oi", ":", "/", "o/"] {
        let mut scene = connected().pressed(open);
        assert_eq!(scene.press("qsrRxSyle?c/:"), [], "{open}");
        match overlay(&scene) {
            Overlay::Prompt(prompt) => assert_eq!(prompt.line(), "qsrRxSyle?c/:"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_paste_is_one_line_and_is_typed_as_it_is() {
    for end in ["", "\n", "\r\n"] {
        let mut scene = connected().pressed("oi");
        scene.send(Msg::Paste(format!("/tmp/a b .txt {end}")));
        match overlay(&scene) {
            Overlay::Prompt(prompt) => assert_eq!(prompt.line(), "/tmp/a b .txt "),
            other => panic!("{other:?}"),
        }
    }
    for (refused, why) in [
        ("one.txt\ntwo.txt\n", "the pasted text has several lines"),
        ("one.txt\rtwo.txt", "the pasted text has several lines"),
        ("/tmp/a\u{1b}[31m", "the pasted text has control characters"),
    ] {
        let mut scene = connected().pressed("oi").pressed("/x");
        scene.send(Msg::Paste(refused.to_owned()));
        match overlay(&scene) {
            Overlay::Prompt(prompt) => {
                assert_eq!(prompt.line(), "/x");
                assert_eq!(prompt.problem().unwrap().cause, why);
            }
            other => panic!("{other:?}"),
        }
    }
    let mut scene = connected();
    assert_eq!(
        scene.send(Msg::Paste("sqS".to_owned())),
        [],
        "not into the panels"
    );
    assert!(scene.state.overlay.is_none());
}

#[test]
fn amid_a_run_q_asks_and_only_yes_is_yes() {
    let asks: [fn(&mut Scene) -> Vec<Effect>; 2] =
        [|scene| scene.press("q"), |scene| entered(scene, ":quit")];
    for ask in asks {
        for mut scene in [connected().pressed("s"), connected().mapping()] {
            for no in ['n', 'q', 'N'] {
                assert_eq!(ask(&mut scene), []);
                assert!(matches!(overlay(&scene), Overlay::ConfirmQuit));
                assert_eq!(scene.key(KeyCode::Char(no)), [], "{no}");
                assert!(scene.state.overlay.is_none());
            }
            ask(&mut scene);
            assert_eq!(scene.press("y"), [Effect::Quit]);
        }
        assert_eq!(ask(&mut connected().done()), [Effect::Quit]);
        // Once it has ended, only its record is closed, which quitting waits for.
        let mut scene = connected().mapping();
        scene.event(EventKind::RunFinished {
            status: RunStatus::Done,
            wall_ms: 1.0,
            diagnostic: None,
        });
        assert!(!scene.state.run.is_idle());
        assert_eq!(ask(&mut scene), [Effect::Quit]);
    }
    let mut scene = connected().mapping();
    assert_eq!(scene.ctrl('c'), [Effect::Quit], "without a question");
}

#[test]
fn ctrl_c_quits_and_ctrl_z_suspends_everywhere_and_q_quits_only_from_the_panels() {
    let places = ["", "?", "jd", "jl", "jS", ":", "o", "oi", "/"];
    for place in places {
        let mut scene = connected().pressed(place);
        assert_eq!(scene.ctrl('z'), [Effect::Suspend], "{place}");
        assert_eq!(scene.ctrl('c'), [Effect::Quit], "{place}");
        let mut scene = connected().pressed(place);
        let expected: &[Effect] = if place.is_empty() {
            &[Effect::Quit]
        } else {
            &[]
        };
        assert_eq!(scene.press("q"), expected, "{place}");
    }
    assert_eq!(Scene::new().press("q"), [Effect::Quit], "while connecting");
}

#[test]
fn other_keys_do_nothing_at_all() {
    let used = |c: char| "srxRveodlSc/:jkgG?q12345+=-[]fw".contains(c);
    let shown = |state: &Model| super::screen(state, (120, 40));
    for place in ["", "?", "jS"] {
        let mut scene = connected().done().pressed(place);
        let before = shown(&scene.state);
        for c in (' '..='~').filter(|c| !used(*c) && !"yYnN".contains(*c)) {
            assert_eq!(scene.press(&c.to_string()), [], "{c}");
        }
        for c in ('a'..='z').filter(|c| !"crz".contains(*c)) {
            assert_eq!(scene.ctrl(c), [], "ctrl-{c}");
        }
        for code in [
            KeyCode::F(1),
            KeyCode::Insert,
            KeyCode::Delete,
            KeyCode::Backspace,
        ] {
            assert_eq!(scene.key(code), [], "{code:?}");
        }
        assert_eq!(shown(&scene.state), before, "in '{place}'");
    }
}

#[test]
fn ctrl_d_does_nothing_wherever_it_is_pressed() {
    for place in ["", "?", "jd", "jl", "jS", ":x", "o", "oix", "o/x", "/x"] {
        let mut scene = connected().pressed(place);
        let before = super::screen(&scene.state, (120, 40));
        assert_eq!(scene.ctrl('d'), [], "{place}");
        assert_eq!(super::screen(&scene.state, (120, 40)), before, "{place}");
    }
}

#[test]
fn a_key_released_or_with_alt_does_nothing() {
    let mut released = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
    released.kind = KeyEventKind::Release;
    assert_eq!(connected().pressed_key(released), []);
    let alt = KeyEvent::new(KeyCode::Char('s'), KeyModifiers::ALT);
    assert_eq!(connected().pressed_key(alt), []);
}

#[test]
fn every_key_of_the_table_is_in_the_help_or_a_twin_of_one_that_is() {
    // As high as the help is long.
    let shown = super::screen(&connected().pressed("?").state, (120, 60));
    for row in keymap::help() {
        assert!(shown.contains(row.help), "{}", row.help);
        let first = row.keys_text.split(' ').next().unwrap_or_default();
        assert!(shown.contains(first), "{first}");
    }
    for row in keymap::BINDINGS
        .iter()
        .filter(|row| row.keys_text.is_empty())
    {
        assert!(row.label.is_empty(), "the footer names what the help names");
    }
}

#[test]
fn the_footer_shows_the_keys_that_apply_now() {
    let footer = |scene: Scene| {
        let screen = super::screen(&scene.state, (120, 40));
        screen.lines().last().unwrap_or_default().to_owned()
    };
    let (idle, busy) = (footer(connected()), footer(connected().mapping()));
    assert!(
        idle.contains("s start") && !idle.contains("x cancel"),
        "{idle}"
    );
    assert!(
        busy.contains("x cancel") && !busy.contains("s start"),
        "{busy}"
    );
    let failed = footer(connected().failed());
    assert!(failed.contains("r resume"), "{failed}");
    assert!(!footer(connected().done()).contains("r resume"));
    let stop = "S stop task";
    assert!(footer(connected()).contains(stop));
    assert!(!footer(Scene::read_only().connected()).contains(stop));
    assert!(!footer(connected().tabs(1)).contains(stop));
}

#[test]
fn probes_and_problems_of_tasks_are_news_not_questions() {
    let mut scene = connected();
    let mut tasks = scene.state.session.tasks().tasks.to_vec();
    tasks[1].probe = Probe::Unknown;
    scene.list(tasks);
    let task = TaskId("mapper-1".to_owned());
    let diagnostic = Diagnostic::new("mapper-1 is not running any more", "choose another task");
    assert_eq!(scene.send(Msg::TaskStopped(task, Err(diagnostic))), []);
    let shown = super::screen(&scene.state, (120, 40));
    assert!(
        shown.contains("mapper-1 is not running any more"),
        "{shown}"
    );
    assert!(shown.contains("choose another task"), "{shown}");
}
