//! Settings that can't be used: which cluster, where its data is, which port, which terminal.

use std::net::TcpListener;

use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;

/// A console that is asked to run over an object, and refuses because of its other arguments.
fn run_with(home: &Home, args: &[&str]) -> Console {
    home.console().args(["run", "s3://b/k"]).args(args)
}

#[test]
fn a_cluster_must_be_named_in_full() {
    let home = Home::new();
    let url = "http://127.0.0.1:9";
    let cases: [(&[&str], &[&str]); 12] = [
        (&[], &["no cluster was named", "--local", "--mapper"]),
        (&["--local=0"], &["--local", "'0'", "1 to 100"]),
        (&["--local=101"], &["--local", "'101'", "1 to 100"]),
        (&["--local=x"], &["--local", "'x'", "1 to 100"]),
        (&["--local="], &["--local", "''", "1 to 100"]),
        (&["--local", "--mapper", url], &["--local", "--mapper"]),
        (
            &["--mapper", url, "--reducer", url],
            &["--splitter is missing"],
        ),
        (
            &["--splitter", url, "--reducer", url],
            &["--mapper is missing"],
        ),
        (
            &["--splitter", url, "--mapper", url],
            &["--reducer is missing"],
        ),
        (
            &[
                "--splitter",
                "10.0.0.7:80",
                "--mapper",
                url,
                "--reducer",
                url,
            ],
            &["--splitter", "'10.0.0.7:80'", "http://"],
        ),
        (
            &["--splitter", "ftp://x", "--mapper", url, "--reducer", url],
            &["--splitter", "'ftp://x'", "http://"],
        ),
        (
            &["--config", "missing.toml"],
            &["missing.toml", "can't be read"],
        ),
    ];
    for (args, words) in cases {
        let finished = run_with(&home, args).run().expect_complaint(2, words);
        assert_eq!(finished.stdout, "", "{args:?}");
    }
    assert_eq!(home.names(), [""; 0]);
}

#[test]
fn a_settings_file_is_used_and_its_mistakes_are_named() {
    let home = Home::new();
    std::fs::create_dir_all(home.file("config/mrdeck")).unwrap();
    home.write(
        "config/mrdeck/config.toml",
        "splitter = \"http://127.0.0.1:9\"\n",
    );
    run_with(&home, &[])
        .run()
        .expect_complaint(2, &["--mapper is missing"]);
    home.write("config/mrdeck/config.toml", "spliter = \"x\"\n");
    run_with(&home, &[])
        .run()
        .expect_complaint(2, &["config.toml", "spliter"]);
    for (setting, words) in [
        ("splitter = \"ftp://x\"", ["config.toml", "http://"]),
        ("mapper = [\"10.0.0.7:80\"]", ["config.toml", "http://"]),
        ("timeout = 0", ["config.toml", "above 0"]),
        ("timeout = 86401", ["config.toml", "86400"]),
    ] {
        home.write("config/mrdeck/config.toml", setting);
        run_with(&home, &[]).run().expect_complaint(2, &words);
    }
    home.write("config/mrdeck/config.toml", "not toml");
    run_with(&home, &[])
        .run()
        .expect_complaint(2, &["config.toml"]);
}

#[test]
fn a_place_that_can_t_hold_the_local_data_is_named() {
    let home = Home::new();
    home.write("file", "in the way");
    for place in ["file", "file/below"] {
        let console = home
            .console()
            .args(["tasks", "--local=1", "--local-data", place]);
        console.run().expect_complaint(3, &[place, "--local-data"]);
    }
    assert_eq!(home.read("file"), b"in the way");
}

#[test]
fn a_service_whose_address_can_t_be_used_says_so() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = |address: &str| {
        home.console()
            .args(["serve", "mapper"])
            .env("ADDR", address)
    };
    let finished = serve(&address).run();
    finished.expect_complaint(3, &[&address, "taken by another process", "ADDR="]);
    for bad in ["nonsense", "127.0.0.1:x", "127.0.0.1:70000"] {
        let finished = serve(bad).run().expect_complaint(2, &[bad, "HOST:PORT"]);
        assert_eq!(finished.stdout, "", "it never claims to listen");
    }
    let finished = home.console().args(["serve", "cook"]).run();
    finished.expect_complaint(2, &["cook", "splitter", "mapper", "reducer"]);
}

#[test]
fn the_dashboard_needs_a_terminal() {
    let home = Home::new();
    let finished = home
        .console()
        .args(["--local=1", "--local-data", "data"])
        .run();
    let finished = finished.expect_complaint(2, &["terminal", "mrdeck run"]);
    assert!(
        !finished.stdout.contains('\u{1b}'),
        "no escape sequence goes to a pipe"
    );
    assert_eq!(home.names(), [""; 0], "no cluster was started");
}
