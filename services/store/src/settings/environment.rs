//! The environment variables that the AWS SDK and the TLS library read.
//!
//! A variable that is set but empty counts as unset. The libraries see it otherwise, and read the environment by
//! themselves: so [`start_without_empty`] starts the program once more without such variables.

use std::ffi::{OsStr, OsString};
use std::process::Command;

use super::error::{Origin, SettingsError};
use super::value::{self, Kind};

/// How the names of the variables begin that lead calls to another endpoint: the general one, and those of a service.
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// The variables that are read here or by the libraries, besides those of endpoints.
const READ: [&str; 53] = [
    "ALL_PROXY",
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCOUNT_ID",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EXECUTION_ENV",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_MAX_ATTEMPTS",
    "AWS_NEW_RETRIES_2026",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
    "AWS_SDK_UA_APP_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "RUST_LOG",
    "SECRET_ACCESS_KEY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Starts the program once more in this process's place if a variable that is read is set but empty, without all such
/// variables. Returns if there is none; also if that can't be done, and then `variable` refuses them.
///
/// `also` has the variables that the program reads beyond AWS's.
pub fn start_without_empty(also: &[&str]) {
    let is_read =
        |name: &str| READ.contains(&name) || also.contains(&name) || name.starts_with(ENDPOINT_URL);
    let empty: Vec<OsString> = std::env::vars_os()
        .filter(|(name, value)| is_blank(value) && name.to_str().is_some_and(is_read))
        .map(|(name, _)| name)
        .collect();
    if empty.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut command = Command::new(program);
    for name in &empty {
        command.env_remove(name);
    }
    replace_this_process(command);
}

#[cfg(unix)]
fn replace_this_process(mut command: Command) {
    use std::os::unix::process::CommandExt;

    let mut arguments = std::env::args_os();
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // It returns only if it fails: then this process goes on as it is.
    let _ = command.args(arguments).exec();
}

#[cfg(not(unix))]
fn replace_this_process(_: Command) {}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

/// Returns the names of the set variables that lead the calls of one service elsewhere.
pub(super) fn endpoints_of_services() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with("AWS_ENDPOINT_URL_"))
        .collect();
    names.sort();
    names
}

/// Returns the value of a variable that is set, if it is of this kind.
///
/// # Errors
///
/// Returns why it can't be used: what is wrong with it, or that it is still empty.
pub(super) fn variable(name: &str, kind: Kind) -> Result<Option<String>, SettingsError> {
    let Some(value) = std::env::var_os(name) else {
        return Ok(None);
    };
    let origin = Origin::Variable(name.to_owned());
    if is_blank(&value) {
        return Err(SettingsError::Empty(origin));
    }
    let Ok(text) = value.into_string() else {
        return Err(SettingsError::NotText(origin));
    };
    checked(origin, text, kind).map(Some)
}

/// Returns the value if it is of this kind.
///
/// # Errors
///
/// Returns what is wrong with it.
pub(super) fn checked(origin: Origin, value: String, kind: Kind) -> Result<String, SettingsError> {
    let wanted = kind.wanted;
    match value::fault(&value) {
        Some(fault) => Err(SettingsError::Characters { origin, fault }),
        None if kind.fits(&value) => Ok(value),
        None if kind.is_secret => Err(SettingsError::WrongSecret { origin, wanted }),
        None => Err(SettingsError::Wrong {
            origin,
            value,
            wanted,
        }),
    }
}
