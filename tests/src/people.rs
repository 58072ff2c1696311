//! People of a test's own: an API that can keep and forget them.

pub use vintem_cli::bench::citizens::cpf;

use crate::api::{Client, Read, Server};
use crate::vault::{Secrets, Wire};
use serde_json::{Value, json};
use std::time::Duration;
use vintem_api::tls;
use vintem_core::holders::Personal;
use vintem_core::holders::erasure::Eraser;
use vintem_core::secrets::people::PersonKeys;
use vintem_core::secrets::{
    BlindIndex, DatabaseRole, LeasedDatabase, RequestDigest, Vault, VaultSettings, WrappingToken,
};

/// What the clients of these tests may do.
pub const SCOPES: &str =
    "ledger:read ledger:write ledger:admin holders:read holders:write holders:unmask audit:read terminals:admin";

/// How often these servers look for newer keys.
pub const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Everything that people stand on.
pub struct Registry {
    /// Database and Vault.
    pub secrets: Secrets,
    /// The server.
    pub server: Server,
    /// A client that may do everything.
    pub client: Client,
    /// Its keys.
    pub keys: PersonKeys,
    /// Its way to Vault.
    pub wire: Wire,
    keeper: LeasedDatabase,
    vault: Vault,
}

impl Registry {
    /// Over a fresh database.
    pub async fn create() -> Self {
        Self::over(Secrets::create().await).await
    }

    /// Over a database that is there.
    pub async fn over(secrets: Secrets) -> Self {
        let wire = Wire::to(&secrets.stack.vault_address()).await;
        let (vault, keeper) = log_in(&secrets, &wire).await;
        let personal = personal(&vault, &keeper).await;
        let keys = personal.keys.clone();
        let server = Server::with_people(&secrets.store, personal, &vault).await;
        let client = server.client(&secrets.store, "coffee-town", SCOPES).await;
        Self { secrets, server, client, keys, wire, keeper, vault }
    }

    /// The keys as another process has them.
    pub fn another_process(&self) -> PersonKeys {
        PersonKeys::new(self.vault.clone(), self.keeper.pool().clone())
    }

    /// One more process of the same system, to be asked by TLS alone, as the door does.
    pub async fn behind_the_door(&self) -> Server {
        let tls = tls::mutual(&self.vault, LOOK_EVERY).await.unwrap();
        Server::whole(&self.secrets.store, self.personal().await, &self.vault, Some(tls)).await
    }

    /// What another process has for people.
    pub async fn personal(&self) -> Personal {
        personal(&self.vault, &self.keeper).await
    }

    /// Does what the worker does about erasures, once; answers how many there were.
    pub async fn work(&self) -> usize {
        let keys = self.another_process();
        Eraser::new(self.secrets.store.pool("vintem_writer"), keys).tick().await.unwrap()
    }

    /// Registers a person.
    pub async fn register(&self, name: &str, cpf: &str) -> Read {
        self.client.post("/v1/holders", &person(name, cpf)).await
    }

    /// Leaves nothing behind; the invariants hold.
    pub async fn close(self) {
        self.end().await.close().await;
    }

    /// The same in a Postgres of the test's own, which goes too.
    pub async fn close_private(self) {
        self.end().await.close_private().await;
    }

    async fn end(self) -> Secrets {
        self.server.stop().await;
        self.keeper.close().await;
        self.vault.logout().await;
        self.secrets
    }
}

/// Registers people of these numbers, some at once; answers what each was answered.
pub async fn register_all(client: &Client, numbers: impl IntoIterator<Item = u32>) -> Vec<Value> {
    let (numbers, mut people) = (numbers.into_iter().collect::<Vec<_>>(), Vec::new());
    for some in numbers.chunks(16) {
        let made = some.iter().map(|number| async move {
            let answer = client.post("/v1/holders", &person(&format!("Person {number}"), &cpf(*number))).await;
            answer.expect(201)
        });
        people.extend(futures_util::future::join_all(made).await);
    }
    people
}

/// A person with both contacts.
pub fn person(name: &str, cpf: &str) -> Value {
    json!({"name": name, "email": format!("{}@canario.example", cpf), "phone": "+5511912345678", "cpf": cpf})
}

/// A process's way in, over a wire that can be cut.
pub async fn log_in(secrets: &Secrets, wire: &Wire) -> (Vault, LeasedDatabase) {
    let settings = VaultSettings { address: wire.address.clone(), ..secrets.vault_settings("api").await };
    let vault = Vault::login(settings, WrappingToken::new(secrets.wrapped("api").await)).await.unwrap();
    let place = secrets.database_settings().keys();
    let keeper = LeasedDatabase::connect(&vault, &place, DatabaseRole::Keeper, 4).await.unwrap();
    (vault, keeper)
}

/// What it has from Vault for people.
pub async fn personal(vault: &Vault, keeper: &LeasedDatabase) -> Personal {
    Personal {
        keys: PersonKeys::new(vault.clone(), keeper.pool().clone()),
        index: BlindIndex::follow(vault, LOOK_EVERY).await.unwrap(),
        requests: RequestDigest::read(vault).await.unwrap(),
    }
}
