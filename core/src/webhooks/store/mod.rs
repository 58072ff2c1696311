//! The SQL of webhooks: [`endpoints`] and [`requests`] for who changes them, [`log`] for who looks deliveries up and asks
//! for them again, [`fan_out`] and [`queue`] for the worker.

pub(super) mod endpoints;
pub mod fan_out;
pub mod log;
pub mod queue;
pub(super) mod requests;
