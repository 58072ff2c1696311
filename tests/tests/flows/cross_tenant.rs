//! What a tenant's client learns of another tenant over HTTP: nothing, and the same nothing as of what does not exist.

use futures_util::StreamExt;
use futures_util::stream::iter;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;
use vintem_api::operations::openapi;
use vintem_api::routes::ROUTES;
use vintem_core::event_store::fresh;
use vintem_tests::api::{Client, Read, read};
use vintem_tests::matrix::filled;
use vintem_tests::people::cpf;
use vintem_tests::tenants::{Dice, FOREIGN_WORD, Town, Towns};

/// Pairs that are under way at once.
const AT_ONCE: usize = 8;
/// Random questions.
const RANDOM: usize = 1_000;
/// Stands in a request where a value is tried.
const PLACE: &str = "@";

/// A request with one place in it.
#[derive(Debug, Clone)]
struct Probe {
    method: Method,
    path: String,
    body: Option<Value>,
}

/// A value of the other tenant's, and one like it that nobody has.
#[derive(Debug, Clone)]
struct Pair {
    kind: &'static str,
    foreign: String,
    nobodys: String,
}

/// The other town's values; positions are nobody's secret and have no counterpart.
fn pairs(there: &Town) -> Vec<Pair> {
    let pair = |(kind, foreign): &(&'static str, String)| {
        let nobodys = match *kind {
            "name" | "asset" | "key" => foreign.replace("teatown", "nowhere").replace("TEATOWN", "NOWHERE"),
            "cpf" => cpf(777),
            "cursor" => foreign.chars().rev().collect(),
            "position" => foreign.clone(),
            _ => fresh::new_id().to_string(),
        };
        Pair { kind, foreign: foreign.clone(), nobodys }
    };
    there.ids.iter().map(pair).collect()
}

/// Bodies that the routes understand, with a place where a name or id is expected; `{}` where there is none.
fn bodies(path: &str) -> Vec<Value> {
    let money = json!({"amount": "0.01", "asset": "BRL"});
    let expires_at = (vintem_core::telemetry::clock::now() + chrono::Duration::days(1)).to_rfc3339();
    match path {
        "/v1/assets" => vec![json!({"code": PLACE, "scale": 2})],
        "/v1/accounts" => vec![json!({"name": PLACE, "asset": "BRL"}), json!({"asset": PLACE})],
        "/v1/accounts/{id}" => vec![json!({"sends": true})],
        "/v1/accounts/{id}/freeze" | "/v1/accounts/{id}/unfreeze" | "/v1/accounts/{id}/close" => {
            vec![json!({"reason": "x"})]
        }
        "/v1/transactions" => {
            let leg =
                |account: &str, direction: &str| json!({"account": account, "direction": direction, "amount": money});
            vec![
                json!({"from": PLACE, "to": "ana", "amount": money}),
                json!({"from": "bank", "to": PLACE, "amount": money}),
                json!({"from": "bank", "to": "ana", "amount": {"amount": "0.01", "asset": PLACE}}),
                json!({"from": "bank", "to": "ana", "amount": money, "metadata": {"order": PLACE}}),
                json!({"legs": [leg("bank", "debit"), leg(PLACE, "credit")]}),
            ]
        }
        "/v1/transactions/{id}/reversals" => vec![json!({}), json!({"amount": money})],
        "/v1/batches" => vec![
            json!({"items": [
                {"transaction": {"from": PLACE, "to": "ana", "amount": money}},
                {"hold": {"from": "ana", "to": PLACE, "amount": money, "expires_at": expires_at}},
            ]}),
            json!({"items": [{"release": {"hold": PLACE}}, {"capture": {"hold": PLACE, "amount": money}}]}),
        ],
        "/v1/holds" => vec![
            json!({"from": PLACE, "amount": money, "expires_at": expires_at}),
            json!({"from": "ana", "to": PLACE, "amount": money, "expires_at": expires_at}),
        ],
        "/v1/holds/{id}/captures" => vec![json!({"amount": money, "final": true})],
        "/v1/holds/{id}/extend" => vec![json!({"expires_at": expires_at})],
        "/v1/holds/{id}/increment" => vec![json!({"amount": money})],
        "/v1/webhook-endpoints" => vec![json!({"url": "https://example.org/", "events": [PLACE]})],
        "/v1/webhook-endpoints/{id}" => vec![json!({"description": "x"})],
        "/v1/webhook-endpoints/{id}/replays" => vec![json!({"from": 1, "to": 100})],
        "/v1/holders" => vec![json!({"name": "Pessoa", "email": "p@exemplo.com.br", "cpf": PLACE})],
        "/v1/holders/{id}/unmask" => vec![json!({"reason": "support"})],
        "/v1/admin/terminals" => vec![
            json!({"serial": PLACE, "model": "x", "service_id": Uuid::nil()}),
            json!({"serial": "x", "model": "x", "service_id": PLACE}),
        ],
        "/v1/terminal/charges/{txid}" => vec![json!({"amount": {"amount": "0.01", "asset": PLACE}, "seq": 1})],
        "/v1/terminal/charges/{txid}/refunds/{refund}" => vec![json!({"amount": money, "reason": "customer"})],
        "/v1/terminal/reversals" => vec![json!({"txid": PLACE, "reason": "timeout", "seq": 1})],
        "/v1/terminal/batches/{number}/close" => vec![json!({"last_seq": 0})],
        "/v1/admin/terminals/{id}" => vec![json!({"label": "x"})],
        "/v1/admin/terminals/{id}/commands" => vec![json!({"command": "lock"})],
        "/v1/holders/lookups" => vec![json!({"cpf": PLACE})],
        "/v1/admin/providers" => vec![json!({"name": "Companhia", "cnpj": PLACE})],
        "/v1/admin/providers/{id}" => vec![json!({"name": "Companhia"})],
        "/v1/admin/services" => {
            vec![json!({"provider": PLACE, "label": "Linha", "city": "Porto Alegre", "asset": "BRL"})]
        }
        "/v1/admin/services/{id}" => vec![json!({"label": "Linha"}), json!({"status": "suspended"})],
        _ => vec![json!({})],
    }
}

