//! Projections are the fold of the log, however it is cut, whoever folds it, and whatever goes wrong.

use sqlx::{Connection, Executor, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;
use vintem_core::event_store::fresh;
use vintem_core::event_store::proposal::{Move, NewEvent};
use vintem_core::kernel::Minor;
use vintem_core::projections::activity::Search;
use vintem_core::projections::rebuild::{self, RebuildError, Rebuilt};
use vintem_core::projections::views::{Scope, ViewError, Views};
use vintem_core::projections::volume::Filter;
use vintem_core::projections::{ALL, Projection, Projector, Standing, find};
use vintem_core::verify::{Rule, Silent};
use vintem_tests::book::Book;
use vintem_tests::busy::{account_id, bare_event, busy, propose};
use vintem_tests::store::Store;
use vintem_tests::vault::eventually;
use vintem_tests::views::check_views;

const SHARD: i16 = 0;

fn projector(store: &Store) -> Projector {
    Projector::new(store.pool("vintem_projector"), Arc::default())
}

async fn newest(session: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT max(last_position) FROM batch").fetch_one(session).await.unwrap()
}

async fn all_caught_up(store: &Store) {
    let mut projector = projector(store);
    for projection in ALL {
        let standing = projector.catch_up(projection, SHARD, None).await.unwrap();
        assert!(matches!(standing, Standing::At(_)), "{}: {standing:?}", projection.name());
    }
}

/// Catches every projection up until the task is ended.
fn projecting(store: &Store) -> tokio::task::JoinHandle<()> {
    let mut projector = projector(store);
    tokio::spawn(async move {
        loop {
            for projection in ALL {
                projector.catch_up(projection, SHARD, None).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
}

async fn rebuilt(store: &Store, projection: &dyn Projection) -> Result<Rebuilt, RebuildError> {
    let mut session = store.session("vintem_owner").await;
    rebuild::rebuild(&mut session, projection, &[SHARD], &mut Silent).await
}

fn scope(book: &Book, min_position: Option<i64>) -> Scope {
    Scope { shard: SHARD, tenant: book.actor.origin.tenant, min_position }
}

/// Moves money until told to stop.
fn writing(book: Arc<Book>, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            book.moves("ana", "rui", "0.01").await.unwrap();
            book.moves("rui", "ana", "0.01").await.unwrap();
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn random_ranges_by_two_processes_leave_the_fold() {
    let store = Store::create().await;
    let book = Arc::new(busy(&store).await);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = writing(book.clone(), stop.clone());
    let processes = [0x5eed_u64, 0xfeed].map(|mut seed| {
        let mut projector = projector(&store);
        tokio::spawn(async move {
            let mut reached = [0; ALL.len()];
            for _ in 0..120 {
                let which = usize::try_from(random(&mut seed) % ALL.len() as u64).unwrap();
                let ahead = i64::try_from(random(&mut seed) % 12).unwrap() - 3;
                let up_to = Some((reached[which] + ahead).max(0));
                let standing = projector.catch_up(ALL[which], SHARD, up_to).await.unwrap();
                let Standing::At(position) = standing else { panic!("{standing:?}") };
                assert!(position >= reached[which], "never backwards");
                reached[which] = position;
            }
        })
    });
    for process in processes {
        process.await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    // What the pages of `verify` fold is compared there at whatever position each stands.
    assert!(store.verify().await.findings.is_empty());
    all_caught_up(&store).await;
    check_views(&mut store.superuser().await).await;
    store.close().await;
}

/// Marsaglia's xorshift: the same ranges in every run.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_covered_range_is_done_at_once_and_a_gap_is_read() {
    let store = Store::create().await;
    let book = busy(&store).await;
    let newest = newest(&mut store.superuser().await).await;
    let mut projector = projector(&store);
    for (up_to, reached) in [(3, 3), (3, 3), (1, 3), (0, 3), (17, 17), (newest + 5, newest), (newest, newest)] {
        let standing = projector.catch_up(ALL[0], SHARD, Some(up_to)).await.unwrap();
        assert_eq!(standing, Standing::At(reached), "up to {up_to}");
    }
    // A batch of refusals has no events; the checkpoint follows it, so that the next page begins after it.
    book.moves("ana", "rui", "99999.00").await.unwrap_err();
    let mut session = store.superuser().await;
    projector.catch_up(ALL[0], SHARD, None).await.unwrap();
    let is_followed: bool = sqlx::query_scalar("SELECT seq = (SELECT max(seq) FROM batch) FROM projection")
        .fetch_one(&mut session)
        .await
        .unwrap();
    assert!(is_followed);
    store.close().await;
}

/// Posts money with a description that is none.
async fn poison(book: &Book) {
    let moved = |account: &str| Move { account: account_id(book, account), posted: Minor::new(100), ..Move::default() };
    let event = bare_event("transaction.posted", r#"{"description":7}"#);
    propose(book, vec![NewEvent { moves: vec![moved("bank"), moved("ana")], ..event }], vec![]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_parks_its_projection_and_no_other() {
    let store = Store::create().await;
    let book = busy(&store).await;
    poison(&book).await;
    let mut session = store.superuser().await;
    let position = newest(&mut session).await;
    book.moves("bank", "ana", "1.00").await.unwrap();
    let mut projector = projector(&store);
    let activity = find("activity").unwrap();
    for _ in 0..2 {
        let Standing::Parked(because) = projector.catch_up(activity, SHARD, None).await.unwrap() else { panic!() };
        assert!(because.starts_with(&format!("event {position} cannot be folded")), "{because}");
    }
    let stands_at: i64 = sqlx::query_scalar("SELECT position FROM projection").fetch_one(&mut session).await.unwrap();
    assert_eq!(stands_at, position - 1, "all before it are folded");
    for projection in ALL.into_iter().filter(|projection| projection.name() != "activity") {
        assert_eq!(projector.catch_up(projection, SHARD, None).await.unwrap(), Standing::At(position + 1));
    }
    let error = rebuilt(&store, activity).await.unwrap_err();
    assert!(matches!(error, RebuildError::Parked { .. }), "{error}");
    // A view that stands still is read on, and says how old it is.
    let seen = Views::new(store.pool("vintem_reader"))
        .activity(scope(&book, None), account_id(&book, "ana"), &Search::default(), i64::MAX, 5)
        .await
        .unwrap();
    assert_eq!((seen.as_of.position, seen.as_of.lag, seen.rows.0.len()), (position - 1, 2, 5));
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forked_history_is_never_folded_and_a_rebuild_heals_it() {
    let store = Store::create().await;
    let book = busy(&store).await;
    all_caught_up(&store).await;
    let mut session = store.superuser().await;
    session.execute("UPDATE projection SET tip = sha256('another history')").await.unwrap();
    book.moves("bank", "ana", "1.00").await.unwrap();
    for projection in ALL {
        let standing = projector(&store).catch_up(projection, SHARD, None).await.unwrap();
        assert!(matches!(standing, Standing::Parked(_)), "{standing:?}");
    }
    let changed = rebuild::changed(&mut store.session("vintem_owner").await).await.unwrap();
    assert_eq!(changed.len(), ALL.len());
    for projection in changed {
        assert_eq!(rebuilt(&store, projection).await.unwrap().differing, None);
    }
    all_caught_up(&store).await;
    check_views(&mut session).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_version_wait_for_a_rebuild() {
    let store = Store::create().await;
    let _book = busy(&store).await;
    all_caught_up(&store).await;
    let mut session = store.superuser().await;
    session
        .execute("UPDATE projection SET version = 0 WHERE name = 'volume'; UPDATE volume SET count = 0")
        .await
        .unwrap();
    let volume = find("volume").unwrap();
    assert_eq!(projector(&store).catch_up(volume, SHARD, None).await.unwrap(), Standing::OfVersion(0));
    rebuilt(&store, volume).await.unwrap();
    all_caught_up(&store).await;
    check_views(&mut session).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_takes_over_while_writes_reads_and_projectors_go_on() {
    let store = Store::create().await;
    let book = Arc::new(busy(&store).await);
    all_caught_up(&store).await;
    // Damage that `verify` names and a rebuild undoes.
    let mut session = store.superuser().await;
    session
        .execute(
            "UPDATE standing SET posted = posted + 1 WHERE account = (SELECT min(account::text)::uuid FROM standing)",
        )
        .await
        .unwrap();
    let report = store.verify().await;
    assert_eq!(report.findings.told().iter().map(|finding| finding.rule).collect::<Vec<_>>(), [Rule::Projection]);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = writing(book.clone(), stop.clone());
    let worker = projecting(&store);
    let reader = tokio::spawn({
        let (views, stop, scope) = (Views::new(store.pool("vintem_reader")), stop.clone(), scope(&book, None));
        async move {
            let (mut reached, mut read) = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                let seen = views.top_accounts(scope, "BRL", None, 10).await.unwrap();
                assert!(seen.as_of.position >= reached && seen.rows.len() >= 5, "{reached} {seen:?}");
                (reached, read) = (seen.as_of.position, read + 1);
            }
            read
        }
    });
    for round in 0..2 {
        for projection in ALL {
            let differing = rebuilt(&store, projection).await.unwrap().differing.unwrap();
            let expected = usize::from(round == 0 && projection.name() == "top-accounts");
            assert_eq!(differing.len(), expected, "{}: {differing:?}", projection.name());
        }
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    assert!(reader.await.unwrap() > 0);
    worker.abort();
    all_caught_up(&store).await;
    check_views(&mut session).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_its_tenant_and_waits_for_its_position() {
    let store = Store::create().await;
    let book = busy(&store).await;
    let newest = newest(&mut store.superuser().await).await;
    let views = Views::new(store.pool("vintem_reader"));
    let all = Filter::default();
    let early = views.volume(scope(&book, Some(1)), &all, None, 9);
    let late = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        all_caught_up(&store).await;
    };
    let (early, ()) = tokio::join!(early, late);
    assert!(early.unwrap().as_of.position >= 1);
    let beyond = views.holds(scope(&book, Some(newest + 1)), None).await.unwrap_err();
    assert!(matches!(beyond, ViewError::Behind { position } if position == newest), "{beyond:?}");
    let stranger = Scope { tenant: Uuid::from_u128(7), ..scope(&book, None) };
    let ana = account_id(&book, "ana");
    assert!(views.activity(stranger, ana, &Search::default(), i64::MAX, 9).await.unwrap().rows.0.is_empty());
    assert!(views.top_accounts(stranger, "BRL", None, 9).await.unwrap().rows.is_empty());
    assert!(views.holds(stranger, None).await.unwrap().rows.is_empty());
    // Without a tenant there is no row at all, and nobody but the projector writes.
    let mut session = store.session("vintem_reader").await;
    for table in ALL.into_iter().flat_map(Projection::tables).map(|table| table.name) {
        let count: i64 =
            sqlx::query_scalar(&format!("SELECT count(*) FROM {table}")).fetch_one(&mut session).await.unwrap();
        assert_eq!(count, 0, "{table}");
        for role in ["vintem_reader", "vintem_writer", "vintem_operator", "vintem_auditor"] {
            let sql = format!("DELETE FROM {table}");
            assert!(store.session(role).await.execute(&*sql).await.is_err(), "{role} may change {table}");
        }
    }
    let mut projector = store.session("vintem_projector").await;
    for sql in
        ["DELETE FROM event", "UPDATE account SET name = 'x'", "SELECT count(*) FROM entry", "SELECT name FROM tenant"]
    {
        assert!(projector.execute(sql).await.is_err(), "the projector may {sql}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_follow_their_indexes_under_row_level_security() {
    let store = Store::create().await;
    let book = busy(&store).await;
    all_caught_up(&store).await;
    let mut session = store.session("vintem_reader").await;
    // Few rows are read whole otherwise; what matters is which conditions an index may serve.
    session
        .execute(&*format!(
            "SET enable_seqscan = off; SET enable_bitmapscan = off; SET app.tenant = '{}'",
            book.actor.origin.tenant
        ))
        .await
        .unwrap();
    let id = fresh::new_id();
    for (query, condition) in [
        (
            "SELECT position FROM activity_word WHERE shard = 0 AND word = 5 AND position >= 1 AND position < 9 ORDER BY position DESC LIMIT 5"
                .to_owned(),
            "Index Cond: ((shard = 0) AND (word = 5) AND (\"position\" >= 1) AND (\"position\" < 9))",
        ),
        (
            format!(
                "SELECT position FROM activity WHERE shard = 0 AND account = '{id}' AND position >= 1 AND position < 9 AND abs(amount) >= 1 ORDER BY position DESC LIMIT 5"
            ),
            "Index Cond: ((shard = 0) AND (account = '{id}'::uuid) AND (\"position\" >= 1) AND (\"position\" < 9))",
        ),
        (
            format!(
                "SELECT account FROM standing WHERE shard = 0 AND tenant = '{id}' AND asset = 'BRL' AND (posted, account) < (5, '{id}') ORDER BY posted DESC, account DESC LIMIT 5"
            ),
            "Index Cond: ((shard = 0) AND (tenant = '{id}'::uuid) AND (asset = 'BRL'::text) AND (ROW(posted, account) < ROW(5, '{id}'::uuid)))",
        ),
    ] {
        let plan: Vec<String> = sqlx::query_scalar(&format!("EXPLAIN {query}")).fetch_all(&mut session).await.unwrap();
        let condition = condition.replace("{id}", &id.to_string());
        assert!(plan.iter().any(|line| line.trim() == condition), "{plan:#?}");
        assert!(!plan.iter().any(|line| line.contains("Sort")), "{plan:#?}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rebuilds_of_one_projection_do_not_meet() {
    let store = Store::create().await;
    busy(&store).await;
    all_caught_up(&store).await;
    let (volume, holds) = (find("volume").unwrap(), find("hold-ageing").unwrap());
    let mut other = store.session("vintem_owner").await;
    let note = "INSERT INTO rebuild.running (name, pid, session_user_id)
                SELECT 'volume', pid, usesysid FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    other.execute(note).await.unwrap();
    assert!(matches!(rebuilt(&store, volume).await, Err(RebuildError::Running)));
    assert!(rebuilt(&store, holds).await.is_ok(), "another projection is nobody's business");
    // Whoever rebuilt it died; his note is good for nothing from the moment on in which his session is gone.
    other.close().await.unwrap();
    let free = eventually(Duration::from_secs(5), async || rebuilt(&store, volume).await.is_ok());
    assert!(free.await);
    store.close().await;
}
