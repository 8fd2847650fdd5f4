//! Logs to stderr: text on a terminal, JSON for a collector.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// The filter unless `RUST_LOG` says otherwise: everything from mrdeck, only warnings from the libraries.
const DEFAULT_FILTER: &str = "info,aws_config=warn,aws_runtime=warn,aws_sdk_s3=warn,aws_smithy_runtime=warn,\
    aws_smithy_http_client=warn,aws_credential_types=warn,hyper=warn,hyper_util=warn,rustls=warn";

/// Returns whether the terminal would show escape sequences as they are.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Sets up logging for the process, unless it is set up already.
pub fn init() {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // The only failure is that a subscriber is set already, which then stays.
    let _ = if std::io::stderr().is_terminal() {
        if is_dumb() {
            builder.with_ansi(false).try_init()
        } else {
            builder.try_init()
        }
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_ansi(false)
            .try_init()
    };
}
