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
use vintem_core::access::Tenant;
use vintem_core::access::staff::{Entered, Of};

/// Whose staff.
fn of(tenant: &Tenant) -> Of {
    Of { shard: tenant.shard, tenant: tenant.tenant }
}

/// The caller's session. The table lets only members this far.
fn entered(context: &Context) -> Result<Arc<Entered>, Problem> {
    let missing = || Problem::new(Code::Forbidden, "this is for members of the staff");
    context.entered.clone().ok_or_else(missing)
}
