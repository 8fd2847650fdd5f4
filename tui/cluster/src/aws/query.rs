//! A client for AWS services that have no SDK here: building an SDK for one operation takes minutes.
//!
//! Credentials, region, endpoint and the number of tries are the SDK's own (`SdkConfig`). The request is signed with
//! Signature Version 4. Two of AWS's protocols are spoken: query (a form in, XML out) and JSON 1.1.

use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use mrdeck_core::backoff::Backoff;
use mrdeck_store::aws::endpoint_of;
use mrdeck_store::unreadable;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;
use tracing::{Instrument, debug, debug_span};

use super::error::QueryError;
use super::error_body::ErrorBody;
use super::signature::sign;

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
        let service = service.id;
        QueryError::Unreadable { service, detail }
    }
}

/// Makes signed calls with the session's credentials, region and endpoint.
#[derive(Clone)]
pub struct QueryClient {
    sdk: SdkConfig,
    http: reqwest::Client,
}

impl QueryClient {
    /// Takes credentials, region, endpoint and the number of attempts from the SDK's configuration.
    pub fn new(sdk: &SdkConfig, http: reqwest::Client) -> Self {
        Self {
            sdk: sdk.clone(),
            http,
        }
    }

    /// Returns the region that calls go to.
    pub fn region(&self) -> &str {
        region(&self.sdk)
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
    ///
    /// # Errors
    ///
    /// Returns why there is no answer, or what came that is none.
    pub async fn query<T: DeserializeOwned>(
        &self,
        service: Service,
        form: &str,
    ) -> Result<T, QueryError> {
        let action = form
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="));
        let call = self.retried(service, FORM, None, form);
        let answer = logged(service, action.unwrap_or_default(), call).await?;
        quick_xml::de::from_str(&answer.body).map_err(|error| answer.unreadable(service, &error))
    }

    /// Makes a call in the JSON 1.1 protocol: `target` names the operation.
    ///
    /// # Errors
    ///
    /// Returns why there is no answer, or what came that is none.
    pub async fn json<T: DeserializeOwned>(
        &self,
        service: Service,
        target: &str,
        request: &Value,
    ) -> Result<T, QueryError> {
        let request = request.to_string();
        let call = self.retried(service, JSON, Some(target), &request);
        let answer = logged(service, target, call).await?;
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
                Err(error) if is_transient(&error) && retry + 1 < attempts => {}
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
        let signature = sign(&self.sdk, service, &url, &headers, body).await?;
        let mut request = self.http.post(&url).timeout(DEADLINE);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        let unreachable = |error: reqwest::Error| QueryError::Unreachable {
            service: service.id,
            source: error.into(),
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
        Err(match ErrorBody::read(&answer.body) {
            ErrorBody {
                code: Some(code),
                message,
            } => QueryError::Refused {
                code,
                message: message.unwrap_or_default(),
            },
            ErrorBody { code: None, .. } => QueryError::Unexplained {
                status: answer.status,
                detail: answer.describe(),
            },
        })
    }
}

/// Makes a call in a span of its own, and logs how it ended: never what was sent or answered.
async fn logged<T>(
    service: Service,
    operation: &str,
    call: impl Future<Output = Result<T, QueryError>>,
) -> Result<T, QueryError> {
    let at = Instant::now();
    let called = async {
        let ended = call.await;
        let took = at.elapsed();
        match ended.as_ref().map_err(QueryError::code) {
            Ok(_) => debug!(?took, "answered"),
            Err(Some(code)) => debug!(?took, %code, "failed"),
            Err(None) => debug!(?took, "failed"),
        }
        ended
    };
    let span = debug_span!("aws_call", service = service.id, operation);
    called.instrument(span).await
}

pub(super) fn region(sdk: &SdkConfig) -> &str {
    sdk.region().map_or("us-east-1", AsRef::as_ref)
}

fn is_transient(error: &QueryError) -> bool {
    error.is_throttled()
        || error
            .code()
            .is_some_and(|code| code.starts_with("Internal"))
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

    async fn asked(answers: &[(u16, &str)]) -> (Result<Value, String>, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = AwsOptions {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(format!("http://{}", listener.local_addr().unwrap())),
            credentials: Some(Credentials::new("key", "secret", None, None, "test")),
            ..AwsOptions::default()
        };
        let sdk = sdk_config(&options).await.unwrap();
        let client = QueryClient::new(&sdk, mrdeck_client::http_client(None).unwrap());
        let body = Value::from("body");
        let asking = client.json(EC2, "Operation", &body);
        let (answer, served) = tokio::join!(asking, serve(listener, answers));
        (answer.map_err(|error| error.to_string()), served)
    }

    #[tokio::test]
    async fn what_is_throttled_is_asked_again_and_what_is_denied_is_not() {
        let throttled = (400, r#"{"__type":"ThrottlingException"}"#);
        let (answer, served) = asked(&[throttled, throttled, (200, "7")]).await;
        assert_eq!((answer, served), (Ok(Value::from(7)), 3));
        let (answer, _) = asked(&[throttled; 3]).await;
        assert_eq!(answer, Err(" (ThrottlingException)".to_owned()));
        let denied = (403, r#"{"__type":"AccessDeniedException"}"#);
        let (answer, _) = asked(&[denied]).await;
        assert_eq!(answer, Err(" (AccessDeniedException)".to_owned()));
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
