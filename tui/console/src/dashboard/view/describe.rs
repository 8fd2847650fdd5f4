//! Descriptions: everything known of a task, a chunk with every attempt, or the run.

use jiff::Timestamp;
use url::Url;

use super::page::Page;
use super::text;
use crate::dashboard::model::{Model, PipelineRow, Subject};
use mrdeck_core::human::{age, bytes, duration, plural, thousands};
use mrdeck_core::task::{FailedProbe, Probe, Task, TaskSize};
use mrdeck_engine::state::{Attempt, Outcome, RunState, WorkState, source_text};

/// Objects of an input that are listed; the others are counted.
const LISTED_OBJECTS: usize = 200;

/// Fills the page; gives its title.
pub fn describe(model: &Model, page: &mut Page, subject: &Subject) -> String {
    match subject {
        Subject::Task(id) => {
            match model
                .session
                .tasks()
                .tasks
                .iter()
                .find(|task| task.id == *id)
            {
                Some(task) => describe_task(model, page, task),
                None => page.note("this task is gone"),
            }
            format!("Task {}", text::elide(&id.0, 40))
        }
        Subject::Row(row) => match model.run.record() {
            Some(run) => describe_row(model, page, run, *row),
            None => "Run".to_owned(),
        },
    }
}

fn describe_task(model: &Model, page: &mut Page, task: &Task) {
    let started = task.started_at.map(|at| moment(model.now(), at, page));
    page.field("role", task.role_name());
    page.field("status", task.last_status.to_string());
    page.maybe("desired status", task.desired_status.as_ref());
    if let Some(reason) = &task.stopped_reason {
        page.field("stopped because", reason);
    }
    page.maybe("health", task.health.as_ref());
    page.maybe("definition", task.definition());
    page.maybe(
        "requests go to",
        task.base.as_ref().map(|base| with_path(task, base)),
    );
    page.maybe("private IP", task.private_ip);
    page.maybe("public IP", task.public_ip);
    page.maybe("port", task.port);
    page.maybe("zone", task.az.as_ref());
    if let Some(size) = task.size {
        let TaskSize {
            cpu_units,
            memory_mib,
        } = size;
        page.field("size", format!("{cpu_units} CPU units, {memory_mib} MiB"));
    }
    page.maybe("started", started);
    describe_probe(page, task);
    if let Some(reason) = &task.stopped_reason {
        page.field("stopped because", reason);
    }
    for (name, value) in &task.details {
        page.field(name, value);
    }
}

/// Which address answers, and for each that does not: why, and what to do.
fn describe_probe(page: &mut Page, task: &Task) {
    let missed = match &task.probe {
        Probe::Unknown => {
            page.field("probe", "not probed yet");
            return;
        }
        Probe::Reachable {
            latency,
            via,
            service,
            missed,
        } => {
            let (via, ms) = (with_path(task, via), duration(latency.as_secs_f64() * 1e3));
            page.field("probe", format!("{via} answers in {ms}"));
            page.maybe("service", service.as_ref());
            missed
        }
        Probe::Unreachable(missed) => missed,
    };
    for FailedProbe { at, reason } in missed {
        let text = match at {
            Some(at) => format!("{}: {}", with_path(task, at), reason.diagnostic()),
            None => reason.diagnostic().to_string(),
        };
        page.field("not reachable", text);
    }
}

/// `http://54.1.2.3:8080 (public)`
fn with_path(task: &Task, address: &Url) -> String {
    let text = address.as_str().trim_end_matches('/');
    match task.path(address) {
        Some(path) => format!("{text} ({path})"),
        None => text.to_owned(),
    }
}

fn moment(now: Timestamp, at: Timestamp, page: &Page) -> String {
    let zoned = at.to_zoned(page.look.timezone.clone());
    let ago = age(now.duration_since(at).as_secs());
    format!("{} ({ago} ago)", zoned.strftime("%Y-%m-%d %H:%M:%S"))
}

