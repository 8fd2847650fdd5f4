//! What the scheduling of a run costs: whole runs against mappers that do nothing, and answer at once or after a while.
//!
//! `cargo bench -p mrdeck-engine --bench scheduler`; each case is a process of its own and its mappers are another, so that
//! the memory that is printed is the runs'.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong ends the benchmark"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use mrdeck_client::Client;
use mrdeck_core::api::{
    AttemptParams, ChunkRef, OutputAnswer, OutputInfo, ReduceBody, SplitAnswer,
};
use mrdeck_core::count::RULES;
use mrdeck_core::digest::Digest;
use mrdeck_core::role::Role;
use mrdeck_core::task::{Task, TaskId, TaskList, TaskStatus};
use mrdeck_core::uri::S3Uri;
use mrdeck_engine::Job;
use mrdeck_engine::event::{RunOptions, RunStatus, SplitChoice};
use mrdeck_engine::journal::Journal;
use mrdeck_engine::work::Phase;
use mrdeck_engine::{Context, run};
use mrdeck_store::Store;
use mrdeck_store::memory::MemoryStore;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// In the mappers' process: how many they are, after how many milliseconds they answer, and for how many of these they say
/// that they were busy.
const MAPPERS: &str = "MRDECK_BENCH_MAPPERS";
/// In the process of a case, so that what is printed as its memory is its own: which one it is.
const CASE: &str = "MRDECK_BENCH_CASE";
const RUNS: usize = 5;

/// Mappers, milliseconds for a chunk, of these busy, chunks.
const CASES: [(usize, u64, u64, u32); 6] = [
    (8, 0, 0, 10_000),
    (1_000, 0, 0, 10_000),
    (100, 50, 50, 5_000),
    (100, 50, 10, 5_000),
    (800, 200, 200, 8_000),
    (1_000, 200, 200, 10_000),
];

fn main() {
    if let Ok(mappers) = std::env::var(MAPPERS) {
        return Runtime::new().unwrap().block_on(serve_mappers(&mappers));
    }
    if let Ok(case) = std::env::var(CASE) {
        return measure(CASES[case.parse::<usize>().unwrap()]);
    }
    println!(
        "mappers  ms a chunk (busy)  chunks   map: median (least, most)  chunks/s  × ideal  peak memory of one run, of all"
    );
    for case in 0..CASES.len() {
        let mut process = Command::new(std::env::current_exe().unwrap());
        let ended = process.env(CASE, case.to_string()).status().unwrap();
        assert!(ended.success(), "{ended}");
    }
}

fn measure((mappers, ms, busy, chunks): (usize, u64, u64, u32)) {
    let runtime = Runtime::new().unwrap();
    let mut process = Mappers::start(mappers, ms, busy);
    let run = || runtime.block_on(map_wall_ms(&process.ports, chunks));
    let mut walls = vec![run()];
    let of_one = peak_memory_mib();
    walls.extend((1..RUNS).map(|_| run()));
    process.stop();
    walls.sort_by(f64::total_cmp);
    let median = walls[RUNS / 2];
    let turns = f64::from(chunks) / mappers as f64;
    // One request at a time.
    let ideal = turns.ceil() * ms as f64;
    let ratio = if ms == 0 {
        "–".to_owned()
    } else {
        format!("{:.2}", median / ideal)
    };
    let rate = f64::from(chunks) / median * 1e3;
    println!(
        "{mappers:>7}  {ms:>10} {busy:>6}  {chunks:>6}   {median:>6.0} ms ({:.0}, {:.0})  {rate:>8.0}  {ratio:>7}  {of_one}, {} MiB",
        walls[0],
        walls[RUNS - 1],
        peak_memory_mib()
    );
}

/// Runs a whole job and returns how long its maps took.
async fn map_wall_ms(ports: &[u16], chunks: u32) -> f64 {
    let store = Arc::new(MemoryStore::with_bucket("b"));
    let input: S3Uri = "s3://b/text".parse().unwrap();
    let text = "a ".repeat(chunks as usize);
    store.put(&input, Bytes::from(text)).await.unwrap();
    let ends = serve_ends(store.clone()).await;
    let task = |id: String, role, port: u16| {
        let base = format!("http://127.0.0.1:{port}").parse().unwrap();
        let mut task = Task::new(TaskId(id), role, TaskStatus::Running);
        task.base = Some(base);
        task
    };
    let mappers = ports.iter().enumerate();
    let mappers = mappers.map(|(n, port)| task(format!("mapper-{n}"), Role::Mapper, *port));
    let ends = [Role::Splitter, Role::Reducer].map(|role| task(role.to_string(), role, ends));
    let (_tasks, tasks) = watch::channel(TaskList::new(mappers.chain(ends).collect()));
    let records = tempfile::tempdir().unwrap();
    let (events, heard) = mpsc::unbounded_channel();
    // As the console's: it hears of every event, and is never waited for.
    let listener = tokio::spawn(async move {
        let mut heard = heard;
        while heard.recv().await.is_some() {}
    });
    let context = Context {
        cluster: "bench".to_owned(),
        tasks,
        store,
        client: Client::new(None).unwrap(),
        attempt_limit: None,
        journal: Some(Journal::new(records.path())),
        events,
        cancel: CancellationToken::new(),
    };
    let job = Job::New {
        input: input.into(),
        options: RunOptions {
            chunks: Some(chunks),
            split: SplitChoice::Range,
            verify: false,
            as_bytes: false,
        },
    };
    let ended = run(job, context).await;
    assert_eq!(ended.status, RunStatus::Done, "{:?}", ended.diagnostic);
    assert_eq!(ended.result.as_ref().unwrap().words, u64::from(chunks));
    listener.await.unwrap();
    ended.clock(Phase::Map).wall_ms.unwrap()
}

