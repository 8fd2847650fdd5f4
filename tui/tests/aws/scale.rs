//! More and fewer tasks: by services and by single tasks, with AWS willing and unwilling.
//!
//! moto never lacks room and never loses an answer, so a proxy before it says so in its place.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{Test, tests};
use mrdeck_testkit::aws::deployed::PUBLIC;
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::Proxy;
use mrdeck_testkit::proxy::script::{Fault, Script};
use mrdeck_testkit::pty::{Deck, Open};

pub const TESTS: &[Test] = tests![
    tasks_are_started_like_those_that_run_and_only_those_are_stopped_again,
    a_service_is_scaled_by_its_desired_count,
    where_aws_has_no_room_the_rest_is_reported_with_the_reason,
    a_reason_that_no_waiting_removes_is_not_waited_for,
    a_request_whose_answer_is_lost_is_made_again_with_the_same_token,
    what_can_t_be_scaled_is_refused_before_anything_is_changed,
    the_dashboard_scales_in_the_background_and_asks_before_it_stops_tasks,
    a_read_only_dashboard_scales_stops_and_runs_nothing,
];

const NO_ROOM: &str = r#"{"tasks":[],"failures":[{"reason":"Capacity is unavailable at this time. Please try again later or in a different availability zone"}]}"#;

/// A cluster, and a proxy that sees what a console asks of it.
struct Scene {
    moto: Moto,
    home: Home,
    script: Arc<Script>,
    _proxy: Proxy,
    environment: Vec<(&'static str, String)>,
}

impl Scene {
    /// With tasks of `mr-mapper` that somebody else started.
    fn with_mappers(count: usize) -> Self {
        let moto = Moto::start();
        moto.ecs("CreateCluster", &json!({"clusterName": "mr"}));
        moto.run_tasks("mr", "mr-mapper", count);
        let script = Script::new([]);
        let (proxy, environment) = moto.through(&script);
        Self {
            moto,
            home: Home::new(),
            script,
            _proxy: proxy,
            environment,
        }
    }

    fn service(&self, name: &str, desired: u32) {
        let service = json!({"cluster": "mr", "serviceName": name, "launchType": "FARGATE",
            "taskDefinition": "mr-mapper", "desiredCount": desired});
        self.moto.ecs("CreateService", &service);
    }

    fn console(&self, args: &[&str]) -> Console {
        let console = self.home.console().arg("scale").args(PUBLIC).args(args);
        console.envs(self.environment.clone())
    }

    fn deck(&self) -> Deck {
        let deck = Deck::new(self.home.path()).args(PUBLIC);
        deck.envs(self.environment.clone())
    }

    /// How many run, and how many of them mrdeck started.
    fn running(&self) -> (usize, usize) {
        let count = |filter: Value| {
            let listed = self.moto.ecs("ListTasks", &filter);
            listed["taskArns"].as_array().unwrap().len()
        };
        let all = json!({"cluster": "mr", "desiredStatus": "RUNNING"});
        let mut ours = all.clone();
        ours["startedBy"] = "mrdeck".into();
        (count(all), count(ours))
    }

    fn made(&self, operation: &str) -> usize {
        self.script.operations().remove(operation).unwrap_or(0)
    }

