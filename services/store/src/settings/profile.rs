//! The profiles of both shared files together, as the SDK puts them together.

use super::error::{Origin, Search, SettingsError};
use super::file::{Entry, FileKind, Section, SharedFile};

const DEFAULT: &str = "default";

/// Both files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Profiles {
    pub(super) config: SharedFile,
    pub(super) credentials: SharedFile,
}

impl Profiles {
    pub(super) fn read() -> Result<Self, SettingsError> {
        Ok(Self {
            config: SharedFile::read(FileKind::Config)?,
            credentials: SharedFile::read(FileKind::Credentials)?,
        })
    }

    /// Returns the sections of a profile. Of two settings, the later one counts.
    pub(super) fn sections<'a>(
        &'a self,
        profile: &'a str,
    ) -> impl Iterator<Item = (&'a SharedFile, &'a Section)> {
        let is_default = profile == DEFAULT;
        let of_config = move |section: &Section, prefix: Option<&str>| {
            section.name == profile && section.prefix.as_deref() == prefix
        };
        // [profile default] replaces [default].
        let has_prefixed = self
            .config
            .sections
            .iter()
            .any(|section| of_config(section, Some("profile")));
        let prefix = (!is_default || has_prefixed).then_some("profile");
        let config = self.config.sections.iter();
        let config = config.filter(move |section| of_config(section, prefix));
        let credentials = self.credentials.sections.iter();
        let credentials =
            credentials.filter(move |section| section.name == profile && section.prefix.is_none());
        config
            .map(|section| (&self.config, section))
            .chain(credentials.map(|section| (&self.credentials, section)))
    }

    pub(super) fn exists(&self, profile: &str) -> bool {
        self.sections(profile).next().is_some()
    }

    /// Returns the names of all profiles, in order and each once.
    pub(super) fn names(&self) -> Vec<&str> {
        let config =
            self.config
                .sections
                .iter()
                .filter(|section| match section.prefix.as_deref() {
                    Some(prefix) => prefix == "profile",
                    None => section.name == DEFAULT,
                });
        let credentials = self.credentials.sections.iter();
        let credentials = credentials.filter(|section| section.prefix.is_none());
        let mut names: Vec<&str> = config
            .chain(credentials)
            .map(|section| &*section.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns a setting of a profile that is not empty, and its file.
    pub(super) fn entry<'a>(
        &'a self,
        profile: &'a str,
        key: &str,
    ) -> Option<(&'a SharedFile, &'a Entry)> {
        let entries = self
            .sections(profile)
            .flat_map(|(file, section)| section.entries.iter().map(move |entry| (file, entry)));
        entries
            .filter(|(_, entry)| entry.key == key && !entry.value.is_empty())
            .last()
    }

    /// Returns a setting of a profile, and where it stands.
    ///
    /// # Errors
    ///
    /// Returns that the setting goes on in the next line, which is nearly always a blank too many.
    pub(super) fn get(
        &self,
        profile: &str,
        key: &str,
    ) -> Result<Option<(Origin, String)>, SettingsError> {
        let Some((file, entry)) = self.entry(profile, key) else {
            return Ok(None);
        };
        let origin = file.origin(entry);
        match entry.continued {
            Some(next) => Err(SettingsError::Continued { origin, next }),
            None => Ok(Some((origin, entry.value.clone()))),
        }
    }

    /// Returns the endpoints that `[services NAME]` has for a profile: each with where it stands.
    pub(super) fn endpoints_of_services(&self, profile: &str) -> Vec<(Origin, String)> {
        let Some((_, services)) = self.entry(profile, "services") else {
            return Vec::new();
        };
        let sections = self.config.sections.iter().filter(|section| {
            section.prefix.as_deref() == Some("services") && section.name == services.value
        });
        let endpoints = sections
            .flat_map(|section| &section.entries)
            .flat_map(|service| &service.nested)
            .filter(|entry| entry.key == "endpoint_url" && !entry.value.is_empty());
        endpoints
            .map(|entry| (self.config.origin(entry), entry.value.clone()))
            .collect()
    }

    /// Returns that a profile does not exist, with where it was looked for and what may be meant.
    pub(super) fn missing(&self, origin: Origin, name: &str) -> SettingsError {
        let place = |file: &SharedFile| {
            let path = file.path.display();
            if file.path.exists() {
                path.to_string()
            } else {
                format!("{path} (which does not exist)")
            }
        };
        let is_bare = |section: &&Section| section.prefix.is_none() && section.name == name;
        let hint = self.config.sections.iter().find(is_bare).map(|_| {
            format!(
                "write [profile {name}] instead of [{name}] in {}",
                place(&self.config)
            )
        });
        SettingsError::NoProfile {
            origin,
            name: name.to_owned(),
            search: Box::new(Search {
                places: format!("{} or {}", place(&self.config), place(&self.credentials)),
                hint,
            }),
        }
    }
}
