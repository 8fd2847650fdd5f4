//! The SHA-256 that a request's signature has of its body: ours, since the SDK's own takes several times as long.

use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_s3::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use mrdeck_core::digest::Digest;

/// Computes the digest of bodies that are in memory. A request without a body stays as it is: a presigned one has no digest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PayloadDigest;

impl Intercept for PayloadDigest {
    fn name(&self) -> &'static str {
        "mrdeck payload digest"
    }

    fn read_before_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if cfg.load::<PayloadSigningOverride>().is_none()
            && let Some(body) = context.request().body().bytes()
            && !body.is_empty()
        {
            sign(cfg, Digest::of(body));
        }
        Ok(())
    }
}

/// The digest of one request's body, where it is known before. S3 refuses the request if it is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownDigest(pub Digest);

impl Intercept for KnownDigest {
    fn name(&self) -> &'static str {
        "mrdeck known payload digest"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        sign(cfg, self.0);
        Ok(())
    }
}

fn sign(cfg: &mut ConfigBag, digest: Digest) {
    let digest = PayloadSigningOverride::Precomputed(digest.to_string());
    cfg.interceptor_state().store_put(digest);
}
