//! Another cluster, profile, region, in a dashboard that runs on: what is completed, what is left behind, the way back.

use std::sync::Arc;

use serde_json::json;

use crate::{Test, tests};
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::Proxy;
use mrdeck_testkit::proxy::script::{Fault, Gate, Script, Seen};
use mrdeck_testkit::pty::{Deck, Open};

pub const TESTS: &[Test] = tests![
    another_cluster_is_completed_and_gone_to_and_the_one_before_is_left_alone,
    a_cluster_that_is_not_there_says_so_and_the_way_back_works,
    a_profile_is_chosen_with_its_own_credentials_not_those_of_the_environment,
    names_that_do_not_come_or_come_late_hold_no_key_up,
];

struct Scene {
    _moto: Moto,
    _proxy: Proxy,
    _home: Home,
    script: Arc<Script>,
    deck: Open,
    /// The end of the id of the task of each cluster.
    alpha: String,
    omega: String,
}

/// Two clusters with a task each, and a dashboard at the first.
fn open() -> Scene {
    let moto = Moto::start();
    let task_of = |cluster: &str| {
        moto.ecs("CreateCluster", &json!({"clusterName": cluster}));
        let id = moto.run_tasks(cluster, "hello", 1).remove(0).id;
        id[id.len() - 8..].to_owned()
    };
    let (alpha, omega) = (task_of("alpha"), task_of("omega"));
    let script = Script::new([]);
    let (proxy, environment) = moto.through(&script);
    let home = Home::new();
    let profiles = "[profile work]\naws_access_key_id = of-work\naws_secret_access_key = x\n\
        [profile empty]\nregion = eu-west-3\n";
    let deck = Deck::new(home.path())
        .args(["--cluster", "alpha", "--address", "public"])
        .envs(environment)
        .env("AWS_CONFIG_FILE", home.write("aws-config", profiles))
        .open();
    deck.wait_text(&["alpha us-east-1", &alpha]);
    Scene {
        _moto: moto,
        _proxy: proxy,
        _home: home,
        script,
        deck,
        alpha,
        omega,
    }
}

impl Scene {
    /// Waits until the tasks of a cluster were asked for again and again: those of no other were meanwhile.
    fn expect_only(&self, cluster: &str, times: usize) {
        self.script.wait_until(cluster, |seen| {
            let of_cluster =
                |request: &&Seen| request.is("ListTasks") && request.body.contains(cluster);
            seen.iter().filter(of_cluster).count() > times
        });
        let listed = self.script.told("ListTasks").into_iter();
        let mut since = listed.skip_while(|request| request["cluster"] != cluster);
        let other = since.find(|request| request["cluster"] != cluster);
        assert_eq!(other, None, "since {cluster} was asked for");
    }
}

fn another_cluster_is_completed_and_gone_to_and_the_one_before_is_left_alone() {
    let mut scene = open();
    let (alpha, omega) = (scene.alpha.clone(), scene.omega.clone());
    scene.deck.send(":clu\t");
    scene.deck.wait_line(&[" :cluster"]);
    scene.deck.wait_line(&["│ alpha"]);
    scene.deck.wait_line(&["│ omega"]);
    scene.deck.send("eg\t");
    scene.deck.wait_line(&[" :cluster omega"]);
    scene.deck.send("\r");
    scene.deck.wait_for("the other cluster", |screen| {
        screen.contains("omega us-east-1") && screen.contains(&omega) && !screen.contains(&alpha)
    });
    scene.expect_only("omega", 4);
    scene.deck.send("q");
}

fn a_cluster_that_is_not_there_says_so_and_the_way_back_works() {
    let mut scene = open();
    scene.deck.send(":cluster nowhere\r");
    scene.deck.wait_text(&[
        "nowhere: not connected",
        "there is no ECS cluster 'nowhere'",
        "go back with :cluster alpha",
    ]);
    // Each look at it is one call, and there is more time between two than between two lists of alpha.
    scene.expect_only("nowhere", 1);
    scene.deck.send(":cluster alpha\r");
    scene.deck.wait_text(&["alpha us-east-1", &scene.alpha]);
    scene.deck.send(":region eu-west-1\r");
    scene.deck.wait_text(&[
        "there is no ECS cluster 'alpha'",
        "go back with :region auto",
    ]);
    scene.deck.send(":region auto\r");
    scene.deck.wait_text(&["alpha us-east-1", &scene.alpha]);
    scene.deck.send("q");
}

fn a_profile_is_chosen_with_its_own_credentials_not_those_of_the_environment() {
    let mut scene = open();
    scene.deck.send(":profile ");
    scene.deck.wait_line(&["│ work"]);
    scene
        .deck
        .wait_line(&["│ auto", "what the AWS SDK finds by itself"]);
    scene.deck.send("w\t\r");
    scene
        .deck
        .wait_text(&["alpha us-east-1 work", &scene.alpha]);
    let signed_by = |key: &str| {
        let key = key.to_owned();
        move |request: &Seen| request.is("ListTasks") && request.access_key.as_deref() == Some(&key)
    };
    scene
        .script
        .wait_until("the profile's credentials", |seen| {
            seen.iter().any(signed_by("of-work"))
        });
    scene.deck.send(":profile empty\r");
    scene
        .deck
        .wait_text(&["no valid AWS credentials", "go back with :profile work"]);
    scene.deck.send(":profile auto\r");
    scene.deck.wait_text(&["alpha us-east-1", &scene.alpha]);
    scene.deck.send(":region eu-w");
    scene.deck.wait_line(&["│ eu-west-1"]);
    scene.deck.send("\x03");
}

fn names_that_do_not_come_or_come_late_hold_no_key_up() {
    let mut scene = open();
    let gate = Gate::closed();
    scene
        .script
        .replace([Fault::Hold(gate.clone()).aws("ListClusters")]);
    scene.deck.send(":cluster ");
    scene.deck.wait_line(&["│ asking …"]);
    scene.deck.send("omega\r");
    scene.deck.wait_text(&["omega us-east-1", &scene.omega]);
    // The names of where one is come, the late ones of where one was do not.
    scene.script.replace([]);
    scene.deck.send(":cluster ");
    scene.deck.wait_line(&["│ alpha"]);
    gate.open();
    scene.deck.escape("│ alpha");

    let denied = r#"{"__type":"AccessDeniedException","message":"no ecs:ListClusters for you"}"#;
    scene
        .script
        .replace([Fault::answer(400, denied).aws("ListClusters")]);
    scene.deck.send(":cluster ");
    scene
        .deck
        .wait_text(&["AWS does not allow you to list the clusters"]);
    scene.deck.escape("AWS does not allow");
    scene.deck.send("q");
}
