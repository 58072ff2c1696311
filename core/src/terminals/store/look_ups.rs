//! The look-up row of each terminal: what of it counts at every request, folded from its events in their commit.

use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::Of;
use crate::event_store::Recorded;
use crate::event_store::append::Statement;
use crate::event_store::overlay::EventRow;
use crate::terminals::event::{
    self, TerminalCodeIssued, TerminalConfigured, TerminalEnrolled, TerminalObeyed, TerminalOrdered,
    TerminalRegistered, TerminalRenewed,
};
use crate::terminals::status::Status;

/// A row.
#[derive(Debug, Clone)]
pub struct Row {
    /// The terminal.
    pub terminal: Uuid,
    /// The version that brought its configuration.
    pub config: i32,
    /// What it is paid for at.
    pub service: Uuid,
    /// Where it belongs.
    pub unit: Option<Uuid>,
    /// The code that counts.
    pub code: Option<Uuid>,
    /// Where it stands, but for the time of its code.
    pub status: String,
    /// What is written on it.
    pub serial: String,
    /// What its maker calls it.
    pub model: String,
    /// The fingerprint of the certificate that is good now.
    pub certificate: Option<String>,
    /// The one before.
    pub previous: Option<String>,
    /// What it was told and has not done yet: `<order> <command>`, the oldest first.
    pub orders: Vec<String>,
}

/// The statements that fold events of terminals; of others there are none.
pub fn fold(shard: i16, rows: &[EventRow]) -> Result<Vec<Statement>, sqlx::Error> {
    let own = rows.iter().map(|row| &row.recorded).filter(|recorded| recorded.kind.starts_with("terminal."));
    let statements = own.map(|recorded| statement(shard, recorded)).collect::<Result<Vec<_>, _>>()?;
    Ok(statements.into_iter().flatten().collect())
}

fn statement(shard: i16, recorded: &Recorded) -> Result<Option<Statement>, sqlx::Error> {
    let status = |status: Status| {
        sqlx::query!(
            "UPDATE terminal SET status = $4 WHERE shard = $1 AND tenant = $2 AND terminal = $3",
            shard,
            recorded.tenant,
            recorded.stream,
            status.as_str()
        )
    };
    Ok(Some(match &*recorded.kind {
        event::TERMINAL_REGISTERED => registered(shard, recorded)?,
        event::TERMINAL_CONFIGURED => configured(shard, recorded)?,
        event::TERMINAL_CODE_ISSUED => {
            let TerminalCodeIssued { code, .. } = facts(recorded)?;
            sqlx::query!(
                "UPDATE terminal SET status = 'code_issued', code = $4 WHERE shard = $1 AND tenant = $2 AND terminal = $3",
                shard,
                recorded.tenant,
                recorded.stream,
                code
            )
        }
        event::TERMINAL_ENROLLED => {
            let TerminalEnrolled { certificate, .. } = facts(recorded)?;
            sqlx::query!(
                "UPDATE terminal SET status = 'active', certificate = $4 WHERE shard = $1 AND tenant = $2 AND terminal = $3",
                shard,
                recorded.tenant,
                recorded.stream,
                certificate.fingerprint
            )
        }
        event::TERMINAL_RENEWED => {
            let TerminalRenewed { certificate } = facts(recorded)?;
            sqlx::query!(
                "UPDATE terminal SET previous = certificate, certificate = $4,
                     orders = ARRAY(SELECT o FROM unnest(orders) WITH ORDINALITY u (o, n) WHERE o NOT LIKE '% rotate_cert' ORDER BY n)
                 WHERE shard = $1 AND tenant = $2 AND terminal = $3",
                shard,
                recorded.tenant,
                recorded.stream,
                certificate.fingerprint
            )
        }
        event::TERMINAL_SUSPENDED => status(Status::Suspended),
        event::TERMINAL_RESUMED => status(Status::Active),
        event::TERMINAL_LOST => status(Status::Lost),
        event::TERMINAL_REVOKED => status(Status::Revoked),
        event::TERMINAL_RETIRED => status(Status::Retired),
        event::TERMINAL_ORDERED | event::TERMINAL_OBEYED => orders(shard, recorded)?,
        _ => return Ok(None),
    }))
}

