//! Draws a run and its disturbances from a seed.

use std::sync::LazyLock;

use fastrand::Rng;
use serde_json::{Map, Value};

use mrdeck_testkit::console::binary;
use mrdeck_testkit::disturb::act::{Act, Deed, Place, When};
use mrdeck_testkit::disturb::input::Input;
use mrdeck_testkit::disturb::rules::{FaultSpec, RuleSpec};
use mrdeck_testkit::disturb::{Disturbed, Expected, Shape};
use mrdeck_testkit::proxy::rule::Filter;

pub fn draw(seed: u64) -> Disturbed {
    let mut random = Rng::with_seed(seed);
    let lab = shape(&mut random);
    let rules = (0..random.usize(1..=5))
        .map(|_| rule(&mut random, &lab))
        .collect();
    let mut acts: Vec<Act> = (0..random.usize(0..=2))
        .flat_map(|_| act(&mut random, &lab))
        .collect();
    match random.u8(..) {
        0..100 => acts.extend(kill_and_resume(&mut random)),
        100..130 => acts.extend(second_console()),
        _ => {}
    }
    Disturbed {
        name: format!("seed {seed}"),
        lab,
        rules,
        acts,
        seen: Expected::default(),
    }
}

fn shape(random: &mut Rng) -> Shape {
    let words = random.usize(1..1_500);
    let input = match random.u8(..) {
        0..40 => Input::LiberPrimus,
        40..70 => Input::Repeat {
            text: "to be or not to be, that's the question ".to_owned(),
            times: words,
        },
        _ => Input::Random {
            seed: random.u64(..),
            words,
        },
    };
    let split = *random.choice(&["copy", "range"]).unwrap();
    // Nothing that is held or silent is to hold a run up for long.
    let mut args = vec!["--timeout".to_owned(), "2".to_owned()];
    if random.u8(..) < 64 {
        args.push("--verify".to_owned());
    }
    Shape {
        mappers: random.usize(1..=5),
        chunks: random.u32(1..=u32::try_from(words.min(16)).unwrap()),
        split: split.to_owned(),
        input,
        objects: *random.choice(&[0, 0, 0, 1, 3, 7]).unwrap(),
        args,
        map_ms: *random.choice(&[0, 0, 5, 30]).unwrap(),
    }
}

/// A fault on one of the ways, for a few of the requests there; now and then for all of them.
fn rule(random: &mut Rng, lab: &Shape) -> RuleSpec {
    let mapper = format!("mapper-{}", random.usize(1..=lab.mappers));
    let (between, method, faults) = match random.u8(0..13) {
        0..5 => (format!("console → {mapper}"), None, service_faults(random)),
        5 => (
            "console → splitter".to_owned(),
            None,
            service_faults(random),
        ),
        6 => ("console → reducer".to_owned(), None, reducer_faults(random)),
        7 => (
            format!("{mapper} → s3"),
            Some("GET"),
            reading_faults(random),
        ),
        8 => (
            format!("{mapper} → s3"),
            Some("PUT"),
            writing_faults(random),
        ),
        9 => (
            "reducer → s3".to_owned(),
            Some("GET"),
            reading_faults(random),
        ),
        10 => (
            "reducer → s3".to_owned(),
            Some("PUT"),
            writing_faults(random),
        ),
        11 => (
            "console → s3".to_owned(),
            Some("PUT"),
            conditional_faults(random),
        ),
        _ => ("console → s3".to_owned(), None, s3_faults(random)),
    };
    // A bit of an input that is read in ranges is guarded by TLS alone, which there is none of here.
    let fault = match random.choice(&faults).unwrap().clone() {
        FaultSpec::FlipAnswer
            if (lab.split == "range" || lab.objects > 0) && between.starts_with("mapper") =>
        {
            FaultSpec::Cut
        }
        fault => fault,
    };
    let first = random.usize(1..=3);
    // For good, these would only be waited through.
    let is_short = match &fault {
        FaultSpec::Silence | FaultSpec::HalfRequest => true,
        FaultSpec::Answer { status, .. } => *status == 503,
        FaultSpec::S3(code) => code == "SlowDown" || code == "ServiceUnavailable",
        _ => false,
    };
    let last = match random.u8(..) {
        0..20 if !is_short => usize::MAX,
        _ => first + random.usize(0..=2),
    };
    RuleSpec {
        on: Filter {
            between: Some(between),
            method: method.map(str::to_owned),
            ..Filter::default()
        },
        turns: (first, last),
        fault,
    }
}

