//! Where the SDK looks for credentials, and what is said when there are none.

use std::error::Error;
use std::sync::Arc;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use mrdeck_core::causes::causes;
use mrdeck_core::shell::quoted;

use super::AwsOptions;
use super::process::CredentialProcess;
use crate::settings::{Base, Origin, Place, Settings, value};

/// The name by which the SDK asks for a `credential_process` that stands behind a role.
const PROCESS: &str = "mrdeck-credential-process";

/// Why there are no credentials, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct NoCredentials {
    pub cause: String,
    pub advice: String,
}

impl NoCredentials {
    /// Finds it among the causes of a failed call.
    pub fn among<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |error| (*error).source())
            .find_map(<dyn Error + 'static>::downcast_ref::<Self>)
    }
}

/// A place where credentials are looked for.
#[derive(Debug)]
struct Link {
    provider: Arc<dyn ProvideCredentials>,
    /// How it is called in a sentence.
    name: String,
    /// What to do if it fails.
    advice: String,
    /// It is set up: if it has none all the same, that is a failure.
    is_set_up: bool,
}

impl Link {
    fn new(
        provider: impl ProvideCredentials + 'static,
        name: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            provider: Arc::new(provider),
            name: name.into(),
            advice: advice.into(),
            is_set_up: false,
        }
    }
}

/// The places in their order; the first that has credentials counts, and the first that fails.
#[derive(Debug)]
pub(super) struct Chain {
    links: Vec<Link>,
    /// What is said if none of them has any.
    nowhere: NoCredentials,
}

impl Chain {
    /// Returns the SDK's own order: environment, profile, web identity, container, instance. A profile that is named
    /// by an option stands alone.
    pub(super) fn new(settings: &Settings, options: &AwsOptions, config: &ProviderConfig) -> Self {
        let mut links = Vec::new();
        let is_there = |place| settings.places.contains(&place);
        let profile = &settings.profile;
        if is_there(Place::Environment) {
            let keys = EnvironmentVariableCredentialsProvider::new();
            links.push(Link::new(
                keys,
                "the environment",
                "check AWS_ACCESS_KEY_ID",
            ));
        }
        links.extend(of_profile(settings, options, config));
        if is_there(Place::WebIdentity) {
            let identity = WebIdentityTokenCredentialsProvider::builder().configure(config);
            let advice = "check AWS_ROLE_ARN and the file that AWS_WEB_IDENTITY_TOKEN_FILE names";
            links.push(Link::new(identity.build(), "a web identity", advice));
        }
        if is_there(Place::Container) {
            let container = EcsCredentialsProvider::builder().configure(config).build();
            let advice = "check the role of the task that this runs in";
            links.push(Link::new(container, "the container", advice));
        }
        if is_there(Place::Instance) {
            let instance = ImdsCredentialsProvider::builder().configure(config).build();
            let advice = "check the role of the instance that this runs on";
            links.push(Link::new(instance, "the EC2 instance", advice));
        }
        let nowhere = if options.profile.is_some() {
            NoCredentials {
                cause: format!("the profile '{profile}' has none"),
                advice: "add some to it, or choose another --profile".to_owned(),
            }
        } else {
            NoCredentials {
                cause: format!(
                    "there are none in the environment, none in the profile '{profile}', and no role gives any"
                ),
                advice: "set up a profile with 'aws configure', name one with --profile, or set AWS_ACCESS_KEY_ID and \
                         AWS_SECRET_ACCESS_KEY"
                    .to_owned(),
            }
        };
        Self { links, nowhere }
    }

    async fn provide(&self) -> provider::Result {
        for link in &self.links {
            match link.provider.provide_credentials().await {
                Ok(credentials) => return usable(credentials, link),
                Err(CredentialsError::CredentialsNotLoaded(_)) if !link.is_set_up => {}
                Err(error) => {
                    let known = NoCredentials::among(&error).cloned();
                    return Err(CredentialsError::provider_error(known.unwrap_or_else(
                        || NoCredentials {
                            cause: causes(&error),
                            advice: link.advice.clone(),
                        },
                    )));
                }
            }
        }
        Err(CredentialsError::provider_error(self.nowhere.clone()))
    }
}

