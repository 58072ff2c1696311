//! The drift checks: silent on a sound ledger, certain about one that was changed, and then no money moves.

use std::sync::Arc;
use std::time::Duration;
use vintem_core::event_store::{WriteError, fresh, recover};
use vintem_core::ledger::error::LedgerError;
use vintem_core::projections::{ALL, Projector};
use vintem_core::verify::drift::{Checked, Drift};
use vintem_tests::book::{Book, transfer};
use vintem_tests::busy::busy;
use vintem_tests::store::Store;
use vintem_tests::tamper::{columns, removal};
use vintem_workers::drift::Checker;

async fn round(store: &Store) -> Vec<Checked> {
    let mut session = store.session("vintem_auditor").await;
    Drift::new(0).round(&mut session).await.unwrap()
}

fn found<'a>(checked: &'a [Checked], check: &str) -> Option<&'a Checked> {
    checked.iter().find(|checked| checked.check == check && !checked.findings.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_ledger_is_looked_at_and_nothing_is_found() {
    let store = Store::create().await;
    let book = busy(&store).await;
    let mut projector = Projector::new(store.pool("vintem_projector"), Arc::default());
    for projection in ALL {
        projector.catch_up(projection, 0, None).await.unwrap();
    }
    let mut drift = Drift::new(0);
    let mut session = store.session("vintem_auditor").await;
    for _ in 0..6 {
        book.moves("ana", "rui", "0.01").await.unwrap();
        for checked in drift.round(&mut session).await.unwrap() {
            assert_eq!((&checked.findings[..], checked.is_certain), (&[][..], false), "{}", checked.check);
            assert!(checked.count > 0 || checked.check == "trial-balance", "{checked:?}");
        }
        let view = drift.next_view(&mut session).await.unwrap();
        assert!(view.findings.is_empty() && view.count > 0, "{view:?}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_is_found_twice() {
    let store = Store::create().await;
    busy(&store).await;
    let mut superuser = store.superuser().await;
    let entry =
        "(account, version) = (SELECT account, version FROM entry WHERE version > 1 ORDER BY position DESC LIMIT 1)";
    let (account, hold) = (
        "account = (SELECT min(account) FROM account)",
        "(hold, account) = (SELECT hold, account FROM open_hold ORDER BY hold LIMIT 1)",
    );
    let (asset, tagged) = (
        "position = (SELECT min(position) FROM asset)",
        "(digest, position) = (SELECT digest, position FROM transaction_metadata ORDER BY position, digest LIMIT 1)",
    );
    for (table, row, column, check) in [
        ("entry", entry, Some("posted"), "entries"),
        ("entry", entry, Some("amount"), "entries"),
        ("entry", entry, None, "entries"),
        ("account", account, Some("status"), "look-ups"),
        ("open_hold", hold, Some("expires_at"), "look-ups"),
        ("open_hold", hold, None, "look-ups"),
        ("asset", asset, Some("scale"), "look-ups"),
        ("transaction_metadata", tagged, Some("digest"), "look-ups"),
        ("transaction_metadata", tagged, None, "look-ups"),
    ] {
        let tampering = match column {
            None => removal(table, row),
            Some(name) => {
                let all = columns(&mut superuser, table, row).await;
                all.into_iter().find(|tampering| tampering.column.as_deref() == Some(name)).unwrap()
            }
        };
        let undo = tampering.apply(&mut superuser).await;
        let checked = round(&store).await;
        let found = found(&checked, check).unwrap_or_else(|| panic!("{table} {column:?} was not found: {checked:?}"));
        assert!(found.is_certain, "{found:?}");
        undo.undo(&mut superuser).await;
        assert!(round(&store).await.iter().all(|checked| checked.findings.is_empty()));
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_balance_that_does_not_add_up_is_added_up_twice() {
    let store = Store::create().await;
    busy(&store).await;
    let mut superuser = store.superuser().await;
    // The newest entry of an account, the first of whose changes shows in no window: only the sum tells.
    let row =
        "(account, version) = (SELECT account, max(version) FROM entry GROUP BY account ORDER BY account LIMIT 1)";
    let all = columns(&mut superuser, "entry", row).await;
    let posted = all.into_iter().find(|tampering| tampering.column.as_deref() == Some("posted")).unwrap();
    let undo = posted.apply(&mut superuser).await;
    let (mut drift, mut certain) = (Drift::new(0), Vec::new());
    let mut session = store.session("vintem_auditor").await;
    for _ in 0..4 {
        let checked = drift.round(&mut session).await.unwrap();
        certain.extend(found(&checked, "trial-balance").map(|found| found.is_certain));
    }
    assert_eq!(certain, [false, true], "found by the first pass, certain after the second");
    undo.undo(&mut superuser).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certain_finding_halts_the_shard_until_it_is_recovered() {
    let store = Store::create().await;
    let book = busy(&store).await;
    let mut superuser = store.superuser().await;
    let (auditor, writer, metrics) = (store.pool("vintem_auditor"), store.pool("vintem_writer"), Arc::default());
    let mut checker = Checker::new(auditor, writer, Arc::clone(&metrics), 0, fresh::new_id());
    checker.tick(false).await.unwrap();
    book.moves("ana", "rui", "0.01").await.unwrap();
    let row = "account = (SELECT min(account) FROM account)";
    let all = columns(&mut superuser, "account", row).await;
    let status = all.into_iter().find(|tampering| tampering.column.as_deref() == Some("status")).unwrap();
    let undo = status.apply(&mut superuser).await;
    checker.tick(false).await.unwrap();
    assert!(metrics.encode().contains(r#"drift_found_total{check="look-ups",shard="0"}"#));
    let refused = book.does_all(vec![transfer("ana", "rui", "0.01").into()], None).await;
    assert!(matches!(refused, Err(LedgerError::Write(WriteError::Halted))), "{refused:?}");
    undo.undo(&mut superuser).await;
    let recovery = recover::recover(&mut store.session("vintem_operator").await, 0).await.unwrap();
    assert!(recovery.halted.unwrap().contains("account"), "the reason names what was found");
    tokio::time::sleep(Duration::from_millis(10)).await;
    Book::open(&store).moves("ana", "rui", "0.01").await.unwrap();
    store.close().await;
}