fn describe_row(model: &Model, page: &mut Page, run: &RunState, row: PipelineRow) -> String {
    match row {
        PipelineRow::Split if run.input.as_object().is_none() => {
            describe_objects(page, run);
            "Split".to_owned()
        }
        PipelineRow::Split => {
            describe_work(model, page, &run.split);
            "Split".to_owned()
        }
        PipelineRow::Reduce => {
            describe_work(model, page, &run.reduce);
            "Reduce".to_owned()
        }
        PipelineRow::Chunk(index) => {
            if let Some(chunk) = run.chunks.get(index) {
                page.field("source", source_text(&chunk.source));
                describe_work(model, page, &chunk.work);
            }
            format!("Chunk {index}")
        }
        PipelineRow::Map | PipelineRow::Verify => {
            describe_run(page, run);
            "Run".to_owned()
        }
    }
}

fn describe_run(page: &mut Page, run: &RunState) {
    page.field("run", run.run.to_string());
    page.field("input", run.input.to_string());
    if !run.objects.is_empty() {
        page.field("objects", thousands(run.objects.len() as u64));
    }
    page.maybe("input size", run.input_bytes.map(bytes));
    page.field("status", run.status.to_string());
    page.field("chunks", run.chunks.len().to_string());
    page.field("mappers", run.mappers.to_string());
    if let Some(diagnostic) = &run.diagnostic {
        page.field("failed because", &diagnostic.cause);
        page.field("what to do", &diagnostic.advice);
    }
    for sample in run.verification.iter().flat_map(|found| &found.samples) {
        page.field("wrong", sample);
    }
}

/// What many objects are, and that no splitter cuts them.
fn describe_objects(page: &mut Page, run: &RunState) {
    page.field("input", run.input.to_string());
    page.field(
        "cut by",
        "this console, at the objects' ends and within large ones",
    );
    for object in run.objects.iter().take(LISTED_OBJECTS) {
        page.field("object", format!("{}  {}", object.s3, bytes(object.bytes)));
    }
    let more = run.objects.len().saturating_sub(LISTED_OBJECTS) as u64;
    if more > 0 {
        let more = plural(more, "more object");
        page.field("and", format!("{more}, all in the run's plan.json in S3"));
    }
}

/// Every attempt, first to last.
fn describe_work(model: &Model, page: &mut Page, work: &WorkState) {
    if work.attempts.is_empty() {
        page.note("not started");
    }
    for attempt in &work.attempts {
        describe_attempt(model, page, attempt, work.committed);
    }
}

fn describe_attempt(model: &Model, page: &mut Page, attempt: &Attempt, committed: Option<u32>) {
    let theme = &page.look.theme;
    let (word, style) = match &attempt.outcome {
        Outcome::InFlight => ("running", theme.active),
        Outcome::Succeeded { .. } | Outcome::Found { .. } if committed == Some(attempt.number) => {
            ("committed", theme.good)
        }
        Outcome::Succeeded { .. } | Outcome::Found { .. } => ("succeeded", theme.good),
        Outcome::Failed { .. } => ("failed", theme.error),
        Outcome::Abandoned { .. } => ("cancelled", theme.warning),
    };
    page.heading(&format!("attempt {}", attempt.number), word, style);
    if attempt.address.is_empty() {
        page.field("task", attempt.task.to_string());
    } else {
        page.field("task", format!("{} at {}", attempt.task, attempt.address));
        page.field("started", moment(model.now(), attempt.started_at, page));
    }
    page.maybe("took", attempt.elapsed_ms(model.now()).map(duration));
    match &attempt.outcome {
        Outcome::Succeeded { answer, .. } | Outcome::Found { answer } => {
            if let Some(words) = answer.info.words {
                page.field("words", thousands(words));
            }
            if let Some(out) = &answer.out {
                page.field("out", out.to_string());
            }
            for part in &answer.timing {
                page.field(&part.name, duration(part.ms));
            }
        }
        Outcome::Failed { diagnostic, .. } => {
            page.field("because", &diagnostic.cause);
            if !diagnostic.advice.is_empty() {
                page.field("what to do", &diagnostic.advice);
            }
        }
        Outcome::InFlight | Outcome::Abandoned { .. } => {}
    }
}
