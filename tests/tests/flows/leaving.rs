//! Closing an account and being forgotten, while money of the person's is on its way.

use super::funding::{Sandbox, brl, id, proof, top_up, withdraw};
use chrono::TimeDelta;
use serde_json::json;
use vintem_tests::phone::{PIN, Phone};

/// Somebody with exactly so much, which hundredths of a top-up would say something else about.
async fn holding(town: &Sandbox, number: u32, amount: &str) -> Phone {
    let citizen = town.citizen(number).await;
    town.town.issue(&citizen, amount).await;
    citizen
}

/// Each way in which somebody leaves is refused now.
async fn cannot_leave(town: &Sandbox, citizen: &Phone) {
    let office = &town.town.office.client;
    let refusals = [
        citizen.post("/v1/account/close", &json!({})).await,
        citizen.post("/v1/privacy/erasures", &json!({})).await,
        office.post(&format!("/v1/accounts/{}/close", citizen.account()), &json!({})).await,
        office.post(&format!("/v1/holders/{}/erasure", citizen.citizen()), &json!({})).await,
    ];
    for refused in refusals {
        let refused = refused.expect(409);
        assert_eq!(refused["code"], "invalid-state");
        assert!(refused["detail"].as_str().unwrap().contains("withdrawal"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_leaves_while_a_withdrawal_is_on_its_way() {
    let mut town = Sandbox::create().await;
    let (ana, rui) = (holding(&town, 1, "10.02").await, holding(&town, 2, "10.03").await);
    let approved = withdraw(&ana, "10.02").await.expect(200);
    withdraw(&rui, "10.03").await.expect(200);
    for citizen in [&ana, &rui] {
        assert_eq!(town.has(citizen).await, 0);
        cannot_leave(&town, citizen).await;
    }
    // One is paid after an hour; the other is refused, and has the money again.
    assert_eq!(town.follows(TimeDelta::zero()).await, 1);
    assert_eq!(town.has(&rui).await, 1_003);
    let refused = rui.post("/v1/account/close", &json!({})).await.expect(409);
    assert_eq!(
        (&refused["code"], &refused["detail"]),
        (&json!("invalid-state"), &json!("the account's balances are not all zero"))
    );
    cannot_leave(&town, &ana).await;
    assert_eq!(town.follows(TimeDelta::hours(1)).await, 1);
    assert_eq!(ana.get(&format!("/v1/withdrawals/{}", id(&approved))).await.expect(200)["status"], "paid");
    ana.post("/v1/account/close", &json!({})).await.expect(200);
    ana.post("/v1/privacy/erasures", &json!({})).await.expect(200);
    let office = &town.town.office.client;
    office.post(&format!("/v1/holders/{}/erasure", rui.citizen()), &json!({})).await.expect(200);
    assert_eq!((town.jobs().await, town.posted("system:withdrawals").await), (0, 0));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_approval_and_a_closing_at_once_never_both_pass() {
    let mut town = Sandbox::create().await;
    for number in 1..=6 {
        let ana = holding(&town, number, "10.03").await;
        let asked = ana.post("/v1/withdrawals", &json!({"amount": brl("10.03")})).await.expect(201);
        let (path, body) = (format!("/v1/withdrawals/{}/confirm", id(&asked)), proof(&ana, &asked, PIN));
        let closes = async {
            let mut answers = Vec::new();
            for _ in 0..4 {
                answers.push(ana.post("/v1/account/close", &json!({})).await.expect(409)["code"].clone());
            }
            answers
        };
        let (answer, refused) = tokio::join!(ana.post(&path, &body), closes);
        answer.expect(200);
        assert_eq!(refused, ["invalid-state"; 4]);
        assert_eq!((town.follows(TimeDelta::zero()).await, town.has(&ana).await), (1, 1_003), "it came back");
    }
    assert_eq!((town.jobs().await, town.posted("system:withdrawals").await), (0, 0));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_for_a_closed_account_is_said_to_be_nobodys_and_followed_no_more() {
    let mut town = Sandbox::create().await;
    let ana = town.citizen(1).await;
    let asked = top_up(&ana, "10.02").await.expect(201);
    assert_eq!((town.follows(TimeDelta::zero()).await, town.jobs().await), (0, 1));
    ana.post("/v1/account/close", &json!({})).await.expect(200);
    assert_eq!((town.follows(TimeDelta::hours(1)).await, town.jobs().await), (1, 0));
    let ended = ana.get(&format!("/v1/top-ups/{}", id(&asked))).await.expect(200);
    assert_eq!((&ended["status"], ended.get("transaction")), (&json!("unclaimed"), None));
    assert_eq!(ana.get("/v1/account/balance").await.expect(200)["total"], "0.00");
    let events = town.town.office.client.get("/v1/events?limit=100").await.expect(200).to_string();
    assert!(events.contains("account-closed") && !events.contains("transaction.posted"), "none of it came into being");
    town.close().await;
}
