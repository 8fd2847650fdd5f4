//! A user agent that says nothing of the environment: the SDK's own contains `AWS_EXECUTION_ENV`.

use aws_runtime::user_agent::{ApiMetadata, AwsUserAgent};
use aws_sdk_s3::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_types::os_shim_internal::Env;

/// An interceptor that comes before the SDK's own, which keeps a user agent that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainUserAgent;

impl Intercept for PlainUserAgent {
    fn name(&self) -> &'static str {
        "mrdeck user agent"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(api) = cfg.load::<ApiMetadata>().cloned() else {
            return Ok(());
        };
        let agent = AwsUserAgent::new_from_environment(Env::from_slice(&[]), api);
        cfg.interceptor_state().store_put(agent);
        Ok(())
    }
}
