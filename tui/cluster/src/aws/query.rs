//! A client for AWS services that have no SDK here: building an SDK for one operation takes minutes.
//!
//! Credentials, region, endpoint and the number of tries are the SDK's own (`SdkConfig`). The request is signed with
//! Signature Version 4. Two of AWS's protocols are spoken: query (a form in, XML out) and JSON 1.1.

use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_ecs::config::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use mrdeck_core::backoff::Backoff;
use mrdeck_core::causes::causes;
use mrdeck_store::aws::endpoint_of;
use mrdeck_store::refusal::{Refusal, refusal};
use mrdeck_store::unreadable;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;

use super::failure;
use mrdeck_core::diagnostic::Diagnostic;

const DEADLINE: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const JSON: &str = "application/x-amz-json-1.1";
/// Between two attempts.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(200),
    longest: DEADLINE,
};
/// The SDK's own default, where the profile and the environment name none.
const MAX_ATTEMPTS: u32 = 3;

/// A service, by the names that AWS gives it.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// In `AWS_ENDPOINT_URL_ID` and in messages: `EC2`.
    pub id: &'static str,
    /// In host names and signatures: `ec2`.
    pub name: &'static str,
    /// What the host name begins with; differs from `name` for a few services (`api.ecr`).
    pub host: &'static str,
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryError {
    /// It could not be signed or sent, or the answer could not be read.
    Failed(Diagnostic),
    Refused {
        code: String,
        message: String,
    },
    /// An error without a code: of something else than the service.
    Unexplained {
        status: u16,
        detail: String,
    },
}

impl QueryError {
    /// For a person: AWS did not do `what`.
    pub fn diagnostic(self, what: &str) -> Diagnostic {
        match self {
            Self::Failed(diagnostic) => diagnostic,
            Self::Refused { code, message } => failure::explain(what, "", &code, &message),
            Self::Unexplained { status, detail } => failure::unexplained(what, status, &detail),
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Failed(_) | Self::Unexplained { .. } => false,
            Self::Refused { code, .. } => {
                refusal(code) == Refusal::Throttled || code.starts_with("Internal")
            }
        }
    }
}

/// What came, whatever it is.
struct Answer {
    status: u16,
    content_type: Option<String>,
    body: String,
}

impl Answer {
    fn describe(&self) -> String {
        let content_type = self.content_type.as_deref();
        unreadable::describe(self.status, content_type, self.body.as_bytes())
    }

    fn unreadable(&self, service: Service, error: &dyn std::fmt::Display) -> QueryError {
        let detail = format!("{error} ({})", self.describe());
        QueryError::Failed(failure::unreadable(service.id, &detail))
    }
}

/// Makes signed calls with the session's credentials, region and endpoint.
#[derive(Clone)]
pub struct QueryClient {
    sdk: SdkConfig,
    http: reqwest::Client,
}

impl QueryClient {
    pub fn new(sdk: &SdkConfig, http: reqwest::Client) -> Self {
        Self {
            sdk: sdk.clone(),
            http,
        }
    }

    pub fn region(&self) -> &str {
        self.sdk.region().map_or("us-east-1", AsRef::as_ref)
    }

