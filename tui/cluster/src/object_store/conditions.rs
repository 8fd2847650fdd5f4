//! The conditions of requests, as RFC 9110 (section 13) and S3 have them.

use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::description::Description;

/// On what an object is read.
#[derive(Debug, Default)]
pub(super) struct ReadConditions {
    pub(super) matches: Option<ETagCondition>,
    pub(super) none_matches: Option<ETagCondition>,
    pub(super) modified_since: Option<Timestamp>,
    pub(super) unmodified_since: Option<Timestamp>,
}

/// On what an object is written.
#[derive(Debug, Default, Clone)]
pub(super) struct WriteConditions {
    pub(super) matches: Option<ETagCondition>,
    pub(super) none_matches: Option<ETagCondition>,
}

impl ReadConditions {
    /// # Errors
    ///
    /// `PreconditionFailed`, or `NotModified`, which a copy reports as the former.
    pub(super) fn check(&self, object: &Description) -> S3Result<()> {
        let modified = object.stamp.modified_second();
        let holds = match (&self.matches, &self.unmodified_since) {
            (Some(condition), _) => is_met(condition, object),
            (None, Some(since)) => modified <= *since,
            (None, None) => true,
        };
        if !holds {
            return Err(failed());
        }
        let is_new = match (&self.none_matches, &self.modified_since) {
            (Some(condition), _) => !is_met(condition, object),
            (None, Some(since)) => modified > *since,
            (None, None) => true,
        };
        if is_new {
            Ok(())
        } else {
            Err(S3Error::new(S3ErrorCode::NotModified))
        }
    }
}

impl WriteConditions {
    /// Whether an object may take the place of what is `there`.
    ///
    /// # Errors
    ///
    /// `PreconditionFailed`; `NoSuchKey` if a version is named and there is none; `NotImplemented` for what S3 does not
    /// know either.
    pub(super) fn check(&self, there: Option<&Description>) -> S3Result<()> {
        match &self.none_matches {
            None => {}
            Some(ETagCondition::Any) if there.is_none() => {}
            Some(ETagCondition::Any) => return Err(failed()),
            Some(ETagCondition::ETag(_)) => {
                return Err(s3_error!(NotImplemented, "If-None-Match takes only *"));
            }
        }
        match (&self.matches, there) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (Some(condition), Some(object)) if is_met(condition, object) => Ok(()),
            (Some(_), Some(_)) => Err(failed()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.matches.is_none() && self.none_matches.is_none()
    }
}

fn is_met(condition: &ETagCondition, object: &Description) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    }
}

fn failed() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}
