//! The schema, carried inside the binary so that a process and its migrations never differ.

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

static MIGRATOR: Migrator = sqlx::migrate!("../migrations");
static KEYS: Migrator = sqlx::migrate!("../migrations/keys");

/// Brings a database to the present schema. The session must act as `vintem_owner`; the migrator's
/// leased user does so by itself.
pub async fn run(session: &mut PgConnection) -> Result<(), MigrateError> {
    MIGRATOR.run(session).await
}

/// The same for the database of people's keys, as `vintem_key_owner`.
pub async fn run_keys(session: &mut PgConnection) -> Result<(), MigrateError> {
    KEYS.run(session).await
}
