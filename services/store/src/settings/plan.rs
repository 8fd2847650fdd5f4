//! Where a profile's credentials come from: followed through `source_profile`, as the SDK does it.
//!
//! The SDK finds the credentials; this only tells how, for what it does not do (MFA), what is done here instead (a
//! `credential_process`), and what is advised when it fails.

use std::path::PathBuf;

use super::environment::checked;
use super::error::{Origin, SettingsError};
use super::file::{Entry, SharedFile};
use super::profile::Profiles;
use super::value::{ACCESS_KEY, SECRET};

/// The first link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The profile has no credentials.
    Nothing,
    Keys(Origin),
    Process {
        command: String,
        origin: Origin,
        account: Option<String>,
    },
    Sso {
        profile: String,
    },
    WebIdentity(Origin),
    /// `credential_source`: the environment, the container or the instance.
    Named(Origin),
    /// `login_session`, which is not supported.
    Login(Origin),
}

/// How a profile's credentials are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub base: Base,
    /// The profile that the base stands in.
    pub profile: String,
    /// The role that is assumed last, if any is.
    pub role: Option<Origin>,
    /// A role that wants an MFA code, which is not supported.
    pub mfa: Option<Origin>,
    /// The lines that name the profile with the `credential_process`, the one that counts last.
    pub(super) source_lines: Vec<(PathBuf, usize)>,
}

impl Plan {
    /// Follows the profile. What makes no sense is left to the SDK, which says so.
    ///
    /// # Errors
    ///
    /// Returns why a setting on the way can't be used.
    pub(super) fn of(profiles: &Profiles, profile: &str) -> Result<Self, SettingsError> {
        let mut plan = Self {
            base: Base::Nothing,
            profile: profile.to_owned(),
            role: None,
            mfa: None,
            source_lines: Vec::new(),
        };
        let mut seen: Vec<String> = Vec::new();
        loop {
            let name = plan.profile.clone();
            if !seen.is_empty() && profiles.entry(&name, "aws_access_key_id").is_some() {
                plan.base = keys(profiles, &name)?;
                return Ok(plan);
            }
            let role = profiles.get(&name, "role_arn")?;
            let is_web_identity = profiles.entry(&name, "web_identity_token_file").is_some();
            let Some((role, _)) = role.filter(|_| !is_web_identity) else {
                plan.base = base(profiles, &name)?;
                return Ok(plan);
            };
            plan.role.get_or_insert(role);
            if let Some((mfa, _)) = profiles.get(&name, "mfa_serial")? {
                plan.mfa.get_or_insert(mfa);
            }
            let source = profiles.get(&name, "source_profile")?;
            plan.source_lines = lines(profiles, &name, "source_profile");
            if let Some((origin, next)) = &source
                && !profiles.exists(next)
            {
                return Err(profiles.missing(origin.clone(), next));
            }
            match source {
                Some((_, next)) if next != name && !seen.contains(&next) => {
                    seen.push(name);
                    plan.profile = next;
                }
                _ => {
                    plan.base = base(profiles, &name)?;
                    return Ok(plan);
                }
            }
        }
    }
}

/// Returns the lines where a profile has a setting; the last one counts.
fn lines(profiles: &Profiles, profile: &str, key: &str) -> Vec<(PathBuf, usize)> {
    let entries = profiles
        .sections(profile)
        .flat_map(|(file, section)| section.entries.iter().map(move |entry| (file, entry)));
    let of_key = entries.filter(|(_, entry)| entry.key == key);
    of_key
        .map(|(file, entry): (&SharedFile, &Entry)| (file.path.clone(), entry.line))
        .collect()
}

/// Returns what a profile itself has, in the SDK's order.
fn base(profiles: &Profiles, name: &str) -> Result<Base, SettingsError> {
    let get = |key| profiles.get(name, key);
    if let Some((origin, _)) = get("credential_source")? {
        return Ok(Base::Named(origin));
    }
    if let Some((origin, _)) = get("web_identity_token_file")? {
        return Ok(Base::WebIdentity(origin));
    }
    for key in [
        "sso_session",
        "sso_start_url",
        "sso_account_id",
        "sso_role_name",
    ] {
        if get(key)?.is_some() {
            let profile = name.to_owned();
            return Ok(Base::Sso { profile });
        }
    }
    if let Some((origin, _)) = get("login_session")? {
        return Ok(Base::Login(origin));
    }
    if let Some((origin, command)) = get("credential_process")? {
        let account = get("aws_account_id")?.map(|(_, account)| account);
        return Ok(Base::Process {
            command,
            origin,
            account,
        });
    }
    keys(profiles, name)
}

fn keys(profiles: &Profiles, name: &str) -> Result<Base, SettingsError> {
    let mut found = Vec::new();
    for (key, kind) in [
        ("aws_access_key_id", ACCESS_KEY),
        ("aws_secret_access_key", SECRET),
        ("aws_session_token", SECRET),
    ] {
        if let Some((origin, value)) = profiles.get(name, key)? {
            checked(origin.clone(), value, kind)?;
            found.push((key, origin));
        }
    }
    let origin = |key: &str| {
        let of_key = found.iter().find(|(found, _)| *found == key);
        of_key.map(|(_, origin)| origin.clone())
    };
    match (origin("aws_access_key_id"), origin("aws_secret_access_key")) {
        (Some(origin), Some(_)) => Ok(Base::Keys(origin)),
        (Some(present), None) => Err(SettingsError::Missing {
            present,
            missing: "aws_secret_access_key",
        }),
        (None, Some(present)) => Err(SettingsError::Missing {
            present,
            missing: "aws_access_key_id",
        }),
        (None, None) => Ok(Base::Nothing),
    }
}
