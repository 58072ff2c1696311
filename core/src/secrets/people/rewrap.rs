//! Rewrapping: after the key in Vault was rotated, the wrapped keys are brought to its newest version.
//!
//! The clear keys do not leave Vault for it, and nothing that was sealed with them changes. What is done is in the rows
//! themselves, so a run that was interrupted goes on where it stopped.

use sqlx::PgPool;

use super::super::client::Vault;
use super::super::error::SecretsError;
use super::store;

/// Keys in one call and one statement.
const PAGE: i64 = 500;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewrapped {
    /// The version that they are wrapped with now.
    pub version: i32,
    /// How many there were to do.
    pub total: u64,
    /// How many are done.
    pub done: u64,
}

/// Rewraps every key that an older version wrapped, and tells after each page how far it has come. Over a pool of the
/// role rewrapper.
pub async fn rewrap(vault: &Vault, pool: &PgPool, mut told: impl FnMut(&Rewrapped)) -> Result<Rewrapped, SecretsError> {
    let away = |source| SecretsError::KeyDatabase { source };
    let version = vault.newest_version().await?;
    let total = store::count_older_than(pool, version).await.map_err(away)?;
    let mut so_far = Rewrapped { version, total: total.unsigned_abs(), done: 0 };
    loop {
        told(&so_far);
        let page = store::older_than(pool, version, PAGE).await.map_err(away)?;
        if page.is_empty() {
            return Ok(so_far);
        }
        let wrapped: Vec<_> =
            page.iter().map(|(tenant, person, wrapped)| ((*tenant, *person), wrapped.as_str())).collect();
        let renewed = vault.rewrap_keys(&wrapped).await?;
        let rows: Vec<_> =
            page.iter().zip(renewed).map(|((tenant, person, _), wrapped)| (*tenant, *person, wrapped)).collect();
        store::replace(pool, &rows).await.map_err(away)?;
        so_far.done += rows.len() as u64;
    }
}
