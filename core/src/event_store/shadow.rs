//! Tables that are built a second time from the log, and compared with the real ones.
//!
//! A shadow has the name of the table that it doubles and stands in a schema that is found first, so the
//! product's own folds fill it without knowing it: `pg_temp` for who may only look, `rebuild` for who
//! will put it in the real one's place. Statements that name both are texts of their own.

#![expect(clippy::disallowed_methods, reason = "what names two schemas at once cannot be checked at compile time")]

use sqlx::PgConnection;
use uuid::Uuid;

/// A table and how its rows are told apart.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns, with their types, by which its rows are paged: a beginning of its primary key after the shard.
    pub paged_by: &'static [(&'static str, KeyType)],
    /// The columns that complete the name of a row.
    pub named_by: &'static [&'static str],
}

/// The types of keys.
#[derive(Debug, Clone, Copy)]
pub enum KeyType {
    /// `bigint`.
    Number,
    /// `uuid`.
    Uuid,
    /// `date`.
    Date,
}

/// A key as texts.
pub type Key = Vec<String>;

/// A row that differs: its key, as stored, as folded.
pub type Differing = (String, Option<String>, Option<String>);

impl KeyType {
    fn sql(self) -> &'static str {
        match self {
            Self::Number => "bigint",
            Self::Uuid => "uuid",
            Self::Date => "date",
        }
    }
}

impl Table {
    /// Before every row.
    pub fn lowest(&self) -> Key {
        let lowest = |(_, kind): &(&str, KeyType)| match kind {
            KeyType::Number => i64::MIN.to_string(),
            KeyType::Uuid => Uuid::nil().to_string(),
            KeyType::Date => "-infinity".to_owned(),
        };
        self.paged_by.iter().map(lowest).collect()
    }

    /// Not before any row.
    pub fn highest(&self) -> Key {
        let highest = |(_, kind): &(&str, KeyType)| match kind {
            KeyType::Number => i64::MAX.to_string(),
            KeyType::Uuid => Uuid::max().to_string(),
            KeyType::Date => "infinity".to_owned(),
        };
        self.paged_by.iter().map(highest).collect()
    }

    fn columns(&self) -> String {
        self.paged_by.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// A key out of a parameter that is an array of texts.
    fn parameter(&self, number: usize) -> String {
        let cast = |(index, (_, kind)): (usize, &(&str, KeyType))| {
            format!("(${number}::text[])[{}]::{}", index + 1, kind.sql())
        };
        self.paged_by.iter().enumerate().map(cast).collect::<Vec<_>>().join(", ")
    }

    /// What names a row to people, and with the shard is its primary key.
    fn name_of_row(&self) -> String {
        let columns = self.paged_by.iter().map(|(name, _)| *name).chain(self.named_by.iter().copied());
        columns.collect::<Vec<_>>().join(", ")
    }

    /// The rows between two keys.
    fn page(&self, schema: &str) -> String {
        let (columns, after, upto) = (self.columns(), self.parameter(2), self.parameter(3));
        format!(
            "FROM {schema}.{} it WHERE shard = $1 AND ({columns}) > ({after}) AND ({columns}) <= ({upto})",
            self.name
        )
    }

    /// The whole row, and its name.
    fn side(&self, schema: &str) -> String {
        format!("SELECT concat_ws('/', {}) AS key, it::text AS content {}", self.name_of_row(), self.page(schema))
    }
}

/// The key so many rows of one side after another; `None` when there are fewer.
pub async fn boundary(
    session: &mut PgConnection,
    table: &Table,
    side: &'static str,
    shard: i16,
    after: &Key,
    rows: i64,
) -> Result<Option<Key>, sqlx::Error> {
    let (columns, key) = (table.columns(), table.parameter(2));
    let texts = table.paged_by.iter().map(|(name, _)| format!("{name}::text")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT ARRAY[{texts}] FROM {side}.{} WHERE shard = $1 AND ({columns}) > ({key}) ORDER BY {columns} OFFSET $3 LIMIT 1",
        table.name
    );
    sqlx::query_scalar(&sql).bind(shard).bind(after).bind(rows).fetch_optional(session).await
}

/// Rows between two keys that differ from the shadow's.
pub async fn compare(
    session: &mut PgConnection,
    table: &Table,
    shadow: &'static str,
    shard: i16,
    after: &Key,
    upto: &Key,
) -> Result<Vec<Differing>, sqlx::Error> {
    let sql = format!(
        "SELECT key, stored.content, folded.content FROM ({}) stored FULL JOIN ({}) folded USING (key)
         WHERE stored.content IS DISTINCT FROM folded.content ORDER BY key",
        table.side("public"),
        table.side(shadow)
    );
    sqlx::query_as(&sql).bind(shard).bind(after).bind(upto).fetch_all(session).await
}

/// Rows of the shadow that the real table does not have, or has otherwise.
pub async fn missing(
    session: &mut PgConnection,
    table: &Table,
    shadow: &'static str,
    shard: i16,
) -> Result<Vec<Differing>, sqlx::Error> {
    let (name, key) = (table.name, table.name_of_row());
    let sql = format!(
        "SELECT concat_ws('/', {key}) AS key, stored::text, folded::text
         FROM {shadow}.{name} folded LEFT JOIN public.{name} stored USING (shard, {key})
         WHERE shard = $1 AND stored::text IS DISTINCT FROM folded::text ORDER BY key"
    );
    sqlx::query_as(&sql).bind(shard).fetch_all(session).await
}

/// The streams that the real rows between two keys come from, by an expression on the row `it`.
pub async fn streams(
    session: &mut PgConnection,
    table: &Table,
    stream: &'static str,
    shard: i16,
    (after, upto): &(Key, Key),
) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = format!(
        "SELECT DISTINCT stream FROM (SELECT {stream} AS stream {}) page WHERE stream IS NOT NULL",
        table.page("public")
    );
    sqlx::query_scalar(&sql).bind(shard).bind(after).bind(upto).fetch_all(session).await
}
