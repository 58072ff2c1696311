//! Look-up tables rebuilt beside the real ones, and compared with them.
//!
//! Names without a schema find temporary tables first, so the product's fold fills these without knowing
//! it. Statements that name both are texts of their own: at compile time there are no temporary tables.

#![expect(clippy::disallowed_methods, reason = "what names a temporary table cannot be checked at compile time")]

use crate::event_store::shadow::{KeyType, Table};
use sqlx::{Connection, Executor, PgConnection};

/// Where the tables are rebuilt.
pub const SHADOW: &str = "pg_temp";

/// All look-up tables.
pub const TABLES: &[Table] = &[
    // A tenant has few assets, so they are paged by tenant.
    Table { name: "asset", paged_by: &[("tenant", KeyType::Uuid)], named_by: &["code"] },
    Table { name: "account", paged_by: &[("account", KeyType::Number)], named_by: &[] },
    Table { name: "open_hold", paged_by: &[("hold", KeyType::Uuid), ("account", KeyType::Number)], named_by: &[] },
    Table {
        name: "transaction_metadata",
        paged_by: &[("tenant", KeyType::Uuid), ("digest", KeyType::Uuid), ("position", KeyType::Number)],
        named_by: &[],
    },
    Table { name: "provider", paged_by: &[("tenant", KeyType::Uuid), ("position", KeyType::Number)], named_by: &[] },
    Table { name: "service", paged_by: &[("tenant", KeyType::Uuid), ("position", KeyType::Number)], named_by: &[] },
    Table { name: "charge", paged_by: &[("id", KeyType::Uuid)], named_by: &[] },
    Table { name: "charge_move", paged_by: &[("position", KeyType::Number)], named_by: &[] },
    Table { name: "terminal", paged_by: &[("tenant", KeyType::Uuid), ("terminal", KeyType::Uuid)], named_by: &[] },
];

/// Their names.
pub fn names() -> Vec<&'static str> {
    TABLES.iter().map(|table| table.name).collect()
}

/// How the session plans. Every page follows an index; where statistics are old (a ledger that grew fast) or
/// nobody gathers them (temporary tables), the planner would rather sort all that is left for each page.
const SETTINGS: [(&str, &str); 5] = [
    ("plan_cache_mode", "force_custom_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_sort", "off"),
    // What cannot avoid a sort counts as so costly now that it would be compiled.
    ("jit", "off"),
];

/// Makes the temporary tables, empty.
pub async fn begin(session: &mut PgConnection, tables: &[&str]) -> Result<(), sqlx::Error> {
    finish(session, tables).await?;
    // The auditor's sessions are read-only; temporary tables are all that it may make, and afterwards
    // a read-only transaction may write to them.
    let mut tx = session.begin_with("BEGIN READ WRITE").await?;
    for table in tables {
        let sql = format!("CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING ALL)");
        tx.execute(&*sql).await?;
    }
    tx.commit().await?;
    for (setting, value) in SETTINGS {
        session.execute(&*format!("SET {setting} = {value}")).await?;
    }
    Ok(())
}

/// Drops the temporary tables.
pub async fn finish(session: &mut PgConnection, tables: &[&str]) -> Result<(), sqlx::Error> {
    let mut tx = session.begin_with("BEGIN READ WRITE").await?;
    for table in tables {
        tx.execute(&*format!("DROP TABLE IF EXISTS pg_temp.{table}")).await?;
    }
    tx.commit().await?;
    for (setting, _) in SETTINGS {
        session.execute(&*format!("RESET {setting}")).await?;
    }
    Ok(())
}

/// How many rows were rebuilt, roughly.
pub async fn count(session: &mut PgConnection, table: &Table) -> Result<u64, sqlx::Error> {
    let sql = format!("SELECT count(*) FROM pg_temp.{}", table.name);
    let count: i64 = sqlx::query_scalar(&sql).fetch_one(session).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}
