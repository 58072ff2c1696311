//! What a superuser can do to a row, and how it is undone. Columns come from the catalogue, so that no
//! column of any table can be forgotten.

#![expect(clippy::disallowed_methods, reason = "what changes any column of any table cannot be checked beforehand")]

use sqlx::{Executor, PgConnection, Row};

/// One change of one column of one row, or the row's removal.
#[derive(Debug, Clone)]
pub struct Tampering {
    /// The table.
    pub table: &'static str,
    /// Which row: a condition that holds for one.
    pub row: String,
    /// The column; `None` removes the row.
    pub column: Option<String>,
    change: String,
}

/// Every column of a table, changed in a row.
pub async fn columns(session: &mut PgConnection, table: &'static str, row: &str) -> Vec<Tampering> {
    let columns = sqlx::query("SELECT column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position")
        .bind(table)
        .fetch_all(session)
        .await
        .unwrap();
    assert!(!columns.is_empty(), "there is no table {table}");
    let tamper = |column: &sqlx::postgres::PgRow| {
        let (name, kind): (String, String) = (column.get(0), column.get(1));
        let change = format!("{name} = {}", other_value(&name, &kind));
        Tampering { table, row: row.to_owned(), column: Some(name), change }
    };
    columns.iter().map(tamper).collect()
}

/// The row's removal.
pub fn removal(table: &'static str, row: &str) -> Tampering {
    Tampering { table, row: row.to_owned(), column: None, change: String::new() }
}

/// Another value of the same type that no constraint refuses.
fn other_value(name: &str, kind: &str) -> String {
    match (name, kind) {
        ("normal_side", _) => "CASE normal_side WHEN 'debit' THEN 'credit' ELSE 'debit' END".into(),
        ("status", "text") => "CASE status WHEN 'open' THEN 'frozen' ELSE 'open' END".into(),
        ("scale", _) => "CASE scale WHEN 2 THEN 3 ELSE 2 END".into(),
        (_, "smallint") => format!("{name} + 1"),
        (_, "integer") => format!("{name} + 1000"),
        (_, "bigint") => format!("coalesce({name}, 0) + 1000000"),
        (_, "boolean") => format!("NOT {name}"),
        (_, "uuid") => format!("md5({name}::text)::uuid"),
        (_, "text") => format!("coalesce({name}, '') || 'x'"),
        (_, "timestamp with time zone") => format!("coalesce({name}, '2001-01-01Z') + interval '1 microsecond'"),
        (_, "bytea") => format!("set_byte({name}, 31, (get_byte({name}, 31) + 1) % 256)"),
        // Nothing that any reader of JSON would notice: one more blank.
        (_, "json") => format!("(coalesce({name}::text, '{{}}') || ' ')::json"),
        _ => panic!("say how to change {name}, a {kind}"),
    }
}

/// Runs something with all triggers of a table off, and puts them back as the migrations have them.
pub async fn without_triggers(session: &mut PgConnection, table: &str, sql: &str) -> Option<String> {
    session.execute(&*format!("BEGIN; ALTER TABLE {table} DISABLE TRIGGER ALL")).await.unwrap();
    let row = sqlx::query(sql).fetch_optional(&mut *session).await.unwrap();
    let always = "SELECT format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname) FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal";
    let always: Vec<String> = sqlx::query_scalar(always).bind(table).fetch_all(&mut *session).await.unwrap();
    session.execute(&*format!("ALTER TABLE {table} ENABLE TRIGGER ALL; {}; COMMIT", always.join("; "))).await.unwrap();
    row.and_then(|row| row.get(0))
}

impl Tampering {
    /// Does it; the answer undoes it.
    pub async fn apply(&self, session: &mut PgConnection) -> Undo {
        let (table, row) = (self.table, &self.row);
        session.execute(&*format!("DROP TABLE IF EXISTS pg_temp.kept; CREATE TEMPORARY TABLE kept AS SELECT * FROM public.{table} WHERE {row}")).await.unwrap();
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_temp.kept").fetch_one(&mut *session).await.unwrap();
        assert_eq!(kept, 1, "{table} WHERE {row}");
        let sql = match self.column {
            Some(_) => format!("UPDATE public.{table} SET {} WHERE {row} RETURNING ctid::text", self.change),
            None => format!("DELETE FROM public.{table} WHERE {row} RETURNING NULL::text"),
        };
        Undo { table, place: without_triggers(session, table, &sql).await }
    }
}

/// How to make a tampering undone.
pub struct Undo {
    table: &'static str,
    place: Option<String>,
}

impl Undo {
    /// Puts the row back, byte for byte.
    pub async fn undo(self, session: &mut PgConnection) {
        let table = self.table;
        if let Some(place) = self.place {
            without_triggers(session, table, &format!("DELETE FROM public.{table} WHERE ctid = '{place}'")).await;
        }
        without_triggers(session, table, &format!("INSERT INTO public.{table} SELECT * FROM pg_temp.kept")).await;
    }
}