/// Returns the credentials if they can be sent: the SDK panics at a key with a line end in it.
fn usable(credentials: Credentials, link: &Link) -> provider::Result {
    let parts = [
        ("access key", Some(credentials.access_key_id())),
        ("secret access key", Some(credentials.secret_access_key())),
        ("session token", credentials.session_token()),
    ];
    for (part, text) in parts {
        let Some(text) = text else { continue };
        let fault = value::fault(text).or_else(|| {
            let is_word = text.chars().all(|c| c.is_ascii_graphic());
            (!is_word).then_some("is no word in ASCII")
        });
        if let Some(fault) = fault {
            return Err(CredentialsError::provider_error(NoCredentials {
                cause: format!("the {part} from {} {fault}", link.name),
                advice: link.advice.clone(),
            }));
        }
    }
    Ok(credentials)
}

/// Fails with the same words again and again.
#[derive(Debug)]
struct Unsupported(NoCredentials);

impl ProvideCredentials for Unsupported {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::provider_error(self.0.clone())))
    }
}

/// Returns the way out of what only the AWS CLI does.
fn by_the_cli(profile: &str) -> String {
    let profile = quoted(profile);
    format!(
        "let the AWS CLI do it: eval \"$(aws configure export-credentials --profile {profile} --format env)\", and \
         then mrdeck without --profile and AWS_PROFILE"
    )
}

fn of_profile(settings: &Settings, options: &AwsOptions, config: &ProviderConfig) -> Option<Link> {
    let plan = &settings.plan;
    let chosen = &settings.profile;
    let name = format!("the profile '{chosen}'");
    let unsupported = |origin: &Origin, what: &str| {
        let told = NoCredentials {
            cause: format!("{origin} {what}, which mrdeck does not support"),
            advice: by_the_cli(chosen),
        };
        Some(Link::new(Unsupported(told), name.clone(), ""))
    };
    if let Some(mfa) = &plan.mfa {
        return unsupported(mfa, "wants an MFA code");
    }
    let other = "or choose another --profile";
    let advice = match &plan.base {
        Base::Nothing => return None,
        Base::Login(origin) => return unsupported(origin, "wants a session of 'aws login'"),
        Base::Sso { profile } => {
            format!(
                "log in with 'aws sso login --profile {}', {other}",
                quoted(profile)
            )
        }
        Base::Process { origin, .. } if plan.role.is_none() => {
            format!("run the command of {origin} by hand to see what it needs, {other}")
        }
        Base::WebIdentity(origin) => format!("check {origin} and the role_arn beside it, {other}"),
        Base::Named(origin) => format!("check {origin}, {other}"),
        Base::Keys(origin) | Base::Process { origin, .. } => match &plan.role {
            Some(role) => format!("check {role}, and whether {origin} may assume it, {other}"),
            None => format!("check {origin}, {other}"),
        },
    };
    let mut builder = ProfileFileCredentialsProvider::builder()
        .configure(config)
        .profile_name(chosen)
        .profile_files(settings.files(None));
    if let Base::Process {
        command,
        origin,
        account,
    } = &plan.base
    {
        let process = CredentialProcess::new(
            command.clone(),
            origin.clone(),
            account.clone(),
            options.process_listener.clone(),
        );
        if plan.role.is_none() {
            return Some(Link::new(process, name, advice));
        }
        builder = builder
            .profile_files(settings.files(Some(PROCESS)))
            .with_custom_provider(PROCESS, process);
    }
    Some(Link {
        is_set_up: true,
        ..Link::new(builder.build(), name, advice)
    })
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        let mut links = self.links.iter();
        links.find_map(|link| link.provider.fallback_on_interrupt())
    }
}
