//! Networks where AWS is reached through a proxy, or with certificates of a private authority.

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::{Deployed, PUBLIC, deploy};
use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::forward::{ForwardProxy, TlsServer};

pub const TESTS: &[Test] = tests![
    calls_to_aws_go_through_the_proxy_and_those_to_tasks_do_not,
    each_name_of_a_proxy_is_read_and_exceptions_are_called_directly,
    a_private_authority_is_trusted_wherever_it_is_named,
    tasks_are_called_through_a_proxy_when_told,
    what_is_wrong_with_a_proxy_or_an_authority_is_named,
];

/// A host that nobody but the proxy finds. Of one that begins so, moto knows that the bucket is not in its name.
const HOST: &str = "localstack.test";

/// A network whose only way to AWS is a proxy.
struct Network {
    deployed: Deployed,
    home: Home,
    proxy: ForwardProxy,
    tls: TlsServer,
}

impl Network {
    fn new() -> Self {
        let deployed = deploy();
        let tls = TlsServer::start(HOST, deployed.moto.address);
        Self {
            proxy: ForwardProxy::start(deployed.moto.address, tls.address),
            deployed,
            tls,
            home: Home::new(),
        }
    }

    /// A console in it that knows of no proxy yet.
    fn console(&self, scheme: &str, arguments: &[&str]) -> Console {
        let console = self.home.console().args(arguments).args(PUBLIC);
        let console = console.args(["--bucket", "lab"]);
        let console = console.envs(self.deployed.moto.environment());
        console.env("AWS_ENDPOINT_URL", format!("{scheme}://{HOST}"))
    }