/// What a device was told, and what it has done of that.
fn orders(shard: i16, recorded: &Recorded) -> Result<Statement, sqlx::Error> {
    if recorded.kind == event::TERMINAL_ORDERED {
        let TerminalOrdered { order, command } = facts(recorded)?;
        return Ok(sqlx::query!(
            "UPDATE terminal SET orders = array_append(orders, $4) WHERE shard = $1 AND tenant = $2 AND terminal = $3",
            shard,
            recorded.tenant,
            recorded.stream,
            format!("{order} {}", command.as_str())
        ));
    }
    let TerminalObeyed { order } = facts(recorded)?;
    Ok(sqlx::query!(
        "UPDATE terminal SET orders = ARRAY(SELECT o FROM unnest(orders) WITH ORDINALITY u (o, n) WHERE o NOT LIKE $4 ORDER BY n)
                 WHERE shard = $1 AND tenant = $2 AND terminal = $3",
        shard,
        recorded.tenant,
        recorded.stream,
        format!("{order} %")
    ))
}

/// A device that comes back begins as it did first.
fn registered(shard: i16, recorded: &Recorded) -> Result<Statement, sqlx::Error> {
    let TerminalRegistered { serial, model, service, unit } = facts(recorded)?;
    Ok(sqlx::query!(
        "INSERT INTO terminal (shard, config, tenant, terminal, service, unit, status, serial, model)
         VALUES ($1, $2, $3, $4, $5, $6, 'provisioned', $7, $8)
         ON CONFLICT (shard, tenant, terminal) DO UPDATE SET config = excluded.config, service = excluded.service, unit = excluded.unit,
             code = NULL, status = excluded.status, serial = excluded.serial, model = excluded.model, certificate = NULL, previous = NULL, orders = '{}'",
        shard,
        recorded.version,
        recorded.tenant,
        recorded.stream,
        service,
        unit,
        serial,
        model
    ))
}

fn configured(shard: i16, recorded: &Recorded) -> Result<Statement, sqlx::Error> {
    let TerminalConfigured { service, unit, .. } = facts(recorded)?;
    Ok(sqlx::query!(
        "UPDATE terminal SET config = $4, service = $5, unit = $6 WHERE shard = $1 AND tenant = $2 AND terminal = $3",
        shard,
        recorded.tenant,
        recorded.stream,
        recorded.version,
        service,
        unit
    ))
}

fn facts<T: DeserializeOwned>(recorded: &Recorded) -> Result<T, sqlx::Error> {
    serde_json::from_str(&recorded.payload).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// One of a tenant's. Role: reader.
pub async fn find(tx: &mut PgConnection, of: Of, terminal: Uuid) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT terminal, config, service, unit, code, status, serial, model, certificate, previous, orders FROM terminal
         WHERE shard = $1 AND tenant = $2 AND terminal = $3",
        of.shard,
        of.tenant,
        terminal
    )
    .fetch_optional(tx)
    .await
}

/// Those after one, a page of them. Role: reader.
pub async fn list(tx: &mut PgConnection, of: Of, after: Uuid, limit: i64) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT terminal, config, service, unit, code, status, serial, model, certificate, previous, orders FROM terminal
         WHERE shard = $1 AND tenant = $2 AND terminal > $3 ORDER BY terminal LIMIT $4",
        of.shard,
        of.tenant,
        after,
        limit
    )
    .fetch_all(tx)
    .await
}

/// Those of some units after one, a page of them. Role: reader.
pub async fn list_of_units(
    tx: &mut PgConnection,
    of: Of,
    units: &[Uuid],
    after: Uuid,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "SELECT terminal, config, service, unit, code, status, serial, model, certificate, previous, orders FROM terminal
         WHERE shard = $1 AND tenant = $2 AND unit = ANY ($3) AND terminal > $4 ORDER BY terminal LIMIT $5",
        of.shard,
        of.tenant,
        units,
        after,
        limit
    )
    .fetch_all(tx)
    .await
}
