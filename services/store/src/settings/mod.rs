//! The AWS settings of this machine, checked before the SDK sees them.
//!
//! The SDK panics at some wrong settings, ignores others, and names neither variable nor line. So each setting that
//! it would use is read here first: what is wrong is one sentence that says where it stands.
//!
//! | module | job |
//! |---|---|
//! | [`environment`] | the variables, and what an empty one means |
//! | `file`, `profile` | the two shared files, and the profiles in both |
//! | [`mod@network`] | proxies and certificate authorities |
//! | `plan` | where a profile's credentials come from |
//! | `value` | what a value must look like |
//! | `error` | what is said of a wrong one |

pub mod environment;
mod error;
mod file;
pub mod network;
mod plan;
mod profile;
pub mod value;

use std::collections::BTreeMap;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use self::environment::{checked, variable};
pub use self::error::{Origin, SettingsError};
use self::network::Network;
pub use self::plan::{Base, Plan};
use self::profile::Profiles;
use self::value::{
    ACCESS_KEY, ATTEMPTS, AUTHORIZATION, BOOL, CHECKSUM, ENDPOINT, ENDPOINT_MODE, IP_VERSION, Kind,
    NUMBER, PATH, REGION, RETRY_MODE, ROLE, SECRET, TEXT, WORD,
};
use crate::aws::AwsOptions;

/// Settings that the SDK takes from the environment, else from the profile, by itself; here they are only checked.
const OTHERS: [(&str, &str, Kind); 17] = [
    ("AWS_ACCOUNT_ID", "aws_account_id", WORD),
    (
        "AWS_ACCOUNT_ID_ENDPOINT_MODE",
        "account_id_endpoint_mode",
        ENDPOINT_MODE,
    ),
    ("AWS_AUTH_SCHEME_PREFERENCE", "auth_scheme_preference", TEXT),
    (
        "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
        "disable_clock_skew_correction",
        BOOL,
    ),
    (
        "AWS_DISABLE_REQUEST_COMPRESSION",
        "disable_request_compression",
        BOOL,
    ),
    ("AWS_EC2_METADATA_DISABLED", "", BOOL),
    (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "ec2_metadata_service_endpoint",
        ENDPOINT,
    ),
    (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "ec2_metadata_service_endpoint_mode",
        IP_VERSION,
    ),
    ("AWS_EXECUTION_ENV", "", WORD),
    (
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        "request_checksum_calculation",
        CHECKSUM,
    ),
    (
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
        "request_min_compression_size_bytes",
        NUMBER,
    ),
    (
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        "response_checksum_validation",
        CHECKSUM,
    ),
    (
        "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
        "s3_disable_express_session_auth",
        BOOL,
    ),
    ("AWS_SDK_UA_APP_ID", "sdk_ua_app_id", WORD),
    (
        "AWS_SIGV4A_SIGNING_REGION_SET",
        "sigv4a_signing_region_set",
        TEXT,
    ),
    ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", BOOL),
    ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", BOOL),
];

/// A place where credentials are, beside the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Environment,
    WebIdentity,
    Container,
    /// It is asked unless that is turned off; most machines are none.
    Instance,
}

/// The settings, each of which can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    profiles: Profiles,
    /// The name of the profile in use.
    pub profile: String,
    pub region: Option<String>,
    pub retry_mode: Option<String>,
    pub max_attempts: Option<u32>,
    /// The endpoint of all services that have none of their own.
    pub endpoint: Option<String>,
    pub places: Vec<Place>,
    pub plan: Plan,
    pub network: Network,
}

