//! Logins: a service client's secret for a token, and the keys that verify tokens. And who did what.

pub mod audit;
pub mod jwks;
pub mod token;