    /// Returns a client for another region, where what is asked about names one.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let sdk = self.sdk.clone().into_builder();
        Self {
            sdk: sdk.region(Region::new(region.to_owned())).build(),
            http: self.http.clone(),
        }
    }

    /// Makes a call in the query protocol: a form with `Action` and `Version` in, XML out.
    pub async fn query<T: DeserializeOwned>(
        &self,
        service: Service,
        form: &str,
    ) -> Result<T, QueryError> {
        let answer = self.retried(service, FORM, None, form).await?;
        quick_xml::de::from_str(&answer.body).map_err(|error| answer.unreadable(service, &error))
    }

    /// Makes a call in the JSON 1.1 protocol: `target` names the operation.
    pub async fn json<T: DeserializeOwned>(
        &self,
        service: Service,
        target: &str,
        request: &Value,
    ) -> Result<T, QueryError> {
        let answer = self
            .retried(service, JSON, Some(target), &request.to_string())
            .await?;
        serde_json::from_str(&answer.body).map_err(|error| answer.unreadable(service, &error))
    }

    /// Sends the request as often as the SDK's own clients would.
    async fn retried(
        &self,
        service: Service,
        content_type: &str,
        target: Option<&str>,
        body: &str,
    ) -> Result<Answer, QueryError> {
        let attempts = self
            .sdk
            .retry_config()
            .map_or(MAX_ATTEMPTS, RetryConfig::max_attempts);
        let mut retry = 0;
        loop {
            match self.send(service, content_type, target, body).await {
                Err(error) if error.is_transient() && retry + 1 < attempts => {}
                done => return done,
            }
            sleep(BACKOFF.pause(retry, fastrand::f64())).await;
            retry += 1;
        }
    }

    async fn send(
        &self,
        service: Service,
        content_type: &str,
        target: Option<&str>,
        body: &str,
    ) -> Result<Answer, QueryError> {
        let region = self.region();
        let url = endpoint_of(&self.sdk, service.id)
            .unwrap_or_else(|| default_endpoint(service.host, region));
        let mut headers = vec![("content-type", content_type)];
        headers.extend(target.map(|target| ("x-amz-target", target)));
        let signature = self.signature(service, &url, &headers, body).await?;
        let mut request = self.http.post(&url).timeout(DEADLINE);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        let unreachable = |error: reqwest::Error| {
            QueryError::Failed(Diagnostic::new(
                format!("{} can't be reached: {}", service.id, causes(&error)),
                "check the network, the region and --endpoint-url",
            ))
        };
        let answer = request
            .body(body.to_owned())
            .send()
            .await
            .map_err(unreachable)?;
        let status = answer.status();
        let content_type = answer.headers().get("content-type");
        let content_type = content_type.and_then(|kind| Some(kind.to_str().ok()?.to_owned()));
        let answer = Answer {
            status: status.as_u16(),
            content_type,
            body: answer.text().await.map_err(unreachable)?,
        };
        if status.is_success() {
            return Ok(answer);
        }
        Err(match refused(&answer.body) {
            (Some(code), message) => QueryError::Refused {
                code,
                message: message.unwrap_or_default(),
            },
            (None, _) => QueryError::Unexplained {
                status: answer.status,
                detail: answer.describe(),
            },
        })
    }

    async fn signature(
        &self,
        service: Service,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Vec<(String, String)>, QueryError> {
        let no_credentials = |detail: &str| QueryError::Failed(failure::credentials(detail));
        let provider = self
            .sdk
            .credentials_provider()
            .ok_or_else(|| no_credentials("there is no source of them"))?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| no_credentials(&causes(&error)))?;
        let identity = credentials.into();
        let unsignable = |detail: String| {
            QueryError::Failed(Diagnostic::new(
                format!("the request to {} can't be signed: {detail}", service.id),
                "check the region and --endpoint-url",
            ))
        };
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region())
            .name(service.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsignable(error.to_string()))?
            .into();
        let request = SignableRequest::new(
            "POST",
            url,
            headers.iter().copied(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .map_err(|error| unsignable(error.to_string()))?;
        let (instructions, _) = sign(request, &params)
            .map_err(|error| unsignable(error.to_string()))?
            .into_parts();
        Ok(instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

/// Returns where AWS itself serves; `host` is what the service's host name begins with.
pub fn default_endpoint(host: &str, region: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://{host}.{region}.{domain}/")
}

/// Reads the code and the message of a refusal, in whichever of the three shapes AWS gives them.
fn refused(body: &str) -> (Option<String>, Option<String>) {
    if let Ok(json) = serde_json::from_str::<Value>(body) {
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        // `com.amazonaws.logs#ResourceNotFoundException`, or without what stands before the #.
        let code = text("__type").map(|code| match code.rsplit_once('#') {
            Some((_, code)) => code.to_owned(),
            None => code,
        });
        return (code, text("message").or_else(|| text("Message")));
    }
    let document: RefusedXml = quick_xml::de::from_str(body).unwrap_or_default();
    let error = document.error.unwrap_or(document.errors.error);
    (error.code, error.message)
}

/// `Response/Errors/Error` of EC2, `ErrorResponse/Error` of the others.
#[derive(Debug, Default, Deserialize)]
struct RefusedXml {
    #[serde(rename = "Errors", default)]
    errors: Errors,
    #[serde(rename = "Error")]
    error: Option<RefusedBecause>,
}

#[derive(Debug, Default, Deserialize)]
struct Errors {
    #[serde(rename = "Error", default)]
    error: RefusedBecause,
}

#[derive(Debug, Default, Deserialize)]
struct RefusedBecause {
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(rename = "Message")]
    message: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mrdeck_store::aws::{AwsOptions, Credentials, sdk_config};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::ec2::EC2;
    use super::*;

    const BODY: &str = "\"body\"";

    /// Answers one request after another, each on a connection of its own; gives how many there were.
    async fn serve(listener: TcpListener, answers: &[(u16, &str)]) -> usize {
        for (served, (status, body)) in answers.iter().enumerate() {
            let Ok(accepted) =
                tokio::time::timeout(Duration::from_secs(5), listener.accept()).await
            else {
                return served;
            };
            let mut socket = accepted.unwrap().0;
            let mut request = Vec::new();
            while !request.ends_with(BODY.as_bytes()) {
                assert!(socket.read_buf(&mut request).await.unwrap() > 0);
            }
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
        answers.len()
    }

    async fn asked(answers: &[(u16, &str)]) -> (Result<Value, QueryError>, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = AwsOptions {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(format!("http://{}", listener.local_addr().unwrap())),
            credentials: Some(Credentials::new("key", "secret", None, None, "test")),
            ..AwsOptions::default()
        };
        let sdk = sdk_config(&options).await;
        // Fails if another test was first, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = QueryClient::new(&sdk, mrdeck_client::http_client().unwrap());
        let body = Value::from("body");
        let asking = client.json(EC2, "Operation", &body);
        tokio::join!(asking, serve(listener, answers))
    }

    #[tokio::test]
    async fn what_is_throttled_is_asked_again_and_what_is_denied_is_not() {
        let throttled = (400, r#"{"__type":"ThrottlingException"}"#);
        let (answer, served) = asked(&[throttled, throttled, (200, "7")]).await;
        assert_eq!((answer, served), (Ok(Value::from(7)), 3));
        let (answer, _) = asked(&[throttled; 3]).await;
        assert!(
            matches!(answer, Err(QueryError::Refused { .. })),
            "{answer:?}"
        );
        let denied = (403, r#"{"__type":"AccessDeniedException"}"#);
        let (answer, _) = asked(&[denied]).await;
        assert!(
            matches!(answer, Err(QueryError::Refused { .. })),
            "{answer:?}"
        );
    }

    #[test]
    fn every_shape_of_refusal_is_read() {
        for body in [
            "<Response><Errors><Error><Code>C</Code><Message>m</Message></Error></Errors></Response>",
            "<ErrorResponse><Error><Type>Sender</Type><Code>C</Code><Message>m</Message></Error></ErrorResponse>",
            r#"{"__type":"com.amazonaws.x#C","message":"m"}"#,
            r#"{"__type":"C","Message":"m"}"#,
        ] {
            let expected = (Some("C".to_owned()), Some("m".to_owned()));
            assert_eq!(refused(body), expected, "{body}");
        }
        assert_eq!(refused("<html>"), (None, None));
    }

    #[test]
    fn china_has_a_domain_of_its_own() {
        assert_eq!(
            default_endpoint("ec2", "eu-west-1"),
            "https://ec2.eu-west-1.amazonaws.com/"
        );
        assert!(default_endpoint("ec2", "cn-north-1").ends_with(".amazonaws.com.cn/"));
    }
}
