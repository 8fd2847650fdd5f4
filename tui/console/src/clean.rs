//! Old uploads and runs in a bucket: found, listed, and removed, but nothing that a run may be using.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use mrdeck_core::digest::Digest;
use mrdeck_core::human::{age, bytes, plural, printable};
use mrdeck_core::layout;
use mrdeck_core::run_id::RunId;
use mrdeck_core::uri::S3Uri;
use mrdeck_engine::event::PinnedObject;
use mrdeck_engine::input::Input;
use mrdeck_engine::read_all;
use mrdeck_store::{Entry, Store, StoreError};
use serde::{Deserialize, Serialize};

/// Objects that are removed at a time.
const AT_A_TIME: usize = 16;
/// A run that goes on writes a heartbeat every ten seconds. S3 refuses clocks that differ by more than this.
const IDLE: Duration = Duration::from_mins(15);
/// Before its plan a run writes no heartbeats, only what is cut.
const IDLE_UNPLANNED: Duration = Duration::from_hours(1);

/// What something in the bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Upload,
    Run,
}

/// What may be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// To be removed.
    Old,
    /// A run that may go on; or what one may be reading.
    InUse,
}

/// An upload, or all that a run wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    pub kind: Kind,
    /// The uploaded file's name, or the run's id.
    pub name: String,
    pub keys: Vec<String>,
    pub bytes: u64,
    /// When something of it was last written.
    pub modified: Option<Timestamp>,
    pub fate: Fate,
}

impl Remains {
    fn new(kind: Kind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            keys: Vec::new(),
            bytes: 0,
            modified: None,
            fate: Fate::Old,
        }
    }

    fn add(&mut self, key: String, size: u64, modified: Option<Timestamp>) {
        self.keys.push(key);
        self.bytes = self.bytes.saturating_add(size);
        self.modified = self.modified.max(modified);
    }

    /// Returns whether something of it was written so lately; also if that is not known.
    fn is_younger_than(&self, limit: Duration, now: Timestamp) -> bool {
        self.modified.is_none_or(|at| {
            let age = now.duration_since(at).unsigned_abs();
            at > now || age < limit
        })
    }

    fn age(&self, now: Timestamp) -> Option<i64> {
        Some(now.duration_since(self.modified?).as_secs().max(0))
    }
}

/// Who else may be working in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Nobody: the bucket is this process's own.
    Nobody,
    /// Consoles on other machines. What is young may be theirs.
    Possible,
}

/// What is in a bucket of what mrdeck wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    pub bucket: String,
    pub at: Timestamp,
    pub remains: Vec<Remains>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    pub objects: u64,
    pub bytes: u64,
}

/// Only the plan's input matters here, whatever else is in it.
#[derive(Debug, Deserialize)]
struct Plan {
    input: Input,
    #[serde(default)]
    objects: Vec<PinnedObject>,
}

impl Plan {
    /// Returns the addresses of what the run reads.
    fn read(self) -> Vec<String> {
        let one = self.input.as_object().map(ToString::to_string);
        let many = self.objects.iter().map(|object| object.s3.to_string());
        one.into_iter().chain(many).collect()
    }
}

