//! Tenants and clients on the real schema, as the roles that the processes have.

use secrecy::SecretString;
use sqlx::Connection as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use vintem_core::access::{
    AccessError, AccessService, Client, ClientSecret, Confirmation, NewClient, Presented, ProofError, Scopes,
    SigningKeys, Tenant, Terms, TokenError, TokenVerifier, create_client, create_tenant, find_tenant,
    generate_signing_key, list_clients, parse_time_zone, revoke_client, rotate_client,
};
use vintem_core::event_store::{Limits, Shard};
use vintem_core::look_ups::AllLookUps;
use vintem_core::secrets::{Followed, KeyRing};
use vintem_core::telemetry::clock;
use vintem_tests::store::Store;

const ISSUER: &str = "https://vintem.test";

/// A token for whoever has it.
#[expect(clippy::unnecessary_wraps, reason = "others fail")]
fn unbound() -> Result<Confirmation, ProofError> {
    Ok(Confirmation::default())
}

struct Fixture {
    store: Store,
    writer: Shard,
    service: AccessService,
    verifier: TokenVerifier,
}

impl Fixture {
    async fn create() -> Self {
        let store = Store::create().await;
        let limits = Limits { queue: 100, cached_accounts: 100 };
        let writer = Shard::start(0, store.writer(), Arc::new(AllLookUps), limits);
        let ring = KeyRing::new(generate_signing_key(), clock::now());
        let keys = Followed::fixed(SigningKeys::try_new(&ring).unwrap());
        let service = AccessService::new(store.pool("vintem_reader"), keys.clone(), ISSUER.to_owned());
        Self { store, writer, service, verifier: TokenVerifier::new(keys, ISSUER, Arc::default()) }
    }

    async fn tenant(&self, name: &str) -> Result<Tenant, AccessError> {
        let mut operator = self.store.session("vintem_operator").await;
        let zone = parse_time_zone("America/Sao_Paulo")?;
        create_tenant(&mut operator, &self.writer, name.parse()?, 0, zone).await
    }

    async fn client(&self, tenant: Uuid, scopes: &str) -> Result<(Client, ClientSecret), AccessError> {
        let mut operator = self.store.session("vintem_operator").await;
        let (name, scopes) = ("till".parse()?, Scopes::parse(scopes)?);
        create_client(&mut operator, &self.writer, NewClient { tenant, name, scopes, terms: Terms::default() }).await
    }

    async fn close(self) {
        drop(self.writer);
        self.store.close().await;
    }
}

#[tokio::test]
async fn a_client_logs_in_with_its_secret_and_with_nothing_else() {
    let fixture = Fixture::create().await;
    let tenant = fixture.tenant("coffee-town").await.unwrap();
    let (client, secret) = fixture.client(tenant.tenant, "ledger:read ledger:write").await.unwrap();
    let secret = SecretString::from(secret.reveal());

    let token = fixture.service.issue_token(client.client, &secret, Some("ledger:read"), None, unbound).await.unwrap();
    let caller = fixture.verifier.verify(&token.access_token, clock::now(), &Presented::default()).unwrap();
    assert_eq!((caller.tenant, caller.subject), (tenant.tenant, client.client));
    assert_eq!(caller.scopes().to_string(), "ledger:read");
    assert_eq!(*fixture.service.tenant(caller.tenant).await.unwrap(), tenant);

    let wrong = SecretString::from(ClientSecret::generate().reveal());
    let refused = fixture.service.issue_token(client.client, &wrong, None, None, unbound).await;
    assert!(matches!(refused, Err(AccessError::BadCredentials)));
    let refused = fixture.service.issue_token(Uuid::from_u128(1), &secret, None, None, unbound).await;
    assert!(matches!(refused, Err(AccessError::BadCredentials)));
    let refused = fixture.service.issue_token(client.client, &secret, Some("ledger:admin"), None, unbound).await;
    assert!(matches!(refused, Err(AccessError::ScopeNotGranted)));

    let mut operator = fixture.store.session("vintem_operator").await;
    revoke_client(&mut operator, |_| fixture.writer.clone(), client.client).await.unwrap();
    let refused = fixture.service.issue_token(client.client, &secret, None, None, unbound).await;
    assert!(matches!(refused, Err(AccessError::BadCredentials)), "a revoked client is out");
    fixture.close().await;
}