/// A path of one's own: what stands in its braces is the caller's.
fn own(path: &str, here: &Town) -> String {
    let kind = match path.split('/').nth(2) {
        Some("transactions") => "transaction",
        Some("holds") => "hold",
        Some("holders") => "holder",
        Some("webhook-endpoints") => "endpoint",
        Some("admin") if path.contains("/terminals") => "terminal",
        _ => "account",
    };
    filled(&path.replace("{id}", here.id(kind)).replace("{key}", here.id("key")))
}

/// The parameters that routes take, from the contract.
fn parameters() -> BTreeMap<(String, String), Vec<String>> {
    let contract = serde_json::to_value(openapi::contract()).unwrap();
    let mut all = BTreeMap::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let names =
                parameters.filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap().to_owned());
            all.insert((method.to_uppercase(), path.clone()), names.collect());
        }
    }
    all
}

/// Every route that needs a caller, with a place in its path, in each of its parameters, and in its body.
fn probes(here: &Town) -> Vec<Probe> {
    let (parameters, mut probes) = (parameters(), Vec::new());
    for entry in ROUTES.iter().filter(|entry| entry.path.starts_with("/v1/") && entry.path != "/v1/token") {
        let (path, method) = (entry.path, Method::from_bytes(entry.method.as_str().as_bytes()).unwrap());
        let bodies = if entry.method == "GET" { vec![None] } else { bodies(path).into_iter().map(Some).collect() };
        if let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
            let path = filled(&format!("{}{PLACE}{}", &path[..from], &path[to + 1..]));
            let of = |body: &Option<Value>| Probe { method: method.clone(), path: path.clone(), body: body.clone() };
            probes.extend(bodies.iter().map(of));
        }
        let path = own(path, here);
        let with_place =
            bodies.iter().filter(|body| body.as_ref().is_some_and(|body| body.to_string().contains(PLACE)));
        probes.extend(with_place.map(|body| Probe { method: method.clone(), path: path.clone(), body: body.clone() }));
        let names = &parameters[&(entry.method.as_str().to_owned(), entry.path.to_owned())];
        for name in names {
            // What else the route asks for, so that it comes to look at the place.
            let rest = [("account", here.id("account")), ("asset", "BRL"), ("from", "2026-03-01")].into_iter();
            let rest: Vec<String> = rest
                .filter(|(other, _)| other != name && names.iter().any(|name| name == other))
                .map(|(name, value)| format!("&{name}={value}"))
                .collect();
            let rest = rest.concat();
            let name = if name.starts_with("metadata") { "metadata[order]" } else { name };
            probes.push(Probe { method: method.clone(), path: format!("{path}?{name}={PLACE}{rest}"), body: None });
        }
    }
    probes
}

impl Probe {
    /// Reads come first: what is written may be called as the other tenant's things are, and is then one's own.
    fn turn(&self) -> u8 {
        match self.path.as_str() {
            _ if self.method == Method::GET => 0,
            "/v1/holders/lookups" => 0,
            "/v1/accounts" | "/v1/holders" | "/v1/admin/terminals" => 2,
            "/v1/assets" => 3,
            _ => 1,
        }
    }

    /// Whether its success leaves words of the question among one's own things.
    fn keeps_words(&self) -> bool {
        self.turn() > 1 || self.body.as_ref().is_some_and(|body| body.to_string().contains("metadata"))
    }

