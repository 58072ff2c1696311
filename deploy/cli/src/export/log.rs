//! The ledger's log as an export reads it: `GET /v1/events`, up to a fixed position.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::ExportError;
use crate::client::Client;
use crate::import::plan::Side;

/// The most events that a page holds.
const PAGE: u32 = 100;

/// The position at which an export stands, and what the ledger's trial balance says there.
#[derive(Debug, Deserialize)]
pub struct AsOf {
    /// The newest position.
    pub position: u64,
}

#[derive(Deserialize)]
struct Standing {
    as_of: AsOf,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Event>,
    next: u64,
}

/// One event.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// Its place in the log.
    pub position: u64,
    /// Its stream.
    pub id: Uuid,
    /// What happened.
    pub kind: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its value date, where one was given.
    pub effective_at: Option<DateTime<Utc>>,
    /// The facts, read by kind.
    pub payload: Box<RawValue>,
}

/// `tenant.created`
#[derive(Debug, Deserialize)]
pub struct TenantCreated {
    /// The zone in which bare dates are meant.
    pub time_zone: String,
}

/// `account.opened`
#[derive(Debug, Deserialize)]
pub struct AccountOpened {
    /// The ledger's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The asset's code.
    pub asset: String,
    /// The asset's scale.
    pub scale: u32,
    /// The side that makes it grow.
    pub normal_side: Side,
}

/// Any event that moves money: its frozen legs, and the words that come with it.
#[derive(Debug, Deserialize)]
pub struct Movement {
    /// Account, and the changes of posted, held and incoming in minor units of its normal side.
    #[serde(default)]
    pub moves: Vec<(Uuid, String, String, String)>,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// The integrator's own facts.
    #[serde(default)]
    pub metadata: std::collections::BTreeMap<String, String>,
    /// The reversal's own id; the stream is the transaction that it reverses.
    #[serde(default)]
    pub reversal: Option<Uuid>,
    /// The hold that was captured.
    #[serde(default)]
    pub hold: Option<Uuid>,
}

impl Event {
    /// The payload as the facts of its kind.
    pub fn facts<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ExportError> {
        serde_json::from_str(self.payload.get())
            .map_err(|source| ExportError::Event { position: self.position, source })
    }
}

/// The newest position of the ledger.
pub async fn newest(client: &Client) -> Result<u64, ExportError> {
    let standing: Standing = client.get("/v1/ledger/trial-balance?limit=1").await?;
    Ok(standing.as_of.position)
}

/// Hands over every event up to `last`, in order.
pub async fn follow(
    client: &Client,
    last: u64,
    mut visit: impl FnMut(Event) -> Result<(), ExportError>,
    mut seen: impl FnMut(u64),
) -> Result<(), ExportError> {
    let mut after = 0;
    while after < last {
        let page: Page = client.get(&format!("/v1/events?after={after}&limit={PAGE}")).await?;
        if page.next == after {
            break;
        }
        for event in page.events.into_iter().filter(|event| event.position <= last) {
            visit(event)?;
        }
        seen(page.next.min(last) - after);
        after = page.next;
    }
    Ok(())
}
