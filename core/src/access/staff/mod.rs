//! Staff: people of the tenant who work in the back office, and how they prove themselves.
//!
//! A member is invited, chooses a password, enrols a device for one-time codes and keeps a set of recovery codes. Password
//! and code together open a session, which lives on the server; the browser holds a ticket to it in a cookie.
//!
//! ```text
//! invite ─► ticket ─► accept: password, device's secret ─► confirm: a code ─► recovery codes, the member is active
//! sign in: address free? ─► password (always hashed) ─► code (each step once) ─► one commit: staff.signed-in ─► session
//! request: cookie ─► session's row + member's stream ─► Standing (roles as of now)
//! ```
//!
//! What a member is (roles, suspended or not, which factors count) is the fold of the member's stream ([`member`]), whose id
//! is derived from the login: uniqueness and look-up need no table, and an unknown login is looked for exactly like a
//! known one. Secrets are rows that can be deleted: passwords as argon2id hashes under a pepper from Vault, device secrets
//! sealed under the member's own key, recovery codes and tickets as digests.
//!
//! Invariants:
//! - Every refused sign-in has one answer, and for a known and an unknown login the same work is done ([`proving`](super::proving)).
//! - A one-time code counts once, a recovery code counts once, an invitation counts once, whoever comes in parallel.
//! - A session ends when its member is suspended, reset or changes the password, because it names the version of the
//!   member's stream that it was opened at; not because somebody remembered to delete a row.
//! - Nobody gives more than they hold, or decides about whoever holds more ([`Authority`]); units are a tree ([`unit`]).
//! - Trying out passwords slows down whoever tries ([`back_off`](super::proving::back_off)), and not a member at an address that they signed in from.
//! - What is recorded holds no secret and nothing personal in clear: a login is a work name, chosen by the administrator.
//! - Where a session was opened from is sealed ([`seen`]).
//!
//! Deliberately absent: names and mail addresses of members, signing in at an identity provider, passkeys.

mod authority;
mod enrol;
mod error;
pub mod event;
pub mod invitation;
pub mod login;
mod manage;
pub mod member;
pub mod recovery;
pub mod seen;
mod service;
pub mod session;
mod sign_in;
#[cfg(test)]
mod spec;
pub(crate) mod store;
mod territory;
pub mod ticket;
pub mod totp;
mod unit;

pub use authority::Authority;
pub use error::StaffError;
pub use login::Login;
pub use manage::{Invited, invite_by_operator};
pub use member::{Change, Member, Position, Status};
pub use seen::Seen;
pub use service::{Entered, Knows, Of, OpenSession, Staff};
pub use sign_in::{SecondFactor, SignIn, SignedIn};
pub use territory::Territory;
pub use ticket::{Purpose, Ticket};
pub use totp::Enrolment;
pub use unit::{Unit, UnitName, Units};
