//! Certificates of services: who is let in, who is refused and why, and their renewal while everybody works.

use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use vintem_api::tls;
use vintem_cli::stack::certifier::{Target, keep_refusing};
use vintem_cli::stack::{authority, pki};
use vintem_core::event_store::fresh;
use vintem_core::secrets::pki::Service;
use vintem_core::secrets::{Vault, VaultSettings, WrappingToken};
use vintem_core::telemetry::clock;
use vintem_tests::api::Server;
use vintem_tests::certificates::{Authority, Visitor};
use vintem_tests::vault::{Secrets, Wire, eventually};

/// How often the servers of these tests look whom to believe.
const EVERY: Duration = Duration::from_millis(300);
/// The host name of an API, as the door knows it.
const API: &str = "api.vintem.internal";
const HOUR: Duration = Duration::from_hours(1);

/// A name for something of a test's own on this machine.
fn unique() -> String {
    let id = fresh::new_id().simple().to_string();
    format!("t{}", &id[id.len() - 10..])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_lets_in_the_door_and_nobody_else() {
    let secrets = Secrets::create().await;
    let authority = Authority::create(&secrets.stack, &secrets.prefix, HOUR).await;
    let foreign = format!("{}-", unique());
    let foreign = Authority::create(&secrets.stack, &foreign, HOUR).await;
    let vault = secrets.login("api").await;
    let server = Server::with_tls(&secrets.store, tls::mutual(&vault, EVERY).await.unwrap()).await;
    let port = server.port();
    let ask = async |identity: Option<&secrecy::SecretString>| authority.client(identity).ask(port, API).await;

    let door = authority.issue(&secrets.stack, Service::Nginx).await;
    assert_eq!(ask(Some(&door.pair())).await.unwrap(), "HTTP/1.1 200");

    let none = ask(None).await.unwrap_err();
    assert!(none.contains("CertificateRequired"), "{none}");

    let terminal = format!("urn:vintem:terminal:{}", fresh::new_id());
    let terminal = authority
        .sign(&secrets.stack, Service::Nginx, "pki/sign/terminal", json!({ "uri_sans": terminal }))
        .await
        .unwrap();
    let wrong_role = ask(Some(&terminal.pair())).await.unwrap_err();
    assert!(wrong_role.contains("AccessDenied"), "{wrong_role}");

    let server_only = authority.issue(&secrets.stack, Service::Postgres).await;
    let wrong_use = ask(Some(&server_only.pair())).await.unwrap_err();
    assert!(wrong_use.contains("received fatal alert"), "{wrong_use}");

    // That authority has the same names, so that only its signature betrays it.
    let stranger = foreign.issue(&secrets.stack, Service::Nginx).await;
    let forged = ask(Some(&stranger.pair())).await.unwrap_err();
    assert!(forged.contains("DecryptError"), "{forged}");
    // Not even the root could send somebody: it signs for others than we let in.
    let administrator = secrets.stack.vault().await.unwrap();
    let role = json!({ "allowed_domains": "nginx.vintem.internal", "allow_bare_domains": true, "key_type": "ec",
        "allowed_uri_sans": Service::Nginx.uri(), "client_flag": true });
    administrator.write(&format!("{}pki_root/roles/forger", secrets.prefix), role).await.unwrap();
    let of_root = authority.sign(&secrets.stack, Service::Nginx, "pki_root/sign/forger", json!({})).await.unwrap();
    let unknown = ask(Some(&of_root.pair())).await.unwrap_err();
    assert!(unknown.contains("UnknownCA"), "{unknown}");

    let short =
        authority.sign(&secrets.stack, Service::Nginx, "pki/sign/service-nginx", json!({ "ttl": "2s" })).await.unwrap();
    assert_eq!(ask(Some(&short.pair())).await.unwrap(), "HTTP/1.1 200");
    sleep(Duration::from_secs(3)).await;
    let expired = ask(Some(&short.pair())).await.unwrap_err();
    assert!(expired.contains("CertificateExpired"), "{expired}");

    secrets.login("keyholder").await.revoke_certificate(&door.facts.serial).await.unwrap();
    let mut revoked = String::new();
    let is_refused = eventually(Duration::from_secs(10), async || {
        revoked = ask(Some(&door.pair())).await.err().unwrap_or_default();
        !revoked.is_empty()
    });
    assert!(is_refused.await, "a revoked certificate still gets in");
    assert!(revoked.contains("CertificateRevoked"), "{revoked}");
    let another = authority.issue(&secrets.stack, Service::Nginx).await;
    assert_eq!(ask(Some(&another.pair())).await.unwrap(), "HTTP/1.1 200", "others are not concerned");

    // The door, for its part, would not speak to somebody else than the API.
    let elsewhere = authority.client(Some(&another.pair())).ask(port, "postgres.vintem.internal").await.unwrap_err();
    assert!(elsewhere.contains("not valid for name"), "{elsewhere}");

    server.stop().await;
    foreign.remove(&secrets.stack).await;
    authority.remove(&secrets.stack).await;
    secrets.close().await;
}

#[tokio::test]
async fn a_role_grants_its_own_identity_only() {
    let secrets = Secrets::create().await;
    let stack = &secrets.stack;
    let authority = Authority::create(stack, &secrets.prefix, HOUR).await;
    let none = json!({});
    for (asks, role) in
        [(Service::Nginx, "service-api"), (Service::Api, "service-nginx"), (Service::Vault, "service-api")]
    {
        let refused = authority.sign(stack, asks, &format!("pki/sign/{role}"), none.clone()).await.unwrap_err();
        assert!(refused.contains("400"), "{asks:?} by {role}: {refused}");
    }
    for wishes in [json!({ "uri_sans": Service::Nginx.uri() }), json!({ "common_name": "localhost" })] {
        let refused = authority.sign(stack, Service::Nginx, "pki/sign/terminal", wishes).await.unwrap_err();
        assert!(refused.contains("400"), "{refused}");
    }
    // Of a terminal's request only the key counts, whatever else it claims.
    let name = format!("urn:vintem:terminal:{}", fresh::new_id());
    let signed = authority.sign(stack, Service::Nginx, "pki/sign/terminal", json!({ "uri_sans": name })).await.unwrap();
    assert_eq!(signed.facts.uris, [name]);
    let days = (signed.facts.ends_at - clock::now()).num_days();
    assert!((29..=30).contains(&days), "{days}");
    let long = authority.sign(stack, Service::Api, "pki/sign/service-api", json!({ "ttl": "9000h" })).await.unwrap();
    assert!((long.facts.ends_at - clock::now()).num_minutes() <= 60, "a role's time is not exceeded");
    authority.remove(stack).await;
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_and_the_api_renew_under_traffic_and_no_request_notices() {
    let secrets = Secrets::create().await;
    let stack = &secrets.stack;
    let authority = Authority::create(stack, &secrets.prefix, Duration::from_secs(6)).await;
    let vault = secrets.login("api").await;
    let server = Server::with_tls(&secrets.store, tls::mutual(&vault, EVERY).await.unwrap()).await;
    let nginx = stack.private_nginx(&unique(), server.port(), authority.root.clone()).unwrap();
    let first = authority.issue(stack, Service::Nginx).await;
    authority::keep(&first, &nginx.folder, nginx.owner).unwrap();
    pki::supply(stack.vault().await.unwrap(), &secrets.prefix, &nginx).await.unwrap();
    nginx.ensure().unwrap();
    let renewal = tokio::spawn(Target::nginx(&nginx).serve(secrets.login("certifier").await));
    let url = format!("https://localhost:{}/livez", nginx.port);
    let root = reqwest::Certificate::from_pem(&std::fs::read(&authority.root).unwrap()).unwrap();
    let client = move || reqwest::Client::builder().tls_certs_only([root.clone()]).no_proxy();
    let patient = client().build().unwrap();
    assert!(eventually(Duration::from_secs(20), async || patient.get(&url).send().await.is_ok()).await);

    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    // Two that keep their connection, and one that makes another for each request.
    let traffic = [16, 16, 0].map(|idle| {
        let http = client().pool_max_idle_per_host(idle).build().unwrap();
        let (url, stop, asked) = (url.clone(), stop.clone(), asked.clone());
        tokio::spawn(async move {
            let mut failed = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                match http.get(&url).send().await.and_then(reqwest::Response::error_for_status) {
                    Ok(answer) => drop(answer.bytes().await),
                    Err(error) => failed.push(format!("{error:?}")),
                }
                asked.fetch_add(1, Ordering::Relaxed);
            }
            failed
        })
    });
    let (mut doors, mut apis) = (vec![first.facts.serial.clone()], Vec::new());
    let end = Instant::now() + Duration::from_mins(1);
    while doors.len() < 4 || apis.len() < 4 {
        assert!(Instant::now() < end, "the door showed {doors:?}, the API {apis:?}");
        let pair = authority::kept(&nginx.folder).unwrap().pair();
        let visitor = authority.client(Some(&pair));
        note(&mut doors, visitor.shown(nginx.port, false).await.unwrap().serial);
        note(&mut apis, visitor.shown(server.port(), false).await.unwrap().serial);
        // Each time on a new connection, whose certificates are checked.
        assert_eq!(visitor.ask(server.port(), API).await.unwrap(), "HTTP/1.1 200");
    }
    assert!(clock::now() > first.facts.ends_at, "the first certificate has ended");
    stop.store(true, Ordering::Relaxed);
    for traffic in traffic {
        assert_eq!(traffic.await.unwrap(), Vec::<String>::new());
    }
    assert!(asked.load(Ordering::Relaxed) > 100, "there was traffic");
    renewal.abort();
    nginx.remove().unwrap();
    server.stop().await;
    authority.remove(stack).await;
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_refuses_an_api_whose_certificate_was_revoked_and_drops_no_request() {
    let secrets = Secrets::create().await;
    let stack = &secrets.stack;
    let authority = Authority::create(stack, &secrets.prefix, HOUR).await;
    let (vault, certifier) = (secrets.login("api").await, secrets.login("certifier").await);
    let server = Server::with_tls(&secrets.store, tls::mutual(&vault, EVERY).await.unwrap()).await;
    let nginx = stack.private_nginx(&unique(), server.port(), authority.root.clone()).unwrap();
    let door = authority.issue(stack, Service::Nginx).await;
    authority::keep(&door, &nginx.folder, nginx.owner).unwrap();
    pki::supply(stack.vault().await.unwrap(), &secrets.prefix, &nginx).await.unwrap();
    nginx.ensure().unwrap();
    let keeping = tokio::spawn(keep_refusing(nginx.clone(), certifier.clone(), EVERY));
    let root = reqwest::Certificate::from_pem(&std::fs::read(&authority.root).unwrap()).unwrap();
    let client = move || reqwest::Client::builder().tls_certs_only([root.clone()]).no_proxy();
    let url = format!("https://localhost:{}/livez", nginx.port);
    let anew = client().pool_max_idle_per_host(0).build().unwrap();
    let status = async || anew.get(&url).send().await.map_or(0, |answer| answer.status().as_u16());
    assert!(eventually(Duration::from_secs(20), async || status().await == 200).await);

    // Somebody else's certificate is revoked, again and again: nginx reads everything anew under traffic.
    let stop = Arc::new(AtomicBool::new(false));
    let traffic = [16, 0].map(|idle| {
        let (http, url, stop) = (client().pool_max_idle_per_host(idle).build().unwrap(), url.clone(), stop.clone());
        tokio::spawn(async move {
            let (mut failed, mut asked) = (Vec::new(), 0);
            while !stop.load(Ordering::Relaxed) {
                match http.get(&url).send().await.and_then(reqwest::Response::error_for_status) {
                    Ok(answer) => drop(answer.bytes().await),
                    Err(error) => failed.push(format!("{error:?}")),
                }
                asked += 1;
            }
            (failed, asked)
        })
    });
    let keyholder = secrets.login("keyholder").await;
    let list = nginx.folder.join("revoked.pem");
    for _ in 0..4 {
        let before = std::fs::read(&list).unwrap();
        let other = authority.issue(stack, Service::Postgres).await;
        keyholder.revoke_certificate(&other.facts.serial).await.unwrap();
        let is_new = eventually(Duration::from_secs(10), async || std::fs::read(&list).unwrap() != before).await;
        assert!(is_new, "the list did not arrive");
        sleep(Duration::from_secs(1)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for traffic in traffic {
        let (failed, asked) = traffic.await.unwrap();
        assert!(failed.is_empty() && asked > 100, "{} of {asked}: {failed:#?}", failed.len());
    }

    let shown = authority.client(Some(&door.pair())).shown(server.port(), false).await.unwrap();
    keyholder.revoke_certificate(&shown.serial).await.unwrap();
    let is_refused = eventually(Duration::from_secs(10), async || status().await == 503).await;
    assert!(is_refused, "the door speaks to an API whose certificate was revoked");
    // The API has another made, as its operator tells it to.
    vault.rotate_users();
    assert!(eventually(Duration::from_secs(10), async || status().await == 200).await, "and then to the next one");
    keeping.abort();
    nginx.remove().unwrap();
    server.stop().await;
    authority.remove(stack).await;
    secrets.close().await;
}

fn note(seen: &mut Vec<String>, serial: String) {
    if !seen.contains(&serial) {
        seen.push(serial);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_and_rabbitmq_show_a_renewed_certificate_and_keep_their_sessions() {
    let secrets = Secrets::create().await;
    let stack = &secrets.stack;
    let authority = Authority::create(stack, &secrets.prefix, HOUR).await;
    let cluster = stack.private_cluster(&unique()).await.unwrap();
    let broker = stack.private_broker(&unique()).await.unwrap();
    let (postgres_port, broker_port) = (cluster.port, broker.ports.amqps);
    // First they show certificates of the stack's authority, then of the test's.
    let visitor = Visitor::new(&[&stack.folder().authority(), &authority.root], None);
    let shown = async || {
        let (postgres, broker) = tokio::join!(visitor.shown(postgres_port, true), visitor.shown(broker_port, false));
        [postgres.unwrap(), broker.unwrap()]
    };
    let before = shown().await;
    assert_eq!(
        before.each_ref().map(|facts| facts.uris[0].clone()),
        [Service::Postgres.uri(), Service::Rabbitmq.uri()]
    );
    let mut session = cluster.superuser("postgres").await.unwrap();

    let vault = secrets.login("certifier").await;
    let renewals = [Target::postgres(&cluster), Target::rabbitmq(broker.clone())]
        .map(|target| tokio::spawn(target.serve(vault.clone())));
    sleep(Duration::from_millis(200)).await;
    vault.rotate_users();
    let mut after = before.clone();
    let are_new = eventually(Duration::from_secs(30), async || {
        after = shown().await;
        before[0].serial != after[0].serial && before[1].serial != after[1].serial
    });
    assert!(are_new.await, "{before:?} and then {after:?}");
    assert_eq!(after.map(|facts| facts.uris), before.map(|facts| facts.uris));
    let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&mut session).await.unwrap();
    assert_eq!(one, 1, "a session from before goes on");

    for renewal in renewals {
        renewal.abort();
    }
    drop(session);
    cluster.remove().unwrap();
    broker.remove().unwrap();
    authority.remove(stack).await;
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_vault_away_a_certificate_lives_to_its_end_and_is_then_renewed() {
    let secrets = Secrets::create().await;
    let authority = Authority::create(&secrets.stack, &secrets.prefix, Duration::from_secs(6)).await;
    let wire = Wire::to(&secrets.stack.vault_address()).await;
    let settings = VaultSettings { address: wire.address.clone(), ..secrets.vault_settings("api").await };
    let vault = Vault::login(settings, WrappingToken::new(secrets.wrapped("api").await)).await.unwrap();
    let server = Server::with_tls(&secrets.store, tls::mutual(&vault, EVERY).await.unwrap()).await;
    // Always of a fresh certificate, so that it is the API's whose end is seen.
    let ask = async || {
        let door = authority.issue(&secrets.stack, Service::Nginx).await;
        authority.client(Some(&door.pair())).ask(server.port(), API).await
    };
    wire.cut();
    assert_eq!(ask().await.unwrap(), "HTTP/1.1 200", "what is in memory goes on");
    let mut said = String::new();
    let has_ended = eventually(Duration::from_secs(20), async || {
        said = ask().await.err().unwrap_or_default();
        !said.is_empty()
    });
    assert!(has_ended.await, "a certificate outlives its end");
    assert!(said.contains("expired"), "{said}");
    wire.mend();
    let heals = eventually(Duration::from_mins(1), async || {
        said = ask().await.err().unwrap_or_default();
        said.is_empty()
    });
    assert!(heals.await, "it does not heal: {said}");
    server.stop().await;
    authority.remove(&secrets.stack).await;
    secrets.close().await;
}

#[tokio::test]
async fn a_key_stands_in_its_file_and_nowhere_else() {
    let secrets = Secrets::create().await;
    let authority = Authority::create(&secrets.stack, &secrets.prefix, HOUR).await;
    let certificate = authority.issue(&secrets.stack, Service::Nginx).await;
    let folder = tempfile::tempdir().unwrap();
    authority::keep(&certificate, folder.path(), None).unwrap();
    let file = authority::pair(folder.path());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let kept = authority::kept(folder.path()).unwrap();
    assert_eq!(kept.pair().expose_secret(), certificate.pair().expose_secret());
    assert_eq!(kept.facts, certificate.facts);
    assert!(!format!("{certificate:?}").contains("PRIVATE KEY"));
    authority.remove(&secrets.stack).await;
    secrets.close().await;
}