/// Looks through mrdeck's own prefixes. `is_at_work` tells whether a run goes on on this machine.
///
/// # Errors
///
/// Returns why S3 does not list them.
pub async fn find(
    store: &dyn Store,
    bucket: &str,
    others: Others,
    is_at_work: &(dyn Fn(RunId) -> bool + Send + Sync),
) -> Result<Inventory, StoreError> {
    let now = Timestamp::now();
    let mut runs: BTreeMap<RunId, Remains> = BTreeMap::new();
    for (key, size, modified) in list(store, bucket, layout::RUNS).await? {
        if let Some(run) = run_of(&key) {
            let remains = runs.entry(run);
            let new = || Remains::new(Kind::Run, &run.to_string());
            remains.or_insert_with(new).add(key, size, modified);
        }
    }
    // What the runs in use read; `None` stands for everything, where that is not known.
    let mut read: Option<BTreeSet<String>> = Some(BTreeSet::new());
    for (run, remains) in &mut runs {
        let id = run.to_string();
        let has = |key: String| remains.keys.contains(&key);
        let limit = if has(layout::plan(&id)) {
            IDLE
        } else {
            IDLE_UNPLANNED
        };
        let is_done = has(layout::success(&id));
        let may_go_on =
            others == Others::Possible && !is_done && remains.is_younger_than(limit, now);
        if !is_at_work(*run) && !may_go_on {
            continue;
        }
        remains.fate = Fate::InUse;
        match (input(store, bucket, &id).await, &mut read) {
            (Some(input), Some(read)) => read.extend(input),
            (None, _) => read = None,
            (_, None) => {}
        }
    }
    let mut remains = Vec::new();
    for (key, size, modified) in list(store, bucket, layout::UPLOADS).await? {
        let Some(name) = upload_of(&key) else {
            continue;
        };
        let mut upload = Remains::new(Kind::Upload, name);
        let is_read = read
            .as_ref()
            .is_none_or(|read| read.contains(&format!("s3://{bucket}/{key}")));
        upload.add(key, size, modified);
        let may_be_read = others == Others::Possible && upload.is_younger_than(IDLE, now);
        if is_read || may_be_read {
            upload.fate = Fate::InUse;
        }
        remains.push(upload);
    }
    remains.extend(runs.into_values());
    Ok(Inventory {
        bucket: bucket.to_owned(),
        at: now,
        remains,
    })
}

/// Removes what is old in `seen`, and still is in what is found now.
///
/// # Errors
///
/// Returns why S3 does not remove an object, or list them. Some may be removed by then.
pub async fn remove(
    store: &dyn Store,
    seen: &Inventory,
    others: Others,
    is_at_work: &(dyn Fn(RunId) -> bool + Send + Sync),
) -> Result<Removed, StoreError> {
    let found = find(store, &seen.bucket, others, is_at_work).await?;
    let asked: BTreeSet<&String> = seen.old().flat_map(|remains| &remains.keys).collect();
    let mut removed = Removed::default();
    for remains in found.old() {
        let mut objects = Vec::new();
        for key in &remains.keys {
            // An address can be made of every key that is listed.
            if let (true, Ok(at)) = (asked.contains(key), S3Uri::new(&found.bucket, key)) {
                objects.push(at);
            }
        }
        let done: Vec<()> = stream::iter(objects)
            .map(|at| async move { store.delete(&at).await })
            .buffer_unordered(AT_A_TIME)
            .try_collect()
            .await?;
        removed.objects += done.len() as u64;
        if !done.is_empty() {
            removed.bytes = removed.bytes.saturating_add(remains.bytes);
        }
    }
    tracing::info!(
        bucket = seen.bucket,
        removed.objects,
        removed.bytes,
        "cleaned"
    );
    Ok(removed)
}

impl Inventory {
    /// Returns what may be removed.
    pub fn old(&self) -> impl Iterator<Item = &Remains> {
        self.remains
            .iter()
            .filter(|remains| remains.fate == Fate::Old)
    }

    /// Returns a line for each upload and each run.
    pub fn lines(&self) -> Vec<String> {
        let row = |remains: &Remains| {
            let kind = match remains.kind {
                Kind::Upload => "upload",
                Kind::Run => "run",
            };
            let age = remains.age(self.at).map(age).unwrap_or_default();
            let kept = match remains.fate {
                Fate::Old => "",
                Fate::InUse => "  in use",
            };
            format!(
                "{kind:6} {:>10} {age:>6}  {}{kept}",
                bytes(remains.bytes),
                printable(&remains.name)
            )
        };
        self.remains.iter().map(row).collect()
    }

    /// Returns how much may be removed: `2 uploads and 3 runs, 34 objects, 1.7 GiB`; `None` if nothing.
    pub fn total(&self) -> Option<String> {
        let count = |kind: Kind| self.old().filter(|remains| remains.kind == kind).count();
        let (uploads, runs) = (count(Kind::Upload), count(Kind::Run));
        let what = match (uploads, runs) {
            (0, 0) => return None,
            (_, 0) => plural(uploads as u64, "upload"),
            (0, _) => plural(runs as u64, "run"),
            _ => format!(
                "{} and {}",
                plural(uploads as u64, "upload"),
                plural(runs as u64, "run")
            ),
        };
        let objects: usize = self.old().map(|remains| remains.keys.len()).sum();
        let size = self.old().map(|remains| remains.bytes).sum();
        Some(format!(
            "{what}, {}, {}",
            plural(objects as u64, "object"),
            bytes(size)
        ))
    }

