//! Look-up tables rebuilt beside the real ones, and compared with them.
//!
//! Names without a schema find temporary tables first, so the product's fold fills these without knowing
//! it. Statements that name both are texts of their own: at compile time there are no temporary tables.

#![expect(clippy::disallowed_methods, reason = "what names a temporary table cannot be checked at compile time")]

use sqlx::{Connection, Executor, PgConnection};

/// A look-up table and its key.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The key's columns with their types, in order. Rows are paged by it.
    key: &'static [(&'static str, KeyType)],
}

#[derive(Debug, Clone, Copy)]
enum KeyType {
    Number,
    Uuid,
}

/// All look-up tables.
pub const TABLES: &[Table] = &[
    // A tenant has few assets, so they are paged by tenant.
    Table { name: "asset", key: &[("tenant", KeyType::Uuid)] },
    Table { name: "account", key: &[("account", KeyType::Number)] },
    Table { name: "open_hold", key: &[("hold", KeyType::Uuid), ("account", KeyType::Number)] },
    Table {
        name: "transaction_metadata",
        key: &[("tenant", KeyType::Uuid), ("digest", KeyType::Uuid), ("position", KeyType::Number)],
    },
];

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

/// A key as texts.
pub type Key = Vec<String>;

impl Table {
    /// Before every row.
    pub fn lowest(&self) -> Key {
        self.key
            .iter()
            .map(|(_, kind)| match kind {
                KeyType::Number => i64::MIN.to_string(),
                KeyType::Uuid => uuid::Uuid::nil().to_string(),
            })
            .collect()
    }

    /// Not before any row.
    pub fn highest(&self) -> Key {
        self.key
            .iter()
            .map(|(_, kind)| match kind {
                KeyType::Number => i64::MAX.to_string(),
                KeyType::Uuid => uuid::Uuid::max().to_string(),
            })
            .collect()
    }

    fn columns(&self) -> String {
        self.key.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// A key out of a parameter that is an array of texts.
    fn parameter(&self, number: usize) -> String {
        let cast = |(index, (_, kind)): (usize, &(&str, KeyType))| {
            let kind = if matches!(kind, KeyType::Number) { "bigint" } else { "uuid" };
            format!("(${number}::text[])[{}]::{kind}", index + 1)
        };
        self.key.iter().enumerate().map(cast).collect::<Vec<_>>().join(", ")
    }

    /// The whole row, and what names it to people: the primary key without the shard.
    fn side(&self, schema: &str) -> String {
        let name = if self.name == "asset" {
            "concat_ws('/', tenant, code)".to_owned()
        } else {
            format!("concat_ws('/', {})", self.columns())
        };
        let (columns, after, upto) = (self.columns(), self.parameter(2), self.parameter(3));
        format!(
            "SELECT {name} AS key, it::text AS content FROM {schema}.{} it WHERE shard = $1 AND ({columns}) > ({after}) AND ({columns}) <= ({upto})",
            self.name
        )
    }
}

/// Makes the temporary tables, empty.
pub async fn begin(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    finish(session).await?;
    // The auditor's sessions are read-only; temporary tables are all that it may make, and afterwards
    // a read-only transaction may write to them.
    let mut tx = session.begin_with("BEGIN READ WRITE").await?;
    for table in TABLES {
        let sql = format!("CREATE TEMPORARY TABLE {0} (LIKE public.{0} INCLUDING ALL)", table.name);
        tx.execute(&*sql).await?;
    }
    tx.commit().await?;
    for (setting, value) in SETTINGS {
        session.execute(&*format!("SET {setting} = {value}")).await?;
    }
    Ok(())
}

/// Drops the temporary tables.
pub async fn finish(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut tx = session.begin_with("BEGIN READ WRITE").await?;
    for table in TABLES {
        tx.execute(&*format!("DROP TABLE IF EXISTS pg_temp.{}", table.name)).await?;
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

/// The key so many rebuilt rows after one; `None` when there are fewer.
pub async fn boundary(
    session: &mut PgConnection,
    table: &Table,
    shard: i16,
    after: &Key,
    rows: i64,
) -> Result<Option<Key>, sqlx::Error> {
    let (columns, key) = (table.columns(), table.parameter(2));
    let texts = table.key.iter().map(|(name, _)| format!("{name}::text")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT ARRAY[{texts}] FROM pg_temp.{} WHERE shard = $1 AND ({columns}) > ({key}) ORDER BY {columns} OFFSET $3 LIMIT 1",
        table.name
    );
    sqlx::query_scalar(&sql).bind(shard).bind(after).bind(rows).fetch_optional(session).await
}

/// A row that differs: its key, as stored, as rebuilt.
pub type Differing = (String, Option<String>, Option<String>);

/// Rows between two keys that differ from the rebuilt ones.
pub async fn compare(
    session: &mut PgConnection,
    table: &Table,
    shard: i16,
    after: &Key,
    upto: &Key,
) -> Result<Vec<Differing>, sqlx::Error> {
    let sql = format!(
        "SELECT key, stored.content, folded.content FROM ({}) stored FULL JOIN ({}) folded USING (key)
         WHERE stored.content IS DISTINCT FROM folded.content ORDER BY key",
        table.side("public"),
        table.side("pg_temp")
    );
    sqlx::query_as(&sql).bind(shard).bind(after).bind(upto).fetch_all(session).await
}
