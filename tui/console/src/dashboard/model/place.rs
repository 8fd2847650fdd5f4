//! Another cluster, profile or region without a restart: which switches there are, and what each makes of where one is.

use std::fmt;

use crate::config::Config;
use mrdeck_cluster::settings::Backend;
use mrdeck_core::diagnostic::Diagnostic;

/// What can be another from now on. `None` leaves it to the AWS SDK's own search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    Cluster(String),
    Profile(Option<String>),
    Region(Option<String>),
}

/// As one would type it.
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

/// What kind of cluster the console is at, or tries to reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Local,
    Fixed,
    /// By the name it was asked for.
    Ecs(String),
}

/// Where the console is, or tries to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub kind: Kind,
    pub profile: Option<String>,
    pub region: Option<String>,
}

impl Place {
    /// The same with one thing changed, if that is possible from here.
    pub fn switched(&self, switch: &Switch) -> Result<Self, Diagnostic> {
        let mut place = self.clone();
        match (&self.kind, switch) {
            (Kind::Local, _) => {
                return Err(Diagnostic::new(
                    "this console runs a local cluster, which would have to end",
                    "start another one for AWS: mrdeck --cluster NAME",
                ));
            }
            (Kind::Fixed, Switch::Cluster(name)) => {
                return Err(Diagnostic::new(
                    "this console works with services at fixed addresses",
                    format!("start another one for the cluster: mrdeck --cluster {name}"),
                ));
            }
            (Kind::Ecs(_), Switch::Cluster(name)) => place.kind = Kind::Ecs(name.clone()),
            (_, Switch::Profile(name)) => place.profile.clone_from(name),
            (_, Switch::Region(name)) => place.region.clone_from(name),
        }
        Ok(place)
    }

    /// What to type to be at `other` again.
    pub fn way_to(&self, other: &Self) -> Vec<Switch> {
        let mut way = Vec::new();
        if self.profile != other.profile {
            way.push(Switch::Profile(other.profile.clone()));
        }
        if self.region != other.region {
            way.push(Switch::Region(other.region.clone()));
        }
        if let (Kind::Ecs(here), Kind::Ecs(there)) = (&self.kind, &other.kind)
            && here != there
        {
            way.push(Switch::Cluster(there.clone()));
        }
        way
    }
}

impl Config {
    pub fn place(&self) -> Place {
        Place {
            kind: match &self.connect.backend {
                Backend::Local { .. } => Kind::Local,
                Backend::Fixed(_) => Kind::Fixed,
                Backend::Ecs(settings) => Kind::Ecs(settings.cluster.clone()),
            },
            profile: self.connect.aws.profile.clone(),
            region: self.connect.aws.region.clone(),
        }
    }

    /// The same settings for another place.
    pub fn switch(&mut self, switch: Switch) {
        match switch {
            Switch::Cluster(name) => {
                if let Backend::Ecs(settings) = &mut self.connect.backend {
                    settings.cluster = name;
                }
            }
            Switch::Profile(name) => self.connect.aws.profile = name,
            Switch::Region(name) => self.connect.aws.region = name,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn ecs(name: &str) -> Place {
        Place {
            kind: Kind::Ecs(name.to_owned()),
            ..Place::default()
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
        let mut place = began.clone();
        for switch in &switches {
            place = place.switched(switch).unwrap();
        }
        let way: Vec<String> = place.way_to(&began).iter().map(Switch::to_string).collect();
        assert_eq!(way, [":profile auto", ":region auto", ":cluster mr"]);
        for switch in place.way_to(&began) {
            place = place.switched(&switch).unwrap();
        }
        assert_eq!(place, began);
        assert_eq!(place.way_to(&began), []);
    }

    #[test]
    fn what_is_not_on_ecs_says_why_it_stays() {
        let cluster = Switch::Cluster("mr".to_owned());
        let refused = Place::default().switched(&cluster).unwrap_err();
        assert!(refused.cause.contains("local cluster"), "{refused}");
        let fixed = Place {
            kind: Kind::Fixed,
            ..Place::default()
        };
        assert!(fixed.switched(&cluster).is_err());
        let profile = Switch::Profile(Some("work".to_owned()));
        let place = fixed.switched(&profile).unwrap();
        assert_eq!(place.profile.as_deref(), Some("work"));
    }
}
