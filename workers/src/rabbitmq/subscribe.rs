//! Consuming, with acknowledgements by hand.

use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Acker, Consumer};

use super::connection::Session;
use super::error::{BrokerError, within};

const PATIENCE: Duration = Duration::from_secs(10);

/// The messages of one queue, in order.
pub struct Subscription {
    consumer: Consumer,
}

/// A message, not yet acknowledged.
#[derive(Debug)]
pub struct Delivery {
    /// What was published.
    pub body: Vec<u8>,
    /// The broker gave it to somebody before.
    pub redelivered: bool,
    acker: Acker,
}

impl Session {
    /// Consumes a queue; `prefetch` messages may be out unacknowledged.
    pub async fn subscribe(&self, queue: &str, prefetch: u16) -> Result<Subscription, BrokerError> {
        let bounded = self.channel.basic_qos(prefetch, BasicQosOptions::default());
        within(PATIENCE, "bound a subscription", bounded).await?;
        let options = BasicConsumeOptions::default();
        let consuming = self.channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        Ok(Subscription { consumer: within(PATIENCE, "give a subscription", consuming).await? })
    }
}

impl Subscription {
    /// Waits for the next message.
    pub async fn next(&mut self) -> Result<Delivery, BrokerError> {
        match self.consumer.next().await {
            Some(Ok(message)) => {
                Ok(Delivery { body: message.data, redelivered: message.redelivered, acker: message.acker })
            }
            Some(Err(source)) => Err(BrokerError::Failed { doing: "deliver", source }),
            None => Err(BrokerError::Cancelled),
        }
    }

    /// The next message, if it is here already.
    pub fn next_ready(&mut self) -> Result<Option<Delivery>, BrokerError> {
        self.next().now_or_never().transpose()
    }
}

impl Delivery {
    /// Acknowledges this message and every one before it.
    pub async fn acknowledge_through(&self) -> Result<(), BrokerError> {
        let options = BasicAckOptions { multiple: true };
        match tokio::time::timeout(PATIENCE, self.acker.ack(options)).await {
            Ok(done) => done.map(drop).map_err(BrokerError::failed("take an acknowledgement")),
            Err(_) => Err(BrokerError::Slow { doing: "take an acknowledgement", patience: PATIENCE }),
        }
    }
}
