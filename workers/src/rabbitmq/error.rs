//! What can go wrong between us and the broker.

use std::time::Duration;

/// A failure of the broker or of the way to it. The caller makes a new session and tries again.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The connection cannot be set up, mostly because the CA file cannot be read.
    #[error("the connection to RabbitMQ cannot be set up: {reason}")]
    Setup {
        /// What is wrong.
        reason: String,
    },
    /// The broker or the connection failed.
    #[error("RabbitMQ failed to {doing}")]
    Failed {
        /// What was being done, in the infinitive.
        doing: &'static str,
        /// The client's own words.
        source: lapin::Error,
    },
    /// No answer.
    #[error("RabbitMQ did not {doing} within {} s", patience.as_secs())]
    Slow {
        /// What was being done, in the infinitive.
        doing: &'static str,
        /// How long that may take.
        patience: Duration,
    },
    /// A message reached no queue: somebody deleted it, or its binding.
    #[error("a message reached no queue")]
    Unroutable,
    /// The broker did not take responsibility for a message.
    #[error("RabbitMQ refused a message")]
    Refused,
    /// The broker takes no messages at the moment: its disk or memory is short. The session lives on, and what was
    /// published in vain is published in it again.
    #[error("RabbitMQ takes no messages, its disk or memory is short")]
    Blocked,
    /// The queue that was consumed is gone.
    #[error("RabbitMQ ended the subscription")]
    Cancelled,
}

impl BrokerError {
    /// A failure as a closure for `map_err`.
    pub(super) fn failed(doing: &'static str) -> impl FnOnce(lapin::Error) -> Self {
        move |source| Self::Failed { doing, source }
    }

    /// Whether the broker does not know our user (any more).
    pub(super) fn is_access_refused(&self) -> bool {
        const ACCESS_REFUSED: u16 = 403;
        matches!(self, Self::Failed { source, .. }
            if matches!(source.kind(), lapin::ErrorKind::ProtocolError(error) if error.get_id() == ACCESS_REFUSED))
    }
}

/// Ends what takes longer than `patience`.
pub(super) async fn within<T>(
    patience: Duration,
    doing: &'static str,
    work: impl Future<Output = Result<T, lapin::Error>>,
) -> Result<T, BrokerError> {
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done.map_err(BrokerError::failed(doing)),
        Err(_) => Err(BrokerError::Slow { doing, patience }),
    }
}
