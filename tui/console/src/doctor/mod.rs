//! Checks what a run needs: what is reachable, what is not, why, and what to do. Each file is a group of checks.
//!
//! The checks run concurrently, each with a deadline; their findings are reported in a fixed order.

mod bucket;
mod clock;
mod credentials;
mod ecs;
mod finding;
mod network;
mod region;
mod tasks;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::FuturesOrdered;
use mrdeck_store::Store;
use mrdeck_store::aws;
use mrdeck_store::regional::RegionalStore;
use tokio::time::timeout;

pub use self::finding::{CheckStatus, Finding};
use crate::config::Config;
use mrdeck_cluster::Connection;
use mrdeck_cluster::aws::QueryClient;
use mrdeck_cluster::aws::http::http_client;
use mrdeck_cluster::settings::{Backend, EcsSettings};
use mrdeck_core::diagnostic::{CHECK_NETWORK, Diagnostic};

/// The longest a check may take. A healthy one takes less than a second.
const DEADLINE: Duration = Duration::from_secs(10);

/// A group of checks in progress.
type Check<'a> = BoxFuture<'a, Vec<Finding>>;

/// Checks everything that the configured cluster needs, and reports each finding as soon as its turn comes.
///
/// # Errors
///
/// Returns why the checks could not begin.
pub async fn examine(config: &Config, mut tell: impl FnMut(Finding)) -> Result<(), Diagnostic> {
    let mut told: Vec<Finding> = Vec::new();
    let mut tell = |finding: Finding| {
        let finding = finding.after(&told);
        told.push(finding.clone());
        tell(finding);
    };
    match &config.connect.backend {
        Backend::Local { .. } => examine_local(config, &mut tell).await,
        Backend::Fixed(_) => examine_fixed(config, &mut tell).await?,
        Backend::Ecs(settings) => examine_ecs(config, settings, &mut tell).await?,
    }
    Ok(())
}

async fn in_order(checks: Vec<Check<'_>>, tell: &mut impl FnMut(Finding)) {
    let mut checks: FuturesOrdered<Check> = checks.into_iter().collect();
    while let Some(findings) = checks.next().await {
        findings.into_iter().for_each(&mut *tell);
    }
}

/// Starts the embedded cluster to check it.
async fn examine_local(config: &Config, tell: &mut impl FnMut(Finding)) {
    let connection = match mrdeck_cluster::connect(&config.connect).await {
        Ok(connection) => connection,
        Err(diagnostic) => return tell(Finding::failed("cluster", diagnostic)),
    };
    tell(Finding::ok("cluster", "the embedded cluster started"));
    let store = connection.store.clone();
    let bucket = connection.bucket.as_deref();
    let checks: Vec<Check> = vec![
        examine_tasks(&connection).boxed(),
        bucket::check(store.as_ref(), bucket, config.connect.read_only).boxed(),
    ];
    in_order(checks, tell).await;
    connection.cluster.shutdown().await;
}

/// Checks services at fixed addresses: of AWS, only S3 is involved.
async fn examine_fixed(config: &Config, tell: &mut impl FnMut(Finding)) -> Result<(), Diagnostic> {
    let (sdk, late) = credentials::session_in_time(config).await?;
    let http = http_client(&config.connect.aws)?;
    let connection = mrdeck_cluster::connect(&config.connect).await?;
    let clock = s3_endpoint(&sdk);
    let bucket = config.connect.bucket.as_deref();
    if let Some(late) = late {
        tell(Finding::failed("credentials", late.clone()));
        let checks: Vec<Check> = vec![
            one(within("clock", clock::check(&http, &clock))),
            examine_tasks(&connection).boxed(),
        ];
        in_order(checks, tell).await;
        tell(Finding::failed("bucket", late));
        return Ok(());
    }
    let checks: Vec<Check> = vec![
        one(within("credentials", credentials::check_found(&sdk))),
        one(within(
            "region",
            region::check(&sdk, &config.connect.aws, region::OF_S3),
        )),
        one(ready(network::check(&sdk, config, true))),
        one(within("clock", clock::check(&http, &clock))),
        examine_tasks(&connection).boxed(),
        bucket::check(connection.store.as_ref(), bucket, config.connect.read_only).boxed(),
    ];
    in_order(checks, tell).await;
    Ok(())
}

async fn examine_ecs(
    config: &Config,
    settings: &EcsSettings,
    tell: &mut impl FnMut(Finding),
) -> Result<(), Diagnostic> {
    let (sdk, late) = credentials::session_in_time(config).await?;
    let http = http_client(&config.connect.aws)?;
    let aws = QueryClient::new(&sdk, http.clone());
    let store: Arc<dyn Store> = Arc::new(RegionalStore::new(aws::s3_client(
        &sdk,
        aws::Retries::Standard,
    )));
    let clock = s3_endpoint(&sdk);
    let bucket = config.connect.bucket.as_deref();
    if let Some(late) = late {
        tell(Finding::failed("credentials", late.clone()));
        in_order(
            vec![one(within("clock", clock::check(&http, &clock)))],
            tell,
        )
        .await;
        for check in ["cluster", "tasks", "bucket"] {
            tell(Finding::failed(check, late.clone()));
        }
        return Ok(());
    }
    let checks: Vec<Check> = vec![
        one(within("credentials", credentials::check(&sdk))),
        one(within(
            "region",
            region::check(&sdk, &config.connect.aws, region::OF_ECS),
        )),
        one(ready(network::check(&sdk, config, false))),
        one(within("clock", clock::check(&http, &clock))),
        one(within("cluster", ecs::cluster(&sdk, &settings.cluster))),
        one(within("public IPs", ecs::public_ips(&aws))),
        listed_tasks(config).boxed(),
        bucket::check(store.as_ref(), bucket, config.connect.read_only).boxed(),
    ];
    in_order(checks, tell).await;
    Ok(())
}

async fn listed_tasks(config: &Config) -> Vec<Finding> {
    match timeout(DEADLINE, mrdeck_cluster::connect(&config.connect)).await {
        Ok(Ok(connection)) => examine_tasks(&connection).await,
        Ok(Err(diagnostic)) => vec![Finding::failed("tasks", diagnostic)],
        Err(_) => vec![too_late("tasks")],
    }
}

async fn examine_tasks(connection: &Connection) -> Vec<Finding> {
    let list = connection.probed(DEADLINE).await;
    let mut findings = vec![tasks::by_status(&list), tasks::roles(&list)];
    findings.extend(tasks::addresses(&list));
    findings.extend(versions::check(&list));
    findings
}

fn s3_endpoint(sdk: &aws_config::SdkConfig) -> String {
    aws::s3_endpoint(sdk).unwrap_or_else(|| {
        let region = sdk.region().map_or("us-east-1", AsRef::as_ref);
        mrdeck_cluster::aws::default_endpoint("s3", region)
    })
}

fn one<'a>(check: impl Future<Output = Finding> + Send + 'a) -> Check<'a> {
    check.map(|finding| vec![finding]).boxed()
}

/// Returns what the check finds, or that it took too long.
async fn within(name: &'static str, check: impl Future<Output = Finding>) -> Finding {
    timeout(DEADLINE, check)
        .await
        .unwrap_or_else(|_| too_late(name))
}

fn too_late(check: &'static str) -> Finding {
    Finding::failed(
        check,
        Diagnostic::new(
            format!("no answer within {} s", DEADLINE.as_secs()),
            CHECK_NETWORK,
        ),
    )
}
