//! The schema, carried inside the binary so that a process and its migrations never differ.

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Brings a database to the present schema. The session must act as `vintem_owner`; the migrator's
/// leased user does so by itself.
pub async fn run(session: &mut PgConnection) -> Result<(), MigrateError> {
    MIGRATOR.run(session).await
}
