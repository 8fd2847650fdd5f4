//! What the command line takes, and what it refuses with which words.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;

use clap::{Arg, Command, CommandFactory, Parser};

use super::Cli;

#[test]
fn a_wrong_value_is_named_with_its_flag_and_with_what_would_be_right() {
    let run = "01J0000000000000000000000"; // one character short
    for (args, flag, value, right) in [
        (&["--local=0"][..], "--local", "0", "from 1 to 100"),
        (&["--local="], "--local", "", "from 1 to 100"),
        (&["--timeout", "0"], "--timeout", "0", "above 0"),
        (&["--splitter", "a:1"], "--splitter", "a:1", "http://"),
        (&["--mapper", "a:1"], "--mapper", "a:1", "http://"),
        (&["--reducer", "ftp://a"], "--reducer", "ftp://a", "http://"),
        (
            &["run", "--chunks", "0"],
            "--chunks",
            "0",
            "from 1 to 10000",
        ),
        (&["run", "--top", "101"], "--top", "101", "from 0 to 100"),
        (
            &["run", "http://x"],
            "[INPUT]",
            "http://x",
            "s3://BUCKET/KEY",
        ),
        (&["resume", run], "<RUN>", run, "26 letters and digits"),
        (&["scale", "mapper"], "<ROLE=N>", "mapper", "mapper=10"),
        (
            &["scale", "cook=1"],
            "<ROLE=N>",
            "cook=1",
            "splitter, mapper or reducer",
        ),
        (
            &["scale", "mapper=1001"],
            "<ROLE=N>",
            "mapper=1001",
            "from 0 to 1000",
        ),
        (
            &["up", "--stack", "Mr"],
            "--stack",
            "Mr",
            "lower-case letters",
        ),
        (
            &["down", "--stack", "m_r"],
            "--stack",
            "m_r",
            "lower-case letters",
        ),
        (
            &["up", "--allow-from", "::1"],
            "--allow-from",
            "::1",
            "IPv4",
        ),
        (
            &["up", "--mappers", "0"],
            "--mappers",
            "0",
            "from 1 to 1000",
        ),
        (&["up", "--hello=x"], "--hello", "x", "from 0 to 1000"),
        (&["up", "--tag", ".x"], "--tag", ".x", "128 characters"),
        (&["up", "--role", "a b"], "--role", "a b", "ARN"),
        (
            &["up", "--execution-role", ""],
            "--execution-role",
            "",
            "ARN",
        ),
        (&["up", "--task-role", "a/b"], "--task-role", "a/b", "ARN"),
        (
            &["up", "--allow-bucket", "A"],
            "--allow-bucket",
            "A",
            "lower-case letters",
        ),
    ] {
        expect_refused(args, flag, value, right);
    }
}

/// Asserts that a value is refused with its flag, itself, and what would be right.
fn expect_refused(args: &[&str], flag: &str, value: &str, right: &str) {
    let parsed = Cli::try_parse_from([&["mrdeck"], args].concat());
    let error = parsed.expect_err("a wrong value");
    assert_eq!(error.exit_code(), 2, "{args:?}");
    let text = error.to_string();
    for part in [flag, &format!("'{value}'"), right] {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
}

#[test]
fn what_names_something_in_aws_is_checked() {
    for (args, flag, value, right) in [
        (
            &["--endpoint-url", "ftp://a"][..],
            "--endpoint-url",
            "ftp://a",
            "http://",
        ),
        (&["--bucket", "s3://lab"], "--bucket", "s3://lab", "lab"),
        (&["--bucket", "a/b"], "--bucket", "a/b", "name alone"),
        (&["--bucket", ""], "--bucket", "", "name"),
        (&["--cluster", "a b"], "--cluster", "a b", "ARN"),
        (&["--region", "us east"], "--region", "us east", "us-east-1"),
        (&["--region", ""], "--region", "", "us-east-1"),
        (
            &["--profile", " x"],
            "--profile",
            " x",
            "begins with a blank",
        ),
    ] {
        expect_refused(args, flag, value, right);
    }
}

#[test]
fn a_right_value_is_read() {
    for args in [
        &["--local", "--timeout", "0.5", "run", "--chunks", "9"][..],
        &["run", "s3://b/k", "--top", "100"],
        &["resume", "01J00000000000000000000000", "--top=0"],
        &["scale", "mapper=0", "reducer=2", "--wait", "3600"],
        &["up", "--mappers=9", "--hello", "--role", "LabRole"],
        &["down", "--stack", "mr-2"],
    ] {
        let parsed = Cli::try_parse_from([&["mrdeck"], args].concat());
        parsed.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_role_for_everything_leaves_no_other() {
    let both = ["mrdeck", "up", "--role", "a", "--task-role", "b"];
    let text = Cli::try_parse_from(both)
        .expect_err("a conflict")
        .to_string();
    assert!(
        text.contains("--role") && text.contains("--task-role"),
        "{text}"
    );
}

#[test]
fn the_manual_lists_the_same_commands_and_flags() {
    let manual = include_str!("../../../README.md");
    let root = Cli::command();
    root.clone().debug_assert();
    let commands = || std::iter::once(&root).chain(root.get_subcommands());
    let names: BTreeSet<&str> = root.get_subcommands().map(Command::get_name).collect();
    let (_, synopsis) = manual
        .split_once("```\nmrdeck [--local")
        .expect("the synopsis");
    let documented: BTreeSet<&str> = synopsis
        .lines()
        .skip(1)
        .take_while(|line| *line != "```")
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(documented, names, "the synopsis in tui/README.md");

    let flags: BTreeSet<&str> = commands()
        .flat_map(Command::get_arguments)
        .filter(|argument| !argument.is_hide_set())
        .filter_map(Arg::get_long)
        .collect();
    let is_end = |c: char| !c.is_ascii_lowercase() && c != '-';
    // The flags' tables, and the text below them that names a flag in back-quotes.
    let documented: BTreeSet<&str> = manual
        .match_indices("--")
        .filter(|(at, _)| manual[..*at].ends_with(['`', ' ']))
        .map(|(at, dashes)| &manual[at + dashes.len()..])
        .map(|text| text.split(is_end).next().unwrap_or_default())
        .collect();
    let missing: Vec<_> = flags.difference(&documented).collect();
    assert!(missing.is_empty(), "not in tui/README.md: {missing:?}");
    let rows = manual.lines().filter(|line| line.starts_with("| `--"));
    let invented: Vec<&str> = rows
        .flat_map(|row| {
            row.split(" | ")
                .next()
                .unwrap_or_default()
                .split("--")
                .skip(1)
        })
        .map(|text| text.split(is_end).next().unwrap_or_default())
        .filter(|flag| !flags.contains(flag))
        .collect();
    assert!(invented.is_empty(), "in tui/README.md only: {invented:?}");
}
