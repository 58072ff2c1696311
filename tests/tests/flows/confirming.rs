//! What confirms a payment: the device's signature first, then the PIN, which locks.

use serde_json::{Value, json};
use vintem_tests::payer::confirm;
use vintem_tests::phone::{PIN, Town, another, enrolment, verify};
use vintem_tests::staff::TENANT;

#[tokio::test(flavor = "multi_thread")]
async fn the_fifth_wrong_pin_locks_it_and_only_the_device_can_do_that() {
    let town = Town::create().await;
    let ((ana, mut phone), (_, rui)) = (town.citizen(1).await, town.citizen(2).await);
    town.issue(&phone, "100.00").await;
    let alias = rui.random_alias().await;
    let asked = phone.wants_to_pay(&alias, "10.00", None).await;
    let with = |member: &str, value: Value| {
        let mut body = phone.confirmation(&asked);
        body[member] = value;
        body
    };
    // Without the device nothing is learned of the PIN, and none of its attempts is used up.
    let foreign = rui.confirmation(&asked)["device_signature"].clone();
    for _ in 0..7 {
        let mut forged = with("pin", json!(another(PIN)));
        forged["device_signature"] = foreign.clone();
        assert_eq!(phone.post(&confirm(&asked), &forged).await.expect(422)["code"], "signature-invalid");
    }
    for _ in 0..4 {
        let wrong = phone.post(&confirm(&asked), &with("pin", json!(another(PIN)))).await;
        assert_eq!(wrong.expect(403)["code"], "pin-invalid");
    }
    // The right one in between begins the count anew.
    let small = phone.wants_to_pay(&alias, "1.00", None).await;
    phone.confirms(&small).await.expect(200);
    for expected in ["pin-invalid", "pin-invalid", "pin-invalid", "pin-invalid", "pin-locked", "pin-locked"] {
        let wrong = phone.post(&confirm(&asked), &with("pin", json!(another(PIN)))).await;
        assert_eq!(wrong.expect(403)["code"], expected);
    }
    assert_eq!(phone.confirms(&asked).await.expect(403)["code"], "pin-locked", "the right one, too");
    assert_eq!(town.posted(&rui).await, "1.00");
    let told = phone.get("/v1/notifications").await.expect(200);
    assert!(told["notifications"].as_array().unwrap().iter().any(|event| event["kind"] == "citizen.pin-locked"));
    // A recovery opens it, on a device that pays less for a day.
    let sent = phone.knock("/v1/recoveries", &json!({"tenant": TENANT, "cpf": ana.cpf})).await.expect(202);
    let code = town.code(&ana, 2).await;
    phone.tokens = phone.knock(&verify("recoveries", &sent), &enrolment(&code)).await.expect(201);
    phone.confirms(&asked).await.expect(200);
    assert_eq!(town.posted(&rui).await, "11.00");
    town.close().await;
}
