//! Addresses that must prove what serves there before they get work: those that failed, and those that changed hands.

use std::collections::{HashMap, HashSet};

use mrdeck_core::task::TaskId;

/// What is known of the addresses of a run, across its phases.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    in_doubt: HashSet<String>,
    owners: HashMap<String, TaskId>,
    /// Those that named themselves as one of our services: from then on they have to.
    named: HashSet<String>,
}

impl Identities {
    /// Returns whether the service has to prove what it is before a request goes there.
    pub(crate) fn needs_verification(&mut self, address: &str, task: &TaskId) -> bool {
        let before = self.owners.insert(address.to_owned(), task.clone());
        if before.is_some_and(|before| before != *task) {
            self.in_doubt.insert(address.to_owned());
        }
        self.in_doubt.contains(address)
    }

    /// The connection failed: what answers there next may be something else.
    pub(crate) fn failed(&mut self, address: &str) {
        self.in_doubt.insert(address.to_owned());
    }

    /// It answered as it should; `is_named` when it said that it is one of our services.
    pub(crate) fn answered(&mut self, address: &str, is_named: bool) {
        self.in_doubt.remove(address);
        if is_named {
            self.named.insert(address.to_owned());
        }
    }

    pub(crate) fn must_be_named(&self, address: &str) -> bool {
        self.named.contains(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_doubted_after_a_failure_and_with_a_new_owner() {
        let mut identities = Identities::default();
        let (first, second) = (TaskId("a".to_owned()), TaskId("b".to_owned()));
        assert!(
            !identities.needs_verification("h:1", &first),
            "new ones are not"
        );
        identities.failed("h:1");
        assert!(identities.needs_verification("h:1", &first));
        identities.answered("h:1", true);
        assert!(!identities.needs_verification("h:1", &first));
        assert!(
            identities.needs_verification("h:1", &second),
            "another task's now"
        );
        assert!(
            identities.needs_verification("h:1", &second),
            "until it has answered"
        );
        assert!(identities.must_be_named("h:1") && !identities.must_be_named("h:2"));
    }
}
