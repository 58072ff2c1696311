//! The one door to RabbitMQ.
//!
//! [`Broker`] knows where the broker is and with which leased user; it makes a [`Session`], one connection with one
//! channel. Whoever holds a session uses it until it fails or until its user has a successor, and then makes another:
//! there is no recovery behind anybody's back, because what a confirm or an acknowledgement that was under way has
//! become is for its owner to decide (publish again, read the table).
//!
//! Invariants
//! - Messages are persistent, confirmed and mandatory; one that reached no queue is a failure.
//! - Every argument of the [`topology`] is explicit, because defaults differ between versions of RabbitMQ, and its
//!   version stands in every name, because a queue's arguments cannot be changed.
//! - Every call ends in bounded time: a broker that blocks publishers is a broker that is away.
//! - Nothing is lost when anything is lost here: the log is in Postgres, a message only says where to look.
//!
//! Deliberately absent: dead-letter queues (what was dropped is a gap, and a gap is read from the table),
//! transient messages, automatic recovery, requeueing.

mod connection;
mod error;
mod publish;
mod subscribe;
pub mod topology;

pub use connection::{Broker, Session};
pub use error::BrokerError;
pub use publish::{Outgoing, fate};
pub use subscribe::{Delivery, Subscription};
