//! Where a disturbed run is played: its lab, its consoles, and what is done to them.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::act::{Act, Deed, Place, When};
use super::objects::key_of;
use super::rules::Gates;
use super::{Disturbed, Shape, is_like};
use crate::console::{Console, Finished, Running};
use crate::home::Home;
use crate::lab::Lab;
use crate::oracle::{Verdict, judge, success_key};
use crate::proxy::fault::Fault;
use crate::proxy::message;
use crate::proxy::rule::Filter;
use crate::s3::BUCKET;
use crate::{wait_for, wait_until};

pub struct Stage<'a> {
    pub lab: Lab,
    pub shape: &'a Shape,
    gates: Gates,
    /// Of the consoles that are elsewhere.
    homes: Vec<Home>,
    /// The console that is at work, and whether it is elsewhere.
    console: Option<Running>,
    is_elsewhere: bool,
    /// How it ended, if it was not at work any more when it was looked for.
    ended: Option<Finished>,
    pub seconds: Vec<Running>,
}

impl<'a> Stage<'a> {
    /// With the rules in force and the console under way.
    pub fn open(run: &'a Disturbed) -> Self {
        let lab = Lab::proxied(run.lab.mappers);
        let mut gates = Gates::default();
        let mut rules: Vec<_> = run.rules.iter().map(|r| r.rule(&lab, &mut gates)).collect();
        if run.lab.map_ms > 0 {
            let work = Duration::from_millis(run.lab.map_ms);
            let reading = Filter {
                between: Some("mapper-* → s3".to_owned()),
                method: Some("GET".to_owned()),
                ..Filter::default()
            };
            rules.push(Fault::Delay(work).when(reading));
        }
        lab.script.replace(rules);
        if run.lab.objects == 0 {
            lab.s3.put("input.txt", run.lab.input.bytes());
        }
        let pieces = run.lab.input.pieces(run.lab.objects).into_iter();
        for (number, piece) in pieces.enumerate().take(run.lab.objects) {
            lab.s3.put(&format!("input/{number:03}.txt"), piece);
        }
        Self {
            lab,
            shape: &run.lab,
            gates,
            homes: Vec::new(),
            console: None,
            is_elsewhere: false,
            ended: None,
            seconds: Vec::new(),
        }
    }

    pub fn start(&mut self) {
        let shape = self.shape;
        let console = self.lab.console("run").arg(match shape.objects {
            0 => format!("s3://{BUCKET}/input.txt"),
            _ => format!("s3://{BUCKET}/input/"),
        });
        let console = console
            .args(["--output", "json", "--chunks", &shape.chunks.to_string()])
            .args(["--split", &shape.split])
            .args(&shape.args);
        self.console = Some(console.start());
    }

    /// The events of the run, as the console at work has them.
    pub fn record(&self) -> Vec<Value> {
        match self.homes.last() {
            Some(home) if self.is_elsewhere => home.record(),
            _ => self.lab.home.record(),
        }
    }

    /// The run's id, once it has one.
    pub fn run_id(&self) -> Option<String> {
        let record = self.lab.home.record();
        Some(record.first()?["run"].as_str().unwrap().to_owned())
    }

    /// Waits and does; panics if the console ends without what is waited for.
    pub fn play(&mut self, act: &Act) {
        if let Err(ended) = self.play_if_it_comes(act) {
            panic!("it could not be done at {:?}: {ended}", act.when);
        }
    }

    /// The same for what need not come: then it says why not. A console that has ended is kept for [`Stage::end`].
    ///
    /// # Errors
    ///
    /// Returns how the console ended before that.
    pub fn play_if_it_comes(&mut self, act: &Act) -> Result<(), String> {
        if let Some(when) = &act.when {
            self.wait(when)?;
        }
        for deed in &act.deeds {
            self.perform(deed)?;
        }
        Ok(())
    }

    fn wait(&mut self, when: &When) -> Result<(), String> {
        if let When::Exit(code) = when {
            let ended = self.end();
            if ended.code.unwrap_or(-9) != *code {
                let how = ended.to_string();
                self.ended = Some(ended);
                return Err(how);
            }
            if ended.code.is_some() {
                self.judge(&ended);
            }
            return Ok(());
        }
        wait_for(&format!("{when:?}"), || {
            // Looked at first: what it did before its end is then all there.
            let has_ended = self.console.as_mut().is_none_or(Running::has_ended);
            match (self.has_come(when), has_ended) {
                (true, _) => Some(Ok(())),
                (false, false) => None,
                (false, true) => {
                    let ended = self.end();
                    let how = ended.to_string();
                    self.ended = Some(ended);
                    Some(Err(how))
                }
            }
        })
    }

    fn has_come(&self, when: &When) -> bool {
        let events = |like, nth| {
            let record = self.record();
            record.iter().filter(|event| is_like(event, like)).count() >= nth
        };
        match when {
            When::Event(like) => events(like, 1),
            When::Events { like, nth } => events(like, *nth),
            When::Request(filter) => self.lab.script.count(|seen| filter.fits(seen)) >= 1,
            When::Requests { like, nth } => self.lab.script.count(|seen| like.fits(seen)) >= *nth,
            When::Deaf(name) => {
                let services = self.lab.services(name).into_iter();
                services
                    .map(|service| service.address)
                    .all(|address| TcpStream::connect(address).is_err())
            }
            When::Exit(_) => unreachable!("waited for by itself"),
        }
    }