    fn hosts(&self) -> Vec<String> {
        let seen = self.proxy.seen().into_iter();
        let mut hosts: Vec<String> = seen.map(|call| call.host).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

fn calls_to_aws_go_through_the_proxy_and_those_to_tasks_do_not() {
    let network = Network::new();
    let run = ["run", "s3://lab/input.txt", "--output", "json", "--verify"];
    let console = network.console("http", &run);
    let console = console.env("HTTP_PROXY", network.proxy.url());
    let report = console.run().expect(0).json();
    assert_eq!(report["verified"], true, "{report}");
    assert_eq!(network.hosts(), [HOST], "tasks are called directly");

    let doctor = network.console("http", &["doctor"]);
    let doctor = doctor.env("HTTP_PROXY", network.proxy.url());
    let said = doctor.run().expect(0).stdout;
    let way = format!(
        "calls go to AWS and S3 through {} (HTTP_PROXY); to tasks directly",
        network.proxy.url()
    );
    assert!(said.contains(&way), "{said}");
}

fn each_name_of_a_proxy_is_read_and_exceptions_are_called_directly() {
    let network = Network::new();
    let address = network.proxy.address.to_string();
    let with_password = format!("http://ada:hush@{address}");
    for (name, value, scheme) in [
        ("HTTP_PROXY", network.proxy.url(), "http"),
        ("http_proxy", network.proxy.url(), "http"),
        // Without its scheme, as curl takes it.
        ("ALL_PROXY", address.clone(), "http"),
        ("all_proxy", with_password, "http"),
    ] {
        let before = network.proxy.seen().len();
        let console = network.console(scheme, &["tasks"]);
        let found = console.env(name, &value).run().expect(0);
        assert!(found.stdout.contains("mapper"), "{name}: {found}");
        let seen = network.proxy.seen().split_off(before);
        assert!(!seen.is_empty(), "{name}");
        // base64 of ada:hush
        let authorization = value
            .contains("hush")
            .then(|| "Basic YWRhOmh1c2g=".to_owned());
        for call in seen {
            assert_eq!(call.authorization, authorization, "{name}: {call:?}");
        }
    }
    for name in ["NO_PROXY", "no_proxy"] {
        for hosts in [HOST, ".test", "other.test, localstack.test", "*"] {
            let before = network.proxy.seen().len();
            let console = network.console("http", &["tasks"]);
            let console = console.env("HTTP_PROXY", network.proxy.url());
            let finished = console.env(name, hosts).run();
            finished.expect_complaint(3, &["ECS can't be reached"]);
            assert_eq!(network.proxy.seen().len(), before, "{name}={hosts}");
        }
    }
    // This machine itself is no business of a proxy.
    let before = network.proxy.seen().len();
    let console = network.console("http", &["tasks"]);
    let console = console.env("AWS_ENDPOINT_URL", network.deployed.moto.url());
    let console = console.env("HTTP_PROXY", network.proxy.url());
    console.run().expect(0);
    assert_eq!(network.proxy.seen().len(), before);
}

fn a_private_authority_is_trusted_wherever_it_is_named() {
    let network = Network::new();
    let home = &network.home;
    let bundle = home.write("ca.pem", &network.tls.authority);
    let bundle = bundle.display().to_string();
    let profile = format!("[default]\nca_bundle = {bundle}\n");
    let config = home.write("aws-config", &profile).display().to_string();
    let console = |arguments: &[&str]| {
        let console = network.console("https", arguments);
        console.env("HTTPS_PROXY", network.proxy.url())
    };
    for (name, value) in [
        ("AWS_CA_BUNDLE", &bundle),
        ("SSL_CERT_FILE", &bundle),
        ("AWS_CONFIG_FILE", &config),
    ] {
        let found = console(&["tasks"]).env(name, value).run().expect(0);
        assert!(found.stdout.contains("mapper"), "{name}: {found}");
        let doctor = console(&["doctor"]).env(name, value).run().expect(0);
        let origin = match name {
            "AWS_CONFIG_FILE" => format!("ca_bundle (line 2 of {config})"),
            name => name.to_owned(),
        };
        let way = format!(
            "AWS and S3 through {} (HTTPS_PROXY), trusting {bundle} ({origin}); to tasks directly",
            network.proxy.url()
        );
        assert!(doctor.stdout.contains(&way), "{name}: {doctor}");
    }
    let seen = network.proxy.seen();
    assert!(seen.iter().all(|call| call.is_tunnel), "{seen:?}");
    assert_eq!(network.hosts(), [format!("{HOST}:443")]);

    let unknown = console(&["tasks"]).run();
    unknown.expect_complaint(3, &["certificate", "AWS_CA_BUNDLE"]);
}

fn tasks_are_called_through_a_proxy_when_told() {
    let network = Network::new();
    // Whatever it is asked for, it leads to the mapper alone: a splitter is not one.
    let services = &network.deployed.services;
    let mapper = ForwardProxy::start(services[1].address, network.tls.address);
    let console = || {
        let console = network.console("http", &["doctor", "--output", "json"]);
        let console = console.env("AWS_ENDPOINT_URL", network.deployed.moto.url());
        console.args(["--task-proxy", &mapper.url()])
    };
    let report = console().run().expect(3).json();
    let found: Vec<String> = report
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["found"].to_string())
        .collect();
    let way = format!("to tasks through {} (--task-proxy)", mapper.url());
    assert!(found.iter().any(|said| said.contains(&way)), "{report:#}");
    let mut hosts: Vec<String> = mapper.seen().into_iter().map(|call| call.host).collect();
    hosts.sort();
    hosts.dedup();
    assert_eq!(hosts.len(), network.deployed.tasks.len(), "{hosts:?}");
    assert!(network.proxy.seen().is_empty());
}

fn what_is_wrong_with_a_proxy_or_an_authority_is_named() {
    let network = Network::new();
    let empty = network.home.write("empty.pem", "no certificate\n");
    let empty = empty.display().to_string();
    for (name, value, words) in [
        (
            "HTTP_PROXY",
            "socks5://127.0.0.1:9",
            ["HTTP_PROXY", "SOCKS"],
        ),
        ("http_proxy", "http://127.0.0.1:9 ", ["http_proxy", "blank"]),
        (
            "AWS_CA_BUNDLE",
            "/nonexistent",
            ["AWS_CA_BUNDLE", "No such file"],
        ),
        ("AWS_CA_BUNDLE", &empty, ["AWS_CA_BUNDLE", "no certificate"]),
    ] {
        let console = network.console("http", &["tasks"]);
        console.env(name, value).run().expect_complaint(2, &words);
    }
    let console = network.console("http", &["tasks"]);
    let dead = console
        .env("HTTP_PROXY", "http://ada:hush@127.0.0.1:9")
        .run();
    let dead = dead.expect_complaint(3, &["refused", "http://127.0.0.1:9 (HTTP_PROXY)"]);
    assert!(!dead.stderr.contains("hush"), "{dead}");

    let strict = ForwardProxy::with_password(network.deployed.moto.address, network.tls.address);
    for (name, scheme, told) in [
        ("HTTP_PROXY", "http", "wants a user and a password"),
        ("HTTPS_PROXY", "https", "proxy authorization required"),
    ] {
        let console = network.console(scheme, &["tasks"]);
        let finished = console.env(name, strict.url()).run();
        let proxy = format!("{} ({name})", strict.url());
        finished.expect_complaint(3, &[told, &proxy]);
    }
    assert!(strict.seen().is_empty());
    let console = network.console("http", &["tasks"]);
    let url = strict.url().replace("http://", "http://ada:hush@");
    console.env("HTTP_PROXY", url).run().expect(0);
}
