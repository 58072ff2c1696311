//! The HTTP server of Vintem: parse, authenticate, call core, answer.
//!
//! [`routes`] is the table of contents; each endpoint is one file below [`ledger`], [`views`], [`webhooks`], [`access`], [`holders`],
//! [`citizens`], [`account`], [`privacy`], [`payments`], [`settlement`], [`documents`] or [`operations`]. A request passes [`observe`] (span, trace, metrics), [`context`] (caller, tenant,
//! scope, key, body), its handler, and for writes [`write`], which hands a command to the ledger
//! under its idempotency key. [`answer`] turns recorded facts into JSON; the first answer and every
//! replay are made by the same functions from the same facts, so they are equal byte for byte.
//!
//! Invariants kept here: every error is a [`problem`]; bad input never reaches core's decisions as
//! anything but typed values; nothing answers without a token but what the table says.
//!
//! Deliberately absent: SQL, money rules, balances in memory, CORS, security headers (nginx's).

pub mod access;
pub mod account;
pub mod aliases;
pub mod answer;
pub mod app;
pub mod body;
pub mod canonical;
pub mod citizens;
pub mod context;
pub mod cursor;
pub mod documents;
pub mod etag;
pub mod holders;
pub mod key;
pub mod lang;
pub mod ledger;
pub mod limits;
pub mod object;
pub mod observe;
pub mod open;
pub mod operations;
pub mod payments;
pub mod privacy;
pub mod problem;
pub mod query;
pub mod routes;
pub mod settlement;
pub mod startup;
pub mod terminals;
pub mod tls;
pub mod views;
pub mod webhooks;
pub mod write;
