//! The runs the screens show: begun, in flight, done, failed, cancelled, and one of a thousand chunks.

use mrdeck::app::Msg;
use mrdeck_client::TimedPart;
use mrdeck_core::api::{ChunkRef, OutputInfo, SplitMode};
use mrdeck_core::diagnostic::Diagnostic;
use mrdeck_core::task::TaskId;
use mrdeck_engine::event::{
    AttemptAnswer, EventKind, ResultSummary, RunOptions, RunStatus, Verification,
};
use mrdeck_engine::work::{ChunkIndex, Phase, Work};

use super::scene::{Scene, refused_connection, run_id, uri};

impl Scene {
    fn begin_run(&mut self, mappers: u32, chunks: u32) {
        self.press("s");
        self.event(EventKind::RunStarted {
            run: run_id(),
            input: uri("liber-primus.txt"),
            cluster: "local".to_owned(),
            mappers,
            options: RunOptions {
                chunks: None,
                split: SplitMode::Copy,
                verify: false,
            },
        });
        self.wait(4);
        self.event(EventKind::InputPinned {
            bytes: 48_236,
            etag: Some("\"9b2c\"".to_owned()),
        });
        self.begin(Phase::Split);
        self.start(Work::Split, 1, "splitter-1", "127.0.0.1:40101");
        self.wait(38);
        self.succeed(Work::Split, 1, 37.6, AttemptAnswer::default());
        self.end(Phase::Split, 37.9);
        let chunk = |index| {
            let key = format!("mr/runs/{}/chunks/liber-primus_{index:05}.txt", run_id());
            ChunkRef::Object(uri(&key))
        };
        let chunks = (0..chunks).map(chunk).collect();
        self.event(EventKind::ChunksPlanned {
            chunks,
            sizes: None,
            etags: Vec::new(),
        });
        self.begin(Phase::Map);
    }

    fn begin(&mut self, phase: Phase) {
        self.event(EventKind::PhaseStarted { phase });
    }

    fn end(&mut self, phase: Phase, wall_ms: f64) {
        self.event(EventKind::PhaseFinished { phase, wall_ms });
    }

    fn start(&mut self, work: Work, attempt: u32, task: &str, address: &str) {
        self.event(EventKind::AttemptStarted {
            work,
            attempt,
            task: TaskId(task.to_owned()),
            address: address.to_owned(),
            backup: false,
        });
    }

    fn succeed(&mut self, work: Work, attempt: u32, ms: f64, answer: AttemptAnswer) {
        self.event(EventKind::AttemptSucceeded {
            work,
            attempt,
            ms,
            answer,
            recovered: None,
        });
        self.event(EventKind::Committed { work, attempt });
    }

    fn map_done(&mut self, chunk: u32, attempt: u32, ms: f64, words: u64) {
        let key = format!("mr/runs/{}/maps/{chunk:05}_a{attempt}.json", run_id());
        let timing = [("s3_get", 0.3), ("count", 0.1), ("s3_put", 0.4)];
        let answer = AttemptAnswer {
            out: Some(uri(&key)),
            info: OutputInfo {
                words: Some(words),
                unique: Some(words / 3),
                bytes: Some(16_078),
                ..OutputInfo::default()
            },
            timing: timing
                .map(|(name, share)| TimedPart {
                    name: name.to_owned(),
                    ms: ms * share,
                })
                .into(),
        };
        self.succeed(Work::map(chunk), attempt, ms, answer);
    }

    fn map_failed(&mut self, chunk: u32, attempt: u32, ms: f64, retry_in_ms: Option<u64>) {
        self.event(EventKind::AttemptFailed {
            work: Work::map(chunk),
            attempt,
            ms,
            diagnostic: refused_connection(),
            retry_in_ms,
        });
    }

    fn finish(&mut self, status: RunStatus, wall_ms: f64, diagnostic: Option<Diagnostic>) {
        self.event(EventKind::RunFinished {
            status,
            wall_ms,
            diagnostic,
        });
        self.send(Msg::RunEnded);
    }

