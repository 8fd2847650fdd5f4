//! The way from the effects to the event loop. It never blocks: what effects have to say is bounded by what they do.

use tokio::sync::mpsc;

use super::SessionEpoch;
use crate::dashboard::model::Msg;
use mrdeck_cluster::Connection;

/// What an effect says, and the session it was asked for in.
pub(super) struct Envelope {
    pub epoch: SessionEpoch,
    pub content: Content,
}

pub(super) enum Content {
    Msg(Msg),
    Connected(Connection),
}

/// Sends from one session.
#[derive(Clone)]
pub(super) struct Outbox {
    sender: mpsc::UnboundedSender<Envelope>,
    epoch: SessionEpoch,
}

impl Outbox {
    pub fn new(sender: mpsc::UnboundedSender<Envelope>, epoch: SessionEpoch) -> Self {
        Self { sender, epoch }
    }

    /// Returns one for another session.
    pub fn of(&self, epoch: SessionEpoch) -> Self {
        Self::new(self.sender.clone(), epoch)
    }

    pub fn send(&self, msg: Msg) {
        self.put(Content::Msg(msg));
    }

    pub fn connected(&self, connection: Connection) {
        self.put(Content::Connected(connection));
    }

    fn put(&self, content: Content) {
        let epoch = self.epoch;
        // The loop has ended when it does not receive any more.
        let _ = self.sender.send(Envelope { epoch, content });
    }
}
