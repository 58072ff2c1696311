//! Logins: a service client's secret for a token, and the keys that verify tokens.

pub mod jwks;
pub mod tenant;
pub mod token;
