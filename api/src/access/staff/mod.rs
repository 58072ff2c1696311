//! `/v1/staff` and `/v1/admin`: members of the staff sign in, and administrators say who is one.
//!
//! A session's ticket travels in a cookie that no script can read and no other site's page can send; beside it every change
//! carries a word that only our own pages know ([`presence`]). Who signs in is told nothing but that it worked, or did not.

pub mod admin_sessions;
pub mod invitations;
pub mod own;
pub mod presence;
pub mod sessions;
pub mod units;
pub mod users;

use crate::context::Context;
use crate::problem::{Code, Problem};
use std::sync::Arc;
use vintem_core::access::staff::{Authority, Entered, Of, Territory};
use vintem_core::access::{Proof, Tenant};

/// Whose staff.
pub(crate) fn of(tenant: &Tenant) -> Of {
    Of { shard: tenant.shard, tenant: tenant.tenant }
}

/// Over whom the caller decides, by the grant that let them in.
async fn authority(context: &Context) -> Result<Authority, Problem> {
    let Proof::Staff(standing) = &context.caller.proof else { return Err(no_member()) };
    let units = context.app.staff.units(of(&context.tenant)).await?;
    Ok(Authority::new(context.caller.subject, Arc::clone(standing), context.reach, units))
}

/// Which of the things that stand in units the caller is about, by the grant that let them in.
pub(crate) async fn territory(context: &Context) -> Result<Territory, Problem> {
    let units = context.app.staff.units(of(&context.tenant)).await?;
    let from = match &context.caller.proof {
        Proof::Staff(standing) => standing.unit,
        Proof::Client(_) | Proof::Citizen(_) | Proof::Terminal(_) => None,
    };
    Ok(Territory::new(context.reach, from, units))
}

/// The caller's session. The table lets only members this far.
fn entered(context: &Context) -> Result<Arc<Entered>, Problem> {
    context.entered.clone().ok_or_else(no_member)
}

fn no_member() -> Problem {
    Problem::new(Code::Forbidden, "this is for members of the staff")
}