fn service_faults(random: &mut Rng) -> Vec<FaultSpec> {
    let mut faults = on_any_way(random);
    let answer = |status, body: &str| FaultSpec::Answer {
        status,
        body: body.to_owned(),
    };
    faults.extend([
        FaultSpec::Silence,
        FaultSpec::HalfRequest,
        FaultSpec::FlipAnswer,
        FaultSpec::Plain,
        FaultSpec::Redirect("reducer".to_owned()),
        FaultSpec::Redirect("mapper-1".to_owned()),
        FaultSpec::Version("9.9.9".to_owned()),
        answer(500, "boom"),
        answer(502, "<html>bad gateway</html>"),
        answer(
            503,
            r#"{"error":{"code":"overloaded","message":"all places are taken"}}"#,
        ),
        answer(
            503,
            r#"{"error":{"code":"s3_throttled","message":"S3 asks to slow down"}}"#,
        ),
        answer(404, "404 page not found"),
        answer(
            200,
            r#"{"error":{"code":"defect","message":"broken inside"}}"#,
        ),
        answer(200, ""),
    ]);
    faults
}

fn reducer_faults(random: &mut Rng) -> Vec<FaultSpec> {
    let mut faults = service_faults(random);
    faults.extend(["in", "sha256", "in+sha256"].map(|name| FaultSpec::Omit(name.to_owned())));
    faults.push(FaultSpec::Repeat("in".to_owned()));
    faults
}

fn conditional_faults(random: &mut Rng) -> Vec<FaultSpec> {
    let mut faults = s3_faults(random);
    let codes = ["PreconditionFailed", "ConditionalRequestConflict"];
    faults.extend(codes.map(|code| FaultSpec::S3(code.to_owned())));
    faults
}

fn reading_faults(random: &mut Rng) -> Vec<FaultSpec> {
    let mut faults = s3_faults(random);
    faults.push(FaultSpec::FlipAnswer);
    faults
}

fn writing_faults(random: &mut Rng) -> Vec<FaultSpec> {
    let mut faults = s3_faults(random);
    faults.push(FaultSpec::FlipRequest);
    faults
}

fn s3_faults(random: &mut Rng) -> Vec<FaultSpec> {
    let mut faults = on_any_way(random);
    let codes = [
        "SlowDown",
        "InternalError",
        "ServiceUnavailable",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "ExpiredToken",
    ];
    faults.extend(codes.map(|code| FaultSpec::S3(code.to_owned())));
    faults
}

fn on_any_way(random: &mut Rng) -> Vec<FaultSpec> {
    vec![
        FaultSpec::Close,
        FaultSpec::Cut,
        FaultSpec::LoseAnswer,
        FaultSpec::Twice,
        FaultSpec::Shorten,
        FaultSpec::DelayMs(random.u64(10..500)),
        FaultSpec::Slow(random.f64() * 20.0 + 1.0),
        FaultSpec::Drip {
            pieces: random.usize(2..12),
            pause_ms: random.u64(1..30),
        },
    ]
}

