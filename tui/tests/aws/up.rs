//! `mrdeck up` and `mrdeck down` against `CloudFormation`, ECR, ECS and S3 as moto imitates them.
//!
//! moto starts no tasks for an ECS service and does not know `EmptyOnDelete`: where ECS would start the tasks and
//! `CloudFormation` would empty the repositories, the tests do.

use serde_json::{Value, json};

use crate::{Test, tests};
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::console::{Console, binary};
use mrdeck_testkit::home::Home;
use mrdeck_testkit::pty::Deck;
use mrdeck_testkit::services::Service;
use mrdeck_testkit::wait_until;
use mrdeck_testkit::words::LIBER_PRIMUS;

pub const TESTS: &[Test] = tests![
    from_an_empty_account_to_a_run_and_back,
    a_bucket_that_is_there_is_used_and_never_removed,
    data_goes_only_when_told_and_then_all_of_it,
    nothing_is_changed_without_a_yes,
    the_question_at_a_terminal_means_no_unless_told,
    another_ones_stack_is_left_alone,
    an_interrupted_wait_says_that_the_stack_goes_on,
];

/// The services that run unless told, with their numbers of tasks.
const DEFAULTS: [(&str, usize); 3] = [("splitter", 1), ("mapper", 3), ("reducer", 1)];
const MANIFEST: &str = r#"{"schemaVersion":2,
    "mediaType":"application/vnd.docker.distribution.manifest.v2+json",
    "config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":1,"digest":"sha256:1"},
    "layers":[]}"#;

fn console(home: &Home, moto: &Moto, command: &str) -> Console {
    let console = home.console().args([command, "--address", "public"]);
    let environment = moto.environment();
    environment
        .iter()
        .fold(console, |console, (name, value)| console.env(name, value))
}

/// The first `up`: the stack without tasks.
fn create(home: &Home, moto: &Moto) {
    let up = console(home, moto, "up").args(["--yes", "--allow-from", "127.0.0.1"]);
    up.run().expect(4);
}

fn push(moto: &Moto, name: &str, manifest: &str) {
    let image = json!({"repositoryName": format!("mrdeck/{name}"), "imageTag": "latest",
        "imageManifest": manifest});
    moto.ecr("PutImage", &image);
}

/// What ECS wants of each service.
fn desired(moto: &Moto) -> Vec<(String, u64)> {
    let asked = json!({"cluster": "mrdeck",
        "services": ["splitter", "mapper", "reducer", "hello"]});
    let answer = moto.ecs("DescribeServices", &asked);
    let services = answer["services"].as_array().unwrap().iter();
    services
        .map(|service| {
            let name = service["serviceName"].as_str().unwrap();
            (name.to_owned(), service["desiredCount"].as_u64().unwrap())
        })
        .collect()
}

fn counts(expected: [u64; 4]) -> Vec<(String, u64)> {
    let names = ["splitter", "mapper", "reducer", "hello"].map(str::to_owned);
    names.into_iter().zip(expected).collect()
}

/// Does what ECS does for its services: starts their tasks, with the images that answer.
fn start_tasks(moto: &Moto) -> Vec<Service> {
    let mut services = Vec::new();
    for (role, count) in DEFAULTS {
        for task in moto.run_tasks("mrdeck", &format!("mrdeck-{role}"), count) {
            services.push(moto.serve(role, moto.give_public_ip(&task)));
        }
    }
    services
}

