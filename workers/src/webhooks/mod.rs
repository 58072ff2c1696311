//! The role `webhooks`: tells the servers of tenants what was recorded.
//!
//! Two tasks. [`fan_out`] follows a shard's log and makes a delivery of each event and endpoint that go together: one
//! process per shard, by lease. [`deliver`] claims deliveries that are due and posts them through [`transport`], as many
//! processes as there are: a claim is taken by one of them.
//!
//! Invariants kept here: a process that dies loses no delivery (its claims are due again after a minute); requests,
//! their time and what is read of answers are bounded; one endpoint that is slow keeps its own share of requests busy and
//! no more; with Vault away, nothing is sent unsigned and nothing counts as an attempt.
//!
//! Deliberately absent: RabbitMQ (the log is followed where it is; a webhook needs no second copy of it), an order.

pub mod deliver;
pub mod fan_out;
pub mod transport;
