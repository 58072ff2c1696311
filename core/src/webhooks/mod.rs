//! Webhooks: telling a tenant's own servers what was recorded.
//!
//! A tenant names an *endpoint* ([`endpoint`]): an address, the kinds of events that it wants, and secrets. The worker
//! follows the log and makes a *delivery* of each event and endpoint that go together; it then posts the event
//! ([`message`]), signed in two ways ([`signature`]), to an address that is not one of our own network ([`egress`]), and
//! notes each attempt. What fails is tried again over three days ([`schedule`]) and then stays in the list until somebody
//! asks for a replay.
//!
//! Invariants:
//! - A recorded event of a wanted kind is delivered at least once or stands in the list as pending or failed. Deliveries
//!   are made before the checkpoint moves past their events, and a delivery's key makes doing so twice harmless.
//! - The id of a message is the same at each attempt, in a replay, and for each endpoint.
//! - A secret is shown once, in the answer that made it. At rest it is sealed by Vault for the one row that it stands in;
//!   who changes endpoints cannot open it, who delivers cannot make one.
//! - No request leaves for an address that the guard refuses, whatever a name resolves to at that moment.
//! - A change of an endpoint and the answer under its key are one transaction.
//!
//! Deliberately absent: an order of messages (each has its position), the other side's words (they may be personal),
//! redirects, proxies, events about endpoints in the ledger's log.

pub mod egress;
pub mod endpoint;
mod error;
pub mod message;
pub mod schedule;
mod service;
pub mod signature;
pub mod store;

pub use egress::Egress;
pub use endpoint::{Change, Draft, Endpoint, State};
pub use error::WebhookError;
pub use service::{Answer, Once, Owner, Webhooks, open_secret};
