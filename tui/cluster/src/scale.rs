//! Scaling, as every backend does it: what is wanted, what would be done, what is reported meanwhile, how it ended.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::human::{age, plural};
use mrdeck_core::role::{Role, UnknownRole};
use mrdeck_core::task::TaskId;

/// More of one role is a typing mistake rather than a cluster.
pub const MAX_TASKS: u32 = 1_000;
/// How long scaling waits by default before it reports how far it came.
pub const SCALE_TIMEOUT: Duration = Duration::from_mins(5);

/// How many tasks of a role are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleRequest {
    pub role: Role,
    pub count: u32,
}

/// Why a text is not a [`ScaleRequest`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScaleRequestError {
    #[error("give a role and a number, for instance mapper=10")]
    Form,
    #[error(transparent)]
    Role(#[from] UnknownRole),
    #[error("'{count}' is not a number of {role}s; give one from 0 to {MAX_TASKS}")]
    Count { role: Role, count: String },
}

impl From<ScaleRequestError> for Diagnostic {
    fn from(error: ScaleRequestError) -> Self {
        match error {
            ScaleRequestError::Form => {
                Self::new("scaling takes a role and a number", "try :scale mapper 5")
            }
            ScaleRequestError::Role(UnknownRole(role)) => Self::new(
                format!("'{role}' is not a role"),
                "the roles are splitter, mapper and reducer",
            ),
            ScaleRequestError::Count { role, count } => Self::new(
                format!("'{count}' is not a number of {role}s"),
                format!("give one from 0 to {MAX_TASKS}"),
            ),
        }
    }
}

impl FromStr for ScaleRequest {
    type Err = ScaleRequestError;

    /// Reads `mapper=10`, and `mapper 10` as well.
    fn from_str(text: &str) -> Result<Self, ScaleRequestError> {
        let words: Vec<&str> = text
            .split([' ', '\t', '='])
            .filter(|word| !word.is_empty())
            .collect();
        let [role, count] = words[..] else {
            return Err(ScaleRequestError::Form);
        };
        let role = role.parse()?;
        match count.parse() {
            Ok(count) if count <= MAX_TASKS => Ok(Self { role, count }),
            _ => Err(ScaleRequestError::Count {
                role,
                count: count.to_owned(),
            }),
        }
    }
}

/// What would be done. Exactly this is done once it was agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalePlan {
    pub wanted: ScaleRequest,
    /// Tasks of the role that run or are on their way.
    pub now: u32,
    pub step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// There are as many as are wanted.
    Keep,
    /// A service starts and stops its tasks itself, once its desired count is another.
    Service {
        name: String,
        from: u32,
        to: u32,
    },
    /// More tasks like these, the first of them above all.
    Start {
        count: u32,
        like: Vec<TaskId>,
    },
    Stop {
        tasks: Vec<TaskId>,
    },
}

/// Returns what a backend answers that can't scale.
pub(super) fn unsupported(wanted: ScaleRequest) -> Diagnostic {
    Diagnostic::new(
        format!("{}s can't be started or stopped from here", wanted.role),
        "scale them where they were started, or name an ECS cluster with --cluster",
    )
}

impl ScalePlan {
    /// Reports that nothing came of it.
    pub(super) fn failed(self, diagnostic: Diagnostic) -> ScaleReport {
        ScaleReport {
            running: self.now,
            plan: self,
            diagnostic: Some(diagnostic),
        }
    }

    /// Returns how many tasks will end; the console asks before it ends any.
    pub fn stops(&self) -> u32 {
        match &self.step {
            Step::Service { from, to, .. } => from.saturating_sub(*to),
            Step::Stop { tasks } => u32::try_from(tasks.len()).unwrap_or(u32::MAX),
            Step::Keep | Step::Start { .. } => 0,
        }
    }
}

impl fmt::Display for ScalePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = self.wanted.role;
        let tasks = |count: u32| plural(count.into(), &role.to_string());
        match &self.step {
            Step::Keep => write!(f, "there are {} already", tasks(self.now)),
            Step::Service { name, from, to } if from == to => {
                write!(f, "service {name} is asked for {} already", tasks(*to))
            }
            Step::Service { name, from, to } => {
                write!(f, "service {name}: {from} → {}", tasks(*to))?;
                match self.wanted.count - to {
                    0 => Ok(()),
                    others => write!(f, " ({others} more outside of it)"),
                }
            }
            Step::Start { count, .. } => {
                write!(
                    f,
                    "starting {}",
                    plural((*count).into(), &format!("more {role}"))
                )
            }
            Step::Stop { .. } => write!(f, "stopping {}", tasks(self.stops())),
        }
    }
}