impl Settings {
    /// Reads the environment and the files.
    ///
    /// # Errors
    ///
    /// Returns the first setting that can't be used, and why.
    pub fn read(options: &AwsOptions) -> Result<Self, SettingsError> {
        let profiles = Profiles::read()?;
        let profile = profile_name(options, &profiles)?;
        let find = |name: &str, key: &str, kind: Kind| find(&profiles, &profile, name, key, kind);
        for (name, key, kind) in OTHERS {
            find(name, key, kind)?;
        }
        let region = match &options.region {
            Some(region) => {
                let origin = Origin::Option("--region");
                Some(checked(origin, region.clone(), REGION)?)
            }
            None => match variable("AWS_REGION", REGION)? {
                Some(region) => Some(region),
                None => find("AWS_DEFAULT_REGION", "region", REGION)?,
            },
        };
        let retry_mode = find("AWS_RETRY_MODE", "retry_mode", RETRY_MODE)?;
        let max_attempts = find("AWS_MAX_ATTEMPTS", "max_attempts", ATTEMPTS)?;
        let endpoint = match &options.endpoint_url {
            Some(url) => {
                let origin = Origin::Option("--endpoint-url");
                Some(checked(origin, url.clone(), ENDPOINT)?)
            }
            None => endpoint(&profiles, &profile)?,
        };
        let places = places(options)?;
        let plan = Plan::of(&profiles, &profile)?;
        let network = Network::read(&profiles, &profile)?;
        Ok(Self {
            region,
            retry_mode,
            max_attempts: max_attempts.and_then(|text| text.parse().ok()),
            endpoint,
            places,
            plan,
            network,
            profile,
            profiles,
        })
    }

    /// Returns the files for the SDK. With `process`, the profile that gets its credentials from a `credential_process`
    /// is no longer named as a source, but the provider of that name.
    pub fn files(&self, process: Option<&str>) -> EnvConfigFiles {
        let mut instead = [BTreeMap::new(), BTreeMap::new()];
        if let Some(provider) = process {
            for (path, line) in &self.plan.source_lines {
                let is_config = *path == self.profiles.config.path;
                instead[usize::from(!is_config)].insert(*line, String::new());
            }
            if let Some((path, line)) = self.plan.source_lines.last() {
                let is_config = *path == self.profiles.config.path;
                let text = format!("credential_source = {provider}");
                instead[usize::from(!is_config)].insert(*line, text);
            }
        }
        let [config, credentials] = instead;
        EnvConfigFiles::builder()
            .with_contents(
                EnvConfigFileKind::Config,
                self.profiles.config.cleaned(&config),
            )
            .with_contents(
                EnvConfigFileKind::Credentials,
                self.profiles.credentials.cleaned(&credentials),
            )
            .build()
    }
}

/// Returns the names of all profiles in AWS's own files, in order.
///
/// # Errors
///
/// Returns why a file can't be read.
pub fn profile_names() -> Result<Vec<String>, SettingsError> {
    let profiles = Profiles::read()?;
    Ok(profiles.names().into_iter().map(str::to_owned).collect())
}

/// Returns the regions that the profiles name, in order and each once.
///
/// # Errors
///
/// Returns why a file can't be read.
pub fn regions_of_profiles() -> Result<Vec<String>, SettingsError> {
    let profiles = Profiles::read()?;
    let names = profiles.names();
    let regions = names
        .iter()
        .filter_map(|name| profiles.entry(name, "region"));
    let mut regions: Vec<String> = regions.map(|(_, entry)| entry.value.clone()).collect();
    regions.sort();
    regions.dedup();
    Ok(regions)
}

/// Returns how calls to AWS leave this machine.
///
/// # Errors
///
/// Returns the first setting of them that can't be used.
pub fn network(options: &AwsOptions) -> Result<Network, SettingsError> {
    let profiles = Profiles::read()?;
    let profile = profile_name(options, &profiles)?;
    Network::read(&profiles, &profile)
}

fn profile_name(options: &AwsOptions, profiles: &Profiles) -> Result<String, SettingsError> {
    let (origin, name) = match &options.profile {
        Some(name) => (Origin::Option("--profile"), name.clone()),
        None => match variable("AWS_PROFILE", TEXT)? {
            Some(name) => (Origin::Variable("AWS_PROFILE".to_owned()), name),
            None => return Ok("default".to_owned()),
        },
    };
    let name = checked(origin.clone(), name, TEXT)?;
    if name == "default" || profiles.exists(&name) {
        return Ok(name);
    }
    Err(profiles.missing(origin, &name))
}

