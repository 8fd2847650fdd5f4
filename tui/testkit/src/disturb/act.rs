//! What is done during a run and when, as data.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::proxy::rule::Filter;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// Without it, as soon as what comes before is done.
    #[serde(default)]
    pub when: Option<When>,
    #[serde(rename = "do")]
    pub deeds: Vec<Deed>,
}

/// What is waited for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// The record has an event with these fields.
    Event(Map<String, Value>),
    /// The record has so many events with these fields.
    Events {
        like: Map<String, Value>,
        nth: usize,
    },
    /// A proxy saw a request like this.
    Request(Filter),
    /// The proxies saw so many requests like this.
    Requests { like: Filter, nth: usize },
    /// A service takes no connections any more.
    Deaf(String),
    /// The console has ended, with this exit code; after `kill -9` it has none (-9).
    Exit(i32),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// Opens the gate of this name.
    Open(String),
    /// `kill -9`: a service by its name, all mappers as `mapper-*`, or the console.
    Kill(String),
    /// SIGSTOP.
    Stop(String),
    /// SIGCONT.
    Continue(String),
    /// SIGTERM.
    Terminate(String),
    /// SIGHUP.
    HangUp(String),
    /// Another process in a service's place.
    Restart(String),
    /// An object is removed: `input`, `object 1`, `chunk 1`, `output 2`, `result`.
    Delete(String),
    /// An object is written anew, with one bit that is another.
    Flip(String),
    /// An object is written anew, with half of its bytes.
    Truncate(String),
    /// An object is written anew, with the bytes of another one.
    Copy { from: String, to: String },
    /// An object is written anew, with a text.
    Overwrite { object: String, text: String },
    /// An object is written anew, with its own bytes.
    Touch(String),
    /// One bit of an object is another behind the S3 server's back, whose checksum is that of the old bytes.
    Rot(String),
    /// Another console goes on with the run whose console has ended.
    Resume(Place),
    /// A second console goes on with the run while the first is at work.
    Second(Place),
    /// Until the second one has ended.
    WaitForSecond,
    /// The record ends in half a line, as after a crash.
    TearRecord,
}

/// Where another console is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// With the record of the first one.
    Here,
    /// On another machine, with nothing but the bucket's name.
    Elsewhere,
}