    /// Mid map: one chunk is counted, one is being counted, one failed and will be tried again.
    pub fn mapping(mut self) -> Self {
        self.begin_run(3, 3);
        self.start(Work::map(0), 1, "mapper-1", "127.0.0.1:40211");
        self.start(Work::map(1), 1, "mapper-2", "127.0.0.1:40322");
        self.start(Work::map(2), 1, "mapper-3", "127.0.0.1:40433");
        self.wait(2);
        self.map_failed(1, 1, 1.8, Some(240));
        self.wait(56);
        self.map_done(0, 1, 57.7, 2_391);
        self.after(91)
    }

    /// Each chunk is counted, the second one at its third attempt.
    fn mapped(mut self) -> Self {
        self = self.mapping();
        self.map_done(2, 1, 148.2, 2_402);
        self.wait(95);
        self.start(Work::map(1), 2, "mapper-1", "127.0.0.1:40211");
        self.wait(30_000);
        self.map_failed(1, 2, 30_000.4, Some(402));
        self.wait(402);
        self.start(Work::map(1), 3, "mapper-3", "127.0.0.1:40433");
        self.wait(61);
        self.map_done(1, 3, 60.9, 2_387);
        self.end(Phase::Map, 30_707.2);
        self
    }

    pub fn done(mut self) -> Self {
        self = self.mapped();
        self.begin(Phase::Reduce);
        self.start(Work::Reduce, 1, "reducer-1", "127.0.0.1:40544");
        self.wait(44);
        let out = uri(&format!("mr/runs/{}/reduce/final_a1.json", run_id()));
        let answer = AttemptAnswer {
            out: Some(out.clone()),
            info: OutputInfo {
                words: Some(7_180),
                unique: Some(3_012),
                ..OutputInfo::default()
            },
            ..AttemptAnswer::default()
        };
        self.succeed(Work::Reduce, 1, 43.5, answer);
        self.end(Phase::Reduce, 43.8);
        let top = [
            ("et", 231),
            ("in", 186),
            ("non", 131),
            ("ut", 97),
            ("quae", 84),
            ("est", 77),
            ("ad", 70),
            ("cum", 66),
            ("enim", 61),
            ("aut", 58),
        ];
        self.event(EventKind::ResultRead(ResultSummary {
            out,
            words: 7_180,
            unique: 3_012,
            sha256: String::new(),
            top: top.map(|(word, count)| (word.to_owned(), count)).into(),
        }));
        self.finish(RunStatus::Done, 30_845.1, None);
        self.after(1_000)
    }

    pub fn verified(self) -> Self {
        self.recounted(Verification {
            missing: 0,
            extra: 0,
            different: 0,
            samples: Vec::new(),
        })
    }

    pub fn found_wrong(self) -> Self {
        self.recounted(Verification {
            missing: 1,
            extra: 0,
            different: 1,
            samples: vec![
                "'caesar' is in the input 3 times and not in the result".to_owned(),
                "'et' is 231 times in the input and 230 times in the result".to_owned(),
            ],
        })
    }

    fn recounted(mut self, found: Verification) -> Self {
        self = self.done();
        self.press("v");
        self.event(EventKind::RunContinued { mappers: 3 });
        self.begin(Phase::Verify);
        self.wait(12);
        self.end(Phase::Verify, 11.6);
        let is_exact = found.is_exact();
        self.event(EventKind::Verified(found));
        if is_exact {
            self.finish(RunStatus::Done, 14.0, None);
        } else {
            let diagnostic = Diagnostic::new(
                "the result is wrong: 1 words missing, 0 extra, 1 counted differently",
                "don't use it: run again from the start, and check the services' versions",
            );
            self.finish(RunStatus::Failed, 14.0, Some(diagnostic));
        }
        self.after(500)
    }