#[tokio::test]
async fn a_secret_is_replaced_without_a_break() {
    let fixture = Fixture::create().await;
    let tenant = fixture.tenant("coffee-town").await.unwrap();
    let (client, old) = fixture.client(tenant.tenant, "ledger:read").await.unwrap();
    let mut operator = fixture.store.session("vintem_operator").await;
    let writer = |_| fixture.writer.clone();
    let (_, new) = rotate_client(&mut operator, writer, client.client, Duration::from_hours(1)).await.unwrap();
    let logs_in = async |secret: &ClientSecret| {
        let secret = SecretString::from(secret.reveal());
        fixture.service.issue_token(client.client, &secret, None, None, unbound).await.is_ok()
    };
    assert!(logs_in(&old).await && logs_in(&new).await);
    let (_, newest) = rotate_client(&mut operator, writer, client.client, Duration::ZERO).await.unwrap();
    assert!(!logs_in(&old).await, "there are two at most");
    assert!(!logs_in(&new).await, "its time is over");
    assert!(logs_in(&newest).await);
    let listed = list_clients(&mut operator, tenant.tenant).await.unwrap();
    assert!(listed.len() == 1 && listed[0].previous_until.is_some() && listed[0].revoked_at.is_none());

    revoke_client(&mut operator, writer, client.client).await.unwrap();
    let again = revoke_client(&mut operator, writer, client.client).await;
    assert!(matches!(again, Err(AccessError::ClientRevoked)));
    let rotated = rotate_client(&mut operator, writer, client.client, Duration::ZERO).await;
    assert!(matches!(rotated, Err(AccessError::ClientRevoked)));
    let unknown = revoke_client(&mut operator, writer, Uuid::from_u128(1)).await;
    assert!(matches!(unknown, Err(AccessError::UnknownClient)));
    assert!(list_clients(&mut operator, tenant.tenant).await.unwrap()[0].revoked_at.is_some());
    let facts: Vec<String> = sqlx::query_scalar("SELECT kind FROM event WHERE stream = $1 ORDER BY version")
        .bind(client.client)
        .fetch_all(&mut operator)
        .await
        .unwrap();
    assert_eq!(facts, ["client.created", "client.rotated", "client.rotated", "client.revoked"]);
    fixture.close().await;
}

#[tokio::test]
async fn a_client_calls_on_its_terms() {
    let fixture = Fixture::create().await;
    let tenant = fixture.tenant("coffee-town").await.unwrap().tenant;
    let mut operator = fixture.store.session("vintem_operator").await;
    let mut create = async |name: &str, terms: Terms| {
        let scopes = Scopes::parse("ledger:read").unwrap();
        let new = NewClient { tenant, name: name.parse().unwrap(), scopes, terms };
        let (client, secret) = create_client(&mut operator, &fixture.writer, new).await.unwrap();
        (client.client, SecretString::from(secret.reveal()))
    };
    let networks = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let (client, secret) = create("inside", Terms { networks, ..Terms::default() }).await;
    for (address, is_inside) in [("10.2.3.4", true), ("2001:db8::7", true), ("192.0.2.1", false)] {
        let address = Some(address.parse().unwrap());
        match fixture.service.issue_token(client, &secret, None, address, unbound).await {
            Ok(token) => {
                assert!(is_inside, "{address:?}");
                let verify = |address: Option<IpAddr>| {
                    let presented = Presented { address: &|| address, ..Presented::default() };
                    fixture.verifier.verify(&token.access_token, clock::now(), &presented)
                };
                assert!(verify(address).is_ok());
                assert_eq!(verify(Some("192.0.2.1".parse().unwrap())), Err(TokenError::WrongPlace));
            }
            Err(error) => assert!(matches!(error, AccessError::WrongPlace) && !is_inside, "{address:?}: {error}"),
        }
    }
    let soon = clock::now() + chrono::Duration::seconds(90);
    let (client, secret) = create("passing", Terms { expires_at: Some(soon), ..Terms::default() }).await;
    let token = fixture.service.issue_token(client, &secret, None, None, unbound).await.unwrap();
    assert!((85..=90).contains(&token.expires_in), "no longer than its client: {}", token.expires_in);
    let past = clock::now() - chrono::Duration::seconds(1);
    let (client, secret) = create("over", Terms { expires_at: Some(past), ..Terms::default() }).await;
    let refused = fixture.service.issue_token(client, &secret, None, None, unbound).await;
    assert!(matches!(refused, Err(AccessError::BadCredentials)));
    fixture.close().await;
}

