//! `mrdeck clean`: removes old uploads and runs from the bucket.

use std::sync::Arc;

use mrdeck_store::Store;
use mrdeck_store::aws;
use mrdeck_store::regional::RegionalStore;
use serde::Serialize;

use super::confirm::{Consent, confirm};
use super::{connect, fail, print_json, refuse, told_of};
use crate::clean::{self, Fate, Inventory, Kind, Others, Remains, Removed};
use crate::cli::{CleanArgs, CommonArgs, OutputFormat};
use crate::config::Config;
use crate::exit::Exit;
use crate::signals;
use crate::stderr;
use mrdeck_cluster::Connection;
use mrdeck_cluster::settings::Backend;
use mrdeck_core::diagnostic::{Diagnostic, read_only};
use mrdeck_core::run_id::RunId;
use mrdeck_engine::journal::Journal;
use tokio_util::sync::CancellationToken;

/// What was there and what was removed, for scripts.
#[derive(Debug, Serialize)]
struct CleanReport<'a> {
    bucket: &'a str,
    found: Vec<Row<'a>>,
    removed: Removed,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    kind: Kind,
    name: &'a str,
    objects: usize,
    bytes: u64,
    /// When something of it was last written; null if S3 does not say.
    modified: Option<jiff::Timestamp>,
    status: Fate,
}

/// Where to clean.
struct Place {
    store: Arc<dyn Store>,
    bucket: String,
    others: Others,
    /// The local cluster, whose S3 server this is.
    connection: Option<Connection>,
}

pub async fn clean(common: &CommonArgs, args: &CleanArgs) -> Exit {
    let config = match Config::for_bucket(common) {
        Ok(config) => told_of(config),
        Err(error) => return refuse(&Diagnostic::from(&error)),
    };
    if config.connect.read_only {
        return refuse(&read_only("remove anything"));
    }
    let (place, cancel) = match place(&config).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let exit = tokio::select! {
        () = cancel.cancelled() => Exit::Interrupted,
        exit = run(&config, args, &place) => exit,
    };
    if let Some(connection) = place.connection {
        connection.cluster.shutdown().await;
    }
    exit
}

async fn place(config: &Config) -> Result<(Place, CancellationToken), Exit> {
    if let Backend::Local { .. } = config.connect.backend {
        let (connection, cancel) = connect::connect(config).await?;
        let place = Place {
            store: connection.store.clone(),
            bucket: connection.bucket.clone().unwrap_or_default(),
            others: Others::Nobody,
            connection: Some(connection),
        };
        return Ok((place, cancel));
    }
    let Some(bucket) = config.connect.bucket.clone() else {
        return Err(refuse(&Diagnostic::new(
            "no bucket was named to remove old uploads and runs from",
            "name one with --bucket, or use --local",
        )));
    };
    let cancel = CancellationToken::new();
    signals::cancel_on_signal(cancel.clone());
    let sdk = match aws::sdk_config(&config.connect.aws).await {
        Ok(sdk) => sdk,
        Err(error) => return Err(fail(&error.into())),
    };
    let place = Place {
        store: Arc::new(RegionalStore::new(aws::s3_client(
            &sdk,
            aws::Retries::Standard,
        ))),
        bucket,
        others: Others::Possible,
        connection: None,
    };
    Ok((place, cancel))
}

async fn run(config: &Config, args: &CleanArgs, place: &Place) -> Exit {
    let journal = Journal::new(&config.runs_dir);
    let is_at_work = |run: RunId| journal.is_at_work(run);
    let (store, others) = (place.store.as_ref(), place.others);
    let found = match clean::find(store, &place.bucket, others, &is_at_work).await {
        Ok(found) => found,
        Err(error) => return fail(&(&error).into()),
    };
    for line in found.lines() {
        stderr::line(&line);
    }
    let Some(total) = found.total() else {
        stderr::line(&found.nothing());
        return report(config, &found, Removed::default());
    };
    let bucket = &found.bucket;
    stderr::line(&format!("in all {total} in s3://{bucket}"));
    match confirm("Remove all this?", args.yes).await {
        Consent::Given => {}
        Consent::Refused => {
            stderr::line("nothing was removed");
            return Exit::Interrupted;
        }
        Consent::NoTerminal => {
            return refuse(&Diagnostic::new(
                "there is no terminal to ask at, so nothing was removed",
                "add --yes to do it without asking",
            ));
        }
    }
    match clean::remove(store, &found, others, &is_at_work).await {
        Ok(removed) => {
            stderr::line(&removed.sentence(bucket));
            report(config, &found, removed)
        }
        Err(error) => fail(&(&error).into()),
    }
}

fn report(config: &Config, found: &Inventory, removed: Removed) -> Exit {
    match config.output {
        OutputFormat::Text => Exit::Done,
        OutputFormat::Json => print_json(&CleanReport {
            bucket: &found.bucket,
            found: found.remains.iter().map(row).collect(),
            removed,
        }),
    }
}

fn row(remains: &Remains) -> Row<'_> {
    Row {
        kind: remains.kind,
        name: &remains.name,
        objects: remains.keys.len(),
        bytes: remains.bytes,
        modified: remains.modified,
        status: remains.fate,
    }
}
