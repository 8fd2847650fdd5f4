//! What `up` and `down` have in common: the clients, whose stack it is, ctrl-c, and what is said at the end.

use std::cell::Cell;
use std::future::Future;

use aws_config::SdkConfig;
use mrdeck_store::aws;
use tokio_util::sync::CancellationToken;

use super::complain;
use super::confirm::{Consent, confirm};
use crate::config::Config;
use crate::exit::Exit;
use crate::signals;
use mrdeck_cluster::aws::QueryClient;
use mrdeck_cluster::aws::identity::{CallerIdentity, caller_identity};
use mrdeck_cluster::deploy::DeployError;
use mrdeck_cluster::deploy::stack::{Phase, Stack, Stacks};
use mrdeck_cluster::deploy::stack_events::Settled;
use mrdeck_core::diagnostic::Diagnostic;

/// Why a command ends before its end.
pub(super) enum Stop {
    Diagnostic(Diagnostic),
    /// What was asked for can't be done this way; nothing was changed.
    Usage(String),
    /// The question was answered with No.
    Refused,
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostic(diagnostic)
    }
}

impl From<DeployError> for Stop {
    fn from(error: DeployError) -> Self {
        Self::Diagnostic(error.into())
    }
}

/// One account and region, and the stack in it.
pub(super) struct Session {
    pub(super) sdk: SdkConfig,
    pub(super) aws: QueryClient,
    pub(super) stacks: Stacks,
    pub(super) identity: CallerIdentity,
    pub(super) name: String,
}

impl Session {
    pub(super) async fn open(config: &Config, name: &str) -> Result<Self, Diagnostic> {
        let sdk = aws::sdk_config(&config.connect.aws).await;
        let aws = QueryClient::new(&sdk, mrdeck_client::http_client()?);
        let identity = caller_identity(&sdk).await?;
        Ok(Self {
            stacks: Stacks::new(aws.clone()),
            sdk,
            aws,
            identity,
            name: name.to_owned(),
        })
    }

    /// The stack once nothing is under way with it. Another's stack of that name is not touched.
    pub(super) async fn settled(&self) -> Result<Option<Stack>, Diagnostic> {
        let Some(stack) = self.stacks.describe(&self.name, &self.name).await? else {
            return Ok(None);
        };
        if !stack.is_ours() {
            return Err(Diagnostic::new(
                format!(
                    "the CloudFormation stack '{}' was not made by mrdeck",
                    self.name
                ),
                "choose another name with --stack",
            ));
        }
        let stack = if stack.phase() == Phase::Busy {
            crate::say(&format!(
                "the stack is busy ({}); waiting for it",
                stack.status
            ));
            let seen = self.stacks.latest_event(&stack.id).await?;
            self.follow(&stack.id, seen).await?.stack
        } else {
            Some(stack)
        };
        match stack {
            Some(stack) if stack.phase() == Phase::Stuck => Err(Diagnostic::new(
                format!("the stack is stuck in {}", stack.status),
                format!(
                    "run 'aws cloudformation continue-update-rollback --stack-name {}' and wait for it, or take it down with 'mrdeck down'",
                    self.name
                ),
            )),
            stack => Ok(stack),
        }
    }

    pub(super) async fn follow(
        &self,
        id: &str,
        seen: Option<String>,
    ) -> Result<Settled, DeployError> {
        self.stacks.follow(&self.name, id, seen, &crate::say).await
    }

    /// Deletes the stack and waits until it is gone.
    pub(super) async fn delete(&self, stack: &Stack) -> Result<(), Diagnostic> {
        let seen = self.stacks.latest_event(&stack.id).await?;
        self.stacks.delete(stack).await?;
        let settled = self.follow(&stack.id, seen).await?;
        match settled.stack {
            None => Ok(()),
            Some(_) => Err(settled.diagnostic("the stack could not be deleted")),
        }
    }

    /// `account 1 (arn…), region r`
    pub(super) fn place(&self) -> String {
        format!(
            "account {} as {}, region {}",
            self.identity.account,
            self.identity.arn,
            self.aws.region()
        )
    }
}

/// What was asked for can't be.
pub(super) fn usage(error: &dyn std::fmt::Display) -> Exit {
    crate::complain(&error.to_string(), "");
    Exit::Usage
}

/// Says what is about to be done and asks.
pub(super) async fn ask(lines: &[String], question: &str, is_yes: bool) -> Result<(), Stop> {
    for line in lines {
        crate::say(&mrdeck_core::human::printable(line));
    }
    match confirm(question, is_yes).await {
        Consent::Given => Ok(()),
        Consent::Refused => Err(Stop::Refused),
        Consent::NobodyToAsk => Err(Stop::Usage(
            "there is no terminal to ask at, so nothing was changed: add --yes to do it".to_owned(),
        )),
    }
}

/// Runs the command until ctrl-c, and says why it ended. `is_under_way` is set once AWS was told to do something.
pub(super) async fn until_interrupted(
    command: impl Future<Output = Result<Exit, Stop>>,
    is_under_way: &Cell<bool>,
) -> Exit {
    let cancel = CancellationToken::new();
    signals::cancel_on_signal(cancel.clone());
    let ended = tokio::select! {
        () = cancel.cancelled() => {
            crate::say(if is_under_way.get() {
                "\nmrdeck: interrupted; the stack goes on in AWS: run the same command again to wait for it"
            } else {
                "\nmrdeck: interrupted; nothing was changed"
            });
            return Exit::Interrupted;
        }
        ended = command => ended,
    };
    match ended {
        Ok(exit) => exit,
        Err(Stop::Diagnostic(diagnostic)) => complain(&diagnostic),
        Err(Stop::Usage(text)) => {
            crate::complain(&text, "");
            Exit::Usage
        }
        Err(Stop::Refused) => {
            crate::say("nothing was changed");
            Exit::Interrupted
        }
    }
}
