//! A run that is disturbed, as data: the lab, what is done to it when, and what must be seen of it.
//! The scenario files are read into this, and the storm draws it at random.

pub mod act;
pub mod baseline;
pub mod input;
pub mod objects;
pub mod play;
pub mod rules;
pub mod stage;

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use self::act::Act;
use self::input::Input;
use self::rules::RuleSpec;
use crate::proxy::rule::Filter;

/// One run and its disturbances.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disturbed {
    /// Tells it apart from the others of its scenario.
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub lab: Shape,
    /// The first one that fits a request counts.
    #[serde(default, rename = "rule")]
    pub rules: Vec<RuleSpec>,
    /// Done one after the other.
    #[serde(default, rename = "act")]
    pub acts: Vec<Act>,
    pub seen: Expected,
}

/// What the run is over, and by how many.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shape {
    pub mappers: usize,
    pub chunks: u32,
    pub split: String,
    pub input: Input,
    /// In how many objects it is, cut between words; none for one object that is named by its key.
    pub objects: usize,
    /// More for the command line.
    pub args: Vec<String>,
    /// Each reading of a mapper takes so many milliseconds more: work that no other process slows down.
    pub map_ms: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            mappers: 3,
            chunks: 3,
            split: "copy".to_owned(),
            input: Input::default(),
            objects: 0,
            args: Vec::new(),
            map_ms: 0,
        }
    }
}

/// What must be seen of the run, besides what holds for every run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expected {
    pub exit: Exit,
    /// What is said on standard error or reported as the cause.
    pub says: Vec<String>,
    pub events: Vec<Events>,
    pub requests: Vec<Requests>,
    /// Of a second console on the same run.
    pub second: Option<Second>,
}

/// The exit code, or those that are all right.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Exit {
    Code(i32),
    OneOf(Vec<i32>),
}

impl Default for Exit {
    fn default() -> Self {
        Self::Code(0)
    }
}

impl Exit {
    pub fn is(&self, code: Option<i32>) -> bool {
        match self {
            Self::Code(expected) => Some(*expected) == code,
            Self::OneOf(expected) => code.is_some_and(|code| expected.contains(&code)),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Second {
    pub exit: Exit,
    #[serde(default)]
    pub says: Vec<String>,
}

/// How often an event like this is in the record.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Fields with their values.
    pub like: Map<String, Value>,
    /// What its line contains.
    #[serde(default)]
    pub says: String,
    #[serde(default = "at_least_once")]
    pub times: (usize, usize),
}

/// How often a request like this was made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    pub on: Filter,
    #[serde(default = "at_least_once")]
    pub times: (usize, usize),
}

fn at_least_once() -> (usize, usize) {
    (1, usize::MAX)
}

/// Returns whether the event has these fields.
pub fn is_like(event: &Value, like: &Map<String, Value>) -> bool {
    like.iter().all(|(name, value)| event[name] == *value)
}

/// How long a run took that came out as it should, and how much longer than an undisturbed one.
#[derive(Debug, Clone, Copy)]
pub struct Played {
    pub took: Duration,
    /// `None` for one that was refused, and where nothing was done to it.
    pub lost: Option<Duration>,
}
