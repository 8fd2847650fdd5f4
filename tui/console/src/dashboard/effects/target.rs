//! What the configuration says to connect to, and what a switch makes of it.

use crate::config::Config;
use crate::dashboard::model::{Switch, Target, TargetKind};
use mrdeck_cluster::settings::Backend;

pub fn of(config: &Config) -> Target {
    Target {
        kind: match &config.connect.backend {
            Backend::Local { .. } => TargetKind::Local,
            Backend::Fixed(_) => TargetKind::Fixed,
            Backend::Ecs(settings) => TargetKind::Ecs(settings.cluster.clone()),
        },
        profile: config.connect.aws.profile.clone(),
        region: config.connect.aws.region.clone(),
    }
}

/// Makes the configuration the same for another target.
pub(super) fn apply(config: &mut Config, switch: Switch) {
    match switch {
        Switch::Cluster(name) => {
            if let Backend::Ecs(settings) = &mut config.connect.backend {
                settings.cluster = name;
            }
        }
        Switch::Profile(name) => config.connect.aws.profile = name,
        Switch::Region(name) => config.connect.aws.region = name,
    }
}