    async fn send(&self, client: &Client, value: &str) -> Read {
        let request = client.request(self.method.clone(), &self.path.replace(PLACE, value));
        let Some(body) = &self.body else { return read(request).await };
        let body: Value = serde_json::from_str(&body.to_string().replace(PLACE, value)).unwrap();
        read(request.header("Idempotency-Key", fresh::new_id().to_string()).json(&body)).await
    }
}

/// An answer without what differs between any two: the value itself, ids, instants, positions, the trace.
fn plain(value: &Value, probe: &str) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "trace_id")
            .map(|(name, member)| (name.clone(), if name == "status" { member.clone() } else { plain(member, probe) }))
            .collect(),
        Value::Array(elements) => elements.iter().map(|element| plain(element, probe)).collect(),
        Value::Number(_) => json!(0),
        Value::String(text) => {
            let text = text.replace(probe, PLACE);
            let is_of_the_moment =
                Uuid::parse_str(&text).is_ok() || chrono::DateTime::parse_from_rfc3339(&text).is_ok();
            let is_amount =
                !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
            if is_of_the_moment || is_amount { json!("some") } else { json!(text) }
        }
        other => other.clone(),
    }
}

/// Nothing in an answer is the other tenant's, but what the question itself said.
#[track_caller]
fn assert_tells_nothing(answer: &Read, pairs: &[Pair], said: &[&str], what: &str) {
    let status = answer.status.as_u16();
    let mut text = String::from_utf8_lossy(&answer.bytes).into_owned();
    // A number in the place of a position may be one that no view has reached.
    assert!(status < 500 || text.contains("view-behind"), "{what}: {status} {text}");
    for said in said {
        text = text.replace(said, PLACE);
    }
    let lower = text.to_lowercase();
    assert!(!lower.contains(FOREIGN_WORD), "{what}: {text}");
    // A position is a number like others, and a person's number stands in no answer unless it is asked for.
    for Pair { kind, foreign, .. } in pairs.iter().filter(|pair| !matches!(pair.kind, "position" | "cpf")) {
        assert!(!text.contains(foreign.as_str()), "{what} tells the {kind} {foreign}: {text}");
    }
}

/// All that a tenant can see of its own, to be compared.
async fn everything(town: &Town) -> Vec<(&'static str, Value)> {
    let mut seen = Vec::new();
    let reads = ROUTES.iter().filter(|entry| entry.method == "GET" && entry.path.starts_with("/v1/"));
    for entry in reads.filter(|entry| entry.path != "/v1/events") {
        let query = match entry.path {
            "/v1/holds" => format!("?account={}", town.id("account")),
            "/v1/transactions" => "?metadata[order]=TEATOWN".to_owned(),
            _ => String::new(),
        };
        let answer = town.client.get(&format!("{}{query}", own(entry.path, town))).await;
        let mut body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        // How far a view is behind, and the trace of a problem, are no tenant's.
        for moving in ["as_of", "trace_id"] {
            body.as_object_mut().map(|members| members.remove(moving));
        }
        seen.push((entry.path, body));
    }
    seen
}

