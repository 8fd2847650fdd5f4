//! Credentials that are looked for again when they turn out to be expired: once they are renewed in another terminal, no
//! client here has to be built anew.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use mrdeck_store::aws::{self, AwsOptions};
use mrdeck_store::settings::SettingsError;
use tokio::sync::Mutex;

/// Credentials are fetched anew this long before they expire, as by the SDK's own cache.
const EARLY: Duration = Duration::from_secs(10);

/// Loads the SDK's configuration; all its clients share one set of renewable credentials.
///
/// # Errors
///
/// Returns the first setting that can't be used.
pub async fn session(options: &AwsOptions) -> Result<(SdkConfig, Renewal), SettingsError> {
    let sdk = aws::sdk_config(options).await?;
    let shared = Shared(Arc::new(Mutex::new(Held {
        source: sdk.credentials_provider(),
        current: None,
    })));
    let renewal = Renewal {
        options: options.clone(),
        shared: shared.clone(),
    };
    let sdk = sdk
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(shared))
        // They are held here; the SDK's cache would go on with what AWS has already refused.
        .identity_cache(IdentityCache::no_cache())
        .build();
    Ok((sdk, renewal))
}

/// Makes a session look for its credentials again.
#[derive(Clone)]
pub struct Renewal {
    options: AwsOptions,
    shared: Shared,
}

impl Renewal {
    /// Returns when there are valid credentials. What gives them may take longer than any call to AWS, and has a deadline
    /// of its own.
    ///
    /// # Errors
    ///
    /// Returns why there are none.
    pub async fn ready(&self) -> Result<(), CredentialsError> {
        self.shared.provide().await.map(|_| ())
    }

    /// Forgets the credentials, and reads the files and the environment that name their source anew.
    ///
    /// # Errors
    ///
    /// Returns the first setting that can't be used; then the source is the same as before.
    pub async fn renew(&self) -> Result<(), SettingsError> {
        let sdk = aws::sdk_config(&self.options).await;
        let mut held = self.shared.0.lock().await;
        held.current = None;
        held.source = sdk?.credentials_provider();
        Ok(())
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Held>>);

struct Held {
    source: Option<SharedCredentialsProvider>,
    current: Option<Credentials>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared credentials")
    }
}

impl Shared {
    /// Returns the credentials. The lock is held while they are fetched: many calls at once make one request for them.
    async fn provide(&self) -> provider::Result {
        let mut held = self.0.lock().await;
        if let Some(current) = held.current.as_ref().filter(|current| is_fresh(current)) {
            return Ok(current.clone());
        }
        let source = held.source.clone().ok_or_else(|| {
            CredentialsError::not_loaded("there is no source of them on this machine")
        })?;
        let fetched = source.provide_credentials().await?;
        held.current = Some(fetched.clone());
        Ok(fetched)
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    let soon = SystemTime::now() + EARLY;
    credentials.expiry().is_none_or(|expiry| expiry > soon)
}

impl ProvideCredentials for Shared {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}
