//! Who works on a run: each console that takes it up claims a number in S3 and gives a sign of life there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use mrdeck_core::layout;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::{Entry, Store};
use serde::{Deserialize, Serialize};
use tokio::time::{interval, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::objects::{self, Written};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::age;
use mrdeck_core::run_id::RunId;

/// Between two signs of life.
const SIGN_EVERY: Duration = Duration::from_secs(10);
/// A console whose last sign is older than this has ended, or can't reach S3.
const SIGN_HOLDS: i64 = 25;
/// For the last sign: nobody waits long for it.
const FAREWELL: Duration = Duration::from_secs(2);
/// More consoles than this on one run are a mistake.
const MOST: u32 = 1_000;

/// What a console says of itself: `mr/runs/RUN/claims/N.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sign {
    host: String,
    pid: u32,
    since: Timestamp,
    ended: bool,
}

/// A run that this console works on. Dropped without [`Claim::end`], its last sign grows old.
pub(super) struct Claim {
    pub(super) number: u32,
    at: S3Uri,
    sign: Sign,
    store: Arc<dyn Store>,
    signs: AbortOnDropHandle<()>,
}

impl Claim {
    /// Takes the first number from `from` on that no other console has.
    pub(super) async fn take(
        store: Arc<dyn Store>,
        input: &S3Uri,
        run: RunId,
        from: u32,
    ) -> Result<Self, Diagnostic> {
        let sign = Sign {
            host: host(),
            pid: std::process::id(),
            since: Timestamp::now(),
            ended: false,
        };
        let body = sign.body();
        for number in from..from.saturating_add(MOST) {
            let key = layout::claim(&run.to_string(), number);
            let at = input
                .sibling(&key)
                .map_err(|error| Diagnostic::new(error.to_string(), ""))?;
            if objects::write_new(store.as_ref(), &at, &body).await? == Written::Now {
                let signs = keep_signing(store.clone(), at.clone(), body.clone());
                return Ok(Self {
                    number,
                    at,
                    sign,
                    store,
                    signs: AbortOnDropHandle::new(tokio::spawn(signs)),
                });
            }
        }
        Err(Diagnostic::new(
            format!("{MOST} consoles have taken up the run {run}"),
            "end them, or run again from the start",
        ))
    }

    /// What is to be said of another console that may be at work on the same run. It is a courtesy: what can't be
    /// found out is not said, because nothing depends on it.
    pub(super) async fn others(&self) -> Option<Diagnostic> {
        let folder = self.at.key().rsplit_once('/')?.0;
        let listed = self
            .store
            .list(self.at.bucket(), &format!("{folder}/"), None)
            .await
            .ok()?;
        let signs: Vec<(&str, Timestamp)> = listed
            .items
            .iter()
            .filter_map(|entry| match entry {
                Entry::Object { key, modified, .. } => Some((key.as_str(), (*modified)?)),
                Entry::Prefix(_) => None,
            })
            .collect();
        // Both times are of S3's clock.
        let (_, own) = signs.iter().find(|(key, _)| *key == self.at.key())?;
        let mut latest = None;
        for (key, at) in signs.iter().filter(|(key, _)| *key != self.at.key()) {
            let age = own.duration_since(*at).as_secs();
            if age > SIGN_HOLDS || latest.as_ref().is_some_and(|(known, _)| *known <= age) {
                continue;
            }
            let other = self.at.sibling(key).ok()?;
            let body = objects::read_all(self.store.as_ref(), &other).await.ok()?;
            let sign: Sign = serde_json::from_slice(&body).ok()?;
            if !sign.ended && !sign.is_known_dead() {
                latest = Some((age, sign));
            }
        }
        let (seconds, sign) = latest?;
        let Sign { host, pid, .. } = sign;
        let ago = age(seconds.max(0));
        Some(Diagnostic::new(
            format!(
                "another console (process {pid} on {host}) works on this run too; its last sign of life is {ago} old"
            ),
            "both are safe: each attempt has an output of its own, and the first to finish records the result",
        ))
    }

    /// Says that this console is through with the run.
    pub(super) async fn end(self) {
        let sign = Sign {
            ended: true,
            ..self.sign
        };
        drop(self.signs);
        // Without it the last sign grows old, which says the same a little later.
        let _ = timeout(FAREWELL, self.store.put(&self.at, sign.body().into())).await;
    }
}

impl Sign {
    fn body(&self) -> Vec<u8> {
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// On this machine it can be seen that a process is gone.
    fn is_known_dead(&self) -> bool {
        // A process that has ended, but was not waited for, has no command line any more.
        let command =
            |process: &str| std::fs::read(Path::new("/proc").join(process).join("cmdline"));
        let is_alive = command(&self.pid.to_string()).is_ok_and(|line| !line.is_empty());
        self.host == host() && command("self").is_ok() && !is_alive
    }
}

async fn keep_signing(store: Arc<dyn Store>, at: S3Uri, body: Vec<u8>) {
    let body = Bytes::from(body);
    let mut turns = interval(SIGN_EVERY);
    turns.tick().await;
    loop {
        turns.tick().await;
        // One that fails is made up for by the next.
        let _ = store.put(&at, body.clone()).await;
    }
}

/// This machine's name, for people.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok());
    let name = name.unwrap_or_default();
    match name.trim() {
        "" => "an unnamed machine".to_owned(),
        name => name.to_owned(),
    }
}
