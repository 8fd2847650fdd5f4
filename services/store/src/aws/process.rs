//! Credentials from the command that a profile names as `credential_process`.
//!
//! The SDK runs such a command on the terminal of the program: what it asks takes keys, and when it hangs nothing is
//! said. Here its standard input is empty, what it says is passed on, it has a deadline, and it never outlives this
//! process, not even after `kill -9`.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use jiff::Timestamp;
use mrdeck_core::human::excerpt;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::process_listener::{ProcessListener, ProcessNews, Waiting};
use crate::settings::Origin;

/// Long enough for a login in a browser, which some of these commands wait for.
const DEADLINE: Duration = Duration::from_mins(5);
/// A command that takes longer is reported as being waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most bytes that are read of an answer.
const MAX_ANSWER: u64 = 1 << 20;
/// About the most bytes of what the command said that are kept.
const MAX_SAID: usize = 64 << 10;
/// The most characters of what the command said that an error quotes.
const QUOTED: usize = 200;

/// Runs the command `$1` with an empty standard input. Beside it, in the same process group, waits what ends the group
/// when standard input closes before a line came: so the command ends with the process that holds the other end.
#[cfg(unix)]
const SCRIPT: &str = "exec 3<&0 </dev/null
{ read -r ended <&3 || kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&-
exec sh -c \"$1\"";

/// Why the command gave no credentials.
#[derive(Debug, thiserror::Error)]
enum ProcessError {
    #[error("{origin} can't be started: {source}")]
    Start { origin: Origin, source: io::Error },
    #[error("{origin} can't be read from: {source}")]
    Read { origin: Origin, source: io::Error },
    #[error("{origin} has not ended after {} s{}", .limit.as_secs(), after(said))]
    Late {
        origin: Origin,
        limit: Duration,
        said: String,
    },
    #[error("{origin} ended with {status}{}", after(said))]
    Failed {
        origin: Origin,
        status: ExitStatus,
        said: String,
    },
    #[error("{origin} gave something else than credentials: {fault}")]
    Answer { origin: Origin, fault: String },
}

/// Returns what the command said last, to be added to a sentence.
fn after(said: &str) -> String {
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    last.map_or(String::new(), |line| format!(": {}", excerpt(line, QUOTED)))
}

/// What the command prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
    account_id: Option<String>,
}

/// The credentials of a `credential_process`. Each request runs the command: what caches is above.
#[derive(Debug, Clone)]
pub(super) struct CredentialProcess {
    command: String,
    origin: Origin,
    account: Option<String>,
    listener: ProcessListener,
    deadline: Duration,
}

impl CredentialProcess {
    pub(super) fn new(
        command: String,
        origin: Origin,
        account: Option<String>,
        listener: ProcessListener,
    ) -> Self {
        Self {
            command,
            origin,
            account,
            listener,
            deadline: DEADLINE,
        }
    }

    async fn provide(&self) -> provider::Result {
        self.run().await.map_err(CredentialsError::provider_error)
    }

    async fn run(&self) -> Result<Credentials, ProcessError> {
        let mut waiting = Waiting::new(&self.listener, &self.origin);
        let mut said = String::new();
        let mut child = self.start().map_err(|source| ProcessError::Start {
            origin: self.origin.clone(),
            source,
        })?;
        // Taken out, since waiting for the end would close it.
        let lifeline = child.stdin.take();
        let ended = timeout(
            self.deadline,
            self.follow(&mut child, &mut said, &mut waiting),
        );
        // Dropping the lifeline ends the command with all that it started.
        let ended = ended.await.map_err(|_| ProcessError::Late {
            origin: self.origin.clone(),
            limit: self.deadline,
            said: said.clone(),
        })?;
        let (status, printed) = ended.map_err(|source| ProcessError::Read {
            origin: self.origin.clone(),
            source,
        })?;
        if !status.success() {
            let origin = self.origin.clone();
            return Err(ProcessError::Failed {
                origin,
                status,
                said,
            });
        }
        // It ended by itself: what it may have left running on purpose stays.
        if let Some(mut lifeline) = lifeline {
            let _ = lifeline.write_all(b"\n").await;
        }
        self.read(&printed).map_err(|fault| ProcessError::Answer {
            origin: self.origin.clone(),
            fault,
        })
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = shell(&self.command);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // In the background of the terminal, the command can't take its keys; and ctrl-c is for this process alone.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn()
    }

