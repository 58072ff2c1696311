//! Logins: a service client's secret for a token, the keys that verify tokens, and the staff's sessions.

pub mod jwks;
pub mod staff;
pub mod token;
