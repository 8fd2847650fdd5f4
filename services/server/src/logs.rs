//! Logging to stderr: text where a person reads along, JSON where a collector does.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise: ours, and of the libraries only what is wrong.
const DEFAULT_FILTER: &str = "info,aws_config=warn,aws_runtime=warn,aws_sdk_s3=warn,aws_smithy_runtime=warn,\
    aws_smithy_http_client=warn,aws_credential_types=warn,hyper=warn,hyper_util=warn,rustls=warn";

/// Sets logging up for the process. Where that has been done already, nothing changes.
pub fn init() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // The only failure is that a subscriber is set already, and then that one is meant.
    let _ = if std::io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_ansi(false)
            .try_init()
    };
}
