//! Everything that needs the real services, as one program: each part is named after the business word that it is about.
//!
//! One program and not one per part: each would carry the product's whole code, and linking thirty of them costs more
//! time and disk than running them. `cargo dev test --test flows workers::` runs one part.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test looks at the rows from outside, as any role")]

mod access;
mod account;
mod aliases;
mod alike;
mod attacks;
mod audit;
mod backups;
mod bad_input;
mod bench;
mod blind_index;
mod books;
mod bulk;
mod canaries;
mod catalogue;
mod certificates;
mod charge_paying;
mod charges;
mod citizen_attacks;
mod citizens;
mod clock;
mod confirming;
mod contacts;
mod cross_tenant;
mod drift;
mod faults;
mod funding;
mod grants;
mod holders;
mod http_access;
mod http_events;
mod http_ledger;
mod http_process;
mod http_views;
mod idempotency;
mod integrators;
mod isolation;
mod jobs;
mod keys;
mod leaving;
mod mandates;
mod matrix;
mod messages;
mod model;
mod openbao;
mod outages;
mod payments;
mod plans;
mod policies;
mod projections;
mod receipts;
mod rotation;
mod sandbox;
mod secrets;
mod services;
mod staff;
mod staff_attacks;
mod staff_matrix;
mod statements;
mod taking;
mod taking_nonsense;
mod tampering;
mod tenants;
mod terminals;
mod tokens;
mod transfers;
mod typescript;
mod units;
mod verify;
mod weak_secrets;
mod webhooks;
mod worker_faults;
mod workers;
mod writer;
