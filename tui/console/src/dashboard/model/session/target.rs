//! What the console connects to, and the switches to another cluster, profile or region.

use std::fmt;

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::shell::quoted;

/// What is switched to. `None` leaves the choice to the AWS SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    Cluster(String),
    Profile(Option<String>),
    Region(Option<String>),
}

/// As it is typed.
impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_auto = |name: &Option<String>| name.clone().unwrap_or_else(|| AUTO.to_owned());
        match self {
            Self::Cluster(name) => write!(f, ":cluster {name}"),
            Self::Profile(name) => write!(f, ":profile {}", or_auto(name)),
            Self::Region(name) => write!(f, ":region {}", or_auto(name)),
        }
    }
}

/// The word for the AWS SDK's own choice.
pub const AUTO: &str = "auto";

/// The kind of cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TargetKind {
    #[default]
    Local,
    Fixed,
    /// By its name.
    Ecs(String),
}

/// What the console is connected to, or tries to reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    pub kind: TargetKind,
    pub profile: Option<String>,
    pub region: Option<String>,
}

impl Target {
    /// Returns the target after a switch.
    ///
    /// # Errors
    ///
    /// Returns why this console can't switch so, and what to start instead.
    pub fn switched(&self, switch: &Switch) -> Result<Self, Diagnostic> {
        let mut target = self.clone();
        match (&self.kind, switch) {
            (TargetKind::Local, _) => {
                return Err(Diagnostic::new(
                    "this console runs a local cluster",
                    "start another console: mrdeck --cluster NAME",
                ));
            }
            (TargetKind::Fixed, Switch::Cluster(name)) => {
                return Err(Diagnostic::new(
                    "this console uses services at fixed addresses",
                    format!("start another console: mrdeck --cluster {}", quoted(name)),
                ));
            }
            (TargetKind::Ecs(_), Switch::Cluster(name)) => {
                target.kind = TargetKind::Ecs(name.clone());
            }
            (_, Switch::Profile(name)) => target.profile.clone_from(name),
            (_, Switch::Region(name)) => target.region.clone_from(name),
        }
        Ok(target)
    }

    /// Returns the cluster's name where it has one before it is reached.
    pub fn cluster(&self) -> Option<&str> {
        match &self.kind {
            TargetKind::Ecs(name) => Some(name),
            TargetKind::Local | TargetKind::Fixed => None,
        }
    }

    /// Returns the switches that lead to `other`.
    pub fn way_to(&self, other: &Self) -> Vec<Switch> {
        let mut way = Vec::new();
        if self.profile != other.profile {
            way.push(Switch::Profile(other.profile.clone()));
        }
        if self.region != other.region {
            way.push(Switch::Region(other.region.clone()));
        }
        if let (TargetKind::Ecs(here), TargetKind::Ecs(there)) = (&self.kind, &other.kind)
            && here != there
        {
            way.push(Switch::Cluster(there.clone()));
        }
        way
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn ecs(name: &str) -> Target {
        Target {
            kind: TargetKind::Ecs(name.to_owned()),
            ..Target::default()
        }
    }

    #[test]
    fn the_way_back_undoes_every_switch() {
        let began = ecs("mr");
        let switches = [
            Switch::Profile(Some("work".to_owned())),
            Switch::Region(Some("eu-west-1".to_owned())),
            Switch::Cluster("other".to_owned()),
        ];
        let mut target = began.clone();
        for switch in &switches {
            target = target.switched(switch).unwrap();
        }
        let way: Vec<String> = target
            .way_to(&began)
            .iter()
            .map(Switch::to_string)
            .collect();
        assert_eq!(way, [":profile auto", ":region auto", ":cluster mr"]);
        for switch in target.way_to(&began) {
            target = target.switched(&switch).unwrap();
        }
        assert_eq!(target, began);
        assert_eq!(target.way_to(&began), []);
    }

    #[test]
    fn what_is_not_on_ecs_says_why_it_stays() {
        let cluster = Switch::Cluster("mr".to_owned());
        let refused = Target::default().switched(&cluster).unwrap_err();
        assert!(refused.cause.contains("local cluster"), "{refused}");
        let fixed = Target {
            kind: TargetKind::Fixed,
            ..Target::default()
        };
        assert!(fixed.switched(&cluster).is_err());
        let profile = Switch::Profile(Some("work".to_owned()));
        let target = fixed.switched(&profile).unwrap();
        assert_eq!(target.profile.as_deref(), Some("work"));
    }
}