    /// The second chunk used its four attempts up.
    pub fn failed(mut self) -> Self {
        self = self.mapping();
        self.map_done(2, 1, 148.2, 2_402);
        for attempt in 2..=4 {
            self.wait(240);
            self.start(Work::map(1), attempt, "mapper-2", "127.0.0.1:40322");
            self.wait(2);
            self.map_failed(1, attempt, 1.7, (attempt < 4).then_some(402));
        }
        self.end(Phase::Map, 875.0);
        let diagnostic = Diagnostic::new(
            format!(
                "1 of 3 chunks could not be mapped; the last reason: {}",
                refused_connection().cause
            ),
            "what was counted is kept: only the failed mappers need to run again",
        );
        self.finish(RunStatus::Failed, 921.3, Some(diagnostic));
        self.after(300)
    }

    pub fn cancelled(mut self) -> Self {
        self = self.mapping();
        self.press("x");
        self.event(EventKind::AttemptAbandoned {
            work: Work::map(2),
            attempt: 1,
            ms: 149.0,
        });
        self.end(Phase::Map, 149.2);
        self.finish(RunStatus::Cancelled, 191.5, None);
        self.after(300)
    }

    /// A run that another dashboard left in the middle of its maps, four minutes ago.
    pub fn left(self) -> Self {
        let record = Self::new().connected().mapping().state.run.unwrap();
        let mut scene = self.after(252_000);
        scene.send(Msg::Left(Box::new(record.stopped())));
        scene
    }

    /// All that an engine does about faults, as far as people hear of it.
    pub fn hardened(mut self) -> Self {
        self.begin_run(3, 3);
        let map = Work::map(1);
        let diagnostic = |cause: &str| Diagnostic::new(cause, "");
        self.start(map, 1, "mapper-1", "127.0.0.1:40211");
        for kind in [
            EventKind::SetAside {
                task: TaskId("mapper-2".to_owned()),
                for_ms: 10_000,
            },
            EventKind::Concurrency { limit: 1 },
            EventKind::ChunkReplaced {
                chunk: ChunkIndex(1),
                source: ChunkRef::Range {
                    s3: uri("liber-primus.txt"),
                    start: 16_078,
                    end: 32_156,
                },
            },
            EventKind::AttemptStarted {
                work: map,
                attempt: 2,
                task: TaskId("mapper-3".to_owned()),
                address: "127.0.0.1:40433".to_owned(),
                backup: true,
            },
            EventKind::AttemptFailed {
                work: map,
                attempt: 2,
                ms: 1_200.0,
                diagnostic: diagnostic("127.0.0.1:40433 broke off its answer: connection reset"),
                retry_in_ms: Some(0),
            },
            EventKind::AttemptSucceeded {
                work: map,
                attempt: 1,
                ms: 2_400.0,
                answer: AttemptAnswer::default(),
                recovered: Some(diagnostic("127.0.0.1:40211 did not answer within 2.4 s")),
            },
            EventKind::Committed {
                work: map,
                attempt: 1,
            },
            EventKind::Withdrawn {
                work: map,
                attempt: 1,
                diagnostic: diagnostic("its output is not the one that was asked for"),
            },
        ] {
            self.event(kind);
        }
        self.after(50)
    }

    /// A hundred mappers, a thousand chunks, two thirds of them counted.
    pub fn large(mut self) -> Self {
        self.begin_run(100, 1_000);
        let (mapper, address) = (
            |chunk: u32| format!("mapper-{}", chunk % 100 + 1),
            |chunk: u32| format!("10.0.3.{}:8080", chunk % 100 + 1),
        );
        for chunk in 0..720 {
            self.start(Work::map(chunk), 1, &mapper(chunk), &address(chunk));
            if chunk % 100 == 99 {
                self.wait(140);
            }
            if chunk < 660 {
                let ms = f64::from(chunk % 37) + 80.0;
                self.map_done(chunk, 1, ms, 104_201);
            }
        }
        self.after(33)
    }
}
