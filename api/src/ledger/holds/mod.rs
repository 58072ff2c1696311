//! `/v1/holds`: money set aside for a movement that comes later, in parts, or not at all.

pub mod capture;
pub mod change;
pub mod list;
pub mod place;