/// Returns a setting that is of this kind: from the environment, else from the profile.
fn find(
    profiles: &Profiles,
    profile: &str,
    name: &str,
    key: &str,
    kind: Kind,
) -> Result<Option<String>, SettingsError> {
    if let Some(value) = variable(name, kind)? {
        return Ok(Some(value));
    }
    match profiles.get(profile, key)? {
        Some((origin, value)) => checked(origin, value, kind).map(Some),
        None => Ok(None),
    }
}

/// Returns the endpoint of all services, and checks those of each.
fn endpoint(profiles: &Profiles, profile: &str) -> Result<Option<String>, SettingsError> {
    let ignored = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
    let ignored = find(
        profiles,
        profile,
        ignored,
        "ignore_configured_endpoint_urls",
        BOOL,
    )?;
    // They are checked all the same: the providers of credentials use them even then.
    for name in environment::endpoints_of_services() {
        variable(&name, ENDPOINT)?;
    }
    for (origin, url) in profiles.endpoints_of_services(profile) {
        checked(origin, url, ENDPOINT)?;
    }
    let endpoint = find(
        profiles,
        profile,
        "AWS_ENDPOINT_URL",
        "endpoint_url",
        ENDPOINT,
    )?;
    let is_ignored = ignored.is_some_and(|word| word.eq_ignore_ascii_case("true"));
    Ok(endpoint.filter(|_| !is_ignored))
}

/// Returns where credentials are, beside the profile, and checks what the environment says of them.
fn places(options: &AwsOptions) -> Result<Vec<Place>, SettingsError> {
    let mut found = Vec::new();
    if options.credentials.is_some() || options.profile.is_some() {
        return Ok(found);
    }
    let both = |present: &str, other: bool, missing: &'static str| {
        if other {
            return Ok(());
        }
        let present = Origin::Variable(present.to_owned());
        Err(SettingsError::Missing { present, missing })
    };
    let id = variable("AWS_ACCESS_KEY_ID", ACCESS_KEY)?;
    let secret = match variable("AWS_SECRET_ACCESS_KEY", SECRET)? {
        Some(secret) => Some(secret),
        None => variable("SECRET_ACCESS_KEY", SECRET)?,
    };
    variable("AWS_SESSION_TOKEN", SECRET)?;
    match (&id, &secret) {
        (Some(_), _) => both(
            "AWS_ACCESS_KEY_ID",
            secret.is_some(),
            "AWS_SECRET_ACCESS_KEY",
        )?,
        (None, Some(_)) => both("AWS_SECRET_ACCESS_KEY", false, "AWS_ACCESS_KEY_ID")?,
        (None, None) => {}
    }
    found.extend(id.map(|_| Place::Environment));
    if variable("AWS_WEB_IDENTITY_TOKEN_FILE", TEXT)?.is_some() {
        let role = variable("AWS_ROLE_ARN", ROLE)?;
        both(
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            role.is_some(),
            "AWS_ROLE_ARN",
        )?;
        variable("AWS_ROLE_SESSION_NAME", WORD)?;
        found.push(Place::WebIdentity);
    }
    let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", PATH)?;
    let full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", ENDPOINT)?;
    if relative.is_some() || full.is_some() {
        variable("AWS_CONTAINER_AUTHORIZATION_TOKEN", AUTHORIZATION)?;
        variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", TEXT)?;
        found.push(Place::Container);
    }
    let disabled = variable("AWS_EC2_METADATA_DISABLED", BOOL)?;
    if !disabled.is_some_and(|word| word.eq_ignore_ascii_case("true")) {
        found.push(Place::Instance);
    }
    Ok(found)
}
