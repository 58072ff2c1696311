//! Companies that are paid at terminals, and what they are paid for: by clients, and by the staff of a unit.

use reqwest::Method;
use serde_json::{Value, json};
use vintem_core::access::Role;
use vintem_core::access::staff::Position;
use vintem_tests::api::Api;
use vintem_tests::shops::{PROVIDERS, SERVICES, at, cnpj, provider, service};
use vintem_tests::staff::{Browser, Office, TENANT};

async fn with_brl() -> Api {
    let api = Api::create().await;
    api.client.post("/v1/assets", &json!({"code": "BRL", "scale": 2})).await.expect(201);
    api
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_registered_once_and_changed_by_who_has_seen_it() {
    let api = with_brl().await;
    let client = &api.client;
    let body = json!({
        "name": "Viação Aurora Ltda.", "cnpj": "12.ABC.345/01DE-35",
        "payout_account": {"bank": "00000000", "branch": "0001", "number": "123456X"},
    });
    let first = client.post_as("k", PROVIDERS, &body).await;
    let made = first.expect(201);
    assert_eq!(
        (&made["cnpj"], &made["version"], &made["unit"]),
        (&json!("12.ABC.345/01DE-35"), &json!(1), &json!(null))
    );
    assert_eq!(first.headers["etag"], "\"1\"");
    let again = client.post_as("k", PROVIDERS, &body).await;
    assert_eq!((&again.bytes, &again.headers["etag"]), (&first.bytes, &first.headers["etag"]));
    let plain = json!({"name": "Another", "cnpj": "12ABC34501DE35"});
    assert_eq!(client.post(PROVIDERS, &plain).await.expect(409)["code"], "already-registered");

    let path = at(PROVIDERS, &made);
    assert_eq!(client.get(&path).await.expect(200), made);
    let renamed = client.patch(&path, &json!({"name": "Viação Aurora S.A."}), Some("\"1\"")).await;
    assert_eq!(renamed.headers["etag"], "\"2\"");
    assert_eq!(renamed.expect(200)["payout_account"], made["payout_account"]);
    let late = client.patch(&path, &json!({"payout_account": null}), Some("\"1\"")).await;
    assert_eq!(late.expect(412)["code"], "version-mismatch");
    let cleared = client.patch(&path, &json!({"payout_account": null}), None).await.expect(200);
    assert_eq!((&cleared["payout_account"], &cleared["name"]), (&json!(null), &json!("Viação Aurora S.A.")));
    for (body, pointer) in [
        (json!({"name": "x", "cnpj": "11.222.333/0001-82"}), "/cnpj"),
        (json!({"name": "x", "cnpj": "529.982.247-25"}), "/cnpj"),
        (json!({"name": "", "cnpj": cnpj(1)}), "/name"),
        (json!({"name": "x", "cnpj": cnpj(1), "unit": "01983d6c-8a00-7000-8000-0000000000ff"}), "/unit"),
        (
            json!({"name": "x", "cnpj": cnpj(1), "payout_account": {"bank": "1", "branch": "1", "number": "1"}}),
            "/payout_account/bank",
        ),
        (json!({"name": "x", "cnpj": cnpj(1), "payout_account": []}), "/payout_account"),
    ] {
        assert_eq!(client.post(PROVIDERS, &body).await.expect(422)["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(client.patch(&path, &json!({}), None).await.expect(422)["errors"][0]["pointer"], "");
    assert_eq!(client.patch(&path, &json!({"name": "x"}), Some("1")).await.expect(400)["code"], "malformed-request");
    let other = api.another("teatown", "ledger:read ledger:admin").await;
    other.get(&path).await.expect(404);
    other.patch(&path, &json!({"name": "x"}), None).await.expect(404);
    // The same company may be somebody else's provider, too.
    other.post(PROVIDERS, &plain).await.expect(201);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_has_an_account_and_terms_and_is_suspended_and_resumed() {
    let api = with_brl().await;
    let client = &api.client;
    let company = provider(client, 1).await;
    let tax = client.post("/v1/accounts", &json!({"name": "tax:city", "asset": "BRL"})).await.expect(201);
    let price = |fixed: &str, basis_points: u16| json!({"fixed": fixed, "basis_points": basis_points});
    let terms = json!({
        "splits": [
            {"name": "platform", "account": "system:fees", "price": price("0.10", 50)},
            {"name": "tax", "account": tax["id"], "price": price("0", 200)},
        ],
        "approval_above": "500.00", "over_capture_percent": 20, "hold_hours": 72,
    });
    let made = service(client, &company, "Ônibus Centro", terms).await;
    let path = at(SERVICES, &made);
    let account = client.get(&format!("/v1/accounts/{}", made["account"].as_str().unwrap())).await.expect(200);
    assert_eq!(account["name"], json!(format!("service:{}", made["id"].as_str().unwrap())));
    let fees = client.get("/v1/accounts?name=system:fees").await.expect(200);
    assert_eq!(made["terms"]["splits"][0]["account"], fees["accounts"][0]["id"], "it was opened with the service");
    assert_eq!(made["terms"]["splits"][1]["price"], json!({"fixed": "0.00", "basis_points": 200}));
    assert_eq!((&made["terms"]["refund_days"], &made["status"]), (&json!(90), &json!("open")));
    assert_eq!(client.get(&path).await.expect(200), made);

    let suspended = client.patch(&path, &json!({"status": "suspended"}), Some("\"1\"")).await.expect(200);
    assert_eq!((&suspended["status"], &suspended["version"]), (&json!("suspended"), &json!(2)));
    assert_eq!(client.patch(&path, &json!({"status": "suspended"}), None).await.expect(409)["code"], "invalid-state");
    let changed =
        client.patch(&path, &json!({"label": "Ônibus Norte", "mcc": null, "terms": {}}), None).await.expect(200);
    assert_eq!(
        (&changed["mcc"], &changed["status"], &changed["terms"]["splits"]),
        (&json!(null), &json!("suspended"), &json!([]))
    );
    assert_eq!(client.patch(&path, &json!({"status": "open"}), None).await.expect(200)["status"], "open");
    for (body, pointer) in [
        (json!({"status": "closed"}), "/status"),
        (json!({"status": "open", "label": "x"}), "/status"),
        (json!({"label": "x".repeat(26)}), "/label"),
        (json!({"terms": {"hold_hours": 169}}), "/terms/hold_hours"),
        (
            json!({"terms": {"splits": [{"name": "x", "account": "nobody", "price": price("0", 1)}]}}),
            "/terms/splits/0/account",
        ),
        (
            json!({"terms": {"splits": [{"name": "x", "account": "tax:city", "price": price("1", 10_000)}]}}),
            "/terms/splits",
        ),
        (json!({}), ""),
    ] {
        assert_eq!(client.patch(&path, &body, None).await.expect(422)["errors"][0]["pointer"], pointer, "{body}");
    }
    let nowhere = json!({"provider": made["id"], "label": "x", "city": "y", "asset": "BRL"});
    assert_eq!(client.post(SERVICES, &nowhere).await.expect(422)["errors"][0]["pointer"], "/provider");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_by_provider() {
    let api = with_brl().await;
    let client = &api.client;
    let (first, second) = (provider(client, 1).await, provider(client, 2).await);
    for number in 1..=3 {
        service(client, &first, &format!("Linha {number}"), json!({})).await;
    }
    let last = service(client, &second, "Mercado", json!({})).await;
    let labels = |page: &Value| -> Vec<String> {
        page["services"].as_array().unwrap().iter().map(|one| one["label"].as_str().unwrap().to_owned()).collect()
    };
    let page = client.get(&format!("{SERVICES}?limit=3")).await.expect(200);
    assert_eq!(labels(&page), ["Linha 1", "Linha 2", "Linha 3"]);
    let rest = client.get(&format!("{SERVICES}?limit=3&cursor={}", page["next"].as_str().unwrap())).await.expect(200);
    assert_eq!((labels(&rest), &rest["next"]), (vec!["Mercado".to_owned()], &json!(null)));
    let of = |provider: &Value| format!("{SERVICES}?provider={}", provider["id"].as_str().unwrap());
    assert_eq!(client.get(&of(&second)).await.expect(200)["services"], json!([last]));
    assert_eq!(labels(&client.get(&of(&first)).await.expect(200)).len(), 3);
    let providers = client.get(&format!("{PROVIDERS}?limit=1")).await.expect(200);
    assert_eq!((&providers["providers"], providers["next"].is_string()), (&json!([first]), true));
    client.get(&format!("{SERVICES}?provider=x")).await.expect(422);
    let other = api.another("teatown", "ledger:read").await;
    assert_eq!(other.get(PROVIDERS).await.expect(200)["providers"], json!([]));
    assert_eq!(other.get(&of(&first)).await.expect(200)["services"], json!([]));
    api.close().await;
}

async fn seated(office: &Office, login: &str, unit: Option<&str>) -> Browser {
    let unit = unit.map(|unit| unit.parse().unwrap());
    let position = Position { roles: vec![Role::ProviderManager], unit, ..Position::default() };
    let ticket = office.invite_as(TENANT, login, position).await;
    office.join(login, &ticket).await.sign_in().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_manager_looks_after_their_unit_and_what_is_below_it() {
    let office = Office::create().await;
    office.client.post("/v1/assets", &json!({"code": "BRL", "scale": 2})).await.expect(201);
    let admin = office.member("ada", &[Role::IamAdmin]).await.sign_in().await;
    let mut units = Vec::new();
    for (name, parent) in [("Town", None), ("Market", Some(0)), ("Harbour", None)] {
        let parent: Option<&String> = parent.map(|at: usize| &units[at]);
        let made = admin.post("/v1/admin/units", &json!({"name": name, "parent": parent})).await.expect(201);
        units.push(made["id"].as_str().unwrap().to_owned());
    }
    let (town, harbour, nobody) = (
        seated(&office, "tom", Some(&units[0])).await,
        seated(&office, "hal", Some(&units[2])).await,
        seated(&office, "ned", None).await,
    );
    let body = |number: u32, unit: Option<&String>| json!({"name": "Banca Ltda.", "cnpj": cnpj(number), "unit": unit});
    let stall = town.post(PROVIDERS, &body(1, Some(&units[1]))).await.expect(201);
    for unit in [Some(&units[2]), None] {
        let refused = town.post(PROVIDERS, &body(2, unit)).await.expect(403);
        assert_eq!(refused["errors"][0]["pointer"], "/unit");
    }
    let fish = json!({"provider": stall["id"], "label": "Peixes", "city": "Porto Alegre", "asset": "BRL"});
    let made = town.post(SERVICES, &fish).await.expect(201);
    assert_eq!(made["unit"], json!(units[1]), "the provider's, unless another is said");
    for path in [at(PROVIDERS, &stall), at(SERVICES, &made)] {
        town.get(&path).await.expect(200);
        let name =
            if path.starts_with(PROVIDERS) { json!({"name": "Banca S.A."}) } else { json!({"label": "Peixaria"}) };
        town.send(Method::PATCH, &path, &name).await.expect(200);
        assert_eq!(
            town.send(Method::PATCH, &path, &json!({"unit": units[2]})).await.expect(403)["errors"][0]["pointer"],
            "/unit"
        );
        for other in [&harbour, &nobody] {
            other.get(&path).await.expect(404);
            other.send(Method::PATCH, &path, &name).await.expect(404);
        }
    }
    assert_eq!(harbour.post(SERVICES, &fish).await.expect(422)["errors"][0]["pointer"], "/provider");
    assert_eq!(town.get(PROVIDERS).await.expect(200)["providers"].as_array().unwrap().len(), 1);
    assert_eq!(harbour.get(PROVIDERS).await.expect(200)["providers"], json!([]));
    assert_eq!(nobody.get(SERVICES).await.expect(200)["services"], json!([]));
    // Whoever operates sees all, and opens what is no unit's.
    let operations = office.member("olga", &[Role::Operations]).await.sign_in().await;
    assert_eq!(operations.get(SERVICES).await.expect(200)["services"].as_array().unwrap().len(), 1);
    operations.post(PROVIDERS, &body(3, None)).await.expect(201);
    office.close().await;
}
