//! The command line of the service binaries: arguments, help and version.

use std::ffi::OsString;

/// The action that a command line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Serve,
    HealthCheck,
    Help,
    Version,
}

/// The error of an unknown or superfluous argument. The name of the binary precedes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no argument '{0}'; use at most one of --healthcheck, --help and --version; \
     everything else comes from the environment"
)]
pub struct UsageError(String);

/// Reads the arguments that follow the program's name.
///
/// # Errors
///
/// Returns an error for an unknown argument, and for more than one.
pub fn asked(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, UsageError> {
    let mut arguments = arguments.into_iter();
    let Some(first) = arguments.next() else {
        return Ok(Asked::Serve);
    };
    let asked = match first.to_str() {
        Some("--healthcheck") => Asked::HealthCheck,
        Some("--help" | "-h") => Asked::Help,
        Some("--version" | "-V") => Asked::Version,
        _ => return Err(unknown(&first)),
    };
    match arguments.next() {
        None => Ok(asked),
        Some(second) => Err(unknown(&second)),
    }
}

fn unknown(argument: &OsString) -> UsageError {
    UsageError(argument.to_string_lossy().into_owned())
}

/// Returns the text of `--version`.
pub fn version(name: &str) -> String {
    format!("{name} {}", env!("CARGO_PKG_VERSION"))
}

/// Returns the text of `--help`; `s3` tells whether the service uses S3.
pub fn help(name: &str, s3: bool) -> String {
    let mut text = format!(
        "\
{name}, one of the services that mrdeck drives. It serves HTTP until SIGTERM or SIGINT.

Usage: {name} [--healthcheck | --help | --version]

      --healthcheck  check the service that listens at ADDR on this machine; exit 0 if it is healthy, 1 if not
  -h, --help         print this
  -V, --version      print the version

Environment:
  ADDR             where to listen: HOST:PORT, :PORT or [IPV6]:PORT (default :8080)
"
    );
    if s3 {
        text.push_str(
            "  OUT_PREFIX       prefix of the outputs of requests that name no run
  ALLOWED_BUCKETS  names separated by commas (default: any bucket)
  MAX_IN_FLIGHT    most requests at once; more get a 503 (default 64)
  MAX_TABLE_BYTES  most memory for the words of one /map (default: three quarters of the container's)
  AWS_REGION, AWS_ENDPOINT_URL and the other variables of the AWS SDK
",
        );
    }
    text.push_str("  RUST_LOG         filter of the log on standard error (default info)");
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn read(arguments: &[&str]) -> Result<Asked, UsageError> {
        asked(arguments.iter().map(OsString::from))
    }

    #[test]
    fn one_argument_at_most_and_only_a_known_one() {
        assert_eq!(read(&[]), Ok(Asked::Serve));
        assert_eq!(read(&["--healthcheck"]), Ok(Asked::HealthCheck));
        assert_eq!(read(&["-h"]), Ok(Asked::Help));
        assert_eq!(read(&["-V"]), Ok(Asked::Version));
        for wrong in [
            &["--port"][..],
            &[""],
            &["--healthcheck", "8080"],
            &["--help", "--version"],
        ] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong[wrong.len() - 1]), "{error}");
        }
    }

    #[test]
    fn the_manual_names_what_the_service_reads() {
        let manual = include_str!("../../README.md");
        let help = help("mapper", true);
        let (_, environment) = help.split_once("Environment:\n").unwrap();
        for line in environment.lines() {
            let name = line
                .split_whitespace()
                .next()
                .unwrap()
                .trim_end_matches(',');
            assert!(manual.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn the_help_names_what_the_service_reads() {
        assert!(help("mapper", true).contains("OUT_PREFIX"));
        assert!(!help("hello", false).contains("AWS"));
    }
}
