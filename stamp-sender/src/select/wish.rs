//! What somebody wants drained over HTTP.

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::paths::Drain;

/// Something that is to be drained, or no longer.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) drain: Drain,
    pub(super) is_drained: bool,
    /// Where to say what is wrong with it.
    pub(super) answer: oneshot::Sender<Result<(), String>>,
}

impl Wish {
    /// Waits until it is in force, or has been refused: not on a thread that others wait for.
    pub(super) fn put_in_force(
        drain: Drain,
        is_drained: bool,
        wishes: &UnboundedSender<Self>,
    ) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let ends = || "the service ends".to_owned();
        wishes.send(Self { drain, is_drained, answer }).map_err(|_| ends())?;
        answered.blocking_recv().map_err(|_| ends())?
    }
}
