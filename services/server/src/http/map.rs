//! `GET /map`: counts the words of one chunk, an object or a byte range of one.

use std::ops::Range;
use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::spawn_blocking;

use super::answer::Answer;
use super::error::Error;
use super::output::Output;
use super::params::Params;
use super::table_budget::{Exhausted, Share, TableBudget};
use super::timing::{Part, Timings};
use super::{ServiceState, keys, text};
use mrdeck_core::api::MapAnswer;
use mrdeck_core::count::CountError;
use mrdeck_core::count::tokens::WordCounter;
use mrdeck_core::encoding;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{BodyStream, ObjectMeta, ReadOptions, look};

/// The pieces of a chunk that wait to be counted.
const PIECES: usize = 8;

pub async fn handle(
    State(state): State<ServiceState>,
    params: Params,
) -> Result<Answer<MapAnswer>, Error> {
    let at = params.input(&state.config)?;
    let range = range(&params)?;
    let attempt = params.attempt()?;
    let as_text = text::is_asked(&params)?;
    // The version of the caller's run; an extension that other services ignore.
    let etag = params.one("etag")?.map(str::to_owned);
    let stamp = keys::stamp(Timestamp::now());
    let key = keys::map(
        &state.config.out_prefix,
        attempt.as_ref(),
        at.key(),
        range.as_ref(),
        &stamp,
    );
    let out = at.sibling(&key)?;

    let timings = Arc::new(Timings::default());
    let body = match range {
        None => {
            let options = ReadOptions {
                range: None,
                if_match: etag,
            };
            let object = timings
                .wait(Part::Get, state.store.get(&at, options))
                .await?;
            let meta = object.meta;
            let body = booked(object.body, timings.clone());
            if as_text {
                text::checked(&at, &meta, body).await?
            } else {
                body
            }
        }
        Some(range) => part(&state, &at, range, etag, as_text, &timings).await?,
    };
    // The share is held until the table is written.
    let (output, _share) = counted(&at, body, &state.tables, &timings).await?;
    let answer = output
        .write(&state, out, attempt.as_ref(), &timings)
        .await?;
    Ok(Answer::new(answer, &timings))
}

fn range(params: &Params) -> Result<Option<Range<u64>>, Error> {
    let refused = |detail: String| Error::BadRange { detail };
    let offset = |name: &str, value: &str| {
        let number = value.parse::<u64>();
        number.map_err(|_| {
            refused(format!(
                "{name}={value} is not a byte offset; write a whole number"
            ))
        })
    };
    match (params.one("start")?, params.one("end")?) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => {
            let range = offset("start", start)?..offset("end", end)?;
            if range.start > range.end {
                return Err(refused(format!(
                    "it ends before it starts, at {end} and {start}; swap them"
                )));
            }
            Ok(Some(range))
        }
        _ => Err(refused(
            "start and end belong together; give both or neither".to_owned(),
        )),
    }
}

/// Returns what `range` of the object owns, after checking that the object has such a range.
async fn part(
    state: &ServiceState,
    at: &S3Uri,
    range: Range<u64>,
    etag: Option<String>,
    as_text: bool,
    timings: &Arc<Timings>,
) -> Result<BodyStream, Error> {
    let seen = |etag: &String| state.seen.find(at, etag, as_text);
    let etag = etag.as_ref();
    let (meta, begun) = if let Some(meta) = etag.and_then(seen) {
        (meta, None)
    } else {
        // Both at once; what was read is of no use if the look refuses it.
        let begun = etag.and_then(|etag| state.reading.begin(at, &range, etag));
        (looked_at(state, at, etag, as_text, timings).await?, begun)
    };
    if range.end > meta.size {
        let detail = format!(
            "it ends at {}, but {at} has {} bytes; end it there at the latest",
            range.end, meta.size
        );
        return Err(Error::BadRange { detail });
    }
    Ok(state
        .reading
        .clone()
        .owned(at.clone(), meta, range, begun, timings.clone()))
}

/// Asks S3 what there is, and refuses another version than the expected one, and what is not text.
async fn looked_at(
    state: &ServiceState,
    at: &S3Uri,
    etag: Option<&String>,
    as_text: bool,
    timings: &Arc<Timings>,
) -> Result<ObjectMeta, Error> {
    let look = look(state.store.as_ref(), at, etag.cloned(), 0);
    let look = timings.wait(Part::Get, look).await?;
    if as_text {
        text::refuse(at, look.unsupported())?;
    }
    state.seen.remember(at, &look.meta, as_text);
    Ok(look.meta)
}

/// Returns the body, recording the time spent waiting for it.
fn booked(body: BodyStream, timings: Arc<Timings>) -> BodyStream {
    let next = |(mut body, timings): (BodyStream, Arc<Timings>)| async move {
        let piece = timings.wait(Part::Get, body.next()).await?;
        Some((piece, (body, timings)))
    };
    futures_util::stream::unfold((body, timings), next).boxed()
}

/// Counts a chunk on a thread of its own while it arrives.
async fn counted(
    at: &S3Uri,
    mut body: BodyStream,
    tables: &TableBudget,
    timings: &Arc<Timings>,
) -> Result<(Output, Share), Error> {
    let (sender, pieces) = channel(PIECES);
    let counting = Counting {
        uri: at.clone(),
        memory: tables.limit(),
        share: tables.share(),
        timings: timings.clone(),
    };
    let counting = spawn_blocking(move || counting.count(pieces));
    while let Some(piece) = body.next().await.transpose()? {
        // Counting ends early only with an error, which is told below.
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    counting.await.unwrap_or_else(|e| {
        Err(Error::Defect {
            detail: e.to_string(),
        })
    })
}

/// A chunk that is being counted.
struct Counting {
    uri: S3Uri,
    /// What its table may take at most, in bytes.
    memory: u64,
    /// What of it the table takes, while there are others.
    share: Share,
    timings: Arc<Timings>,
}

impl Counting {
    fn count(mut self, mut pieces: Receiver<Bytes>) -> Result<(Output, Share), Error> {
        let timings = self.timings.clone();
        let mut counter = WordCounter::within(self.memory);
        let (mut bytes, mut non_ascii) = (0, 0);
        while let Some(piece) = pieces.blocking_recv() {
            bytes += piece.len() as u64;
            let fed = timings.book(Part::Count, || {
                non_ascii += encoding::non_ascii(&piece);
                counter.feed(&piece)
            });
            fed.map_err(|error| self.uncountable(error))?;
            let grown = self.share.grow_to(counter.footprint());
            grown.map_err(|Exhausted| Error::TooManyTables { limit: self.memory })?;
        }
        let output = timings.book(Part::Count, || counter.finish().map(|all| Output::of(&all)));
        let mut output = output.map_err(|error| self.uncountable(error))?;
        output.info.bytes = Some(bytes);
        output.info.non_ascii = Some(non_ascii);
        Ok((output, self.share))
    }

    fn uncountable(&self, source: CountError) -> Error {
        Error::Uncountable {
            uri: self.uri.clone(),
            source,
        }
    }
}