    /// Waits for the end, and passes on what is said meanwhile.
    async fn follow(
        &self,
        child: &mut Child,
        said: &mut String,
        waiting: &mut Waiting<'_>,
    ) -> io::Result<(ExitStatus, Vec<u8>)> {
        let mut printed = Vec::new();
        let mut stdout = child.stdout.take().map(|stdout| stdout.take(MAX_ANSWER));
        let mut stderr = child.stderr.take();
        let mut status = None;
        let mut late = std::pin::pin!(sleep(PATIENCE));
        while status.is_none() || stdout.is_some() || stderr.is_some() {
            tokio::select! {
                heard = hear(stdout.as_mut()), if stdout.is_some() => match heard? {
                    Some(bytes) => printed.extend(bytes),
                    None => stdout = None,
                },
                heard = hear(stderr.as_mut()), if stderr.is_some() => match heard? {
                    Some(bytes) => {
                        waiting.tell();
                        // A prompt has no line end, so text is passed on as it comes.
                        let text = String::from_utf8_lossy(&bytes);
                        for line in text.lines().filter(|line| !line.trim().is_empty()) {
                            self.listener.tell(ProcessNews::Said(line.to_owned()));
                        }
                        if said.len() < MAX_SAID {
                            said.push_str(&text);
                        }
                    }
                    None => stderr = None,
                },
                ended = child.wait(), if status.is_none() => {
                    status = Some(ended?);
                    late.set(sleep(PATIENCE));
                }
                () = &mut late, if status.is_some() || !waiting.is_told() => match status {
                    // What it left running holds its output open.
                    Some(_) => break,
                    None => waiting.tell(),
                },
            }
        }
        let status = match status {
            Some(status) => status,
            None => child.wait().await?,
        };
        Ok((status, printed))
    }

    /// Reads what the command printed. What is wrong is told without its values: they are secrets.
    fn read(&self, printed: &[u8]) -> Result<Credentials, String> {
        let answer: Answer = serde_json::from_slice(printed).map_err(|error| {
            format!(
                "it is not the JSON that credential_process is to print (line {}, column {})",
                error.line(),
                error.column()
            )
        })?;
        if answer.version != 1 {
            return Err(format!("its Version is {}, not 1", answer.version));
        }
        let mut expiry = None;
        if let Some(text) = &answer.expiration {
            let at: Timestamp = text
                .parse()
                .map_err(|_| "its Expiration is no time in ISO 8601".to_owned())?;
            if at <= Timestamp::now() {
                return Err(format!("they expired at {at}"));
            }
            expiry = Some(SystemTime::from(at));
        }
        let mut builder = Credentials::builder()
            .access_key_id(answer.access_key_id)
            .secret_access_key(answer.secret_access_key)
            .provider_name("CredentialProcess");
        builder.set_session_token(answer.session_token);
        builder.set_expiry(expiry);
        let account = answer.account_id.or_else(|| self.account.clone());
        builder.set_account_id(account.map(Into::into));
        let mut credentials = builder.build();
        credentials
            .get_property_mut_or_default::<Vec<AwsCredentialFeature>>()
            .push(AwsCredentialFeature::CredentialsProcess);
        Ok(credentials)
    }
}

/// Returns the next bytes of a stream; `None` at its end.
async fn hear(stream: Option<&mut (impl AsyncRead + Unpin)>) -> io::Result<Option<Vec<u8>>> {
    let Some(stream) = stream else {
        return Ok(None);
    };
    let mut bytes = Vec::with_capacity(4 << 10);
    let count = stream.read_buf(&mut bytes).await?;
    Ok((count > 0).then_some(bytes))
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh", line]);
    command
}

