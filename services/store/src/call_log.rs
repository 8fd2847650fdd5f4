//! Logs each call of an SDK client: which operation, how long, how it ended. Never what was sent or answered.

use std::time::Instant;

use aws_sdk_s3::config::interceptors::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use tracing::{Span, debug, debug_span};

/// An interceptor for the clients of all AWS SDKs. A call is a span, `aws_call`.
#[derive(Debug, Clone, Copy)]
pub struct CallLog;

/// A call in flight.
#[derive(Debug)]
struct Started {
    span: Span,
    at: Instant,
}

impl Storable for Started {
    type Storer = StoreReplace<Self>;
}

impl Intercept for CallLog {
    fn name(&self) -> &'static str {
        "mrdeck call log"
    }

    // The first hook at which a client's interceptor sees which operation it is.
    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = cfg.load::<Metadata>();
        let span = debug_span!(
            "aws_call",
            service = call.map(Metadata::service),
            operation = call.map(Metadata::name)
        );
        let at = Instant::now();
        cfg.interceptor_state().store_put(Started { span, at });
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Started { span, at }) = cfg.load::<Started>() else {
            return Ok(());
        };
        let attempts = cfg.load::<RequestAttempts>();
        let attempts = attempts.map_or(0, RequestAttempts::attempts);
        let took = at.elapsed();
        let is_success = matches!(context.output_or_error(), Some(Ok(_)));
        // Nothing without an answer.
        let status = context.response().map(|answer| answer.status().as_u16());
        span.in_scope(|| {
            if is_success {
                debug!(?took, attempts, "answered");
            } else {
                debug!(?took, attempts, status, "failed");
            }
        });
        Ok(())
    }
}