fn from_an_empty_account_to_a_run_and_back() {
    let moto = Moto::start();
    let home = Home::new();
    home.write("input.txt", LIBER_PRIMUS);

    // Nothing is there: the stack comes, without tasks, and the commands that make the images.
    let up = console(&home, &moto, "up").args(["--yes", "--allow-from", "127.0.0.1"]);
    let finished = up.run().expect_complaint(
        4,
        &[
            "account 123456789012",
            "create the CloudFormation stack mrdeck",
            "a new role",
            "port 8080 open to 127.0.0.1/32",
            "CREATE_COMPLETE",
            "no image 'latest' yet for splitter, mapper, reducer.",
            "then run: mrdeck up\n",
        ],
    );
    let registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
    let mut expected = vec![format!(
        "aws ecr get-login-password --region us-east-1 | docker login --username AWS --password-stdin {registry}"
    )];
    for name in ["splitter", "mapper", "reducer"] {
        let target = format!("{registry}/mrdeck/{name}:latest");
        expected.push(format!(
            "docker build --platform linux/amd64 --build-arg SERVICE={name} -t {target} ."
        ));
        expected.push(format!("docker push {target}"));
    }
    assert_eq!(finished.stdout.lines().collect::<Vec<_>>(), expected);
    assert_eq!(desired(&moto), counts([0; 4]));

    // One image is not enough, and what is there already is not asked for again.
    push(&moto, "mapper", MANIFEST);
    let up = console(&home, &moto, "up").arg("--yes");
    let finished = up.run().expect_complaint(4, &["for splitter, reducer."]);
    assert!(!finished.stdout.contains("mapper"), "{}", finished.stdout);
    assert_eq!(desired(&moto), counts([0, 3, 0, 0]));

    push(&moto, "splitter", MANIFEST);
    push(&moto, "reducer", MANIFEST);
    let running = console(&home, &moto, "up").arg("--yes").start();
    wait_until("the services' counts", || {
        desired(&moto) == counts([1, 3, 1, 0])
    });
    let services = start_tasks(&moto);
    let finished = running.wait().expect_complaint(
        0,
        &[
            "splitter: 1 task instead of 0",
            "mapper: 3 of 3 running, 3 answering",
        ],
    );
    assert_eq!(finished.stdout.lines().count(), 1, "{}", finished.stdout);
    let words: Vec<&str> = finished.stdout.split_whitespace().collect();
    let [
        "mrdeck",
        "--cluster",
        "mrdeck",
        "--bucket",
        bucket,
        "--region",
        "us-east-1",
    ] = words[..]
    else {
        panic!("not the command that opens the dashboard: {words:?}");
    };

    // Once more: nothing to do, and it says so without changing anything.
    let up = console(&home, &moto, "up").args(["--output", "json"]);
    let report = up.run().expect(0).json();
    assert_eq!(report["status"], "up", "{report}");
    assert_eq!(report["bucket"], bucket, "{report}");

    // At a terminal it ends at the dashboard. What was scaled is not undone, but told.
    let scaled = json!({"cluster": "mrdeck", "service": "reducer", "desiredCount": 0});
    moto.ecs("UpdateService", &scaled);
    let deck = Deck::new(home.path()).args(["up", "--address", "public"]);
    let mut deck = deck.envs(moto.environment()).open();
    deck.wait_text(&["Tasks 5", "RUNNING"]);
    deck.send("q");
    let closed = deck.wait();
    assert_eq!(closed.code, 0);
    let written = String::from_utf8(closed.bytes()).unwrap();
    assert!(written.contains("mrdeck scale reducer=1"), "{written}");

    // What was printed is true: a run in the stack's cluster and bucket.
    let run = console(&home, &moto, "run").args(["input.txt", "--verify"]);
    let run = run.args(["--cluster", "mrdeck", "--bucket", bucket]);
    let report = run.args(["--output", "json"]).run().expect(0).json();
    assert_eq!(report["verified"], true, "{report}");
    drop(services);

    for name in ["splitter", "mapper", "reducer"] {
        let images = json!({"repositoryName": format!("mrdeck/{name}"),
            "imageIds": [{"imageTag": "latest"}]});
        moto.ecr("BatchDeleteImage", &images);
    }
    let down = console(&home, &moto, "down").arg("--yes");
    down.run().expect_complaint(
        0,
        &[
            &format!("keep the bucket {bucket}"),
            "the stack mrdeck is deleted",
            &format!("mrdeck up --bucket {bucket}"),
        ],
    );
    assert!(!moto.keys(bucket).is_empty(), "the data is kept");

    let down = console(&home, &moto, "down").args(["--yes", "--output", "json"]);
    assert_eq!(down.run().expect(0).json()["status"], "absent");
}

fn a_bucket_that_is_there_is_used_and_never_removed() {
    let moto = Moto::start();
    let home = Home::new();
    moto.put_object("mine", "precious.txt", b"words");
    let up = console(&home, &moto, "up").args(["--yes", "--allow-from", "127.0.0.1"]);
    let up = up.args(["--bucket", "mine", "--role", "LabRole", "--mappers", "2"]);
    up.args(["--tag", "v1", "--hello"]).run().expect_complaint(
        4,
        &[
            "the bucket mine, which is there already",
            "arn:aws:iam::123456789012:role/LabRole",
            "then run: mrdeck up --tag v1 --mappers 2 --hello=1",
        ],
    );
    let down = console(&home, &moto, "down").args(["--yes", "--delete-data"]);
    let down = down.run().expect_complaint(
        0,
        &[
            "keep the bucket mine: it existed before the stack",
            "'mrdeck up --bucket mine' uses it again",
        ],
    );
    assert!(!down.stderr.contains("s3 rb"), "{down}");
    assert_eq!(moto.keys("mine"), ["precious.txt"]);
}

fn data_goes_only_when_told_and_then_all_of_it() {
    let moto = Moto::start();
    let home = Home::new();
    create(&home, &moto);
    let up = console(&home, &moto, "up").args(["--dry-run", "--output", "json"]);
    let planned = up.run().expect(0).json();
    assert_eq!(planned["plan"], json!([]), "{planned}");
    let bucket = planned["bucket"].as_str().unwrap();
    // More than one page of a listing, and of a deletion.
    for number in 0..1_001 {
        moto.put_object(bucket, &format!("mr/{number}"), b"x");
    }
    let down = console(&home, &moto, "down").args(["--yes", "--delete-data"]);
    let finished = down.args(["--output", "json"]).run().expect_complaint(
        0,
        &[&format!(
            "delete the bucket {bucket}: 1,000 objects or more"
        )],
    );
    let report = finished.json();
    assert_eq!(report["kept_bucket"], Value::Null, "{report}");
    assert_eq!(report["removed_objects"], 1_001, "{report}");
    assert!(!moto.has_bucket(bucket));
}

