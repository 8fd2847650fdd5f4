//! What one check found: what was checked, its status, and what to do if something is wrong.

use serde::Serialize;

use mrdeck_core::diagnostic::{Diagnostic, DiagnosticKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    Ok,
    /// A run is still possible.
    Warning,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub status: CheckStatus,
    pub found: String,
    /// What to do; `None` if nothing is wrong, or if an earlier finding says it.
    pub advice: Option<String>,
    #[serde(skip)]
    pub kind: DiagnosticKind,
}

impl Finding {
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            status: CheckStatus::Ok,
            found: found.into(),
            advice: None,
            kind: DiagnosticKind::Other,
        }
    }

    pub fn warning(check: &'static str, diagnostic: Diagnostic) -> Self {
        Self {
            status: CheckStatus::Warning,
            ..Self::failed(check, diagnostic)
        }
    }

    pub fn failed(check: &'static str, diagnostic: Diagnostic) -> Self {
        Self {
            check,
            status: CheckStatus::Failed,
            found: diagnostic.cause,
            advice: Some(diagnostic.advice).filter(|advice| !advice.is_empty()),
            kind: diagnostic.kind,
        }
    }

    /// Returns the finding without what `earlier` ones have said: one cause is reported once, with its advice.
    #[must_use]
    pub(super) fn after(self, earlier: &[Self]) -> Self {
        if self.status == CheckStatus::Ok {
            return self;
        }
        let is_same = |other: &&Self| {
            other.status == CheckStatus::Failed
                && (other.found == self.found
                    || other.kind == DiagnosticKind::Credentials && other.kind == self.kind)
        };
        match earlier.iter().find(is_same) {
            Some(first) => Self {
                found: format!("unknown because of {}: see above", first.check),
                advice: None,
                ..self
            },
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_is_reported_once() {
        let expired =
            |text| Diagnostic::new(text, "renew them").of_kind(DiagnosticKind::Credentials);
        let first = Finding::failed("credentials", expired("expired"));
        let second = Finding::failed("cluster", expired("the token is too old"));
        let second = second.after(std::slice::from_ref(&first));
        assert_eq!(second.status, CheckStatus::Failed);
        assert_eq!(second.found, "unknown because of credentials: see above");
        assert_eq!(second.advice, None);

        let other = Finding::failed("bucket readable", Diagnostic::new("no bucket", "check it"));
        let kept = other.clone().after(&[first, second]);
        assert_eq!(kept, other);
        let again = Finding::failed("bucket writable", Diagnostic::new("no bucket", "check it"));
        assert!(again.after(&[kept]).found.contains("bucket readable"));
    }

    #[test]
    fn what_is_well_stays_as_it_is() {
        let same = Finding::ok("clock", "same");
        let failed = Finding::failed("cluster", Diagnostic::new("same", ""));
        assert_eq!(same.clone().after(&[failed]), same);
    }
}
