//! Jobs: asked for once, done by one at a time, tried again, given up.

use std::collections::BTreeSet;
use std::time::Duration;
use vintem_core::jobs::{ATTEMPTS, store};
use vintem_tests::store::Store;

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_asked_for_once_and_taken_by_one() {
    let database = Store::create().await;
    let pool = database.pool("vintem_writer");
    let mut session = database.session("vintem_writer").await;
    for number in 0..40 {
        let key = number.to_string();
        assert!(store::ask(&mut session, 0, "mail", &key, r#"{"to":  "ana"}"#, Duration::ZERO).await.unwrap());
    }
    assert!(!store::ask(&mut session, 0, "mail", "7", "{}", Duration::ZERO).await.unwrap(), "asked for already");
    assert!(store::ask(&mut session, 0, "mail", "later", "{}", PATIENCE).await.unwrap());
    assert!(store::ask(&mut session, 0, "other", "7", "{}", Duration::ZERO).await.unwrap());
    let (one, two) = tokio::join!(store::take(&pool, "mail", PATIENCE, 20), store::take(&pool, "mail", PATIENCE, 20));
    let taken: Vec<_> = one.unwrap().into_iter().chain(two.unwrap()).collect();
    let keys: BTreeSet<_> = taken.iter().map(|job| job.key.as_str()).collect();
    assert_eq!((taken.len(), keys.len()), (40, 40), "each of them once");
    assert_eq!(taken[0].payload, r#"{"to":  "ana"}"#);
    assert!(store::take(&pool, "mail", PATIENCE, 20).await.unwrap().is_empty());
    for job in &taken {
        store::done(&pool, job).await.unwrap();
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM job").fetch_one(&mut session).await.unwrap();
    assert_eq!(left, 2);
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_comes_back_until_it_is_given_up() {
    let database = Store::create().await;
    let pool = database.pool("vintem_writer");
    let mut session = database.session("vintem_writer").await;
    store::ask(&mut session, 0, "mail", "1", "{}", Duration::ZERO).await.unwrap();
    // Its worker died: it is due again when the time for it is over.
    assert_eq!(store::take(&pool, "mail", Duration::ZERO, 1).await.unwrap()[0].attempts, 1);
    let job = store::take(&pool, "mail", PATIENCE, 1).await.unwrap().remove(0);
    assert_eq!(job.attempts, 2);
    assert!(store::failed(&pool, &job, "nobody answered").await.unwrap());
    assert!(store::take(&pool, "mail", PATIENCE, 1).await.unwrap().is_empty(), "after a pause only");
    sqlx::query("UPDATE job SET run_at = now(), attempts = $1").bind(ATTEMPTS - 1).execute(&mut session).await.unwrap();
    let job = store::take(&pool, "mail", PATIENCE, 1).await.unwrap().remove(0);
    store::insist(&pool, &job, "it was promised", Duration::ZERO).await.unwrap();
    let job = store::take(&pool, "mail", PATIENCE, 1).await.unwrap().remove(0);
    assert!(job.attempts > ATTEMPTS, "who insists never gives up");
    assert!(!store::failed(&pool, &job, "nobody answered").await.unwrap());
    sqlx::query("UPDATE job SET run_at = now()").execute(&mut session).await.unwrap();
    assert!(store::take(&pool, "mail", PATIENCE, 1).await.unwrap().is_empty(), "given up");
    let why: String = sqlx::query_scalar("SELECT failure FROM job").fetch_one(&mut session).await.unwrap();
    assert_eq!(why, "nobody answered");
    database.close().await;
}
