//! The proxies' rules, as data.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::lab::Lab;
use crate::proxy::rule::{Filter, Rule};
use crate::proxy::script::{Fault, Gate};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    pub on: Filter,
    /// The first and the last of the requests that fit.
    #[serde(default = "every_turn")]
    pub turns: (usize, usize),
    #[serde(rename = "do")]
    pub fault: FaultSpec,
}

fn every_turn() -> (usize, usize) {
    (1, usize::MAX)
}

/// [`Fault`], as files spell it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultSpec {
    Pass,
    Answer {
        status: u16,
        body: String,
    },
    /// S3 refuses with this code.
    S3(String),
    Silence,
    Close,
    Cut,
    LoseAnswer,
    /// Until the gate of this name is opened.
    Hold(String),
    HoldAnswer(String),
    /// Fields of the answer's JSON, with other values.
    Set(Map<String, Value>),
    /// As the lab's own services answer.
    Plain,
    DelayMs(u64),
    Slow(f64),
    Drip {
        pieces: usize,
        pause_ms: u64,
    },
    Twice,
    FlipRequest,
    FlipAnswer,
    Shorten,
    HalfRequest,
    /// The service of this name answers in its place.
    Redirect(String),
    Repeat(String),
    Omit(String),
    Version(String),
}

/// The gates of a run by their names; each is there once it is named.
#[derive(Default)]
pub struct Gates(HashMap<String, Gate>);

impl Gates {
    pub fn get(&mut self, name: &str) -> Gate {
        let gate = self.0.entry(name.to_owned());
        gate.or_insert_with(Gate::closed).clone()
    }
}

impl RuleSpec {
    pub fn rule(&self, lab: &Lab, gates: &mut Gates) -> Rule {
        assert!(self.on.between.is_some(), "between whom? {self:?}");
        let (first, last) = self.turns;
        let fault = self.fault.fault(lab, gates);
        fault.when(self.on.clone()).turns(first..=last)
    }
}

impl FaultSpec {
    fn fault(&self, lab: &Lab, gates: &mut Gates) -> Fault {
        match self.clone() {
            Self::Pass => Fault::Pass,
            Self::Answer { status, body } => Fault::Answer { status, body },
            Self::S3(code) => Fault::s3(&code),
            Self::Silence => Fault::Silence,
            Self::Close => Fault::Close,
            Self::Cut => Fault::Cut,
            Self::LoseAnswer => Fault::LoseAnswer,
            Self::Hold(gate) => Fault::Hold(gates.get(&gate)),
            Self::HoldAnswer(gate) => Fault::HoldAnswer(gates.get(&gate)),
            Self::Set(fields) => Fault::edit(move |json| {
                for (name, value) in &fields {
                    json[name] = value.clone();
                }
            }),
            Self::Plain => Fault::Plain,
            Self::DelayMs(ms) => Fault::Delay(Duration::from_millis(ms)),
            Self::Slow(factor) => Fault::Slow(factor),
            Self::Drip { pieces, pause_ms } => Fault::Drip {
                pieces,
                pause: Duration::from_millis(pause_ms),
            },
            Self::Twice => Fault::Twice,
            Self::FlipRequest => Fault::FlipRequest,
            Self::FlipAnswer => Fault::FlipAnswer,
            Self::Shorten => Fault::Shorten,
            Self::HalfRequest => Fault::HalfRequest,
            Self::Redirect(name) => Fault::Redirect(lab.services(&name)[0].address),
            Self::Repeat(name) => Fault::Repeat(name),
            Self::Omit(name) => Fault::Omit(name),
            Self::Version(version) => Fault::Version(version),
        }
    }
}