    /// Returns that there is nothing to remove, in a sentence.
    pub fn nothing(&self) -> String {
        let place = format!("nothing to remove in s3://{}", self.bucket);
        if self.remains.is_empty() {
            place
        } else {
            format!("{place}: what is there is in use")
        }
    }
}

impl Removed {
    /// Returns what was removed, in a sentence.
    pub fn sentence(self, bucket: &str) -> String {
        let objects = plural(self.objects, "object");
        format!(
            "{objects} removed from s3://{bucket}, {}",
            bytes(self.bytes)
        )
    }
}

/// Lists all objects below a prefix.
async fn list(
    store: &dyn Store,
    bucket: &str,
    prefix: &str,
) -> Result<Vec<(String, u64, Option<Timestamp>)>, StoreError> {
    let mut all = Vec::new();
    let mut from = None;
    loop {
        let page = store.list_all(bucket, prefix, from.as_deref()).await?;
        all.extend(page.items.into_iter().filter_map(|entry| match entry {
            Entry::Object {
                key,
                size,
                modified,
            } => Some((key, size, modified)),
            Entry::Prefix(_) => None,
        }));
        from = page.next;
        if from.is_none() {
            return Ok(all);
        }
    }
}

/// Returns the run that an object belongs to. Ids are written in one way only: another spelling is no run's.
fn run_of(key: &str) -> Option<RunId> {
    let (id, rest) = key.strip_prefix(layout::RUNS)?.split_once('/')?;
    let run = RunId::from_str(id).ok()?;
    (run.to_string() == id && !rest.is_empty()).then_some(run)
}

/// Returns the name of the file that an object is an upload of. Earlier versions named uploads like runs.
fn upload_of(key: &str) -> Option<&str> {
    let (id, name) = key.strip_prefix(layout::UPLOADS)?.split_once('/')?;
    let is_digest = Digest::from_str(id).is_ok_and(|digest| digest.to_string() == id);
    let is_ulid = RunId::from_str(id).is_ok_and(|run| run.to_string() == id);
    let is_ours = (is_digest || is_ulid) && !name.is_empty() && !name.contains('/');
    is_ours.then_some(name)
}