/// Something done to a process or to an object, at some event.
fn act(random: &mut Rng, lab: &Shape) -> Vec<Act> {
    let mapper = format!("mapper-{}", random.usize(1..=lab.mappers));
    let chunk = random.u32(0..lab.chunks);
    let other = random.u32(0..lab.chunks);
    let planned = at("chunks_planned", None, 1);
    let some_mapped = at(
        "committed",
        Some("map"),
        random.usize(1..=lab.chunks as usize),
    );
    let all_mapped = at("phase_finished", Some("map"), 1);
    let one = |when, deed| {
        vec![Act {
            when: Some(when),
            deeds: vec![deed],
        }]
    };
    let input = match lab.objects {
        0 => "input",
        _ => "object 0",
    };
    match random.u8(0..12) {
        0 => one(started(random, lab), Deed::Kill(mapper)),
        1 => one(started(random, lab), Deed::Terminate(mapper)),
        // One that is alone is never given up, and would be asked until its attempts are used up.
        2 if lab.mappers > 1 => {
            let stop = one(started(random, lab), Deed::Stop(mapper.clone()));
            let go_on = one(some_mapped, Deed::Continue(mapper));
            [stop, go_on].concat()
        }
        3 => {
            let kill = one(started(random, lab), Deed::Kill(mapper.clone()));
            let back = one(some_mapped, Deed::Restart(mapper));
            [kill, back].concat()
        }
        4 => {
            let reduce = at("attempt_started", Some("reduce"), 1);
            one(reduce, Deed::Restart("reducer".to_owned()))
        }
        5 => one(planned, Deed::Restart("splitter".to_owned())),
        6 if lab.objects > 0 => one(some_mapped, Deed::Delete(input.to_owned())),
        6 if lab.split == "copy" => one(planned, Deed::Delete(format!("chunk {chunk}"))),
        7 => one(some_mapped, Deed::Touch(input.to_owned())),
        8 => {
            let text = "another text altogether".to_owned();
            let object = input.to_owned();
            one(some_mapped, Deed::Overwrite { object, text })
        }
        9 => one(all_mapped, Deed::Flip(format!("output {chunk}"))),
        10 => one(all_mapped, Deed::Truncate(format!("output {chunk}"))),
        _ => {
            let (from, to) = (format!("output {other}"), format!("output {chunk}"));
            one(all_mapped, Deed::Copy { from, to })
        }
    }
}

/// The console is killed at some event, and another one goes on.
fn kill_and_resume(random: &mut Rng) -> Vec<Act> {
    let events = [
        "input_pinned",
        "phase_started",
        "attempt_started",
        "attempt_succeeded",
        "committed",
        "result_read",
    ];
    let event = *random.choice(&events).unwrap();
    let nth = if event == "input_pinned" {
        1
    } else {
        random.usize(1..6)
    };
    let place = *random.choice(&[Place::Here, Place::Elsewhere]).unwrap();
    if !can_resume() {
        return Vec::new();
    }
    let kill = Act {
        when: Some(at(event, None, nth)),
        deeds: vec![Deed::Kill("console".to_owned())],
    };
    let resume = Act {
        when: Some(When::Exit(-9)),
        deeds: vec![Deed::TearRecord, Deed::Resume(place)],
    };
    vec![kill, resume]
}

/// Another console takes the run up while the first is at work.
fn second_console() -> Vec<Act> {
    if !can_resume() {
        return Vec::new();
    }
    vec![Act {
        when: Some(at("plan_written", None, 1)),
        deeds: vec![Deed::Second(Place::Elsewhere)],
    }]
}

/// Returns whether this mrdeck has the command.
fn can_resume() -> bool {
    static KNOWN: LazyLock<bool> = LazyLock::new(|| {
        let mut command = std::process::Command::new(binary());
        let asked = command.args(["resume", "--help"]).output();
        asked.unwrap().status.success()
    });
    *KNOWN
}

fn started(random: &mut Rng, lab: &Shape) -> When {
    at(
        "attempt_started",
        Some("map"),
        random.usize(1..=lab.chunks as usize),
    )
}

fn at(event: &str, phase: Option<&str>, nth: usize) -> When {
    let mut like: Map<String, Value> = Map::new();
    like.insert("event".to_owned(), event.into());
    if let Some(phase) = phase {
        like.insert("phase".to_owned(), phase.into());
    }
    When::Events { like, nth }
}
