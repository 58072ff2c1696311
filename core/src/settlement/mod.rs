//! Settlement: who is paid at terminals, and for what. The first use case of this room; paying providers out comes later.
//!
//! ```text
//! provider: a legal entity, found by its CNPJ ─► provider.registered, provider.changed
//! service:  what a terminal charges for       ─► one commit: service.opened + the account that its money comes to
//!                                              ─► service.changed, service.suspended, service.resumed
//! ```
//!
//! A provider's stream follows from its CNPJ, so two registrations of one company meet at one version. A service has an account of its
//! own, named `service:<id>`, so that what came in for it is a balance and a statement like any other. What its charges are subject
//! to ([`crate::payments::terms`]) is the service's; each charge freezes the terms of its moment.
//!
//! Invariants:
//! - Each fact states all that holds from then on, so the newest one is the state, and answers follow from their own event.
//! - No terms give away more than is captured by shares alone, and none name an account that is not of the service's asset.
//! - A service that is suspended is not charged for; what was authorised before goes on.
//! - Nothing here is about a person: a CNPJ is a company's public number, and a payout account is digits at a bank.
//!
//! Deliberately absent: settlement runs, bank statements, safeguarding. A fixed split that is above what is captured is refused
//! where it is captured, because only there the amount is known.

pub mod cnpj;
mod error;
pub mod event;
mod offer;
mod provider;
mod service;
#[cfg(test)]
mod spec;
pub mod store;

pub use error::SettlementError;
pub use offer::{Details, Offer, OfferChange, Service, SplitInput, TermsInput};
pub use provider::{NewProvider, Provider, ProviderChange};
pub use service::{Listed, Services};
