//! The pin: which objects the input is, and in which versions. Nothing else is counted.

use futures_util::{StreamExt, TryStreamExt, stream};
use mrdeck_core::api::MAX_CHUNKS;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::digest::Digest;
use mrdeck_core::human::plural;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Entry, Store, StoreError, look};

use crate::error::RunError;
use crate::event::{EventKind, PinnedObject};
use crate::input::{Input, LEFT_OUT, Match, ObjectPattern};
use crate::run::Run;

/// Objects that are looked at at the same time.
const LOOKS: usize = 32;

/// Pins the input: the version that it has now, or had when the run began. An empty one is refused, and one that is
/// not text.
pub(crate) async fn pin_input(run: &mut Run) -> Result<(), RunError> {
    if run.state().input_bytes.is_some() {
        return check_unchanged(run).await;
    }
    let event = match run.state().input.clone() {
        Input::Object(input) => {
            let PinnedObject { bytes, etag, .. } = pin(run, input).await?;
            EventKind::InputPinned {
                bytes,
                etag,
                objects: Vec::new(),
            }
        }
        Input::Pattern { pattern } => {
            let named = list(run, &pattern).await?;
            pin_all(run, named).await?
        }
        Input::Objects { objects, .. } => pin_all(run, objects.into()).await?,
    };
    if matches!(event, EventKind::InputPinned { bytes: 0, .. }) {
        return Err(RunError::EmptyInput(run.state().input.clone()));
    }
    run.emit(event);
    Ok(())
}

/// Refuses an input that is another one than the run began with. Objects that match a pattern by now and did not then
/// are no part of the run.
pub(super) async fn check_unchanged(run: &Run) -> Result<(), RunError> {
    let store = run.store.as_ref();
    let looks = run
        .state()
        .counted_objects()
        .into_iter()
        .map(|pinned| async move {
            let meta = match store.head(&pinned.s3).await {
                // One of many that is gone is a change of the whole.
                Err(StoreError::NoSuchKey { uri }) if run.state().input.as_object().is_none() => {
                    return Err(RunError::InputChanged(uri.into()));
                }
                found => found?,
            };
            if meta.etag == pinned.etag && meta.size == pinned.bytes {
                Ok(())
            } else if meta.size == 0 && run.state().input.as_object().is_some() {
                Err(RunError::EmptyInput(pinned.s3.into()))
            } else {
                Err(RunError::InputChanged(pinned.s3.into()))
            }
        });
    // Collected first: the compiler can't prove a stream with the borrowing closure in it Send.
    let looks: Vec<_> = looks.collect();
    stream::iter(looks)
        .buffer_unordered(LOOKS)
        .try_collect::<()>()
        .await
}

async fn pin_all(run: &Run, named: Vec<S3Uri>) -> Result<EventKind, RunError> {
    let looks: Vec<_> = named.into_iter().map(|uri| pin(run, uri)).collect();
    let objects: Vec<PinnedObject> = stream::iter(looks).buffered(LOOKS).try_collect().await?;
    let has_bytes = objects.iter().filter(|object| object.bytes > 0).count();
    if has_bytes > MAX_CHUNKS as usize {
        let input = run.state().input.clone();
        return Err(RunError::TooManyObjects { input });
    }
    let overflow = || RunError::TooManyObjects {
        input: run.state().input.clone(),
    };
    let bytes = objects
        .iter()
        .try_fold(0u64, |sum, object| sum.checked_add(object.bytes))
        .ok_or_else(overflow)?;
    let list = serde_json::to_vec(&objects).map_err(|source| RunError::NoJson {
        what: "list of objects",
        source,
    })?;
    Ok(EventKind::InputPinned {
        bytes,
        etag: Some(Digest::of(&list).to_string()),
        objects,
    })
}

async fn pin(run: &Run, at: S3Uri) -> Result<PinnedObject, RunError> {
    let look = look(run.store.as_ref(), &at, None, 0).await?;
    let as_bytes = run.state().options.as_bytes;
    if !as_bytes && let Some(what) = look.unsupported() {
        return Err(RunError::Unsupported { input: at, what });
    }
    Ok(PinnedObject {
        s3: at,
        bytes: look.meta.size,
        etag: look.meta.etag,
    })
}

