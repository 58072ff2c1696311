//! Every route × every role of the staff, on the running server: the columns of the table that need a session.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use vintem_api::routes::{Entry, ROUTES};
use vintem_core::access::{Policy, Role};
use vintem_tests::matrix::{Cell, Knocks, filled, method, stated, title};
use vintem_tests::staff::{Browser, Office};

/// What members do about what they prove themselves with asks for a fresh second factor although no right is needed.
fn asks_itself(entry: &Entry) -> bool {
    matches!(entry.path, "/v1/staff/recovery-codes")
}

async fn holds(browser: &Browser, entry: &Entry, cell: Cell, is_fresh: bool, role: Role) {
    let answer = match method(entry) {
        Method::GET => browser.get(&filled(entry.path)).await,
        method => browser.send(method, &filled(entry.path), &json!({})).await,
    };
    let what = format!("{} by {role}: {}", title(entry), answer.status);
    match (cell, is_fresh) {
        (Cell::No, _) => assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "forbidden"), "{what}"),
        (Cell::StepUp, false) => {
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "step-up-required"), "{what}");
        }
        _ if asks_itself(entry) && !is_fresh => assert_eq!(answer.code(), "step-up-required", "{what}"),
        // A token for a client is asked for with a form, and an empty sign-in is judged as what it says.
        _ if entry.policy == Policy::Public => assert_ne!(answer.status, 403, "{what}"),
        _ => assert!(!matches!(answer.status.as_u16(), 401 | 403), "{what}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_staff_holds_on_the_running_server() {
    let office = Office::create().await;
    let (table, mut asserted) = (stated(), 0);
    for (index, column) in Knocks::all().into_iter().enumerate() {
        let Knocks::Staff(role) = column else { continue };
        let browser = office.member(role.as_str(), &[role]).await.sign_in().await;
        // A sign-out ends what the others need.
        let leaves = |entry: &&Entry| entry.path == "/v1/staff/sessions/current" && entry.method.as_str() == "DELETE";
        for is_fresh in [true, false] {
            for entry in ROUTES.iter().filter(|entry| !leaves(entry)) {
                holds(&browser, entry, table[&title(entry)][index], is_fresh, role).await;
                asserted += 1;
            }
            office.sleep(TimeDelta::minutes(6));
        }
        for entry in ROUTES.iter().filter(leaves) {
            holds(&browser, entry, table[&title(entry)][index], false, role).await;
            asserted += 1;
        }
        browser.get("/v1/staff/sessions").await.expect(401);
    }
    println!("{asserted} cells asserted");
    assert_eq!(asserted, Role::all().count() * (2 * ROUTES.len() - 1));
    office.close().await;
}
