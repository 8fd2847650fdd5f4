//! Old uploads and runs: looked for, and removed.

use std::sync::Arc;

use super::Link;
use crate::clean::{self, Inventory, Others};
use crate::config::Config;
use crate::dashboard::model::Msg;
use mrdeck_cluster::settings::Backend;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::run_id::RunId;
use mrdeck_engine::journal::Journal;

pub(super) async fn find(link: Link, config: Arc<Config>) -> Msg {
    let found = async {
        let connection = link?;
        let bucket = connection.bucket.as_deref().ok_or_else(|| {
            Diagnostic::new(
                "there is no bucket to remove old uploads and runs from",
                "name one with --bucket",
            )
        })?;
        let journal = Journal::new(&config.runs_dir);
        let is_at_work = |run: RunId| journal.is_at_work(run);
        let store = connection.store.as_ref();
        Ok(clean::find(store, bucket, others(&config), &is_at_work).await?)
    };
    Msg::OldFound(found.await)
}

pub(super) async fn remove(link: Link, found: Inventory, config: Arc<Config>) -> Msg {
    let removed = async {
        let store = link?.store;
        let journal = Journal::new(&config.runs_dir);
        let is_at_work = |run: RunId| journal.is_at_work(run);
        let others = others(&config);
        Ok(clean::remove(store.as_ref(), &found, others, &is_at_work).await?)
    };
    let removed = removed.await;
    Msg::OldRemoved(found.bucket, removed)
}

/// The S3 server of a local cluster is this process's own.
fn others(config: &Config) -> Others {
    match config.connect.backend {
        Backend::Local { .. } => Others::Nobody,
        Backend::Fixed(_) | Backend::Ecs(_) => Others::Possible,
    }
}
