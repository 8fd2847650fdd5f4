//! What a proxy does to a request, as data.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::proxy::rule::{Filter, Rule};
use crate::proxy::script::Gate;

/// A change to the JSON that a service answered.
type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// What happens to a request.
#[derive(Clone)]
pub enum Fault {
    /// It is handed on, and the answer back, as if there were no proxy.
    Pass,
    /// This is answered; the service is not asked.
    Answer { status: u16, body: String },
    /// Nothing is ever answered; the connection stays open.
    Silence,
    /// The connection is closed without a byte; the service is not asked.
    Close,
    /// The service is asked; half of its answer comes, then the connection is closed.
    Cut,
    /// The service is asked and does its work, but its answer is lost.
    LoseAnswer,
    /// The service is asked only once the gate opens.
    Hold(Gate),
    /// The service is asked; its answer comes once the gate opens.
    HoldAnswer(Gate),
    /// The service is asked, and its answer's JSON changed.
    Edit(Change),
    /// AWS's answer comes in pages, as its list of this name does: moto gives it whole, whatever its length.
    Paged { list: &'static str, size: usize },
    /// The service is asked; its answer says that this is the time.
    At(&'static str),
    /// The service is asked as if it knew no extension (no run, chunk, attempt, mode), and its answer has only
    /// the fields that the lab's services send. Its errors are plain text.
    Plain,
    /// The service is asked after this long.
    Delay(Duration),
    /// The service is asked; its answer takes so many times as long as it took.
    Slow(f64),
    /// The service is asked; its answer comes in so many pieces, with this pause before each.
    Drip { pieces: usize, pause: Duration },
    /// The service is asked twice at a time; one of the answers comes.
    Twice,
    /// One bit of what the service is sent is another.
    FlipRequest,
    /// One bit of what the service answers is another.
    FlipAnswer,
    /// Half of the answer's body comes, and its length says that this was all.
    Shorten,
    /// The service hears half of the request's head and no more.
    HalfRequest,
    /// Another service is asked, which is now at this address.
    Redirect(SocketAddr),
    /// The service is asked with the last parameter of this name given twice.
    Repeat(String),
    /// The service is asked without the last parameter of this name.
    Omit(String),
    /// The service says that it is of this version.
    Version(String),
}

impl Fault {
    pub fn answer(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::Answer { status, body }
    }

    /// S3 refuses with this code, in the words it has for it.
    pub fn s3(code: &str) -> Self {
        let status = match code {
            "PreconditionFailed" => 412,
            "ConditionalRequestConflict" | "OperationAborted" => 409,
            "AccessDenied"
            | "InvalidAccessKeyId"
            | "RequestTimeTooSkewed"
            | "SignatureDoesNotMatch" => 403,
            "BadDigest" | "ExpiredToken" | "RequestTimeout" => 400,
            "SlowDown" | "ServiceUnavailable" => 503,
            "InternalError" => 500,
            other => panic!("which status has {other}?"),
        };
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
             <Message>{code} for a test</Message><RequestId>0</RequestId></Error>"
        );
        Self::Answer { status, body }
    }

    pub fn edit(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Edit(Arc::new(change))
    }

    /// For every request that is work (`/health` is left alone), until narrowed down.
    pub fn always(self) -> Rule {
        Rule::new(Filter::default(), self)
    }

    /// For an operation of AWS, such as `ListTasks`.
    pub fn aws(self, operation: &str) -> Rule {
        let operation = Some(operation.to_owned());
        self.when(Filter {
            operation,
            ..Filter::default()
        })
    }

    pub fn on(self, service: &str) -> Rule {
        let between = Some(service.to_owned());
        self.when(Filter {
            between,
            ..Filter::default()
        })
    }

    pub fn at(self, path: &str) -> Rule {
        let path = Some(path.to_owned());
        self.when(Filter {
            path,
            ..Filter::default()
        })
    }

    pub fn when(self, filter: Filter) -> Rule {
        Rule::new(filter, self)
    }
}
