//! A run as text, for reading at a shell.

use std::fmt::Write;

use mrdeck_core::human::{bytes, duration, plural, printable, thousands};
use mrdeck_engine::event::RunStatus;
use mrdeck_engine::state::RunState;
use mrdeck_engine::stats::map_stats;
use mrdeck_engine::work::Phase;

/// With more chunks than this, a list says less than the summary.
const LISTED_CHUNKS: usize = 24;

/// Returns the whole report; it ends with a newline.
pub fn render(record: &RunState, top: usize) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = write(&mut text, record, top);
    text
}

fn write(out: &mut String, record: &RunState, top: usize) -> std::fmt::Result {
    writeln!(out, "run     {}  {}", record.run, record.status)?;
    let objects = match record.objects.len() {
        0 => String::new(),
        count => format!("{}, ", plural(count as u64, "object")),
    };
    let size = record.input_bytes.map_or(String::new(), |size| {
        format!("  ({objects}{})", bytes(size))
    });
    let input = record.input.to_string();
    writeln!(out, "input   {}{size}", printable(&input))?;
    if let Some(ms) = record.split_ms() {
        writeln!(out, "split   {:>10}  {}", duration(ms), chunks(record))?;
    }
    write_map(out, record)?;
    if let Some((ms, _)) = record.reduce.result() {
        writeln!(out, "reduce  {:>10}", duration(ms))?;
    }
    if let Some(ms) = record.clock(Phase::Verify).wall_ms {
        writeln!(out, "verify  {:>10}", duration(ms))?;
    }
    writeln!(out, "total   {:>10}", duration(record.wall_ms))?;
    for notice in &record.notices {
        writeln!(out, "note    {}", printable(&notice.to_string()))?;
    }
    write_result(out, record, top)
}

fn chunks(record: &RunState) -> String {
    plural(record.chunks.len() as u64, "chunk")
}

fn write_map(out: &mut String, record: &RunState) -> std::fmt::Result {
    if let Some(stats) = map_stats(record) {
        writeln!(
            out,
            "map     {:>10}  wall; {} summed, parallelism {:.2} of {}; p50 {}, p95 {}, max {}",
            duration(stats.wall_ms),
            duration(stats.sum_ms),
            stats.parallelism,
            stats.ideal,
            duration(stats.p50_ms),
            duration(stats.p95_ms),
            duration(stats.max_ms)
        )?;
    }
    if record.chunks.len() > LISTED_CHUNKS {
        return Ok(());
    }
    for (index, chunk) in record.chunks.iter().enumerate() {
        let attempts = plural(chunk.work.attempts.len() as u64, "attempt");
        let Some(attempt) = chunk.work.committed_attempt() else {
            writeln!(out, "  {index:>4}  not mapped after {attempts}")?;
            continue;
        };
        let words = chunk.work.answer().and_then(|answer| answer.info.words);
        let words = words.map_or(String::new(), |words| plural(words, "word"));
        writeln!(
            out,
            "  {index:>4}{:>10}  {}  {}  {attempts}  {words}",
            attempt.ms().map_or("–".to_owned(), duration),
            attempt.task,
            attempt.address,
        )?;
    }
    Ok(())
}

fn write_result(out: &mut String, record: &RunState, top: usize) -> std::fmt::Result {
    let is_done = record.status == RunStatus::Done;
    if let Some(result) = record.result.as_ref().filter(|_| is_done) {
        let verified = match &record.verification {
            None => "not verified (--verify recounts the input)",
            Some(_) => "verified",
        };
        writeln!(
            out,
            "words   {:>10}  {} unique, {verified}",
            thousands(result.words),
            thousands(result.unique)
        )?;
        writeln!(out, "out     {}", result.out)?;
        for (word, count) in result.top.iter().take(top) {
            writeln!(out, "  {:>12}  {}", thousands(*count), printable(word))?;
        }
    }
    if let Some(verification) = record.verification.as_ref().filter(|v| !v.is_exact()) {
        for sample in &verification.samples {
            writeln!(out, "wrong   {}", printable(sample))?;
        }
    }
    Ok(())
}