    fn tokens(&self) -> Vec<String> {
        let requests = self.script.told("RunTask").into_iter();
        requests
            .map(|request| request["clientToken"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn tasks_are_started_like_those_that_run_and_only_those_are_stopped_again() {
    let scene = Scene::with_mappers(2);
    let listed = scene.moto.ecs("ListTasks", &json!({"cluster": "mr"}));
    let others = listed["taskArns"].clone();
    let up = scene.console(&["mapper=14", "--output", "json"]);
    let up = up.run().expect(0);
    assert!(
        up.stderr.contains("starting 12 more mappers"),
        "{}",
        up.stderr
    );
    assert_eq!(
        up.json(),
        json!([{"role": "mapper", "wanted": 14, "was": 2, "running": 14, "service": null, "error": null}])
    );
    assert_eq!(scene.running(), (14, 12));

    let requests = scene.script.told("RunTask");
    let counts: Vec<&Value> = requests.iter().map(|request| &request["count"]).collect();
    assert_eq!(counts, [10, 2], "ten a call");
    let described = json!({"cluster": "mr", "tasks": others});
    let model = scene.moto.ecs("DescribeTasks", &described)["tasks"][0].clone();
    let subnet = model["attachments"][0]["details"]
        .as_array()
        .and_then(|details| details.iter().find(|detail| detail["name"] == "subnetId"))
        .map(|detail| detail["value"].clone())
        .unwrap();
    for request in &requests {
        assert_eq!(request["startedBy"], "mrdeck");
        assert_eq!(request["launchType"], "FARGATE");
        assert_eq!(request["taskDefinition"], model["taskDefinitionArn"]);
        let network = &request["networkConfiguration"]["awsvpcConfiguration"];
        assert_eq!(network["subnets"], json!([subnet]));
        assert_eq!(network["securityGroups"].as_array().unwrap().len(), 1);
        assert_eq!(network["assignPublicIp"], "DISABLED", "as the model's");
    }
    let tokens = scene.tokens();
    assert_ne!(tokens[0], tokens[1], "each request has its own");

    let unasked = scene.console(&["mapper=5"]).run();
    unasked.expect_complaint(2, &["stopping 9 mappers", "--yes"]);
    assert_eq!(scene.running(), (14, 12));
    let down = scene.console(&["mapper=5", "--yes"]).run().expect(0);
    assert_eq!(down.stdout, "5 mappers run\n");
    assert_eq!(scene.running(), (5, 3));

    let too_far = scene.console(&["mapper=1", "--yes"]).run();
    too_far.expect_complaint(
        3,
        &[
            "5 mappers",
            "mrdeck started 3",
            "1 of somebody else's",
            "2 or more",
        ],
    );
    assert_eq!(scene.running(), (5, 3));
    scene.console(&["mapper=2", "--yes"]).run().expect(0);
    assert_eq!(scene.running(), (2, 0));
    let tasks = scene.moto.ecs("DescribeTasks", &described);
    for task in tasks["tasks"].as_array().unwrap() {
        assert_eq!(task["lastStatus"], "RUNNING", "somebody else's: {task}");
    }
}

fn a_service_is_scaled_by_its_desired_count() {
    let scene = Scene::with_mappers(0);
    scene.service("workers", 2);
    let up = scene.console(&["mapper=5", "--output", "json"]).run();
    let up = up.expect(0);
    assert!(
        up.stderr.contains("service workers: 2 → 5 mappers"),
        "{}",
        up.stderr
    );
    assert_eq!(
        up.json(),
        json!([{"role": "mapper", "wanted": 5, "was": 2, "running": 5, "service": "workers", "error": null}])
    );
    scene.console(&["mapper=0", "--yes"]).run().expect(0);
    let told = scene.script.told("UpdateService");
    let counts: Vec<&Value> = told
        .iter()
        .map(|request| &request["desiredCount"])
        .collect();
    assert_eq!(counts, [5, 0]);
    let described = json!({"cluster": "mr", "services": ["workers"]});
    let described = scene.moto.ecs("DescribeServices", &described);
    assert_eq!(described["services"][0]["desiredCount"], 0);
    assert_eq!((scene.made("RunTask"), scene.made("StopTask")), (0, 0));

    scene.service("also-workers", 1);
    let refused = scene.console(&["mapper=3"]).run();
    refused.expect_complaint(3, &["more than one service", "also-workers", "mrdeck:role"]);
}

fn where_aws_has_no_room_the_rest_is_reported_with_the_reason() {
    let scene = Scene::with_mappers(1);
    let full = Fault::answer(200, NO_ROOM).aws("RunTask");
    scene.script.replace([full.saying("\"count\":3")]);
    let scaled = scene.console(&["mapper=14", "--wait", "5", "--output", "json"]);
    let scaled = scaled.run().expect_complaint(
        3,
        &[
            "10 of 13 are starting",
            "Capacity is unavailable at this time",
            "retrying in",
            "11 of 14 mappers run: Capacity is unavailable",
        ],
    );
    let report = scaled.json();
    assert_eq!(report[0]["running"], 11, "{report}");
    let cause = report[0]["error"]["cause"].as_str().unwrap();
    assert!(cause.starts_with("Capacity is unavailable"), "{report}");
    assert_eq!(scene.running(), (11, 10));
    let tokens = scene.tokens();
    assert!(tokens.len() > 2, "it was tried again");
    let unique: std::collections::HashSet<&String> = tokens.iter().collect();
    assert_eq!(
        unique.len(),
        tokens.len(),
        "an answered request is not repeated"
    );
}

fn a_reason_that_no_waiting_removes_is_not_waited_for() {
    let scene = Scene::with_mappers(1);
    let gone = r#"{"tasks":[],"failures":[{"reason":"ATTRIBUTE:ecs.os-type"}]}"#;
    let denied =
        r#"{"__type":"AccessDeniedException","message":"not authorized to perform ecs:RunTask"}"#;
    for (status, body, word) in [(200, gone, "ATTRIBUTE"), (400, denied, "ecs:RunTask")] {
        scene
            .script
            .replace([Fault::answer(status, body).aws("RunTask")]);
        let refused = scene.console(&["mapper=3"]).run();
        refused.expect_complaint(3, &["1 of 3 mappers run", word]);
        assert_eq!(scene.made("RunTask"), 1);
    }
    let denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
    let fault = Fault::answer(403, denied).aws("DescribeNetworkInterfaces");
    scene.script.replace([fault]);
    let refused = scene.console(&["mapper=3"]).run();
    refused.expect_complaint(3, &["security groups", "ec2:DescribeNetworkInterfaces"]);
    assert_eq!(scene.made("RunTask"), 0);
    assert_eq!(scene.running(), (1, 0));
}

fn a_request_whose_answer_is_lost_is_made_again_with_the_same_token() {
    let scene = Scene::with_mappers(1);
    let slow_down = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    for (fault, start) in [
        // moto knows no tokens and would start them twice, so these requests do not reach it.
        (Fault::Close, 3),
        (Fault::answer(400, slow_down), 5),
    ] {
        scene.script.replace([fault.aws("RunTask").turns(1..=1)]);
        let wanted = format!("mapper={start}");
        let scaled = scene.console(&[&wanted]).run().expect(0);
        assert!(scaled.stderr.contains("retrying in"), "{}", scaled.stderr);
        let tokens = scene.tokens();
        assert_eq!(tokens.len(), 2, "{}", scaled.stderr);
        assert_eq!(tokens[0], tokens[1]);
        assert_eq!(scene.running().0, start);
    }
}

fn what_can_t_be_scaled_is_refused_before_anything_is_changed() {
    let scene = Scene::with_mappers(1);
    for (args, words) in [
        (&["mapper"][..], &["'mapper'", "mapper=10"][..]),
        (&["mapper=-1"], &["'-1'", "0 to 1000"]),
        (&["mapper=1001"], &["'1001'", "0 to 1000"]),
        (&["cook=1"], &["'cook'", "splitter, mapper or reducer"]),
        (&["mapper=2", "mapper=3"], &["given twice"]),
        (&["mapper=3", "--read-only"], &["--read-only refuses"]),
    ] {
        scene.console(args).run().expect_complaint(2, words);
    }
    assert!(scene.script.operations().is_empty(), "AWS was not asked");
    // The mappers could be scaled, but not the reducers: neither are.
    let refused = scene.console(&["mapper=3", "reducer=2"]).run();
    refused.expect_complaint(3, &["to start more reducers like", "aws ecs run-task"]);
    let run = scene
        .home
        .console()
        .args(["run", "s3://lab/k", "--read-only"]);
    let run = run.args(PUBLIC).envs(scene.environment.clone()).run();
    run.expect_complaint(2, &["--read-only refuses", "a run writes objects"]);
    assert_eq!(scene.running(), (1, 0));

    let local = scene.home.local_console(1, "scale").arg("mapper=3").run();
    local.expect_complaint(2, &["local cluster", "--local=10", ":scale"]);
    let url = "http://127.0.0.1:9";
    let fixed = scene.home.console().args(["scale", "mapper=3"]);
    let fixed = fixed.args(["--splitter", url, "--mapper", url, "--reducer", url]);
    fixed
        .run()
        .expect_complaint(2, &["fixed addresses", "--cluster"]);
}

/// The status line says nothing but this.
fn wait_until_told(deck: &Open, text: &str) {
    deck.wait_for(text, |screen| {
        screen.lines().any(|line| line.trim_end() == text)
    });
}

fn the_dashboard_scales_in_the_background_and_asks_before_it_stops_tasks() {
    let scene = Scene::with_mappers(2);
    let mut deck = scene.deck().open();
    deck.wait_text(&["connected to mr"]);
    deck.send(":scale mapper 4\r");
    deck.wait_text(&["starting 2 more mappers"]);
    wait_until_told(&deck, " 4 mappers run");
    assert_eq!(scene.running(), (4, 2));
    deck.send(":scale mapper 3\r");
    deck.wait_text(&["Stop 1 mapper, leaving 3?"]);
    deck.send("\r");
    deck.wait_text(&["the mappers stay as they are"]);
    assert_eq!(scene.made("StopTask"), 0);
    deck.send(":scale mapper 3\r");
    deck.wait_text(&["Stop 1 mapper, leaving 3?"]);
    deck.send("y");
    wait_until_told(&deck, " 3 mappers run");
    assert_eq!(scene.running(), (3, 1));
    deck.send(":scale mapper 0\r");
    deck.wait_text(&["mrdeck started 1 of them"]);
    assert_eq!(scene.running(), (3, 1));
    deck.send("q");
}

fn a_read_only_dashboard_scales_stops_and_runs_nothing() {
    let scene = Scene::with_mappers(2);
    let mut deck = scene.deck().args(["--read-only"]).open();
    deck.wait_text(&["connected to mr"]);
    deck.send(":scale mapper 4\r");
    deck.wait_text(&["--read-only refuses to start or stop tasks"]);
    deck.escape(":scale mapper 4");
    deck.send("S");
    deck.wait_text(&["--read-only refuses to stop the selected task"]);
    deck.send("s");
    deck.wait_text(&["--read-only refuses to start a run"]);
    assert_eq!(scene.running(), (2, 0));
    for operation in ["RunTask", "StopTask", "UpdateService"] {
        assert_eq!(scene.made(operation), 0, "{operation}");
    }
    deck.send("q");
}