/// Serves a splitter and a reducer, and returns their port. Every chunk is one word.
async fn serve_ends(store: Arc<MemoryStore>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let ends = Router::new()
        .route("/split", get(split))
        .route("/health", get(|| async { "ok" }))
        .route("/reduce", post(reduce))
        .layer(DefaultBodyLimit::max(16 << 20))
        .with_state(store);
    tokio::spawn(async move { axum::serve(listener, ends).await });
    port
}

#[derive(Deserialize)]
struct Chunk {
    s3: S3Uri,
    chunks: Option<u64>,
    start: Option<u64>,
    #[serde(flatten)]
    of: AttemptParams,
}

async fn split(Query(asked): Query<Chunk>) -> Json<SplitAnswer> {
    let chunks = asked.chunks.unwrap();
    let chunk = |n| ChunkRef::Range {
        s3: asked.s3.clone(),
        start: 2 * n,
        end: 2 * n + 2,
    };
    Json(SplitAnswer {
        chunks: (0..chunks).map(chunk).collect(),
        bytes: Some(2 * chunks),
        sizes: Some(vec![2; usize::try_from(chunks).unwrap()]),
    })
}

async fn reduce(
    State(store): State<Arc<MemoryStore>>,
    Query(of): Query<AttemptParams>,
    Json(body): Json<ReduceBody>,
) -> Json<OutputAnswer> {
    let ReduceBody::In { inputs, .. } = body else {
        panic!("the list is short enough");
    };
    let words = inputs.len() as u64;
    let json = format!("{{\n  \"a\": {words}\n}}");
    let out: S3Uri = "s3://b/final.json".parse().unwrap();
    let info = OutputInfo {
        files: Some(words),
        sha256: Some(Digest::of(json.as_bytes()).to_string()),
        ..info(words)
    };
    store.put(&out, json.into()).await.unwrap();
    let of = Some(of);
    Json(OutputAnswer { out, info, of })
}

fn info(words: u64) -> OutputInfo {
    OutputInfo {
        words: Some(words),
        unique: Some(1),
        rules: Some(RULES),
        ..OutputInfo::default()
    }
}

/// Answers that a chunk is counted.
async fn map(
    State((delay, busy_ms)): State<(Duration, u64)>,
    Query(asked): Query<Chunk>,
) -> ([(&'static str, String); 1], Json<OutputAnswer>) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let out = format!("s3://b/maps/{}.json", asked.start.unwrap());
    let info = OutputInfo {
        bytes: Some(2),
        non_ascii: Some(0),
        sha256: Some(Digest::of(out.as_bytes()).to_string()),
        ..info(1)
    };
    let answer = OutputAnswer {
        out: out.parse().unwrap(),
        info,
        of: Some(asked.of),
    };
    let timing = format!("count;dur={busy_ms}");
    ([("server-timing", timing)], Json(answer))
}

async fn serve_mappers(mappers: &str) {
    let mut numbers = mappers.split(',').map(|number| number.parse().unwrap());
    let [count, ms, busy] = std::array::from_fn(|_| numbers.next().unwrap());
    let state = (Duration::from_millis(ms), busy);
    let mapper = Router::new().route("/map", get(map)).with_state(state);
    for _ in 0..count {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        tokio::spawn(axum::serve(listener, mapper.clone()).into_future());
    }
    println!();
    let until_closed =
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    until_closed.await.unwrap().unwrap();
}

/// The process of the mappers.
struct Mappers {
    process: Child,
    ports: Vec<u16>,
}

impl Mappers {
    fn start(count: usize, ms: u64, busy: u64) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(MAPPERS, format!("{count},{ms},{busy}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ports = lines
            .map_while(|line| line.unwrap().parse().ok())
            .collect::<Vec<_>>();
        assert_eq!(ports.len(), count);
        Self { process, ports }
    }

    fn stop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

/// Returns the most memory that this process has had so far.
fn peak_memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let fields: BTreeMap<_, _> = status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let peak = fields
        .get("VmHWM")
        .and_then(|peak| peak.split_whitespace().next());
    peak.and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or_default()
        >> 10
}
