//! AWS at its worst, and the console goes on: throttled, silent, denied, with expired credentials.

use std::sync::Arc;

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::{Deployed, PUBLIC, deploy};
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::Proxy;
use mrdeck_testkit::proxy::script::{Fault, Script};
use mrdeck_testkit::pty::{Deck, Open};

pub const TESTS: &[Test] = tests![
    a_throttled_api_makes_the_list_old_and_stops_no_run,
    an_api_that_never_answers_blocks_no_key_and_no_run,
    without_the_permission_to_look_up_public_ips_the_column_says_so,
    expired_credentials_stop_no_run_and_renewed_ones_are_found,
];

const THROTTLED: &str = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
const EXPIRED: &str =
    r#"{"__type":"ExpiredTokenException","message":"The security token has expired"}"#;
const DENIED: &str = "<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
    <Message>You are not authorized to perform this operation.</Message></Error></Errors></Response>";
/// What ECS is asked for at each refresh.
const LISTING: [&str; 2] = ["ListTasks", "DescribeTasks"];
const CTRL_R: &str = "\x12";

/// A deployed cluster and a dashboard on it, whose calls to AWS the script decides on.
struct Watched {
    script: Arc<Script>,
    deck: Open,
    deployed: Deployed,
    _proxy: Proxy,
}

fn watched(home: &Home, script: Arc<Script>) -> Watched {
    let deployed = deploy();
    let (proxy, environment) = deployed.moto.through(&script);
    let deck = Deck::new(home.path()).args(PUBLIC).envs(environment).open();
    Watched {
        script,
        deck,
        deployed,
        _proxy: proxy,
    }
}

/// A run over the lab's input, begun now, is done and right.
fn run(deck: &mut Open) {
    deck.send(":verify on\r:input s3://lab/input.txt\rs");
    deck.wait_text(&["✓ verified", "7,180 words"]);
}

fn a_throttled_api_makes_the_list_old_and_stops_no_run() {
    let home = Home::new();
    let mut on = watched(&home, Script::new([]));
    on.deck.wait_text(&["Tasks 6"]);
    let throttled = LISTING.map(|name| Fault::answer(400, THROTTLED).aws(name));
    on.script.replace(throttled);
    on.deck.send(CTRL_R);
    let reason = "AWS asks to slow down (ThrottlingException)";
    on.deck.wait_text(&["tasks as of", reason]);
    run(&mut on.deck);
    on.script.replace([]);
    on.deck.send(CTRL_R);
    on.deck
        .wait_for("a fresh list", |screen| !screen.contains("tasks as of"));
}

fn an_api_that_never_answers_blocks_no_key_and_no_run() {
    let home = Home::new();
    let mut on = watched(&home, Script::new([]));
    on.deck.wait_text(&["Tasks 6"]);
    on.script
        .replace(LISTING.map(|name| Fault::Silence.aws(name)));
    on.deck.send(CTRL_R);
    on.script.wait_until("a call that hangs", |seen| {
        seen.iter().any(|call| call.is("ListTasks"))
    });
    on.deck.send("?");
    on.deck.wait_text(&["refresh the tasks"]);
    on.deck.send("?");
    run(&mut on.deck);
    on.deck
        .wait_text(&["tasks as of", "ECS has not answered for"]);
    on.deck.send("q");
    assert_eq!(on.deck.wait().code, 0);
}

fn without_the_permission_to_look_up_public_ips_the_column_says_so() {
    let home = Home::new();
    let denied = Fault::answer(403, DENIED).aws("DescribeNetworkInterfaces");
    let mut on = watched(&home, Script::new([denied]));
    for (role, task, _) in &on.deployed.tasks {
        on.deck
            .wait_line(&[role, &task.private_ip, "denied", "IP unknown"]);
    }
    on.deck
        .wait_text(&["no public IPs: AWS does not allow you"]);
    on.deck.send("d");
    on.deck
        .wait_text(&["its public IP is not known", "--profile"]);
    on.deck.escape("its public IP is not known");
    // It is not asked for again at every refresh.
    on.script.replace([]);
    on.deck.send(CTRL_R);
    on.script.wait_until("two more refreshes", |seen| {
        seen.iter()
            .filter(|call| call.is("DescribeTasks"))
            .nth(1)
            .is_some()
    });
    let calls = on.script.operations();
    assert!(
        !calls.contains_key("DescribeNetworkInterfaces"),
        "{calls:?}"
    );
}

fn expired_credentials_stop_no_run_and_renewed_ones_are_found() {
    let home = Home::new();
    let deployed = deploy();
    let script = Script::new([]);
    let (_proxy, environment) = deployed.moto.through(&script);
    let environment: Vec<_> = environment
        .into_iter()
        .filter(|(name, _)| !["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(name))
        .chain([("AWS_SHARED_CREDENTIALS_FILE", "credentials".to_owned())])
        .collect();
    let credentials = |key: &str| {
        let file = format!("[default]\naws_access_key_id={key}\naws_secret_access_key=hush\n");
        home.write("credentials", file);
    };

    // None at all: the dashboard waits for them.
    let deck = Deck::new(home.path()).args(PUBLIC).envs(environment);
    let mut deck = deck.open();
    deck.wait_text(&[
        "not connected: retrying",
        "no valid AWS credentials",
        "aws configure",
    ]);
    credentials("FIRST");
    deck.wait_text(&["Tasks 6"]);

    // They expire: the list grows old, and a run is done all the same.
    let expired = LISTING.map(|name| Fault::answer(400, EXPIRED).aws(name).signed_by("FIRST"));
    script.replace(expired);
    deck.send(CTRL_R);
    deck.wait_text(&[
        "tasks as of",
        "no valid AWS credentials: The security token",
    ]);
    run(&mut deck);

    // They are renewed: no key is pressed.
    credentials("SECOND");
    deck.wait_for("a fresh list", |screen| !screen.contains("tasks as of"));
}
