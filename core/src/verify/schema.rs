//! The schema still refuses changes: triggers, row-level security, grants, unique indexes.

use super::Audit;
use super::report::{Rule, Subject};
use super::store::catalogue;

/// Nobody but their owner may change what is in these.
const APPEND_ONLY: [&str; 6] = ["shard", "batch", "event", "entry", "counter", "request"];
/// The privilege that locking the mutex needs; its trigger refuses the update itself.
const LOCK: (&str, &str, &str) = ("shard", "vintem_writer", "UPDATE");
/// Contiguous versions and single answers rest on these.
const UNIQUE: [&str; 6] = ["batch_pkey", "event_pkey", "event_by_stream", "entry_pkey", "counter_pkey", "request_pkey"];
/// The only condition under which the API's reader sees a row.
const OWN_ROWS: &str = "(tenant = current_tenant())";
const MIGRATION: &str = include_str!("../../../migrations/0001_ledger.sql");

pub(super) async fn check(audit: &mut Audit<'_>) -> Result<(), sqlx::Error> {
    let mut broken: Vec<(String, String)> = Vec::new();
    let mut say = |what: String, detail: String| broken.push((what, detail));
    for table in APPEND_ONLY {
        let triggers = catalogue::triggers(audit.session, table).await?;
        for name in [format!("{table}_rows"), format!("{table}_table")] {
            match triggers.iter().find(|trigger| trigger.name == name) {
                None => say(format!("trigger {name}"), "is missing: the table is not append-only".to_owned()),
                Some(trigger) if !trigger.is_always => {
                    say(format!("trigger {name}"), "is not ENABLE ALWAYS".to_owned());
                }
                Some(trigger) if trigger.function != "refuse_change" => {
                    say(format!("trigger {name}"), format!("calls {}", trigger.function));
                }
                Some(_) => {}
            }
        }
        for (grantee, privilege) in catalogue::change_grants(audit.session, table).await? {
            if (table, grantee.as_str(), privilege.as_str()) != LOCK {
                say(format!("table {table}"), format!("is append-only, and {grantee} may {privilege}"));
            }
        }
        if let Some(row) = catalogue::foreign_shard(audit.session, table).await? {
            say(format!("table {table}"), format!("has rows of shard {row}, which does not exist"));
        }
    }
    let body = catalogue::function_body(audit.session, "refuse_change").await?.unwrap_or_default();
    if body.trim().is_empty() || !MIGRATION.contains(body.trim()) {
        say("function refuse_change".to_owned(), "is not the one of the migrations".to_owned());
    }
    for table in catalogue::unprotected_tables(audit.session).await? {
        say(format!("table {table}"), "has a tenant and not both ENABLE and FORCE ROW LEVEL SECURITY".to_owned());
    }
    for (table, policy) in catalogue::open_policies(audit.session, OWN_ROWS).await? {
        say(format!("policy {policy} on {table}"), "shows the reader more than its tenant's rows".to_owned());
    }
    for role in catalogue::mighty_roles(audit.session).await? {
        say(format!("role {role}"), "may act as the owner, or passes row-level security".to_owned());
    }
    let valid = catalogue::unique_indexes(audit.session).await?;
    for index in UNIQUE.into_iter().filter(|index| !valid.iter().any(|name| name == index)) {
        say(format!("index {index}"), "is missing, not unique or not valid".to_owned());
    }
    for (what, detail) in broken {
        audit.findings.add(Rule::Schema, Subject::Schema(what), detail);
    }
    Ok(())
}
