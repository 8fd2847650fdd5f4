//! A cluster at fixed addresses: a real S3 server, real services, a proxy before each of them.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpSocket;

use crate::console::{Console, Finished};
use crate::home::Home;
use crate::oracle;
use crate::proxy::Proxy;
use crate::proxy::script::{Rule, Script};
use crate::pty::{Deck, Open};
use crate::s3::{BUCKET, ObjectStore};
use crate::services::{Service, Starting};
use crate::words;

pub struct Lab {
    pub s3: ObjectStore,
    pub home: Home,
    pub script: Arc<Script>,
    pub splitter: Service,
    pub mappers: Vec<Service>,
    pub reducer: Service,
    /// Splitter, reducer, mappers.
    proxies: Vec<Proxy>,
    /// Before the S3 server: the console's way to it, and each service's in the same order.
    ways_to_s3: Vec<Proxy>,
}

/// Where the console is told to send its requests.
#[derive(Clone)]
pub struct Addresses {
    pub splitter: String,
    pub mappers: Vec<String>,
    pub reducer: String,
}

impl Addresses {
    /// As a command line has them.
    pub fn flags(&self) -> Vec<&str> {
        let mut flags = vec!["--splitter", &self.splitter, "--reducer", &self.reducer];
        for mapper in &self.mappers {
            flags.extend(["--mapper", mapper]);
        }
        flags
    }
}

impl Lab {
    /// Three mappers, and the faults that the rules say.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self::with(3, false, Script::new(rules))
    }

    /// So many mappers, and proxies before S3 too.
    pub fn proxied(mappers: usize) -> Self {
        Self::with(mappers, true, Script::new([]))
    }

    fn with(mappers: usize, before_s3: bool, script: Arc<Script>) -> Self {
        let s3 = ObjectStore::start();
        let names: Vec<String> = ["splitter".to_owned(), "reducer".to_owned()]
            .into_iter()
            .chain((1..=mappers).map(|n| format!("mapper-{n}")))
            .collect();
        let mut ways_to_s3 = Vec::new();
        if before_s3 {
            for from in std::iter::once("console").chain(names.iter().map(String::as_str)) {
                let way = format!("{from} → s3");
                ways_to_s3.push(Proxy::start(&way, s3.address, script.clone()));
            }
        }
        let starting: Vec<Starting> = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let url = ways_to_s3.get(index + 1).map_or(s3.url(), Proxy::url);
                Service::start(role_of(name), &ObjectStore::environment_at(url))
            })
            .collect();
        let mut services: Vec<Service> = starting.into_iter().map(Starting::wait).collect();
        let proxies = names
            .iter()
            .zip(&services)
            .map(|(name, service)| Proxy::start(name, service.address, script.clone()))
            .collect();
        let mappers = services.split_off(2);
        let [splitter, reducer] = <[Service; 2]>::try_from(services).ok().unwrap();
        Self {
            s3,
            home: Home::new(),
            script,
            splitter,
            mappers,
            reducer,
            proxies,
            ways_to_s3,
        }
    }

    /// The services of a name, which may have a `*` in it: `mapper-*`.
    pub fn services(&self, name: &str) -> Vec<&Service> {
        let named = self.names().into_iter().enumerate();
        named
            .filter(|(_, given)| crate::proxy::rule::like(name, given))
            .map(|(index, _)| match index {
                0 => &self.splitter,
                1 => &self.reducer,
                mapper => &self.mappers[mapper - 2],
            })
            .collect()
    }

    /// Ends a service, whatever it does, and starts it again; its proxy stands before the new one.
    pub fn restart(&mut self, name: &str) {
        let names = self.names();
        let index = names.iter().position(|given| given == name).unwrap();
        let url = self.ways_to_s3.get(index + 1);
        let url = url.map_or(self.s3.url(), Proxy::url);
        let started = Service::start(role_of(name), &ObjectStore::environment_at(url)).wait();
        self.proxies[index].turn_to(started.address);
        match index {
            0 => self.splitter = started,
            1 => self.reducer = started,
            mapper => self.mappers[mapper - 2] = started,
        }
    }

    /// In the proxies' order.
    fn names(&self) -> Vec<String> {
        let mappers = (1..=self.mappers.len()).map(|n| format!("mapper-{n}"));
        ["splitter".to_owned(), "reducer".to_owned()]
            .into_iter()
            .chain(mappers)
            .collect()
    }

    /// The proxies' addresses.
    pub fn addresses(&self) -> Addresses {
        let urls: Vec<String> = self.proxies.iter().map(Proxy::url).collect();
        Addresses {
            splitter: urls[0].clone(),
            reducer: urls[1].clone(),
            mappers: urls[2..].to_vec(),
        }
    }

    /// The services' own addresses.
    pub fn direct_addresses(&self) -> Addresses {
        Addresses {
            splitter: self.splitter.url(),
            mappers: self.mappers.iter().map(Service::url).collect(),
            reducer: self.reducer.url(),
        }
    }

    /// What a console needs in its environment to use the S3 server.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let url = self.ways_to_s3.first().map_or(self.s3.url(), Proxy::url);
        ObjectStore::environment_at(url)
    }

    /// A console in `home` that sends its requests to `addresses`.
    pub fn console_in(&self, home: &Home, addresses: &Addresses, command: &str) -> Console {
        let console = home.console().arg(command).args(addresses.flags());
        console.envs(self.environment())
    }

    /// The same in the lab's own home.
    pub fn console_to(&self, addresses: &Addresses, command: &str) -> Console {
        self.console_in(&self.home, addresses, command)
    }

    /// A console before whose services the proxies stand.
    pub fn console(&self, command: &str) -> Console {
        self.console_to(&self.addresses(), command)
    }

    /// Writes the Liber Primus as `input.txt`, and gives a console that runs over it in `chunks` and prints JSON.
    pub fn run(&self, chunks: u32) -> Console {
        let input = self.s3.put("input.txt", words::LIBER_PRIMUS);
        self.console("run")
            .arg(input)
            .args(["--output", "json", "--chunks", &chunks.to_string()])
    }

    /// Goes on with a run on another machine, which has no record of it.
    pub fn resume_elsewhere(&self, home: &Home, run: &str) -> Console {
        let console = self.console_in(home, &self.addresses(), "resume");
        console.args([run, "--bucket", BUCKET, "--output", "json"])
    }

    /// A dashboard before whose services the proxies stand.
    pub fn bare_deck(&self, home: &Home) -> Deck {
        let deck = Deck::new(home.path()).args(self.addresses().flags());
        deck.envs(self.environment())
    }

    /// The same with the Liber Primus chosen as its input.
    pub fn deck(&self, home: &Home) -> Open {
        let input = self.s3.put("input.txt", words::LIBER_PRIMUS);
        let mut deck = self.bare_deck(home).open();
        deck.wait_until_up();
        deck.send(&format!("oi{input}\r"));
        deck.wait_text(&["input is s3://"]);
        deck
    }

    /// Asserts that the run is done and its counts are those of `text`; gives its report.
    #[track_caller]
    pub fn expect_exact(&self, finished: Finished, text: &[u8]) -> Value {
        let report = finished.expect(0).json();
        oracle::expect_exact(&self.s3, &report, &words::count(text));
        report
    }
}

fn role_of(name: &str) -> &str {
    name.split_once('-').map_or(name, |(role, _)| role)
}

/// An address at which nobody listens, and nobody will while this is held.
pub struct DeadEnd(TcpSocket);

impl DeadEnd {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }
}
