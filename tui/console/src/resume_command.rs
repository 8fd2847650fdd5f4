//! The shell command that resumes a run, in full, so that it works in another shell or on another machine too.

use crate::config::Config;
use mrdeck_cluster::settings::{AddressChoice, Backend};
use mrdeck_core::shell::quoted;
use mrdeck_engine::state::RunState;

/// Returns the command that resumes a run of this configuration.
pub fn for_run(config: &Config, record: &RunState) -> String {
    let mut words = vec![
        "mrdeck".to_owned(),
        "resume".to_owned(),
        record.run.to_string(),
    ];
    let mut flag = |name: &str, value: &str| words.push(format!("{name} {}", quoted(value)));
    match &config.connect.backend {
        Backend::Local { mappers, data } => {
            let data = std::path::absolute(data).unwrap_or_else(|_| data.clone());
            flag("--local-data", &data.display().to_string());
            words.push(format!("--local={mappers}"));
        }
        Backend::Fixed(addresses) => {
            flag("--splitter", addresses.splitter.as_str());
            for mapper in &addresses.mappers {
                flag("--mapper", mapper.as_str());
            }
            flag("--reducer", addresses.reducer.as_str());
            flag("--bucket", record.input.bucket());
        }
        Backend::Ecs(settings) => {
            flag("--cluster", &settings.cluster);
            match settings.address {
                AddressChoice::Auto => {}
                AddressChoice::Public => flag("--address", "public"),
                AddressChoice::Private => flag("--address", "private"),
            }
            flag("--bucket", record.input.bucket());
        }
    }
    let mut flag = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            words.push(format!("{name} {}", quoted(value)));
        }
    };
    let limit = config
        .attempt_limit
        .map(|limit| limit.as_secs_f64().to_string());
    flag("--timeout", &limit);
    flag("--region", &config.connect.aws.region);
    flag("--profile", &config.connect.aws.profile);
    flag("--endpoint-url", &config.connect.aws.endpoint_url);
    let task_proxy = config.connect.task_proxy.as_ref().map(ToString::to_string);
    flag("--task-proxy", &task_proxy);
    words.join(" ")
}
