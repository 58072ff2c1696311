//! A writer's connection: opened when it is needed, changed when the leased user changes, gone when it failed.

use super::head;
use super::turn::timed_out;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Where the writer gets its connections: the options of the moment, since leased users rotate.
/// The number changes when the options do.
pub type Credentials = Arc<dyn Fn() -> (u64, PgConnectOptions) + Send + Sync>;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection, and whose it is.
pub(super) type Lent = (u64, PgConnection);

/// Keeps a connection between its uses.
pub(super) struct Session {
    credentials: Credentials,
    idle: Option<Lent>,
}

impl Session {
    /// Opens nothing yet.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, idle: None }
    }

    /// A session of its own over the same credentials.
    pub fn another(&self) -> Self {
        Self::new(self.credentials.clone())
    }

    /// Lends the connection. Only one in which nothing failed is given back, so that what its session still held goes with it.
    pub async fn lend(&mut self) -> Result<Lent, sqlx::Error> {
        let (number, options) = (self.credentials)();
        if let Some((built, connection)) = self.idle.take() {
            if built == number {
                return Ok((built, connection));
            }
            // The leased user changed: leave the old one in order before its lease ends.
            let _ = connection.close().await;
        }
        let options = options.options([
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "10s"),
            ("statement_timeout", "20s"),
        ]);
        let mut connection = timeout(PATIENCE, options.connect()).await.map_err(|_| timed_out())??;
        if let Some(setting) = head::unsafe_setting(&mut connection).await? {
            return Err(sqlx::Error::Configuration(format!("Postgres runs with {setting}; a ledger must not").into()));
        }
        Ok((number, connection))
    }

    /// Takes the connection back.
    pub fn keep(&mut self, lent: Lent) {
        self.idle = Some(lent);
    }
}
