//! What `up` and `down` share: the clients, whose stack it is, questions, ctrl-c, and how they end.

use std::cell::Cell;
use std::future::Future;

use aws_config::SdkConfig;
use mrdeck_store::aws;
use tokio_util::sync::CancellationToken;

use super::confirm::{Consent, confirm};
use super::{fail, refuse};
use crate::config::Config;
use crate::exit::Exit;
use crate::signals;
use crate::stderr;
use mrdeck_cluster::aws::QueryClient;
use mrdeck_cluster::aws::http::http_client;
use mrdeck_cluster::aws::identity::{CallerIdentity, caller_identity};
use mrdeck_cluster::deploy::DeployError;
use mrdeck_cluster::deploy::stack::{Phase, Stack, Stacks};
use mrdeck_cluster::deploy::stack_events::Settled;
use mrdeck_core::diagnostic::Diagnostic;

/// Why a command ends early.
pub(super) enum Failure {
    Diagnostic(Diagnostic),
    /// The command line asks for what can't be done; nothing was changed.
    Usage(Diagnostic),
    /// The answer was No.
    Refused,
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostic(diagnostic)
    }
}

impl From<DeployError> for Failure {
    fn from(error: DeployError) -> Self {
        Self::Diagnostic(error.into())
    }
}

/// An account and a region, and the stack in it.
pub(super) struct StackSession {
    pub(super) sdk: SdkConfig,
    pub(super) aws: QueryClient,
    pub(super) stacks: Stacks,
    pub(super) identity: CallerIdentity,
    pub(super) name: String,
}

impl StackSession {
    pub(super) async fn open(config: &Config, name: &str) -> Result<Self, Diagnostic> {
        let sdk = aws::sdk_config(&config.connect.aws).await?;
        let aws = QueryClient::new(&sdk, http_client(&config.connect.aws)?);
        let identity = caller_identity(&sdk).await?;
        Ok(Self {
            stacks: Stacks::new(aws.clone()),
            sdk,
            aws,
            identity,
            name: name.to_owned(),
        })
    }

    /// Returns the stack once no operation is in progress. A stack of that name that mrdeck did not create is refused.
    pub(super) async fn settled(&self) -> Result<Option<Stack>, Diagnostic> {
        let Some(stack) = self.stacks.describe(&self.name, &self.name).await? else {
            return Ok(None);
        };
        if !stack.is_ours() {
            return Err(Diagnostic::new(
                format!(
                    "the CloudFormation stack '{}' was not created by mrdeck",
                    self.name
                ),
                "choose another name with --stack",
            ));
        }
        let stack = if stack.phase() == Phase::Busy {
            stderr::line(&format!(
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
                    "run 'aws cloudformation continue-update-rollback --stack-name {}' and wait for it, or remove it with 'mrdeck down'",
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
        self.stacks
            .follow(&self.name, id, seen, &stderr::line)
            .await
    }

    /// Deletes the stack, and waits until it is gone.
    pub(super) async fn delete(&self, stack: &Stack) -> Result<(), Diagnostic> {
        let seen = self.stacks.latest_event(&stack.id).await?;
        self.stacks.delete(stack).await?;
        let settled = self.follow(&stack.id, seen).await?;
        match settled.stack {
            None => Ok(()),
            Some(_) => Err(settled.diagnostic("the stack could not be deleted")),
        }
    }

    /// Returns `account 1 as ARN, region r`.
    pub(super) fn place(&self) -> String {
        format!(
            "account {} as {}, region {}",
            self.identity.account,
            self.identity.arn,
            self.aws.region()
        )
    }
}

/// Shows what is about to be done, and asks.
pub(super) async fn ask(lines: &[String], question: &str, is_yes: bool) -> Result<(), Failure> {
    for line in lines {
        stderr::line(&mrdeck_core::human::printable(line));
    }
    match confirm(question, is_yes).await {
        Consent::Given => Ok(()),
        Consent::Refused => Err(Failure::Refused),
        Consent::NoTerminal => Err(Failure::Usage(Diagnostic::new(
            "there is no terminal to ask at, so nothing was changed",
            "add --yes to do it without asking",
        ))),
    }
}

/// Runs the command until ctrl-c, and reports why it ended. `is_under_way` is set once AWS was asked to change something.
pub(super) async fn until_interrupted(
    command: impl Future<Output = Result<Exit, Failure>>,
    is_under_way: &Cell<bool>,
) -> Exit {
    let cancel = CancellationToken::new();
    signals::cancel_on_signal(cancel.clone());
    let ended = tokio::select! {
        () = cancel.cancelled() => {
            stderr::line(if is_under_way.get() {
                "\nmrdeck: interrupted; AWS continues with the stack: run the same command again to wait for it"
            } else {
                "\nmrdeck: interrupted; nothing was changed"
            });
            return Exit::Interrupted;
        }
        ended = command => ended,
    };
    match ended {
        Ok(exit) => exit,
        Err(Failure::Diagnostic(diagnostic)) => fail(&diagnostic),
        Err(Failure::Usage(diagnostic)) => refuse(&diagnostic),
        Err(Failure::Refused) => {
            stderr::line("nothing was changed");
            Exit::Interrupted
        }
    }
}
