//! The session: what the console is connected to, the tasks there, and how to get back.

mod names;
mod target;

pub use self::names::Names;
pub use self::target::{AUTO, Switch, Target, TargetKind};

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::printable;
use mrdeck_core::task::TaskList;
use mrdeck_core::uri::S3Uri;
use mrdeck_store::aws::ProcessNews;

use super::feedback::Feedback;
use super::log::Level;
use super::message::Effect;

/// The way to the cluster.
#[derive(Debug, Clone)]
pub enum Link {
    Connecting,
    Up(LinkInfo),
    Down {
        diagnostic: Diagnostic,
        /// It is tried again without being asked.
        is_retried: bool,
    },
}

/// What is known of a cluster that is up.
#[derive(Debug, Clone)]
pub struct LinkInfo {
    pub cluster: String,
    pub bucket: Option<String>,
    pub default_input: Option<S3Uri>,
    pub can_stop: bool,
    pub region: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Session {
    target: Target,
    /// The target that was last connected to.
    last_up: Option<Target>,
    link: Link,
    tasks: TaskList,
    names: Names,
    /// How many commands are being waited for that give credentials.
    processes: usize,
}

impl Session {
    pub(super) fn new(target: Target) -> Self {
        let is_local = target.kind == TargetKind::Local;
        Self {
            target,
            last_up: None,
            link: Link::Connecting,
            tasks: TaskList::default(),
            names: Names::new(is_local),
            processes: 0,
        }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    pub fn link(&self) -> &Link {
        &self.link
    }

    pub fn tasks(&self) -> &TaskList {
        &self.tasks
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    pub(super) fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    pub fn is_up(&self) -> bool {
        matches!(self.link, Link::Up(_))
    }

    pub fn can_stop_tasks(&self) -> bool {
        matches!(&self.link, Link::Up(info) if info.can_stop)
    }

    /// Returns the bucket of the cluster that is up.
    pub fn bucket(&self) -> Option<&str> {
        match &self.link {
            Link::Up(info) => info.bucket.as_deref(),
            Link::Connecting | Link::Down { .. } => None,
        }
    }

    /// Returns whether a `credential_process` is being waited for.
    pub fn is_waiting_for_credentials(&self) -> bool {
        self.processes > 0
    }

    pub(super) fn take_process_news(&mut self, news: &ProcessNews, feedback: &mut Feedback) {
        match news {
            ProcessNews::Waiting(which) => {
                self.processes += 1;
                let text = format!("waiting for credentials from {}", printable(which));
                feedback.log_text(Level::Info, text);
            }
            ProcessNews::Said(line) => {
                let text = format!("credential_process: {}", printable(line));
                feedback.log_text(Level::Info, text);
            }
            ProcessNews::Over => self.processes = self.processes.saturating_sub(1),
        }
    }

    pub(super) fn linked(&mut self, info: LinkInfo, feedback: &mut Feedback) {
        self.last_up = Some(self.target.clone());
        feedback.log_text(Level::Good, format!("connected to {}", info.cluster));
        self.link = Link::Up(info);
    }

    /// Takes in that the cluster can't be reached. It is tried again and again, so the same reason is said once.
    pub(super) fn link_lost(
        &mut self,
        diagnostic: Diagnostic,
        is_retried: bool,
        feedback: &mut Feedback,
    ) {
        let is_known =
            matches!(&self.link, Link::Down { diagnostic: known, .. } if *known == diagnostic);
        if !is_known {
            feedback.log_diagnostic(Level::Error, &diagnostic);
            self.show_the_way_back(&diagnostic, feedback);
        }
        self.link = Link::Down {
            diagnostic,
            is_retried,
        };
    }

    /// Says how to get back to the target that was last connected to.
    fn show_the_way_back(&self, diagnostic: &Diagnostic, feedback: &mut Feedback) {
        let Some(last_up) = &self.last_up else {
            return;
        };
        let way = self.target.way_to(last_up);
        let way: Vec<String> = way.iter().map(ToString::to_string).collect();
        if !way.is_empty() {
            let text = format!("{}; go back with {}", diagnostic.cause, way.join(" and "));
            feedback.show(Level::Error, text);
        }
    }

    pub(super) fn take_tasks(&mut self, list: TaskList, feedback: &mut Feedback) {
        for (problem, before) in [
            (&list.problem, &self.tasks.problem),
            (&list.public_ips, &self.tasks.public_ips),
            (&list.short, &self.tasks.short),
        ] {
            if let Some(diagnostic) = problem
                && problem != before
            {
                feedback.log_diagnostic(Level::Warning, diagnostic);
            }
        }
        self.tasks = list;
    }

    /// Asks for the tasks again, or for the cluster that was not reached.
    pub(super) fn refresh(&mut self) -> Option<Effect> {
        match self.link {
            Link::Up(_) => Some(Effect::Refresh),
            Link::Connecting => None,
            Link::Down { .. } => {
                self.link = Link::Connecting;
                Some(Effect::Connect)
            }
        }
    }

    /// Leaves the tasks behind and connects to `target`.
    pub(super) fn switch(&mut self, switch: &Switch, target: Target, feedback: &mut Feedback) {
        let text = match switch {
            Switch::Cluster(name) => format!("switching to cluster {name}"),
            Switch::Profile(Some(name)) => format!("switching to profile {name}"),
            Switch::Profile(None) => {
                "switching to the credentials that the AWS SDK finds".to_owned()
            }
            Switch::Region(Some(name)) => format!("switching to region {name}"),
            Switch::Region(None) => "switching to the region that the AWS SDK finds".to_owned(),
        };
        feedback.announce(Level::Info, text);
        self.target = target;
        self.names.forget();
        self.tasks = TaskList::default();
        self.processes = 0;
        self.link = Link::Connecting;
    }
}
