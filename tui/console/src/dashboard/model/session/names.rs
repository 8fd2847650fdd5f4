//! The names of profiles, regions and clusters, as far as they were looked up.

use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_core::diagnostic::Diagnostic;

/// What is known of the names of one kind.
#[derive(Debug, Clone, Default)]
struct Known {
    found: Vec<String>,
    is_asked: bool,
    diagnostic: Option<Diagnostic>,
}

/// Names that a switch can be completed with.
#[derive(Debug, Clone)]
pub struct Names {
    known: [Known; 3],
    /// A local cluster is never left for another.
    is_local: bool,
}

impl Names {
    pub(super) fn new(is_local: bool) -> Self {
        Self {
            known: Default::default(),
            is_local,
        }
    }

    pub fn found(&self, places: NameSource) -> &[String] {
        &self.of(places).found
    }

    /// Returns why there may be no names.
    pub fn note(&self, places: NameSource) -> Option<String> {
        let known = self.of(places);
        if self.is_local {
            Some("this console runs a local cluster; start another for AWS".to_owned())
        } else if let Some(diagnostic) = &known.diagnostic {
            Some(diagnostic.cause.clone())
        } else if known.is_asked && known.found.is_empty() {
            Some("asking …".to_owned())
        } else {
            None
        }
    }

    /// Returns whether these names are to be looked up now, which they are once while a line is typed.
    pub(in crate::dashboard::model) fn ask(&mut self, places: NameSource) -> bool {
        let is_new = !self.is_local && !self.of(places).is_asked;
        self.of_mut(places).is_asked |= is_new;
        is_new
    }

    /// Has all names looked up again when they are next needed; those that were found stay until then.
    pub(in crate::dashboard::model) fn ask_again(&mut self) {
        for known in &mut self.known {
            known.is_asked = false;
            known.diagnostic = None;
        }
    }

    pub(in crate::dashboard::model) fn found_names(
        &mut self,
        places: NameSource,
        names: Result<Vec<String>, Diagnostic>,
    ) {
        let known = self.of_mut(places);
        match names {
            Ok(found) => known.found = found,
            Err(diagnostic) => known.diagnostic = Some(diagnostic),
        }
    }

    /// Drops all names: there are others after a switch.
    pub(super) fn forget(&mut self) {
        self.known = Default::default();
    }

    fn of(&self, places: NameSource) -> &Known {
        &self.known[places as usize]
    }

    fn of_mut(&mut self, places: NameSource) -> &mut Known {
        &mut self.known[places as usize]
    }
}