fn nothing_is_changed_without_a_yes() {
    let moto = Moto::start();
    let home = Home::new();
    let allow = ["--allow-from", "127.0.0.1"];
    let cases: [(&str, &[&str], i32, &[&str]); 11] = [
        ("up", &[], 2, &["--allow-from", "checkip.amazonaws.com"]),
        ("up", &allow, 2, &["no terminal to ask at", "--yes"]),
        ("up", &["--yes", "--read-only"], 2, &["--read-only"]),
        ("down", &["--yes", "--read-only"], 2, &["--read-only"]),
        ("up", &["--allow-from", "home"], 2, &["home", "203.0.113.7"]),
        ("up", &["--mappers", "0"], 2, &["--mappers", "1 to 1000"]),
        ("up", &["--stack", "Mr Deck"], 2, &["Mr Deck", "lower-case"]),
        ("up", &["--local"], 2, &["ECS", "--local"]),
        ("down", &["--cluster", "other"], 2, &["--stack other"]),
        ("up", &["--subnet", "subnet-x"], 2, &["--allow-from"]),
        ("down", &["--yes"], 0, &["nothing to remove"]),
    ];
    for (command, args, code, words) in cases {
        let finished = console(&home, &moto, command).args(args).run();
        let finished = finished.expect_complaint(code, words);
        assert_eq!(finished.stdout, "", "{command} {args:?}");
    }
    let subnet = console(&home, &moto, "up")
        .args(allow)
        .args(["--subnet", "subnet-x"]);
    subnet
        .run()
        .expect_complaint(3, &["there is no subnet 'subnet-x'", "describe-subnets"]);
    let shown = console(&home, &moto, "up").args(allow).arg("--dry-run");
    let shown = shown.run().expect(0).stdout;
    assert!(
        shown.contains("create the CloudFormation stack mrdeck"),
        "{shown}"
    );
    assert!(moto.stacks().is_empty());
    for output in ["text", "json"] {
        let script = "exec \"$@\" >/dev/full";
        let full = Console::by("sh", home.path()).args(["-c", script, "sh", binary(), "up"]);
        let full = full.args(allow).args(["--dry-run", "--output", output]);
        full.envs(moto.environment())
            .run()
            .expect_complaint(3, &["standard output can't be written"]);
    }

    create(&home, &moto);
    let down = console(&home, &moto, "down").run();
    down.expect_complaint(2, &["delete the CloudFormation stack", "--yes"]);
    assert_eq!(moto.stacks(), ["mrdeck"]);
}

fn the_question_at_a_terminal_means_no_unless_told() {
    let moto = Moto::start();
    let home = Home::new();
    let open = || {
        let deck = Deck::new(home.path()).args(["up", "--allow-from", "127.0.0.1"]);
        deck.envs(moto.environment()).open()
    };
    for answer in ["\r", "n\r", "\x03"] {
        let mut deck = open();
        deck.wait_text(&[
            "create the CloudFormation stack mrdeck",
            "Do all this? [y/N]",
        ]);
        deck.send(answer);
        assert_eq!(deck.wait().code, 130, "{answer:?}");
        assert!(moto.stacks().is_empty(), "{answer:?}");
    }
    let mut deck = open();
    deck.wait_text(&["Do all this? [y/N]"]);
    deck.send("y\r");
    deck.wait_text(&["docker push", "then run: mrdeck up"]);
    assert_eq!(deck.wait().code, 4);
    assert_eq!(moto.stacks(), ["mrdeck"]);
}

fn another_ones_stack_is_left_alone() {
    let moto = Moto::start();
    let home = Home::new();
    let template = json!({"Description": "a shop",
        "Resources": {"Shop": {"Type": "AWS::S3::Bucket"}}});
    moto.create_stack("shop", &template.to_string());
    for command in ["up", "down"] {
        let finished = console(&home, &moto, command).args(["--stack", "shop", "--yes"]);
        finished
            .run()
            .expect_complaint(3, &["'shop' was not created by mrdeck", "--stack"]);
    }
    assert_eq!(moto.stacks(), ["shop"]);
}

fn an_interrupted_wait_says_that_the_stack_goes_on() {
    let moto = Moto::start();
    let home = Home::new();
    create(&home, &moto);
    for (name, _) in DEFAULTS {
        push(&moto, name, MANIFEST);
    }
    let running = console(&home, &moto, "up").arg("--yes").start();
    // No task comes, so it waits for them.
    wait_until("the services' counts", || {
        desired(&moto) == counts([1, 3, 1, 0])
    });
    running.signal("INT");
    running
        .wait()
        .expect_complaint(130, &["AWS continues with the stack", "the same command"]);
}
