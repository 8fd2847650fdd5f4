//! `GET /split`: cuts an input into chunks, by copying them or by naming byte ranges.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::answer::Answer;
use super::error::Error;
use super::params::Params;
use super::timing::{Part, Timings};
use super::{ServiceState, keys, text};
use mrdeck_core::api::{self, ChunkRef, SplitAnswer, SplitMode};
use mrdeck_core::count::cuts::cuts;
use mrdeck_core::count::tokens::WordStarts;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Look, ObjectMeta, ReadOptions, look};

/// The chunks that are copied at the same time; each holds up to three parts of an upload in memory.
const COPIES: usize = 2;
/// The bytes of the first read: in an ordinary text, as many words as there are ever chunks.
const FIRST_READ: u64 = 64 << 10;

pub async fn handle(
    State(state): State<ServiceState>,
    params: Params,
) -> Result<Answer<SplitAnswer>, Error> {
    let at = params.input(&state.config)?;
    let asked = params.one("chunks")?.map(chunks).transpose()?;
    let mode = params.one("mode")?.map_or(Ok(SplitMode::Copy), mode)?;
    let attempt = params.attempt()?;
    let as_text = text::is_asked(&params)?;
    // The version of the caller's run; an extension that other services ignore.
    let etag = params.one("etag")?.map(str::to_owned);

    let timings = Arc::new(Timings::default());
    let look = look(state.store.as_ref(), &at, etag, FIRST_READ);
    let look = timings.wait(Part::Get, look).await?;
    if look.meta.size == 0 {
        return Err(Error::EmptyInput { uri: at });
    }
    if as_text {
        text::refuse(&at, look.unsupported())?;
    }
    let wanted = asked.unwrap_or(api::DEFAULT_CHUNKS);
    let words = words_up_to(u64::from(wanted), &state, &at, &look, &timings).await?;
    let meta = look.meta;
    let most = words.max(1);
    let count = match u32::try_from(most) {
        Ok(most) if most < wanted && asked.is_none() => most,
        Ok(most) if most < wanted => {
            return Err(Error::TooManyChunks {
                uri: at,
                asked: wanted,
                words,
                most: most.into(),
            });
        }
        _ => wanted,
    };

    let ranges = cuts(meta.size, count);
    let bytes = Some(meta.size);
    let (chunks, sizes): (Vec<_>, Vec<_>) = match mode {
        SplitMode::Range => ranges
            .into_iter()
            .map(|range| as_range(&at, &range))
            .unzip(),
        SplitMode::Copy => {
            let stamp = keys::stamp(Timestamp::now());
            let total = ranges.len();
            let copies = ranges.into_iter().enumerate().map(|(index, range)| {
                let prefix = &state.config.out_prefix;
                let key = keys::chunk(prefix, attempt.as_ref(), at.key(), &stamp, index, total);
                copy(&state, &at, &meta, range, key, &timings)
            });
            // Collected first: the compiler can't prove that a stream with the borrowing closure is Send.
            let copies: Vec<_> = copies.collect();
            let done: Vec<_> = stream::iter(copies).buffered(COPIES).try_collect().await?;
            done.into_iter().unzip()
        }
    };
    let copied: u64 = sizes.iter().sum();
    if copied != meta.size {
        return Err(Error::Defect {
            detail: format!("{copied} of {} bytes of {at} are in chunks", meta.size),
        });
    }
    Ok(Answer::new(
        SplitAnswer {
            chunks,
            bytes,
            sizes: Some(sizes),
        },
        &timings,
    ))
}

fn chunks(value: &str) -> Result<u32, Error> {
    api::parse_chunk_count(value).map_err(|_| Error::BadChunks {
        value: value.to_owned(),
    })
}

fn mode(value: &str) -> Result<SplitMode, Error> {
    match value {
        "copy" => Ok(SplitMode::Copy),
        "range" => Ok(SplitMode::Range),
        _ => Err(Error::BadMode {
            value: value.to_owned(),
        }),
    }
}

fn as_range(at: &S3Uri, range: &Range<u64>) -> (ChunkRef, u64) {
    let chunk = ChunkRef::Range {
        s3: at.clone(),
        start: range.start,
        end: range.end,
    };
    (chunk, range.end - range.start)
}

/// Counts the words of the input, up to `enough`: in a text, little has to be read for that.
async fn words_up_to(
    enough: u64,
    state: &ServiceState,
    at: &S3Uri,
    look: &Look,
    timings: &Timings,
) -> Result<u64, Error> {
    let mut starts = WordStarts::default();
    let mut seen = timings.book(Part::Count, || starts.feed(&look.head));
    let rest = look.head.len() as u64..look.meta.size;
    if seen >= enough || rest.is_empty() {
        return Ok(seen);
    }
    let options = ReadOptions {
        range: Some(rest),
        if_match: look.meta.etag.clone(),
    };
    let get = state.store.get(at, options);
    let mut body = timings.wait(Part::Get, get).await?.body;
    while seen < enough
        && let Some(piece) = timings.wait(Part::Get, body.next()).await.transpose()?
    {
        seen = timings.book(Part::Count, || starts.feed(&piece));
    }
    Ok(seen)
}

/// Copies what `range` owns to an object of its own; returns the object and its size.
async fn copy(
    state: &ServiceState,
    at: &S3Uri,
    meta: &ObjectMeta,
    range: Range<u64>,
    key: String,
    timings: &Timings,
) -> Result<(ChunkRef, u64), Error> {
    let to = at.sibling(&key)?;
    let reading = Arc::new(Timings::default());
    let body = state
        .reading
        .clone()
        .owned(at.clone(), meta.clone(), range, None, reading.clone());
    let start = Instant::now();
    let size = state.store.put_stream(&to, body).await?;
    // The upload drives the download, so the time that is not reading or scanning is writing.
    let (get, count) = (reading.spent(Part::Get), reading.spent(Part::Count));
    timings.add(Part::Get, get);
    timings.add(Part::Count, count);
    timings.add(Part::Put, start.elapsed().saturating_sub(get + count));
    Ok((ChunkRef::Object(to), size))
}
