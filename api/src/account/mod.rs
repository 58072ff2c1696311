//! `/v1/account` and `/v1/notifications`: what citizens see of their own account, and how they stop it.
//!
//! The account is the one in the token, so that no path names it and nobody asks for another's. What stands behind these routes
//! is what service clients have under `/v1/accounts/{id}`, less what is not the owner's: other people's parts of a transaction
//! beyond the other side of a payment, and what programs have noted for themselves.
//!
//! Stopping is easy and starting is hard: freezing and closing need nothing but the token on its device, neither PIN nor
//! signature, because whoever has lost something is in a hurry; and a freeze is not taken back from here.

pub mod entries;
pub mod events;
mod feed;
pub mod notifications;
pub mod own;
pub mod stop;

use crate::citizens::citizen;
use crate::context::Context;
use crate::ledger::accounts;
use crate::problem::Problem;
use std::sync::Arc;
use vintem_core::ledger::known::Identity;

/// The account of the citizen who asks.
async fn identity(context: &Context) -> Result<Arc<Identity>, Problem> {
    let (_, session) = citizen(context)?;
    accounts::identity(context, session.account).await
}
