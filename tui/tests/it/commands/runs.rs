//! `mrdeck runs`: what is recorded of past runs, listed, shown, drawn and compared. No cluster is started for it.

use serde_json::Value;

use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::lab::Lab;

/// Runs the sample text, and returns what was printed.
fn run(home: &Home, chunks: &str, output: &str) -> String {
    let run = home.local_console(2, "run").args(["--chunks", chunks]);
    run.args(["--output", output]).run().expect(0).stdout
}

/// `mrdeck runs` about the runs of the local cluster.
fn runs(home: &Home) -> Console {
    home.local_console(2, "runs")
}

fn listed(home: &Home, args: &[&str]) -> Vec<Value> {
    let list = runs(home).args(["--output", "json", "list"]).args(args);
    let list = list.run().expect(0).json();
    list.as_array().unwrap().clone()
}

#[test]
fn runs_are_listed_shown_drawn_and_compared() {
    let home = Home::new();
    let first: Value = serde_json::from_str(&run(&home, "2", "json")).unwrap();
    let text = run(&home, "5", "text");

    let table = runs(&home).run().expect(0).stdout;
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert_eq!(lines[0][..2], ["RUN", "STARTED"]);
    assert_eq!(lines[2][0], first["run"], "the newest is above: {table}");
    assert!(text.contains(lines[1][0]), "{table}");
    assert_eq!(lines[1][3], "done", "{table}");
    let column = |title: &str| table.lines().next().unwrap().find(title).unwrap();
    let below = |title: &str| {
        let line = table.lines().nth(1).unwrap();
        line[column(title)..]
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(below("INPUT"), "s3://mrdeck/liber-primus.txt");
    assert_eq!(
        (below("CHUNKS"), below("MAPPERS")),
        ("5".to_owned(), "2".to_owned())
    );

    let shown = runs(&home).args(["show", "last"]).run().expect(0).stdout;
    assert_eq!(shown, text, "as it was reported when it ended");
    let id = first["run"].as_str().unwrap();
    let shown = runs(&home).args(["show", id, "--output", "json"]).run();
    assert_eq!(shown.expect(0).json(), first);

    let export = |chart: &str| runs(&home).args(["export", id, "--chart", chart]).run();
    export("chart.svg").expect(0);
    let svg = String::from_utf8(home.read("chart.svg")).unwrap();
    assert!(svg.contains(id) && svg.trim_end().ends_with("</svg>"));
    export("chart.svg").expect_complaint(3, &["chart.svg", "exists"]);

    let compared = runs(&home)
        .args(["compare", id, "last"])
        .run()
        .expect(0)
        .stdout;
    assert!(
        compared.contains("The same input, and the same counts."),
        "{compared}"
    );
    let row = |name: &str| {
        let line = compared
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap();
        line.split_whitespace()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(row("chunks"), ["2", "5"]);
    assert_eq!(row("words")[0], row("words")[1]);
    assert!(row("total").last().unwrap().ends_with('×'), "{compared}");
    let json = runs(&home)
        .args(["compare", id, "last", "--output", "json"])
        .run();
    let json = json.expect(0).json();
    assert_eq!(json["base"]["run"], id);
    assert_eq!(
        (&json["is_same_input"], &json["are_counts_the_same"]),
        (&true.into(), &true.into())
    );
    let total =
        json["other"]["total_ms"].as_f64().unwrap() / json["base"]["total_ms"].as_f64().unwrap();
    assert!((json["ratios"]["total"].as_f64().unwrap() - total).abs() < 1e-9);
    assert_eq!(json["ratios"]["verify"], Value::Null);

    assert_eq!(listed(&home, &["--last", "1"]).len(), 1);
    assert_eq!(listed(&home, &["--status", "done"]).len(), 2);
    assert_eq!(
        listed(&home, &["--status", "failed", "--all"]),
        [Value::Null; 0]
    );
}

#[test]
fn all_that_ran_here_is_listed_unless_the_local_cluster_is_meant() {
    let lab = Lab::new([]);
    let elsewhere = lab.run(2).run().expect(0).json();
    let list = |args: &[&str]| {
        let list = lab.home.console().args(["runs", "--output", "json"]);
        let rows = list.args(args).run().expect(0).json();
        let rows = rows.as_array().unwrap().clone();
        rows.into_iter()
            .map(|row| row["run"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(&[]), [elsewhere["run"].clone()]);
    let local = lab
        .home
        .console()
        .args(["run", "--local", "--output", "json"]);
    let local = local.run().expect(0).json();
    assert_eq!(list(&[]), [local["run"].clone(), elsewhere["run"].clone()]);
    assert_eq!(list(&["--local"]), [local["run"].clone()]);
    assert_eq!(list(&["--local-data", "nowhere"]), [Value::Null; 0]);
}

#[test]
fn two_results_of_one_input_that_differ_are_no_small_matter() {
    let home = Home::new();
    let runs_of_it = [run(&home, "2", "json"), run(&home, "3", "json")];
    let ids = runs_of_it.map(|report| {
        let report: Value = serde_json::from_str(&report).unwrap();
        report["run"].as_str().unwrap().to_owned()
    });
    let record = home.file(&format!("data/runs/{}.jsonl", ids[1]));
    let text = std::fs::read_to_string(&record).unwrap();
    let result = text
        .lines()
        .find(|line| line.contains("result_read"))
        .unwrap();
    let result: Value = serde_json::from_str(result).unwrap();
    let sha256 = result["sha256"].as_str().unwrap();
    std::fs::write(&record, text.replace(sha256, &"0".repeat(64))).unwrap();
    let compared = runs(&home).args(["compare", &ids[0], &ids[1]]).run();
    let compared = compared.expect_complaint(3, &["counted the same input differently", &ids[1]]);
    assert!(
        compared
            .stdout
            .contains("The same input, and other counts.")
    );
}

#[test]
fn a_record_that_can_t_be_read_hides_no_other() {
    let home = Home::new();
    run(&home, "2", "json");
    let folder = home.file("data/runs");
    let damaged = "01M8C278XTGPMSW6JWEW2K7GZB";
    std::fs::write(folder.join(format!("{damaged}.jsonl")), "{\"event\":\n").unwrap();
    // Of a run that has just begun; and what is none of mrdeck's.
    std::fs::write(folder.join("01M8C278XTGPMSW6JWEW2K7GZC.jsonl"), "").unwrap();
    std::fs::write(folder.join("notes.txt"), "mine").unwrap();
    let list = runs(&home).run().expect(0);
    assert_eq!(list.stdout.lines().count(), 3, "{}", list.stdout);
    let line = list
        .stdout
        .lines()
        .find(|line| line.starts_with(damaged))
        .unwrap();
    assert!(line.contains("unreadable"), "{line}");
    assert!(
        list.stderr.contains("line 1 of the run's record"),
        "{}",
        list.stderr
    );
    let rows = listed(&home, &[]);
    let row = rows.iter().find(|row| row["run"] == damaged).unwrap();
    assert_eq!(row["status"], Value::Null);
    assert!(row["error"]["cause"].as_str().unwrap().contains("damaged"));
    runs(&home)
        .args(["show", damaged])
        .run()
        .expect_complaint(3, &["damaged"]);
}

#[test]
fn what_is_not_recorded_is_said_so() {
    let home = Home::new();
    let none = runs(&home).run().expect(0);
    assert!(
        none.stdout.starts_with("no runs are recorded in "),
        "{}",
        none.stdout
    );
    assert_eq!(listed(&home, &[]), [Value::Null; 0]);
    runs(&home)
        .args(["show", "last"])
        .run()
        .expect_complaint(3, &["no run is recorded"]);
    let id = "01M8C278XTGPMSW6JWEW2K7GZB";
    runs(&home)
        .args(["show", id])
        .run()
        .expect_complaint(3, &[id, "'mrdeck runs'"]);
    runs(&home)
        .args(["show", "first"])
        .run()
        .expect_complaint(2, &["first", "or last"]);
    runs(&home)
        .args(["list", "--last", "0"])
        .run()
        .expect_complaint(2, &["--last"]);
    assert_eq!(
        home.names(),
        [""; 0],
        "nothing was started, and nothing made"
    );
}
