//! `/v1/staff` and `/v1/admin`: members of the staff sign in, and administrators say who is one.
//!
//! A session's ticket travels in a cookie that no script can read and no other site's page can send; beside it every change
//! carries a word that only our own pages know ([`presence`]). Who signs in is told nothing but that it worked, or did not.

pub mod admin_sessions;
pub mod invitations;
pub mod own;
pub mod presence;
pub mod sessions;
pub mod users;

use crate::context::Context;
use crate::problem::{Code, Problem};
use std::sync::Arc;
use vintem_core::access::staff::{Entered, Of};
use vintem_core::access::{Reach, Tenant};

/// Whose staff.
fn of(tenant: &Tenant) -> Of {
    Of { shard: tenant.shard, tenant: tenant.tenant }
}

/// Passes whom the grant covers everybody, or the one whose id is in the path. Members belong to no units yet, so a grant
/// that ends at one covers nobody.
fn over_all(context: &Context) -> Result<(), Problem> {
    let is_wide = matches!(context.reach, Reach::All | Reach::One(_));
    if is_wide { Ok(()) } else { Err(Problem::new(Code::Forbidden, "the grant ends at units, and there are none")) }
}

/// The caller's session. The table lets only members this far.
fn entered(context: &Context) -> Result<Arc<Entered>, Problem> {
    let missing = || Problem::new(Code::Forbidden, "this is for members of the staff");
    context.entered.clone().ok_or_else(missing)
}