/// Tries the value of a pair that the other tenant has, and the one that nobody has; answers the status of both.
async fn compare(client: &Client, pairs: &[Pair], probe: &Probe, pair: &Pair) -> u16 {
    let (foreign, nobodys) = (probe.send(client, &pair.foreign).await, probe.send(client, &pair.nobodys).await);
    let what =
        format!("{} {} {} with the {}", probe.method, probe.path, probe.body.clone().unwrap_or_default(), pair.kind);
    assert_tells_nothing(&foreign, pairs, &[&pair.foreign], &what);
    if pair.kind == "position" {
        return foreign.status.as_u16();
    }
    let shown = |read: &Read, value: &str| {
        serde_json::from_slice(&read.bytes).map(|body| plain(&body, value)).unwrap_or_default()
    };
    assert_eq!(
        (foreign.status, shown(&foreign, &pair.foreign)),
        (nobodys.status, shown(&nobodys, &pair.nobodys)),
        "{what}"
    );
    assert_eq!(foreign.headers.get("content-type"), nobodys.headers.get("content-type"), "{what}");
    foreign.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_a_foreign_id_as_one_that_nobody_has() {
    let towns = Towns::create().await;
    let (probes, pairs) = (probes(&towns.here), pairs(&towns.there));
    let before = everything(&towns.there).await;
    let cases: Vec<(&Probe, &Pair)> =
        probes.iter().flat_map(|probe| pairs.iter().map(move |pair| (probe, pair))).collect();
    let (client, pairs) = (&towns.here.client, &pairs);
    let mut counted: BTreeMap<u16, usize> = BTreeMap::new();
    for turn in 0..=3 {
        let of_turn = cases.iter().copied().filter(|(probe, _)| probe.turn() == turn);
        let statuses: Vec<u16> = iter(of_turn)
            .map(|(probe, pair)| compare(client, pairs, probe, pair))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for status in statuses {
            *counted.entry(status).or_default() += 1;
        }
    }
    println!("{} questions of {} requests and {} kinds of ids: {counted:?}", cases.len(), probes.len(), pairs.len());
    assert!(counted[&404] > 300 && counted[&422] > 300, "{counted:?}");
    for (after, before) in everything(&towns.there).await.into_iter().zip(before) {
        assert_eq!(after, before, "the other tenant's things changed");
    }
    towns.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_random_requests_find_nothing_of_another_tenant() {
    let towns = Towns::create().await;
    let (probes, pairs) = (probes(&towns.here), pairs(&towns.there));
    let before = everything(&towns.there).await;
    let probes: Vec<Probe> = probes.into_iter().filter(|probe| !probe.keeps_words()).collect();
    let mut dice = Dice::throw();
    let cases: Vec<(Probe, Vec<&Pair>)> = (0..RANDOM)
        .map(|_| {
            // The path of one request, the parameters of a second, the body of a third.
            let (mut probe, query, body) =
                (dice.pick(&probes).clone(), dice.pick(&probes).clone(), dice.pick(&probes).clone());
            let values = [dice.pick(&pairs), dice.pick(&pairs), dice.pick(&pairs)];
            probe.path = probe.path.replace(PLACE, &values[0].foreign);
            if let Some((_, query)) = query.path.split_once('?').filter(|_| !probe.path.contains('?')) {
                probe.path = format!("{}?{}", probe.path, query.replace(PLACE, &values[1].foreign));
            }
            if probe.method != Method::GET {
                let body = body.body.or_else(|| probe.body.clone()).unwrap_or_else(|| json!({}));
                probe.body = Some(serde_json::from_str(&body.to_string().replace(PLACE, &values[2].foreign)).unwrap());
            }
            (probe, values.to_vec())
        })
        .collect();
    let (client, pairs) = (&towns.here.client, &pairs);
    let asked = iter(&cases).map(|(probe, values)| async move {
        let answer = probe.send(client, "").await;
        let said: Vec<&str> = values.iter().map(|pair| pair.foreign.as_str()).collect();
        assert_tells_nothing(&answer, pairs, &said, &format!("{probe:?}"));
        answer.status.as_u16()
    });
    let statuses: Vec<u16> = asked.buffer_unordered(AT_ONCE).collect().await;
    println!("{} random requests", statuses.len());
    assert_eq!(statuses.len(), RANDOM);
    for (after, before) in everything(&towns.there).await.into_iter().zip(before) {
        assert_eq!(after, before, "the other tenant's things changed");
    }
    towns.close().await;
}

/// The one thing that can be learned, and only by who knows the id: that it is taken. It is answered as for an id of one's own.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_one_name_in_a_shard_and_says_no_more_than_that() {
    let towns = Towns::create().await;
    let (here, there) = (&towns.here, &towns.there);
    let money = json!({"amount": "0.07", "asset": "BRL"});
    for kind in ["transaction", "hold", "account", "holder"] {
        let pay = |id: &str| json!({"id": id, "from": "bank", "to": "ana", "amount": money});
        let (own, foreign) = (here.id(kind), there.id(kind));
        let (own, foreign) = (
            here.client.post("/v1/transactions", &pay(own)).await,
            here.client.post("/v1/transactions", &pay(foreign)).await,
        );
        assert_eq!(foreign.expect(422)["code"], "idempotency-mismatch", "{kind}");
        assert_eq!(plain(&foreign.json(), there.id(kind)), plain(&own.json(), here.id(kind)), "{kind}");
    }
    let path = format!("/v1/webhook-endpoints/{}/replays", here.id("endpoint"));
    let range = json!({"from": there.id("position").parse::<i64>().unwrap()});
    let replay = here.client.post(&path, &range).await;
    assert_eq!(replay.expect(202)["deliveries"], 0, "a position of another tenant's event is no event");
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={}", there.id("client"), here.client.secret);
    let nobody = form.replace(there.id("client"), &fresh::new_id().to_string());
    let log_in = async |form: String| {
        let request = here
            .client
            .http
            .post(towns.server().url("/v1/token"))
            .header("Content-Type", "application/x-www-form-urlencoded");
        read(request.body(form)).await.expect(401)
    };
    assert_eq!(
        plain(&log_in(form).await, "\0"),
        plain(&log_in(nobody).await, "\0"),
        "a client of another tenant is no client"
    );
    towns.close().await;
}
