//! `/v1/registrations`, `/v1/sessions`, `/v1/devices`, `/v1/recoveries`, `/v1/contact-changes`: citizens, and how they prove themselves.
//!
//! Whoever is not known yet sends a proof in the header `DPoP`, and so shows the key that their device will be known by; everybody
//! else sends their token with such a proof. Answers with tokens are never stored.

pub mod contacts;
pub mod devices;
pub mod knock;
pub mod recoveries;
pub mod registrations;
pub mod secrets;
pub mod sessions;

use crate::answer::time;
use crate::app::App;
use crate::context::Context;
use crate::problem::{Code, Problem};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::{CitizenSession, Of};
use vintem_core::citizens::{Opened, Sent};

/// A code was sent, if there is anybody to send it to.
#[derive(Serialize, ToSchema)]
pub struct CodeSent {
    /// What the code is sent back with.
    id: Uuid,
    /// Until when it is good; it may be tried five times.
    #[schema(example = "2026-03-01T12:10:00.000000Z")]
    expires_at: String,
}

/// A session on a device. Its tokens are good only together with the device's key.
#[derive(Serialize, ToSchema)]
pub struct CitizenTokens {
    /// To be sent as `Authorization: DPoP <token>` with a proof in the header `DPoP`.
    access_token: String,
    /// Always `DPoP`.
    #[schema(example = "DPoP")]
    token_type: &'static str,
    /// Seconds that the access token is good for.
    #[schema(example = 600)]
    expires_in: i64,
    /// What the next tokens are asked for with; good once. Keep it where the device keeps its key.
    #[schema(example = "vtr_…")]
    refresh_token: String,
    /// The session.
    session_id: Uuid,
    /// The device.
    device_id: Uuid,
    /// The citizen, as events and transfers name them.
    citizen_id: Uuid,
    /// The account that they pay from and are paid to.
    account_id: Uuid,
}

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NothingToSay {}

impl From<Sent> for CodeSent {
    fn from(sent: Sent) -> Self {
        Self { id: sent.challenge, expires_at: time(sent.expires_at) }
    }
}

impl CitizenTokens {
    fn of(app: &App, opened: &Opened) -> Result<Self, Problem> {
        let session = opened.caller.citizen().ok_or_else(no_citizen)?;
        let token = app.access.issue_for_citizen(&opened.caller, opened.key);
        Ok(Self {
            access_token: token.access_token,
            token_type: token.token_type,
            expires_in: token.expires_in,
            refresh_token: opened.refresh.reveal().expose_secret().to_owned(),
            session_id: session.session,
            device_id: session.device,
            citizen_id: opened.caller.subject,
            account_id: session.account,
        })
    }
}

/// The citizen of a request, and their session. The policy lets nobody else come so far.
pub fn citizen(context: &Context) -> Result<(Uuid, CitizenSession), Problem> {
    let session = context.caller.citizen().ok_or_else(no_citizen)?;
    Ok((context.caller.subject, session))
}

/// Whose rows a request is about.
pub fn of(context: &Context) -> Of {
    Of::from(&context.actor)
}

fn no_citizen() -> Problem {
    Problem::new(Code::Forbidden, "this is for citizens")
}
