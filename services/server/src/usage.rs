//! The command line of the services' binary: which service, arguments, help and version.

use std::ffi::OsString;
use std::fmt;

use mrdeck_core::role::Role;

/// A service that the binary can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Role(Role),
    /// The deployment check.
    Hello,
}

impl Service {
    /// All of them, in the order in which they are listed.
    const ALL: [Self; 4] = [
        Self::Role(Role::Splitter),
        Self::Role(Role::Mapper),
        Self::Role(Role::Reducer),
        Self::Hello,
    ];

    /// Returns the service of this name.
    fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|service| service.as_str() == name)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Role(role) => role.as_str(),
            Self::Hello => "hello",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The action that a command line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Serve(Service),
    HealthCheck,
    Help,
    Version,
}

/// The error of a command line that can't be obeyed. The name of the binary precedes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    #[error(
        "there is no argument '{0}'; name one service, or use one of --healthcheck, --help and --version; \
         everything else comes from the environment"
    )]
    Argument(String),
    #[error(
        "no service is named; give one of splitter, mapper, reducer and hello, or set SERVICE to it"
    )]
    NoService,
    #[error("SERVICE '{0}' is no service; set it to one of splitter, mapper, reducer and hello")]
    Variable(String),
}

/// Reads the arguments that follow the program's name; `service` is the variable `SERVICE`, which an argument overrides.
///
/// # Errors
///
/// Returns an error for an unknown argument, for more than one, and if no service is named.
pub fn asked(
    arguments: impl IntoIterator<Item = OsString>,
    service: Option<&str>,
) -> Result<Asked, UsageError> {
    let mut arguments = arguments.into_iter();
    let Some(first) = arguments.next() else {
        let name = service.map(str::trim).filter(|name| !name.is_empty());
        let name = name.ok_or(UsageError::NoService)?;
        let unknown = || UsageError::Variable(name.to_owned());
        return Service::named(name).map(Asked::Serve).ok_or_else(unknown);
    };
    let asked = match first.to_str() {
        Some("--healthcheck") => Asked::HealthCheck,
        Some("--help" | "-h") => Asked::Help,
        Some("--version" | "-V") => Asked::Version,
        name => {
            let service = name.and_then(Service::named);
            Asked::Serve(service.ok_or_else(|| unknown(&first))?)
        }
    };
    match arguments.next() {
        None => Ok(asked),
        Some(second) => Err(unknown(&second)),
    }
}

fn unknown(argument: &OsString) -> UsageError {
    UsageError::Argument(argument.to_string_lossy().into_owned())
}

/// Returns the text of `--version`.
pub fn version(name: &str) -> String {
    format!("{name} {}", env!("CARGO_PKG_VERSION"))
}

/// Returns the text of `--help`.
pub fn help(name: &str) -> String {
    format!(
        "\
One of the services that mrdeck drives, or hello, which checks a deployment. It serves HTTP until SIGTERM or SIGINT.

Usage: {name} [splitter | mapper | reducer | hello | --healthcheck | --help | --version]

      --healthcheck  check the service that listens at ADDR on this machine; exit 0 if it is healthy, 1 if not
  -h, --help         print this
  -V, --version      print the version

Environment:
  SERVICE          which service, if no argument says so
  ADDR             where to listen: HOST:PORT, :PORT or [IPV6]:PORT (default :8080)
  RUST_LOG         filter of the log on standard error (default info)
All but hello read as well:
  OUT_PREFIX       prefix of the outputs of requests that name no run
  ALLOWED_BUCKETS  names separated by commas (default: any bucket)
  MAX_IN_FLIGHT    most requests at once; more get a 503 (default 64)
  MAX_TABLE_BYTES  most memory for different words (default: three quarters of the container's)
  AWS_REGION, AWS_ENDPOINT_URL and the other variables of the AWS SDK"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn read(arguments: &[&str], service: Option<&str>) -> Result<Asked, UsageError> {
        asked(arguments.iter().map(OsString::from), service)
    }

    #[test]
    fn one_argument_at_most_and_only_a_known_one() {
        assert_eq!(read(&["--healthcheck"], None), Ok(Asked::HealthCheck));
        assert_eq!(read(&["-h"], None), Ok(Asked::Help));
        assert_eq!(read(&["-V"], Some("cook")), Ok(Asked::Version));
        for wrong in [
            &["--port"][..],
            &[""],
            &["cook"],
            &["mapper", "reducer"],
            &["--healthcheck", "8080"],
            &["--help", "--version"],
        ] {
            let error = read(wrong, Some("mapper")).unwrap_err().to_string();
            assert!(error.contains(wrong[wrong.len() - 1]), "{error}");
        }
    }

    #[test]
    fn the_service_is_an_argument_or_a_variable() {
        let mapper = Ok(Asked::Serve(Service::Role(Role::Mapper)));
        assert_eq!(read(&["mapper"], None), mapper);
        assert_eq!(read(&["mapper"], Some("hello")), mapper);
        assert_eq!(read(&[], Some(" mapper ")), mapper);
        assert_eq!(read(&["hello"], None), Ok(Asked::Serve(Service::Hello)));
        assert_eq!(read(&[], None), Err(UsageError::NoService));
        assert_eq!(read(&[], Some("")), Err(UsageError::NoService));
        let wrong = UsageError::Variable("cook".to_owned());
        assert_eq!(read(&[], Some("cook")), Err(wrong));
    }

    #[test]
    fn the_help_and_the_errors_name_every_service() {
        let said = [help("x"), UsageError::NoService.to_string()];
        let errors = [UsageError::Variable(String::new()).to_string()];
        for text in said.iter().chain(&errors) {
            for service in Service::ALL {
                assert!(text.contains(service.as_str()), "{service}: {text}");
            }
        }
    }

    #[test]
    fn the_manual_names_what_the_services_read() {
        let manual = include_str!("../../README.md");
        let help = help("x");
        let (_, environment) = help.split_once("Environment:\n").unwrap();
        for line in environment.lines().filter(|line| line.starts_with(' ')) {
            let name = line
                .split_whitespace()
                .next()
                .unwrap()
                .trim_end_matches(',');
            assert!(manual.contains(&format!("`{name}`")), "{name}");
        }
    }
}
