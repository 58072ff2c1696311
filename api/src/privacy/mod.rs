//! `/v1/privacy`: what a citizen may ask for of what is known of them (LGPD, art. 18): to take it along, and to have it forgotten.

pub mod erasures;
pub mod exports;
