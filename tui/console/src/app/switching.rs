//! `:cluster`, `:profile`, `:region`: the dashboard goes elsewhere and can come back.

use super::event_log::Level;
use super::state::{Activity, Effect, Link, Panel, State};
use crate::switch::{Kind, Switch};
use mrdeck_cluster::aws::lookup::NameSource;
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskList;

impl State {
    pub(super) fn switch(&mut self, switch: Switch) -> Result<Vec<Effect>, Diagnostic> {
        let place = self.place.switched(&switch)?;
        if self.activity != Activity::Idle {
            return Err(Diagnostic::new(
                "a run is in flight here",
                "x cancels it; switch then, or once it is done",
            ));
        }
        if self.scaling.is_some() {
            return Err(Diagnostic::new(
                "tasks are being started or stopped here",
                "switch once that is done: the events say how far it is",
            ));
        }
        let text = match &switch {
            Switch::Cluster(name) => format!("going to cluster {name}"),
            Switch::Profile(Some(name)) => format!("using profile {name}"),
            Switch::Profile(None) => "using the credentials the AWS SDK finds".to_owned(),
            Switch::Region(Some(name)) => format!("going to region {name}"),
            Switch::Region(None) => "going to the region the AWS SDK finds".to_owned(),
        };
        self.log.add(self.now, Level::Info, text.clone());
        self.flash(Level::Info, text);
        self.place = place;
        self.known.forget();
        // The run's record stays: what it found holds wherever one is.
        self.tasks = TaskList::default();
        // What it shows is of the S3 before.
        self.browser = None;
        self.cursors[Panel::Tasks as usize] = 0;
        self.link = Link::Connecting;
        Ok(vec![Effect::Switch(switch)])
    }

    /// There is no cluster here: how does one get back to where there was one?
    pub(super) fn say_the_way_back(&mut self, diagnostic: &Diagnostic) {
        let Some(last_up) = &self.last_up else {
            return;
        };
        let way: Vec<String> = self
            .place
            .way_to(last_up)
            .iter()
            .map(ToString::to_string)
            .collect();
        if !way.is_empty() {
            let text = format!("{}; {} goes back", diagnostic.cause, way.join(" and "));
            self.flash(Level::Error, text);
        }
    }

    pub(super) fn named(&mut self, places: NameSource, names: Result<Vec<String>, Diagnostic>) {
        let known = self.known.of_mut(places);
        match names {
            Ok(found) => known.found = found,
            Err(diagnostic) => known.diagnostic = Some(diagnostic),
        }
    }

    /// What the header calls the place that is not reached yet, or no more.
    pub fn goal(&self) -> Option<&str> {
        match &self.place.kind {
            Kind::Ecs(name) => Some(name),
            Kind::Local | Kind::Fixed => None,
        }
    }
}
