//! Logins: a service client's secret for a token, the keys that verify tokens, the staff's sessions. And who did what.

pub mod audit;
pub mod jwks;
pub mod staff;
pub mod tenant;
pub mod token;
