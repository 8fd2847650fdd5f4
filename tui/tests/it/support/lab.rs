//! A cluster at fixed addresses: a real S3 server, real services, a proxy before each of them.

use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpSocket;

use super::console::{Console, Finished};
use super::home::Home;
use super::proxy::Proxy;
use super::s3::ObjectStore;
use super::script::{Rule, Script};
use super::services::{Service, Starting};
use super::words;

pub struct Lab {
    pub s3: ObjectStore,
    pub home: Home,
    pub script: Arc<Script>,
    pub splitter: Service,
    pub mappers: Vec<Service>,
    pub reducer: Service,
    /// Splitter, reducer, mappers.
    proxies: Vec<Proxy>,
}

/// Where the console is told to send its requests.
#[derive(Clone)]
pub struct Addresses {
    pub splitter: String,
    pub mappers: Vec<String>,
    pub reducer: String,
}

impl Lab {
    /// Three mappers, and the faults that the rules say.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let s3 = ObjectStore::start();
        let environment = s3.environment();
        let start = |role| Service::start(role, &environment);
        let starting = [start("splitter"), start("reducer")];
        let mappers = [start("mapper"), start("mapper"), start("mapper")];
        let [splitter, reducer] = starting.map(Starting::wait);
        let mappers = mappers.map(Starting::wait);

        let script = Script::new(rules);
        let proxy =
            |name: &str, service: &Service| Proxy::start(name, service.address, script.clone());
        let mut proxies = vec![proxy("splitter", &splitter), proxy("reducer", &reducer)];
        for (index, mapper) in mappers.iter().enumerate() {
            proxies.push(proxy(&format!("mapper-{}", index + 1), mapper));
        }
        Self {
            s3,
            home: Home::new(),
            script,
            splitter,
            mappers: mappers.into(),
            reducer,
            proxies,
        }
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

    /// A console that sends its requests to `addresses`, with what it needs to use the S3 server.
    pub fn console_to(&self, addresses: &Addresses, command: &str) -> Console {
        let mut console = self
            .home
            .console()
            .args([command, "--splitter", &addresses.splitter])
            .args(["--reducer", &addresses.reducer]);
        for mapper in &addresses.mappers {
            console = console.args(["--mapper", mapper]);
        }
        for (name, value) in self.s3.environment() {
            console = console.env(name, value);
        }
        console
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

    /// Asserts that the run is done and its counts are those of `text`; gives its report.
    #[track_caller]
    pub fn expect_exact(&self, finished: Finished, text: &[u8]) -> Value {
        let report = finished.expect(0).json();
        let expected = words::count(text);
        assert_eq!(report["status"], "done", "{report}");
        assert_eq!(report["words"], expected.values().sum::<u64>(), "{report}");
        assert_eq!(report["unique"], expected.len(), "{report}");
        let out = self.s3.get(report["out"].as_str().unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), words::json(&expected));
        report
    }
}

/// An address at which nobody listens, and nobody will while this is held.
pub struct DeadEnd(TcpSocket);

impl DeadEnd {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}
