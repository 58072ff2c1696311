//! What those who run the system ask: is it alive, is it ready, how does it do, what can it do.

pub mod docs;
pub mod health;
pub mod live;
pub mod metrics;
pub mod openapi;
pub mod ready;