/// Returns the objects that a pattern names now, in the order of their keys, and says how many it leaves out.
async fn list(run: &mut Run, pattern: &ObjectPattern) -> Result<Vec<S3Uri>, RunError> {
    let input = || run.state().input.clone();
    let found = match find(run.store.as_ref(), pattern, usize::MAX).await {
        Ok(found) => found,
        Err(FindError::Store(error)) => return Err(error.into()),
        Err(FindError::TooMany | FindError::CutShort) => {
            return Err(RunError::TooManyObjects { input: input() });
        }
    };
    if found.objects.is_empty() {
        let left_out = found.left_out;
        return Err(RunError::NoMatch {
            input: input(),
            left_out,
        });
    }
    if let Some(notice) = found.left_out_text(pattern) {
        run.notice(Diagnostic::new(notice, ""));
    }
    Ok(found.objects)
}

/// What a pattern stands for now.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of their keys.
    pub objects: Vec<S3Uri>,
    /// Of all of them together, as the list has it.
    pub bytes: u64,
    /// How many match and are left out: see [`Match::LeftOut`].
    pub left_out: usize,
}

impl Found {
    /// Returns how many objects of the pattern are left out, and which, in a sentence; `None` if none is.
    pub fn left_out_text(&self, pattern: &ObjectPattern) -> Option<String> {
        let objects = plural(self.left_out as u64, "object");
        let text = || format!("{objects} of {pattern} left out: {LEFT_OUT}");
        (self.left_out > 0).then(text)
    }
}

/// Why there is no list of what a pattern stands for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there are more objects than a run can have chunks")]
    TooMany,
    #[error("the list has more pages than were to be read")]
    CutShort,
}

/// Lists what a pattern stands for, reading at most so many pages of S3's list.
///
/// # Errors
///
/// Returns why the bucket can't be listed, that more pages would have to be read, or that there are more objects with a
/// byte in them than a run can have.
pub async fn find(
    store: &dyn Store,
    pattern: &ObjectPattern,
    pages: usize,
) -> Result<Found, FindError> {
    let matcher = pattern.matcher();
    let (mut found, mut from, mut counted) = (Found::default(), None, 0);
    for _ in 0..pages {
        let (bucket, prefix) = (pattern.bucket(), pattern.prefix());
        let page = store.list_all(bucket, prefix, from.as_deref()).await?;
        for entry in page.items {
            let Entry::Object { key, size, .. } = entry else {
                continue;
            };
            if size == 0 && key.ends_with('/') {
                // What consoles make to show an empty folder.
                continue;
            }
            match matcher.matches(&key) {
                Match::No => continue,
                Match::LeftOut => {
                    found.left_out += 1;
                    continue;
                }
                Match::Yes => {}
            }
            counted += u32::from(size > 0);
            if counted > MAX_CHUNKS {
                return Err(FindError::TooMany);
            }
            if let Ok(uri) = S3Uri::new(bucket, &key) {
                found.bytes = found.bytes.saturating_add(size);
                found.objects.push(uri);
            }
        }
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(found),
        }
    }
    Err(FindError::CutShort)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_store::memory::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn a_pattern_is_listed_to_its_end_and_never_beyond_what_a_run_can_have() {
        let store = MemoryStore::with_bucket("b");
        let put = async |key: String, text: &'static str| {
            let at = S3Uri::new("b", &key).unwrap();
            store.put(&at, text.into()).await.unwrap();
        };
        for n in 0..MAX_CHUNKS {
            put(format!("x/{n:05}"), "w").await;
        }
        put("x/empty".to_owned(), "").await;
        put("x/folder/".to_owned(), "").await;
        put("x/_hidden".to_owned(), "w").await;
        let pattern = ObjectPattern::below("b", "x/").unwrap();
        let all = find(&store, &pattern, usize::MAX).await.unwrap();
        assert_eq!(all.objects.len(), MAX_CHUNKS as usize + 1);
        assert_eq!((all.bytes, all.left_out), (u64::from(MAX_CHUNKS), 1));
        assert!(all.objects.is_sorted());

        let some = find(&store, &pattern, 2).await;
        assert_eq!(some.unwrap_err(), FindError::CutShort);

        put("x/zz".to_owned(), "w").await;
        let more = find(&store, &pattern, usize::MAX).await;
        assert_eq!(more.unwrap_err(), FindError::TooMany);
    }
}
