//! The workers of Vintem: everything that happens because something was recorded.
//!
//! [`relay`] tells RabbitMQ which positions of a shard's log are new, [`projector`] folds them into views,
//! [`webhooks`] tells the servers of tenants. They are roles of one program ([`startup`]), which may play all of them or, with others beside it, one. Several copies at
//! once are safe: a shard's relay holds a lease and a fence, a queue serves one projector, a delivery is claimed by one.
//!
//! Invariants kept here: the log in Postgres is the truth and messages say where to look, so a broker that is away,
//! full or emptied delays views and loses nothing; nobody waits without bound; what fails is tried again.
//!
//! Deliberately absent: decisions, SQL, an HTTP server beyond two fixed answers ([`http`]).

pub mod http;
pub mod projector;
pub mod rabbitmq;
pub mod relay;
pub mod startup;
pub mod webhooks;