/// Returns what a run reads, if its plan says so.
async fn input(store: &dyn Store, bucket: &str, run: &str) -> Option<Vec<String>> {
    let plan = S3Uri::new(bucket, &layout::plan(run)).ok()?;
    let body = read_all(store, &plan).await.ok()?;
    let plan: Plan = serde_json::from_slice(&body).ok()?;
    Some(plan.read())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use bytes::Bytes;
    use mrdeck_store::memory::MemoryStore;

    use super::*;

    const RUN: &str = "01J00000000000000000000000";
    const OTHER: &str = "01J00000000000000000000001";
    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    async fn store(objects: &[(&str, &str)]) -> MemoryStore {
        let store = MemoryStore::with_bucket("b");
        for (key, body) in objects {
            let at = S3Uri::new("b", key).unwrap();
            store
                .put(&at, Bytes::copy_from_slice(body.as_bytes()))
                .await
                .unwrap();
        }
        store
    }

    fn names(inventory: &Inventory) -> Vec<(&str, usize, u64, Fate)> {
        let rows = inventory.remains.iter().map(|remains| {
            let keys = remains.keys.len();
            (remains.name.as_str(), keys, remains.bytes, remains.fate)
        });
        rows.collect()
    }

    #[tokio::test]
    async fn only_what_mrdeck_wrote_is_found_and_removed() {
        let ours = [
            format!("mr/uploads/{HASH}/x.txt"),
            format!("mr/uploads/{RUN}/older.txt"),
            format!("mr/runs/{RUN}/plan.json"),
            format!("mr/runs/{RUN}/maps/chunk00000-a1.json"),
        ];
        let foreign = [
            "a".to_owned(),
            "mr".to_owned(),
            "mr/".to_owned(),
            "mr/chunks/x_chunk00.txt".to_owned(),
            "mr/maps/x.json".to_owned(),
            "mr/reduce/final.json".to_owned(),
            "mr/runs/".to_owned(),
            "mr/runs/x/plan.json".to_owned(),
            format!("mr/runs/{RUN}"),
            format!("mr/runs/{RUN}/"),
            format!("mr/runs/{}/plan.json", RUN.to_lowercase()),
            format!("mr/runs/../{RUN}/x"),
            "mr/uploads/notes.txt".to_owned(),
            "mr/uploads/mine/notes.txt".to_owned(),
            format!("mr/uploads/{HASH}/"),
            format!("mr/uploads/{HASH}/a/b"),
            format!("mr/uploads/{}/x.txt", HASH.to_uppercase()),
            format!("x/mr/runs/{RUN}/plan.json"),
        ];
        let all: Vec<(&str, &str)> = ours
            .iter()
            .chain(&foreign)
            .map(|key| (key.as_str(), "12"))
            .collect();
        let store = store(&all).await;
        let found = find(&store, "b", Others::Nobody, &|_| false).await.unwrap();
        let expected = [
            ("older.txt", 1, 2, Fate::Old),
            ("x.txt", 1, 2, Fate::Old),
            (RUN, 2, 4, Fate::Old),
        ];
        assert_eq!(names(&found), expected);
        let total = "2 uploads and 1 run, 4 objects, 8 B";
        assert_eq!(found.total().as_deref(), Some(total));

        let removed = remove(&store, &found, Others::Nobody, &|_| false).await;
        let expected = Removed {
            objects: 4,
            bytes: 8,
        };
        assert_eq!(removed, Ok(expected));
        let mut left = foreign.to_vec();
        left.sort();
        assert_eq!(store.keys("b"), left);
        let again = find(&store, "b", Others::Nobody, &|_| false).await.unwrap();
        assert_eq!(again.nothing(), "nothing to remove in s3://b");
    }

    #[tokio::test]
    async fn what_a_run_uses_is_kept_and_where_that_is_not_known_every_upload() {
        let used = format!("mr/uploads/{HASH}/x.txt");
        let unused = format!("mr/uploads/{RUN}/y.txt");
        let plan_key = format!("mr/runs/{RUN}/plan.json");
        let plan = format!(r#"{{"input": "s3://b/{used}", "run": "{RUN}"}}"#);
        let done = format!("mr/runs/{OTHER}/success.json");
        let at_work = |run: RunId| run.to_string() == RUN;
        let many = format!(
            r#"{{"input": {{"objects": ["s3://b/{used}"], "directory": "logs"}},
                "objects": [{{"s3": "s3://b/{used}", "bytes": 1}}], "run": "{RUN}"}}"#
        );
        for (plan, is_unused_old) in [(plan.as_str(), true), (&many, true), ("{", false)] {
            let store = store(&[
                (&used, "1"),
                (&unused, "2"),
                (&plan_key, plan),
                (&done, "3"),
            ])
            .await;
            let found = find(&store, "b", Others::Nobody, &at_work).await.unwrap();
            let old: Vec<_> = found.old().map(|remains| remains.name.as_str()).collect();
            let expected: &[&str] = if is_unused_old {
                &["y.txt", OTHER]
            } else {
                &[OTHER]
            };
            assert_eq!(old, expected);
            assert!(
                found
                    .lines()
                    .iter()
                    .any(|line| line.ends_with("x.txt  in use"))
            );

            // What is young may be another machine's; the time of these is not known at all.
            let found = find(&store, "b", Others::Possible, &|_| false)
                .await
                .unwrap();
            let old: Vec<_> = found.old().map(|remains| remains.name.as_str()).collect();
            assert_eq!(old, [OTHER], "it is done");

            // A run that began between the question and the answer.
            let seen = find(&store, "b", Others::Nobody, &|_| false).await.unwrap();
            assert_eq!(seen.old().count(), 4);
            remove(&store, &seen, Others::Nobody, &at_work)
                .await
                .unwrap();
            assert!(store.keys("b").contains(&used));
            assert!(store.keys("b").contains(&plan_key));
        }
    }

    #[test]
    fn an_age_beyond_the_limit_is_old() {
        let now = Timestamp::now();
        let written = |seconds: i64| {
            let mut remains = Remains::new(Kind::Run, RUN);
            let at = now - jiff::SignedDuration::from_secs(seconds);
            remains.add("k".to_owned(), 1, Some(at));
            remains.is_younger_than(IDLE, now)
        };
        assert_eq!([-5, 0, 899, 901].map(written), [true, true, true, false]);
    }
}
