//! Tenants and clients on the real schema, as the roles that the processes have.

use secrecy::SecretString;
use sqlx::Connection as _;
use std::sync::Arc;
use uuid::Uuid;
use vintem_core::access::{
    AccessError, AccessService, Client, ClientSecret, Scopes, SigningKeySecret, SigningKeys, SigningSecret, Tenant,
    TokenVerifier, create_client, create_tenant, find_tenant, generate_signing_key, parse_time_zone,
};
use vintem_core::event_store::{Limits, Shard};
use vintem_core::ledger::store::look_ups::LedgerLookUps;
use vintem_core::telemetry::clock;
use vintem_tests::store::Store;

const ISSUER: &str = "https://vintem.test";

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
        let writer = Shard::start(0, store.writer(), Arc::new(LedgerLookUps), limits);
        let (kid, pkcs8_pem) = generate_signing_key();
        let secret = SigningSecret { current: kid.clone(), keys: vec![SigningKeySecret { kid, pkcs8_pem }] };
        let keys = Arc::new(SigningKeys::try_new(&secret).unwrap());
        let service = AccessService::new(store.pool("vintem_reader"), Arc::clone(&keys), ISSUER.to_owned());
        Self { store, writer, service, verifier: TokenVerifier::new(keys, ISSUER) }
    }

    async fn tenant(&self, name: &str) -> Result<Tenant, AccessError> {
        let mut operator = self.store.session("vintem_operator").await;
        let zone = parse_time_zone("America/Sao_Paulo")?;
        create_tenant(&mut operator, &self.writer, name.parse()?, 0, zone).await
    }

    async fn client(&self, tenant: Uuid, scopes: &str) -> Result<(Client, ClientSecret), AccessError> {
        let mut operator = self.store.session("vintem_operator").await;
        create_client(&mut operator, &self.writer, tenant, "till".parse()?, Scopes::parse(scopes)?).await
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

    let token = fixture.service.issue_token(client.client, &secret, Some("ledger:read")).await.unwrap();
    let caller = fixture.verifier.verify(&token.access_token, clock::now()).unwrap();
    assert_eq!((caller.tenant, caller.subject), (tenant.tenant, client.client));
    assert_eq!(caller.scopes.to_string(), "ledger:read");
    assert_eq!(*fixture.service.tenant(caller.tenant).await.unwrap(), tenant);

    let wrong = SecretString::from(ClientSecret::generate().reveal());
    let refused = fixture.service.issue_token(client.client, &wrong, None).await;
    assert!(matches!(refused, Err(AccessError::BadCredentials)));
    let refused = fixture.service.issue_token(Uuid::from_u128(1), &secret, None).await;
    assert!(matches!(refused, Err(AccessError::BadCredentials)));
    let refused = fixture.service.issue_token(client.client, &secret, Some("ledger:admin")).await;
    assert!(matches!(refused, Err(AccessError::ScopeNotGranted)));

    let mut operator = fixture.store.session("vintem_operator").await;
    let revoked = sqlx::query("UPDATE client SET revoked_at = now() WHERE client = $1").bind(client.client);
    assert_eq!(revoked.execute(&mut operator).await.unwrap().rows_affected(), 1);
    let refused = fixture.service.issue_token(client.client, &secret, None).await;
    assert!(matches!(refused, Err(AccessError::BadCredentials)), "a revoked client is out");
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
        ("vintem_writer", "SELECT client_for_login(gen_random_uuid())"),
        ("vintem_operator", "SELECT secret_hash FROM client"),
        ("vintem_auditor", "SELECT secret_hash FROM client"),
        ("vintem_auditor", "SELECT client_for_login(gen_random_uuid())"),
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
