//! The parameters of the query string, validated as they are read.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;

use super::error::Error;
use crate::config::Config;
use mrdeck_core::api::AttemptParams;
use mrdeck_core::uri::S3Uri;

/// The parameters as received; unknown ones are ignored.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    pub fn from_uri(uri: &Uri) -> Result<Self, Error> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
        query
            .map(|Query(pairs)| Self(pairs))
            .map_err(|e| Error::BadQuery {
                detail: e.body_text(),
            })
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter that may be given once.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, Error> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() {
            Err(Error::DuplicateParameter { name })
        } else {
            Ok(value)
        }
    }

    /// Returns the parameter `s3`: an object in a bucket that the service may access.
    pub fn input(&self, config: &Config) -> Result<S3Uri, Error> {
        let text = self
            .one("s3")?
            .filter(|text| !text.is_empty())
            .ok_or(Error::MissingS3)?;
        object(text, config)
    }

    /// Returns the attempt that the request belongs to, if it names a run.
    pub fn attempt(&self) -> Result<Option<Attempt>, Error> {
        let (run, chunk) = (self.id("run")?, self.id("chunk")?);
        let (named_number, plan) = (self.id("attempt")?, self.id("plan")?);
        Ok(run.map(|run| Attempt {
            run,
            chunk,
            named_number,
            plan,
        }))
    }

    /// Returns an id that is valid as a part of a key.
    fn id(&self, name: &'static str) -> Result<Option<String>, Error> {
        let Some(value) = self.one(name)? else {
            return Ok(None);
        };
        let fits = (1..=64).contains(&value.len())
            && value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits {
            Ok(Some(value.to_owned()))
        } else {
            Err(Error::BadAttempt {
                name,
                value: value.to_owned(),
            })
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::from_uri(&parts.uri)
    }
}

/// Parses the address of an object from a caller; its bucket must be one that the service may access.
pub fn object(text: &str, config: &Config) -> Result<S3Uri, Error> {
    let uri: S3Uri = text.parse()?;
    if config.allows(&uri) {
        Ok(uri)
    } else {
        Err(Error::BucketNotAllowed { uri })
    }
}

/// The attempt that `run`, `chunk`, `attempt` and `plan` name; each is valid as a part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub run: String,
    pub chunk: Option<String>,
    /// The number as the request gave it; see [`Attempt::number`].
    pub named_number: Option<String>,
    pub plan: Option<String>,
}

impl Attempt {
    /// Returns the number of the attempt, by default the first.
    pub fn number(&self) -> &str {
        self.named_number.as_deref().unwrap_or("1")
    }

    /// Returns the attempt exactly as the caller named it.
    pub fn named(&self) -> AttemptParams {
        AttemptParams {
            run: Some(self.run.clone()),
            chunk: self.chunk.clone(),
            attempt: self.named_number.clone(),
            plan: self.plan.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn params(query: &str) -> Params {
        Params::from_uri(&format!("/x?{query}").parse().unwrap()).unwrap()
    }

    #[test]
    fn a_parameter_twice_is_refused_and_a_list_is_kept_in_order() {
        let params = params("s3=a&in=x&in=y&s3=b");
        assert!(matches!(
            params.one("s3"),
            Err(Error::DuplicateParameter { name: "s3" })
        ));
        assert_eq!(params.all("in").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(params.one("none").unwrap(), None);
    }

    #[test]
    fn values_are_decoded() {
        let params = params("s3=s3%3A%2F%2Fb%2Fa%20b+c%2Bd");
        assert_eq!(params.one("s3").unwrap(), Some("s3://b/a b c+d"));
    }

    #[test]
    fn an_attempt_needs_a_run_and_counts_from_one() {
        let without_run = params("chunk=00&attempt=2&plan=P").attempt().unwrap();
        assert_eq!(without_run, None);
        let attempt = params("run=R-1_x").attempt().unwrap().unwrap();
        assert_eq!(attempt.number(), "1");
        let named = AttemptParams {
            run: Some("R-1_x".to_owned()),
            ..AttemptParams::default()
        };
        assert_eq!(attempt.named(), named);
    }

    #[test]
    fn an_attempt_comes_back_as_it_was_named() {
        let attempt = params("plan=P-9&attempt=02&chunk=007&run=R").attempt();
        let attempt = attempt.unwrap().unwrap();
        assert_eq!(attempt.number(), "02");
        let named = AttemptParams {
            run: Some("R".to_owned()),
            chunk: Some("007".to_owned()),
            attempt: Some("02".to_owned()),
            plan: Some("P-9".to_owned()),
        };
        assert_eq!(attempt.named(), named);
    }

    #[test]
    fn what_is_no_id_is_refused_with_or_without_a_run() {
        let long = "x".repeat(65);
        for query in [
            "run=",
            "run=a/b",
            "run=..",
            "chunk=a%20b",
            "run=r&attempt=%C3%A9",
            "plan=a/b",
            "run=r&plan=",
            &format!("run={long}"),
        ] {
            assert!(
                matches!(params(query).attempt(), Err(Error::BadAttempt { .. })),
                "{query}"
            );
        }
    }
}
