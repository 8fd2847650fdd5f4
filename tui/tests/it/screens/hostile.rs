//! Foreign text on the screen: it can neither send the terminal an escape sequence nor push the frames apart.

use crossterm::event::KeyCode;
use mrdeck::dashboard::model::{Clipboard, LinkInfo, Msg};
use mrdeck_core::api::ChunkRef;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::role::Role;
use mrdeck_core::task::{FailedProbe, Probe, TaskId};
use mrdeck_core::unreachable::Unreachable;
use mrdeck_engine::event::{EventKind, ResultSummary, RunOptions, SplitChoice};
use mrdeck_engine::work::Work;
use ratatui::buffer::Buffer;

use super::fixtures::{Scene, run_id, task, uri};
use super::{SIZES, check, draw, text};

/// Puts a text on the clipboard, clears the screen, sets the title, turns the writing around.
const HOSTILE: &str = "a\u{1b}]52;c;ZXZpbA==\u{7}b\u{1b}[2Jc\u{1b}]0;title\u{1b}\\d\r\ne\u{9b}31mf\u{202e}g\u{2066}h\u{0}i";
const WIDE: &str = "任務識別碼很長很長的集群任務識別碼很長很長的集群任務識別碼很長很長";

fn everywhere(evil: &str) -> Scene {
    let mut scene = Scene::new();
    let now = scene.now;
    scene.send(Msg::Linked(LinkInfo {
        cluster: evil.to_owned(),
        bucket: None,
        default_input: Some(uri(evil)),
        can_stop: true,
        region: Some(evil.to_owned()),
    }));
    let mut first = task(evil, Role::Mapper, 40_211, now);
    first.health = Some(evil.to_owned());
    first.last_status = evil.into();
    first.family = Some(evil.to_owned());
    first.details = vec![(evil.to_owned(), evil.to_owned())];
    let mut second = task(&evil.repeat(30), Role::Splitter, 40_101, now);
    second.private_ip = "fd12:3456:789a:bcde:f012:3456:789a:bcde".parse().ok();
    second.public_ip = "2001:db8:1111:2222:3333:4444:5555:6666".parse().ok();
    second.probe = Probe::Unreachable(vec![FailedProbe {
        at: second.base.clone(),
        reason: Unreachable::WrongService(evil.to_owned()),
    }]);
    scene.list(vec![first, second]);
    scene.event(EventKind::RunStarted {
        run: run_id(),
        input: uri(evil).into(),
        cluster: evil.to_owned(),
        mappers: 1,
        options: RunOptions {
            chunks: Some(1),
            split: SplitChoice::Copy,
            verify: true,
            as_bytes: false,
        },
    });
    scene.event(EventKind::ChunksPlanned {
        chunks: vec![ChunkRef::Object(uri(evil))],
        sizes: None,
        etags: Vec::new(),
    });
    let work = Work::map(0);
    scene.event(EventKind::AttemptStarted {
        work,
        attempt: 1,
        task: TaskId(evil.to_owned()),
        address: evil.to_owned(),
        speculative: false,
    });
    scene.event(EventKind::AttemptFailed {
        work,
        attempt: 1,
        ms: 1.0,
        diagnostic: Diagnostic::new(evil, evil),
        retry_in_ms: None,
    });
    scene.event(EventKind::Notice(Diagnostic::new(evil.repeat(9), evil)));
    scene.event(EventKind::ResultRead(ResultSummary {
        non_ascii: None,
        out: uri(evil),
        words: u64::MAX,
        unique: u64::MAX,
        sha256: String::new(),
        top: vec![(evil.to_owned(), u64::MAX), (evil.repeat(50), 1)],
    }));
    scene.send(Msg::StartFailed(Diagnostic::new(evil, evil)));
    scene
}

/// Every screen on which some of the foreign text shows.
fn screens(evil: &str) -> Vec<(&'static str, Scene)> {
    let zoomed = |tabs| {
        let mut scene = everywhere(evil).tabs(tabs);
        scene.key(KeyCode::Enter);
        scene
    };
    let mut log = everywhere(evil).pressed("jl");
    let task = log.state.selected_task().unwrap().id.clone();
    log.send(Msg::Logs(
        task.clone(),
        Ok(vec![evil.to_owned(), evil.repeat(40)]),
    ));
    let mut no_log = everywhere(evil).pressed("jl");
    no_log.send(Msg::Logs(task, Err(Diagnostic::new(evil, evil))));
    let mut prompt = everywhere(evil).pressed("oi");
    prompt.send(Msg::Paste(evil.to_owned()));
    let mut refused = everywhere(evil).pressed(":");
    refused.send(Msg::Paste(evil.to_owned()));
    refused.key(KeyCode::Enter);
    let mut filter = everywhere(evil).pressed("/");
    filter.send(Msg::Paste(evil.to_owned()));
    filter.key(KeyCode::Enter);
    let mut copied = everywhere(evil);
    copied.send(Msg::Copied(evil.to_owned(), Clipboard::Terminal));
    let mut lost = Scene::new();
    lost.send(Msg::LinkLost {
        diagnostic: Diagnostic::new(evil, evil),
        is_retried: true,
    });
    vec![
        ("panels", everywhere(evil)),
        ("tasks", zoomed(0)),
        ("pipeline", zoomed(1)),
        ("latency", zoomed(2)),
        ("results", zoomed(3)),
        ("events", zoomed(4)),
        ("describe-task", everywhere(evil).pressed("jd")),
        ("describe-chunk", everywhere(evil).tabs(1).pressed("d")),
        ("describe-run", everywhere(evil).tabs(1).pressed("jjd")),
        ("confirm-stop", everywhere(evil).pressed("S")),
        ("log", log),
        ("no-log", no_log),
        ("prompt", prompt),
        ("prompt-refused", refused),
        ("filter", filter),
        ("copied", copied),
        ("lost", lost),
    ]
}

fn is_harmless(symbol: &str) -> bool {
    !symbol.chars().any(|c| {
        c.is_control()
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    })
}

/// The frames' right side stands where it should, line by line.
fn has_straight_border(buffer: &Buffer) -> bool {
    let area = buffer.area;
    // Under the header, and the line of the phases if there is a run.
    let first = (1..=2).find(|y| buffer[(0, *y)].symbol() == "╭").unwrap();
    (first..area.bottom() - 2).all(|y| {
        let last = buffer[(area.right() - 1, y)].symbol();
        matches!(last, "│" | "╮" | "╯")
    })
}

#[test]
fn nothing_foreign_reaches_the_terminal_as_a_command() {
    for (name, scene) in screens(HOSTILE) {
        for size in SIZES {
            let buffer = draw(&scene.state, size, false);
            let bad = buffer
                .content
                .iter()
                .find(|cell| !is_harmless(cell.symbol()));
            assert!(bad.is_none(), "{name}: {bad:?}");
            assert!(has_straight_border(&buffer), "{name}:\n{}", text(&buffer));
        }
    }
}

#[test]
fn wide_and_very_long_text_stays_within_its_frame() {
    for evil in [WIDE, &"x".repeat(3_000), "👩‍👩‍👧‍👦🇨🇭e\u{301}\u{200b}\u{feff}"]
    {
        for (name, scene) in screens(evil) {
            for size in SIZES {
                let buffer = draw(&scene.state, size, false);
                assert!(has_straight_border(&buffer), "{name}:\n{}", text(&buffer));
            }
        }
    }
}

#[test]
fn how_hostile_text_looks() {
    check("hostile", &everywhere(HOSTILE).state);
    check("wide", &everywhere(WIDE).state);
}