/// What is reported while it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScaleEvent {
    Begun(ScalePlan),
    /// How many were started of those that are missing.
    Started {
        started: u32,
        of: u32,
    },
    /// AWS refuses for now.
    Retrying {
        reason: String,
        retry_in: Duration,
    },
    Running {
        role: Role,
        running: u32,
        wanted: u32,
    },
    /// What an ECS service says of itself.
    Service(String),
}

impl fmt::Display for ScaleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun(plan) => plan.fmt(f),
            Self::Started { started, of } => write!(f, "{started} of {of} are starting"),
            Self::Retrying { reason, retry_in } => {
                let pause = age(retry_in.as_secs().max(1).cast_signed());
                write!(f, "{reason}; retrying in {pause}")
            }
            Self::Running {
                role,
                running,
                wanted,
            } => f.write_str(&of_wanted(*role, *running, *wanted)),
            Self::Service(message) => f.write_str(message),
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleReport {
    pub plan: ScalePlan,
    /// Tasks of the role that run now.
    pub running: u32,
    /// Why these are not as many as are wanted.
    pub diagnostic: Option<Diagnostic>,
}

impl ScaleReport {
    /// Summarizes the outcome: that as many as wanted run, or how many of them do and why.
    ///
    /// # Errors
    ///
    /// Returns how many run, and why these are not as many as wanted.
    pub fn summary(&self) -> Result<String, Diagnostic> {
        let ScaleRequest { role, count } = self.plan.wanted;
        let text = of_wanted(role, self.running, count);
        match &self.diagnostic {
            None => Ok(text),
            Some(diagnostic) => Err(Diagnostic {
                cause: format!("{text}: {}", diagnostic.cause),
                ..diagnostic.clone()
            }),
        }
    }
}

/// `10 mappers run`, `7 of 10 mappers run`, `14 mappers run, and 10 are wanted`.
fn of_wanted(role: Role, running: u32, wanted: u32) -> String {
    let run = |count: u32| {
        let verb = if count == 1 { "runs" } else { "run" };
        format!("{} {verb}", plural(count.into(), &role.to_string()))
    };
    match running.cmp(&wanted) {
        Ordering::Less => format!("{running} of {}", run(wanted)),
        Ordering::Equal => run(wanted),
        Ordering::Greater => format!("{}, and {wanted} are wanted", run(running)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: ScaleRequest = ScaleRequest {
        role: Role::Mapper,
        count: 10,
    };

    #[test]
    fn a_role_and_a_number_are_understood_or_explained() {
        for text in ["mapper=10", "mapper 10", " mapper = 10 "] {
            assert_eq!(text.parse(), Ok(TEN), "{text}");
        }
        assert!("reducer=0".parse::<ScaleRequest>().is_ok());
        for (role, count) in [
            ("mappers", "1"),
            ("other", "1"),
            ("", "1"),
            ("mapper", ""),
            ("mapper", "-1"),
            ("mapper", "1001"),
            ("mapper", "x"),
            ("mapper", "1=2"),
        ] {
            let text = format!("{role}={count}");
            assert!(text.parse::<ScaleRequest>().is_err(), "{text}");
        }
        assert!("mapper".parse::<ScaleRequest>().is_err());
    }

    #[test]
    fn what_came_of_it_is_told_with_its_reason() {
        let plan = ScalePlan {
            wanted: TEN,
            now: 1,
            step: Step::Keep,
        };
        let mut scaled = ScaleReport {
            plan,
            running: 10,
            diagnostic: None,
        };
        assert_eq!(scaled.summary(), Ok("10 mappers run".to_owned()));
        scaled.running = 7;
        scaled.diagnostic = Some(Diagnostic::new("no room", "wait"));
        let told = scaled.summary();
        assert_eq!(
            told,
            Err(Diagnostic::new("7 of 10 mappers run: no room", "wait"))
        );
    }

    #[test]
    fn only_what_ends_tasks_is_asked_about() {
        let stops = |step| {
            let (wanted, now) = (TEN, 10);
            ScalePlan { wanted, now, step }.stops()
        };
        let service = |from, to| Step::Service {
            name: "mr".to_owned(),
            from,
            to,
        };
        assert_eq!(stops(service(5, 2)), 3);
        assert_eq!(stops(service(2, 5)), 0);
        let tasks = vec![TaskId("a".to_owned())];
        assert_eq!(stops(Step::Stop { tasks }), 1);
        assert_eq!(stops(Step::Keep), 0);
    }
}