#[tokio::test]
async fn what_is_created_is_a_fact_in_the_log_without_the_secret() {
    let fixture = Fixture::create().await;
    let tenant = fixture.tenant("coffee-town").await.unwrap();
    let (client, secret) = fixture.client(tenant.tenant, "ledger:read").await.unwrap();
    let mut auditor = fixture.store.session("vintem_auditor").await;
    let events: Vec<(Uuid, Uuid, String, String, String)> =
        sqlx::query_as("SELECT tenant, stream, kind, actor, payload::text FROM event ORDER BY position")
            .fetch_all(&mut auditor)
            .await
            .unwrap();
    let kinds: Vec<_> = events.iter().map(|event| (event.0, event.1, event.2.as_str(), event.3.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (tenant.tenant, tenant.tenant, "tenant.created", "operator"),
            (tenant.tenant, client.client, "client.created", "operator"),
        ]
    );
    assert!(events.iter().all(|event| !event.4.contains(secret.reveal()) && !event.4.contains("hash")), "{events:?}");
    assert!(events[0].4.contains(r#""time_zone":"America/Sao_Paulo""#), "{}", events[0].4);
    fixture.close().await;
}

#[tokio::test]
async fn refusals_leave_neither_a_row_nor_a_fact() {
    let fixture = Fixture::create().await;
    let tenant = fixture.tenant("coffee-town").await.unwrap();
    assert!(matches!(fixture.tenant("coffee-town").await, Err(AccessError::NameTaken)));
    fixture.client(tenant.tenant, "ledger:read").await.unwrap();
    assert!(matches!(fixture.client(tenant.tenant, "ledger:read").await, Err(AccessError::NameTaken)));
    assert!(matches!(fixture.client(tenant.tenant, "").await, Err(AccessError::NoScopes)));
    assert!(matches!(fixture.client(Uuid::from_u128(1), "ledger:read").await, Err(AccessError::UnknownTenant)));
    let mut operator = fixture.store.session("vintem_operator").await;
    let zone = parse_time_zone("UTC").unwrap();
    let elsewhere = create_tenant(&mut operator, &fixture.writer, "tea-town".parse().unwrap(), 7, zone).await;
    assert!(matches!(elsewhere, Err(AccessError::UnknownShard)));
    assert!(matches!(find_tenant(&mut operator, "tea-town").await, Err(AccessError::UnknownTenant)));
    assert_eq!(find_tenant(&mut operator, "coffee-town").await.unwrap(), tenant);
    assert_eq!(find_tenant(&mut operator, &tenant.tenant.to_string()).await.unwrap(), tenant);
    let facts: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut operator).await.unwrap();
    assert_eq!(facts, 2);
    fixture.close().await;
}

#[tokio::test]
async fn no_role_sees_more_than_it_needs() {
    let fixture = Fixture::create().await;
    let (one, two) = (fixture.tenant("one").await.unwrap(), fixture.tenant("two").await.unwrap());
    fixture.client(one.tenant, "ledger:read").await.unwrap();
    let denied = [
        ("vintem_reader", "SELECT FROM client"),
        ("vintem_writer", "SELECT FROM client"),
        ("vintem_writer", "SELECT client_at_login(gen_random_uuid())"),
        ("vintem_reader", "SELECT replace_client_secret(gen_random_uuid(), '', now())"),
        ("vintem_writer", "SELECT clients_revoked_lately()"),
        ("vintem_operator", "SELECT secret_hash FROM client"),
        ("vintem_auditor", "SELECT secret_hash FROM client"),
        ("vintem_auditor", "SELECT client_at_login(gen_random_uuid())"),
        ("vintem_operator", "UPDATE tenant SET shard = 1"),
        ("vintem_operator", "DELETE FROM tenant"),
        ("vintem_operator", "UPDATE client SET scopes = '{}'"),
        ("vintem_reader", "INSERT INTO tenant SELECT FROM tenant"),
    ];
    for (role, statement) in denied {
        let mut session = fixture.store.session(role).await;
        let error = sqlx::query(statement).execute(&mut session).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}: {error}");
    }
    let mut reader = fixture.store.session("vintem_reader").await;
    let unset: i64 = sqlx::query_scalar("SELECT count(*) FROM tenant").fetch_one(&mut reader).await.unwrap();
    assert_eq!(unset, 0, "without a tenant there are no rows");
    let mut tx = reader.begin().await.unwrap();
    let own = two.tenant.to_string();
    sqlx::query("SELECT set_config('app.tenant', $1, true)").bind(own).execute(&mut *tx).await.unwrap();
    let seen: Vec<Uuid> = sqlx::query_scalar("SELECT tenant FROM tenant").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(seen, [two.tenant]);
    tx.commit().await.unwrap();
    assert!(matches!(fixture.service.tenant(Uuid::from_u128(1)).await, Err(AccessError::UnknownTenant)));
    fixture.close().await;
}