    fn perform(&mut self, deed: &Deed) -> Result<(), String> {
        match deed {
            Deed::Open(gate) => self.gates.get(gate).open(),
            Deed::Kill(name) => self.signal(name, "KILL")?,
            Deed::Stop(name) => self.signal(name, "STOP")?,
            Deed::Continue(name) => self.signal(name, "CONT")?,
            Deed::Terminate(name) => self.signal(name, "TERM")?,
            Deed::HangUp(name) => self.signal(name, "HUP")?,
            Deed::Restart(name) => self.lab.restart(name),
            Deed::Delete(name) => {
                fs::remove_file(self.file(name)?).map_err(|e| format!("{name}: {e}"))?;
            }
            Deed::Flip(name) => self.rewrite(name, |bytes| message::flip(bytes))?,
            Deed::Truncate(name) => {
                self.rewrite(name, |bytes| bytes.truncate(bytes.len() / 2))?;
            }
            Deed::Copy { from, to } => {
                let bytes = self.read(from)?;
                self.rewrite(to, |there| *there = bytes)?;
            }
            Deed::Overwrite { object, text } => {
                self.rewrite(object, |there| *there = text.clone().into())?;
            }
            Deed::Touch(name) => self.rewrite(name, |_| {})?,
            Deed::Rot(name) => {
                let mut bytes = self.read(name)?;
                message::flip(&mut bytes);
                fs::write(self.file(name)?, bytes).unwrap();
            }
            Deed::Resume(place) => {
                assert!(self.console.is_none(), "the first console has ended");
                let resumed = self.other_console(*place).start();
                self.is_elsewhere = *place == Place::Elsewhere;
                self.console = Some(resumed);
            }
            Deed::Second(place) => {
                let second = self.other_console(*place).start();
                self.seconds.push(second);
            }
            Deed::WaitForSecond => {
                let second = self.seconds.last_mut().expect("a second console");
                wait_until("the second console's end", || second.has_ended());
            }
            Deed::TearRecord => {
                let files = self.lab.home.record_files();
                let file = files.first().ok_or("there is no record")?;
                let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
                file.write_all(b"{\"at\":\"2026-01-01T00:0").unwrap();
            }
        }
        Ok(())
    }

    fn signal(&mut self, to: &str, signal: &str) -> Result<(), String> {
        if to == "console" {
            let console = self.console.as_mut().ok_or("there is no console")?;
            // Its number may be another process's by now.
            if console.has_ended() {
                return Err("the console has ended".to_owned());
            }
            console.signal(signal);
            return Ok(());
        }
        let services = self.lab.services(to);
        assert!(!services.is_empty(), "who is {to}?");
        for service in services {
            service.signal(signal);
        }
        Ok(())
    }

    fn file(&self, name: &str) -> Result<PathBuf, String> {
        Ok(self.lab.s3.file(&key_of(name, &self.record())?))
    }

    /// The bytes of an object, which may have been deleted.
    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        fs::read(self.file(name)?).map_err(|e| format!("{name}: {e}"))
    }

    fn rewrite(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), String> {
        let mut bytes = self.read(name)?;
        change(&mut bytes);
        self.lab.s3.put(&key_of(name, &self.record())?, bytes);
        Ok(())
    }

    fn other_console(&mut self, place: Place) -> Console {
        let run = self.run_id().expect("a run to go on with");
        let home = match place {
            Place::Here => &self.lab.home,
            Place::Elsewhere => {
                self.homes.push(Home::new());
                self.homes.last().unwrap()
            }
        };
        let args = &self.shape.args;
        let timeout = args.iter().skip_while(|argument| *argument != "--timeout");
        let console = self.lab.console_in(home, &self.lab.addresses(), "resume");
        console
            .args([&run, "--bucket", BUCKET, "--output", "json"])
            .args(timeout.take(2))
    }

    /// Returns whether the success record exists.
    pub fn is_recorded_as_done(&self) -> bool {
        let run = self.run_id();
        run.is_some_and(|run| self.lab.s3.has(&success_key(&run)))
    }

    /// Another console goes on, and comes to its end.
    pub fn resume(&mut self, place: Place) -> Finished {
        self.other_console(place).run()
    }

    /// Waits for the console's end.
    pub fn end(&mut self) -> Finished {
        if let Some(ended) = self.ended.take() {
            return ended;
        }
        let console = self.console.take().expect("a console at work");
        console.wait()
    }

    pub fn judge(&self, finished: &Finished) -> Verdict {
        self.judge_of(self.run_id().as_deref(), finished)
    }

    /// The same for a second console: if it is refused, the run may be done all the same, by the first.
    pub fn judge_second(&self, finished: &Finished) -> Verdict {
        let run = self.run_id().filter(|_| finished.code == Some(0));
        self.judge_of(run.as_deref(), finished)
    }

    fn judge_of(&self, run: Option<&str>, finished: &Finished) -> Verdict {
        judge(&self.lab.s3, run, finished, || self.shape.input.counts())
    }
}
