//! The workers of Vintem: everything that happens because something was recorded.
//!
//! [`relay`] tells RabbitMQ which positions of a shard's log are new, [`projector`] folds them into views,
//! [`integrators`] hands whole events out to subscriptions, [`webhooks`] tells the servers of tenants, [`clocks`] do what is due, [`drift`] checks that the
//! ledger is what its log says. All are roles of one program ([`startup`]), which may play
//! all of them or, with others beside it, one. Several copies at once are safe: a shard's relay and a subscription's
//! publisher hold a lease and a fence, a queue serves one projector, a delivery is
//! claimed by one.
//!
//! Invariants kept here: the log in Postgres is the truth and messages say where to look, so a broker that is away,
//! full or emptied delays views and loses nothing; nobody waits without bound; what fails is tried again.
//!
//! Deliberately absent: rules of the ledger, SQL, HTTP beyond three small answers ([`http`]).

pub mod clocks;
pub mod drift;
pub mod health;
pub mod http;
pub mod integrators;
pub mod projector;
pub mod rabbitmq;
pub mod relay;
pub mod startup;
pub mod webhooks;
