//! The public IPs of the tasks' network interfaces, asked for once each.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::interfaces::{self, BATCH};
use crate::aws::QueryClient;
use mrdeck_core::diagnostic::Diagnostic;

/// A missing permission is not granted from one refresh to the next.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// What is known of public addresses.
#[derive(Debug, Default)]
pub(super) struct PublicIps {
    pub(super) by_interface: HashMap<String, IpAddr>,
    /// Why some may be missing; private addresses work all the same.
    pub(super) diagnostic: Option<Diagnostic>,
}

/// Asks EC2, and remembers: an interface keeps its address for its task's life.
pub(super) struct PublicIpCache {
    aws: QueryClient,
    known: HashMap<String, IpAddr>,
    /// The last refusal, and until when it is taken for granted.
    denied: Option<(Diagnostic, Instant)>,
}

impl PublicIpCache {
    pub(super) fn new(aws: QueryClient) -> Self {
        Self {
            aws,
            known: HashMap::new(),
            denied: None,
        }
    }

    /// Returns the public addresses of these interfaces, without those that have none.
    pub(super) async fn look_up(&mut self, interfaces: &[String]) -> PublicIps {
        self.known.retain(|id, _| interfaces.contains(id));
        let diagnostic = self.learn(interfaces).await;
        PublicIps {
            by_interface: self.known.clone(),
            diagnostic,
        }
    }

    /// Asks for the interfaces that are new; returns why some are missing.
    async fn learn(&mut self, interfaces: &[String]) -> Option<Diagnostic> {
        if let Some((diagnostic, until)) = &self.denied
            && Instant::now() < *until
        {
            return Some(diagnostic.clone());
        }
        self.denied = None;
        let unknown: Vec<&String> = interfaces
            .iter()
            .filter(|id| !self.known.contains_key(*id))
            .collect();
        for batch in unknown.chunks(BATCH) {
            match interfaces::describe(&self.aws, batch).await {
                Ok(found) => self.known.extend(found.into_iter().filter_map(|interface| {
                    let ip = interface.public_ip()?;
                    Some((interface.id, ip))
                })),
                Err(error) => {
                    let is_denied = error.is_denied();
                    let diagnostic = Diagnostic::from(error.doing(interfaces::LOOK_UP));
                    if is_denied {
                        self.denied = Some((diagnostic.clone(), Instant::now() + ASK_AGAIN));
                    }
                    return Some(diagnostic);
                }
            }
        }
        None
    }
}
