//! Who is told of events over RabbitMQ: programs of integrators, each with a queue of its own.
//!
//! A [`Subscription`] says whose events of which kinds, and how many may wait. Each has its own checkpoint per shard,
//! because one full queue must not hold up another: RabbitMQ refuses a message as soon as one of the queues that it
//! would go to refuses it, without saying which, so a common publisher could only stand still for all or leave out
//! events for one.
//!
//! Invariants kept here: a checkpoint moves only with the newest fence of the subscription's lease; a name that was
//! removed is free again when its queue is gone.
//!
//! Deliberately absent: AMQP, and users of the broker for integrators (those who run it make them).

mod error;
pub mod store;
mod subscription;

pub use error::SubscriptionError;
pub use subscription::{Kinds, Length, Subscription, SubscriptionName};
