//! How calls to AWS leave this machine: through which proxy, and trusting which certificate authorities.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use hyper_util::client::proxy::matcher::Matcher;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use super::environment::{checked, variable};
use super::error::{Origin, SettingsError};
use super::profile::Profiles;
use super::value::{PATH_NAME, PROXY, TEXT};

/// Where the proxy of a kind of calls is looked for, in curl's order.
const HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// A web server passes a header `Proxy:` on as `HTTP_PROXY` to the programs it runs, as curl's manual warns. mrdeck is
/// never run by one, so both are taken.
const HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// What only this machine can reach: itself, and the addresses where EC2, ECS and EKS give credentials.
const DIRECT: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16,fd00:ec2::/32";
/// Far above a bundle of every authority that there is.
const MAX_BUNDLE: u64 = 16 << 20;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A proxy, and what names it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub origin: Origin,
    /// With user and password, if it has any.
    url: String,
}

impl Proxy {
    /// Returns the address for a client, with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the address for a person, without user and password.
    pub fn shown(&self) -> String {
        let Ok(url) = Url::parse(&self.url) else {
            return String::new();
        };
        url.origin().ascii_serialization()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// The certificate authorities that a setting names: each in PEM format, and each readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities {
    pub origin: Origin,
    pub file: PathBuf,
    pub certificates: Vec<String>,
}

/// Returns the variable that names other certificates than the system's, and its value. The TLS library reads it.
pub fn named_by_environment() -> Option<(&'static str, String)> {
    ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .into_iter()
        .find_map(|name| {
            let value = std::env::var_os(name)?;
            Some((name, value.to_string_lossy().into_owned()))
        })
}

/// The ways of calls to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// For `http://` addresses.
    pub http: Option<Proxy>,
    /// For `https://` addresses.
    pub https: Option<Proxy>,
    /// Hosts that are called directly, separated by commas, as in `NO_PROXY`.
    pub direct: String,
    /// Instead of the system's.
    pub authorities: Option<Authorities>,
}

impl Network {
    pub(super) fn read(profiles: &Profiles, profile: &str) -> Result<Self, SettingsError> {
        let mut direct = DIRECT.to_owned();
        if let Some((_, hosts)) = first(&NO_PROXY)? {
            direct = format!("{hosts},{direct}");
        }
        Ok(Self {
            http: proxy(&HTTP)?,
            https: proxy(&HTTPS)?,
            direct,
            authorities: authorities(profiles, profile)?,
        })
    }

    /// Returns the proxy through which an address is called.
    pub fn proxy_of(&self, url: &str) -> Option<&Proxy> {
        let uri = url.parse().ok()?;
        let mut matcher = Matcher::builder().no(self.direct.clone());
        if let Some(proxy) = &self.http {
            matcher = matcher.http(proxy.url.clone());
        }
        if let Some(proxy) = &self.https {
            matcher = matcher.https(proxy.url.clone());
        }
        matcher.build().intercept(&uri)?;
        let is_https = uri.scheme_str() == Some("https");
        if is_https { &self.https } else { &self.http }.as_ref()
    }
}

fn first(names: &[&'static str]) -> Result<Option<(&'static str, String)>, SettingsError> {
    for name in names {
        if let Some(value) = variable(name, TEXT)? {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

fn proxy(names: &[&'static str]) -> Result<Option<Proxy>, SettingsError> {
    let Some((name, value)) = first(names)? else {
        return Ok(None);
    };
    let origin = Origin::Variable(name.to_owned());
    let text = checked(origin.clone(), value, PROXY)?;
    let url = if text.contains("://") {
        text
    } else {
        format!("http://{text}")
    };
    Ok(Some(Proxy { origin, url }))
}

fn authorities(profiles: &Profiles, profile: &str) -> Result<Option<Authorities>, SettingsError> {
    let name = "AWS_CA_BUNDLE";
    let (origin, file) = match variable(name, PATH_NAME)? {
        Some(file) => (Origin::Variable(name.to_owned()), file),
        None => match profiles.get(profile, "ca_bundle")? {
            Some((origin, file)) => (origin.clone(), checked(origin, file, PATH_NAME)?),
            None => return Ok(None),
        },
    };
    let mut path = PathBuf::from(&file);
    if let (Ok(below), Some(home)) = (path.strip_prefix("~"), std::env::home_dir()) {
        path = home.join(below);
    }
    match certificates(&path) {
        Ok(certificates) => Ok(Some(Authorities {
            origin,
            file: path,
            certificates,
        })),
        Err(detail) => Err(SettingsError::NoAuthorities {
            origin,
            value: file,
            detail,
        }),
    }
}

/// Returns the certificates of a file that TLS can use. The SDK panics at one that it can't.
fn certificates(path: &Path) -> Result<Vec<String>, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BUNDLE).read_to_string(&mut text))
        .map_err(|error| error.to_string())?;
    let sections = text.split(BEGIN).skip(1);
    let found = sections.filter_map(|section| section.split_once(END));
    let found = found.map(|(body, _)| format!("{BEGIN}{body}{END}\n"));
    let usable: Vec<String> = found
        .filter(|pem| {
            let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
            certificate.is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
        })
        .collect();
    if usable.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(usable)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn network(direct: &str) -> Network {
        let proxy = |name: &str, url: &str| {
            Some(Proxy {
                origin: Origin::Variable(name.to_owned()),
                url: url.to_owned(),
            })
        };
        Network {
            http: None,
            https: proxy("HTTPS_PROXY", "http://ada:hush@proxy.test:3128"),
            direct: format!("{direct},{DIRECT}"),
            authorities: None,
        }
    }

    #[test]
    fn each_address_has_its_way() {
        let network = network("inside.test,10.0.0.0/8");
        for (url, is_through) in [
            ("https://ecs.eu-west-1.amazonaws.com/", true),
            ("http://ecs.eu-west-1.amazonaws.com/", false),
            ("https://s3.inside.test/", false),
            ("https://inside.test/", false),
            ("https://10.1.2.3:9000/", false),
            ("https://11.1.2.3:9000/", true),
            ("https://localhost:9000/", false),
            ("https://127.0.0.1/", false),
            ("https://[::1]:9000/", false),
            ("http://169.254.169.254/", false),
        ] {
            assert_eq!(network.proxy_of(url).is_some(), is_through, "{url}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let proxy = network("").https.unwrap();
        assert_eq!(proxy.shown(), "http://proxy.test:3128");
        assert!(!format!("{proxy:?}").contains("hush"));
    }
}
