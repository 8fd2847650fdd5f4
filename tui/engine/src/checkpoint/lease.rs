//! Who works on a run: each console that works on it takes a lease, a number in S3, and keeps it with heartbeats.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::age;
use mrdeck_core::layout;
use mrdeck_core::run_id::RunId;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Entry, Store};
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::objects::{self, Written};
use crate::error::RunError;
use crate::input::Input;

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
/// In seconds. A console whose last heartbeat is older than this has ended, or can't reach S3.
const LEASE_DURATION: i64 = 25;
/// How long the last heartbeat may take.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);
/// More consoles than this on one run are a mistake.
const MAX_LEASES: u32 = 1_000;

/// What a console says of itself: `mr/runs/RUN/claims/N.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Heartbeat {
    host: String,
    pid: u32,
    since: Timestamp,
    ended: bool,
}

/// A lease that this console holds. Dropped without [`Lease::end`], its last heartbeat grows old.
pub(crate) struct Lease {
    /// Counted from 1.
    pub(crate) number: u32,
    run: RunId,
    at: S3Uri,
    heartbeat: Heartbeat,
    store: Arc<dyn Store>,
    heartbeats: AbortOnDropHandle<()>,
}

impl Lease {
    /// Takes the first number from `from` on that no other console has.
    pub(crate) async fn take(
        store: Arc<dyn Store>,
        input: &Input,
        run: RunId,
        from: u32,
    ) -> Result<Self, RunError> {
        let heartbeat = Heartbeat {
            host: host(),
            pid: std::process::id(),
            since: Timestamp::now(),
            ended: false,
        };
        let body = heartbeat.body();
        for number in from..from.saturating_add(MAX_LEASES) {
            let key = layout::claim(&run.to_string(), number);
            let unusable = || RunError::UnusableBucket(input.bucket().to_owned());
            let at = input.sibling(&key).map_err(|_| unusable())?;
            if objects::write_new(store.as_ref(), &at, &body).await? == Written::Now {
                let heartbeats = heartbeat_loop(store.clone(), at.clone(), body.clone());
                return Ok(Self {
                    number,
                    run,
                    at,
                    heartbeat,
                    store,
                    heartbeats: AbortOnDropHandle::new(tokio::spawn(heartbeats)),
                });
            }
        }
        let max = MAX_LEASES;
        Err(RunError::TooManyLeases { run, max })
    }

    /// Returns a notice about another console that may be working on the same run. It is a courtesy: what can't be
    /// found out is left out, because nothing depends on it.
    pub(crate) async fn concurrent_holders(&self) -> Option<Diagnostic> {
        let folder = layout::claims(&self.run.to_string());
        let listed = self
            .store
            .list(self.at.bucket(), &folder, None)
            .await
            .ok()?;
        let leases: Vec<(&str, Timestamp)> = listed
            .items
            .iter()
            .filter_map(|entry| match entry {
                Entry::Object { key, modified, .. } => Some((key.as_str(), (*modified)?)),
                Entry::Prefix(_) => None,
            })
            .collect();
        // Both times are of S3's clock.
        let (_, own) = leases.iter().find(|(key, _)| *key == self.at.key())?;
        let mut latest = None;
        for (key, at) in leases.iter().filter(|(key, _)| *key != self.at.key()) {
            let age = own.duration_since(*at).as_secs();
            if age > LEASE_DURATION || latest.as_ref().is_some_and(|(known, _)| *known <= age) {
                continue;
            }
            let other = self.at.sibling(key).ok()?;
            let body = objects::read_all(self.store.as_ref(), &other).await.ok()?;
            let heartbeat: Heartbeat = serde_json::from_slice(&body).ok()?;
            if !heartbeat.ended && !heartbeat.is_known_dead() {
                latest = Some((age, heartbeat));
            }
        }
        let (seconds, Heartbeat { host, pid, .. }) = latest?;
        let ago = age(seconds.max(0));
        Some(Diagnostic::new(
            format!(
                "another console (process {pid} on {host}) works on this run too; its last heartbeat is {ago} old"
            ),
            "both are safe: each attempt has an output of its own, and the first to finish records the result",
        ))
    }

    /// Says that this console is through with the run.
    pub(crate) async fn end(self) {
        let last = Heartbeat {
            ended: true,
            ..self.heartbeat
        };
        drop(self.heartbeats);
        // Without it the last heartbeat grows old, which says the same a little later.
        let _ = timeout(
            FAREWELL_TIMEOUT,
            self.store.put(&self.at, last.body().into()),
        )
        .await;
    }
}

impl Heartbeat {
    fn body(&self) -> Vec<u8> {
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Returns whether the process is certainly gone: on this machine that can be seen.
    fn is_known_dead(&self) -> bool {
        // A process that has ended, but was not waited for, has no command line any more.
        let command =
            |process: &str| std::fs::read(Path::new("/proc").join(process).join("cmdline"));
        let is_alive = command(&self.pid.to_string()).is_ok_and(|line| !line.is_empty());
        self.host == host() && command("self").is_ok() && !is_alive
    }
}

async fn heartbeat_loop(store: Arc<dyn Store>, at: S3Uri, body: Vec<u8>) {
    let body = Bytes::from(body);
    let mut turns = interval(HEARTBEAT_INTERVAL);
    // A console that was stopped for an hour owes one, not hundreds.
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    turns.tick().await;
    loop {
        turns.tick().await;
        // One that fails is made up for by the next.
        let _ = store.put(&at, body.clone()).await;
    }
}

/// Returns this machine's name, for people.
fn host() -> String {
    let name = gethostname::gethostname();
    match name.to_string_lossy().trim() {
        "" => "an unnamed machine".to_owned(),
        name => name.to_owned(),
    }
}