#[cfg(not(unix))]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd.exe");
    // As the shell wants it: a line in quotation marks of its own.
    command.arg("/C").raw_arg(format!("\"{line}\""));
    command
}

impl ProvideCredentials for CredentialProcess {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::{Arc, Mutex};

    use super::*;

    fn process(
        command: &str,
        deadline: Duration,
    ) -> (CredentialProcess, Arc<Mutex<Vec<ProcessNews>>>) {
        let news = Arc::new(Mutex::new(Vec::new()));
        let told = news.clone();
        let listener = ProcessListener::new(move |news| told.lock().unwrap().push(news));
        let origin = Origin::Option("credential_process");
        let process = CredentialProcess {
            deadline,
            ..CredentialProcess::new(command.to_owned(), origin, None, listener)
        };
        (process, news)
    }

    async fn fault(command: &str) -> String {
        let (process, _) = process(command, DEADLINE);
        process.run().await.unwrap_err().to_string()
    }

    const KEYS: &str = r#"echo '{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"SK"}'"#;

    #[tokio::test]
    async fn what_it_asks_for_it_does_not_get_and_its_words_are_passed_on() {
        let command =
            format!("printf 'Code: ' >&2; read -r code; echo \"got '$code'\" >&2; {KEYS}");
        let (process, news) = process(&command, DEADLINE);
        let credentials = process.run().await.unwrap();
        assert_eq!(credentials.access_key_id(), "AK");
        let news = news.lock().unwrap();
        assert_eq!(
            news[0],
            ProcessNews::Waiting("credential_process".to_owned())
        );
        assert_eq!(news.last(), Some(&ProcessNews::Over));
        let said: String = news
            .iter()
            .map(|news| match news {
                ProcessNews::Said(line) => line.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(said, "Code: got ''");
    }

    #[tokio::test]
    async fn one_that_is_quick_and_silent_is_not_spoken_of() {
        let (process, news) = process(KEYS, DEADLINE);
        process.run().await.unwrap();
        assert_eq!(*news.lock().unwrap(), []);
    }

    #[tokio::test]
    async fn it_ends_at_its_deadline_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let command = format!(
            "sleep 600 & echo $$ $! > {}; echo 'Asking' >&2; wait",
            pids.display()
        );
        let (process, news) = process(&command, Duration::from_secs(2));
        let error = process.run().await.unwrap_err().to_string();
        assert_eq!(error, "credential_process has not ended after 2 s: Asking");
        assert_eq!(news.lock().unwrap().last(), Some(&ProcessNews::Over));
        let pids = std::fs::read_to_string(pids).unwrap();
        let is_running = |pid: &str| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        let started = std::time::Instant::now();
        while pids.split_whitespace().any(is_running) {
            assert!(started.elapsed() < Duration::from_secs(30), "{pids}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn what_is_no_credentials_is_told_without_secrets() {
        for (command, told) in [
            (
                "echo 'No session' >&2; exit 3",
                "exit status: 3: No session",
            ),
            ("exec /nonexistent", "exit status: 127"),
            ("echo SK", "it is not the JSON"),
            (
                r#"echo '{"Version":2,"AccessKeyId":"a","SecretAccessKey":"SK"}'"#,
                "its Version is 2",
            ),
            (
                r#"echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"SK","Expiration":"soon"}'"#,
                "no time in ISO 8601",
            ),
            (
                r#"echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"SK","Expiration":"2020-01-01T00:00:00Z"}'"#,
                "expired at 2020-01-01",
            ),
        ] {
            let fault = fault(command).await;
            assert!(fault.contains(told), "{fault}");
            assert!(
                fault.starts_with("credential_process ") && !fault.contains("SK"),
                "{fault}"
            );
        }
    }
}
