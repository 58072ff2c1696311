//! What a sandbox plays for whoever builds an app, and nobody else meets.

use super::funding::Sandbox;
use serde_json::json;
use vintem_tests::payer::confirm;
use vintem_tests::phone::Town;

/// Every amount that says something, and what it says.
const PLAYED: [(&str, u16, &str); 8] = [
    ("4.01", 422, "insufficient-funds"),
    ("4.02", 422, "limit-exceeded"),
    ("4.03", 422, "night-limit"),
    ("4.04", 422, "account-frozen"),
    ("4.05", 409, "account-closed"),
    ("4.06", 422, "bound-exceeded"),
    ("4.07", 410, "charge-expired"),
    ("4.08", 409, "charge-already-paid"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_says_how_a_confirmation_ends_in_a_sandbox() {
    let mut town = Sandbox::create().await;
    let (ana, rui) = (town.rich(1, "100.00").await, town.citizen(2).await);
    let alias = rui.random_alias().await;
    for (amount, status, code) in PLAYED {
        let asked = ana.wants_to_pay(&alias, amount, None).await;
        // Whoever cannot prove themselves meets no play.
        let mut forged = ana.confirmation(&asked);
        forged["device_signature"] = rui.confirmation(&asked)["device_signature"].clone();
        assert_eq!(ana.post(&confirm(&asked), &forged).await.expect(422)["code"], "signature-invalid");
        let refused = ana.post_as(amount, &confirm(&asked), &ana.confirmation(&asked)).await;
        assert_eq!(refused.expect(status)["code"], code, "{amount}");
        let again = ana.post_as(amount, &confirm(&asked), &ana.confirmation(&asked)).await;
        assert_eq!((again.status, &again.bytes), (refused.status, &refused.bytes), "kept under its key");
    }
    assert_eq!((town.has(&ana).await, town.town.posted(&rui).await.as_str()), (10_000, "0.00"));
    let asked = ana.wants_to_pay(&alias, "4.09", None).await;
    ana.confirms(&asked).await.expect(200);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nowhere_else_does_an_amount_say_anything() {
    let town = Town::create().await;
    let ((_, ana), (_, rui)) = (town.citizen(1).await, town.citizen(2).await);
    town.issue(&ana, "100.00").await;
    let alias = rui.random_alias().await;
    for (amount, ..) in PLAYED {
        let asked = ana.wants_to_pay(&alias, amount, None).await;
        ana.confirms(&asked).await.expect(200);
    }
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/app-guide.md")).unwrap();
    for (amount, _, code) in PLAYED {
        assert!(guide.contains(&format!("| `{code}` | `{amount}` |")), "{}", json!([amount, code]));
    }
    town.close().await;
}
