//! Citizens for the benchmark: telephones that register like any other, with codes from the stack's mailbox.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use vintem_core::event_store::fresh::new_id;

use super::BenchError;
use crate::client::device::Device;
use crate::client::{Client, Connection, Knock, Knocked};
use crate::progress::Progress;
use crate::stack::{Stack, first, mailbox, twin};

/// What every one of them pays with.
pub const PIN: &str = "274906";
/// How long a letter may take.
const LETTER: Duration = Duration::from_secs(20);
/// Where the numbers of citizens begin: eleven zeros are nobody's.
const FIRST_NUMBER: u32 = 100_000_001;
/// Of what is set apart for benchmarks (RFC 2544), beside those of other benchmarks.
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 19, 0, 0);

/// A tenant with citizens, and a way to its API that believes what it is told about addresses.
pub struct Town {
    stack: Stack,
    door: Knock,
    /// The tenant's name.
    pub name: String,
    /// A service client of it.
    pub client: first::NewClient,
}

/// A telephone with a session.
pub struct Phone {
    /// Its key.
    pub device: Device,
    /// The session's token.
    pub token: SecretString,
    /// The account that they pay from.
    pub account: String,
    /// What its owner signs in with.
    pub cpf: String,
    /// And with.
    pub password: String,
}

impl Town {
    /// A new one in a stack.
    pub async fn found(stack: Stack) -> Result<Self, BenchError> {
        let name = format!("bench-{}", new_id().simple());
        let client = first::client_of(&stack, &name, first::SHARD, ["bench".to_owned()]).await?;
        first::take_citizens(&stack, &name, super::ASSET).await?;
        let door = Knock::at(&connection(&stack).await?)?;
        let town = Self { stack, door, name, client };
        let asset = json!({"code": super::ASSET, "scale": 2});
        town.as_client().await?.post_json("/v1/assets", "asset", &asset).await?;
        Ok(town)
    }

    /// Its service client.
    pub async fn as_client(&self) -> Result<Client, BenchError> {
        let connection =
            Connection { client_id: Some(self.client.names.client_id.clone()), ..connection(&self.stack).await? };
        Ok(Client::with_secret(&connection, self.client.secret.clone()).await?)
    }

    /// So many citizens.
    pub async fn citizens(&self, count: u32) -> Result<Vec<Phone>, BenchError> {
        let mut progress = Progress::start("citizens", u64::from(count));
        let mut phones = Vec::new();
        for number in 0..count {
            phones.push(self.citizen(number).await?);
            progress.add(1);
        }
        progress.finish();
        Ok(phones)
    }

    async fn citizen(&self, number: u32) -> Result<Phone, BenchError> {
        let (device, from) = (Device::create(), Ipv4Addr::from_bits(FIRST_ADDRESS.to_bits() + number));
        let (email, password) = (format!("{}@bench.example", new_id().simple()), new_id().to_string());
        let cpf = cpf(FIRST_NUMBER + number);
        let who = json!({"tenant": self.name, "cpf": cpf, "name": "Bench Ana", "email": email});
        let sent = done(self.knock(&device, "/v1/registrations", &who, from).await?)?;
        let path = format!("/v1/registrations/{}/verify", sent["id"].as_str().unwrap_or_default());
        let code = self.code(&email).await?;
        let chosen = json!({"tenant": self.name, "code": code, "password": password, "pin": PIN});
        let opened = done(self.knock(&device, &path, &chosen, from).await?)?;
        let token = opened["access_token"].as_str().map(SecretString::from).ok_or_else(|| undone("no token".into()))?;
        let account = opened["account_id"].as_str().unwrap_or_default().to_owned();
        Ok(Phone { device, token, account, cpf, password })
    }

    /// What a telephone says that nobody knows yet.
    pub async fn knock(
        &self,
        device: &Device,
        path: &str,
        body: &Value,
        from: Ipv4Addr,
    ) -> Result<Knocked, BenchError> {
        let proof = device.proof("POST", &format!("{}{path}", self.stack.url()), None);
        Ok(self.door.tell_with(path, body, Some(from), &[("DPoP", &proof)]).await?)
    }

    /// What a device says that is neither known nor proves anything, each from an address of its own.
    pub async fn tell(&self, path: &str, body: &Value, number: u32) -> Result<Value, BenchError> {
        let from = Ipv4Addr::from_bits(FIRST_ADDRESS.to_bits() + number);
        done(self.door.tell(path, body, Some(from)).await?)
    }

    /// What a citizen asks for.
    pub async fn ask(&self, phone: &Phone, path: &str, body: &Value) -> Result<Value, BenchError> {
        let token = phone.token.expose_secret();
        let proof = phone.device.proof("POST", &format!("{}{path}", self.stack.url()), Some(token));
        let (authorization, key) = (format!("DPoP {token}"), new_id().to_string());
        let headers = [("Authorization", &*authorization), ("DPoP", &proof), ("Idempotency-Key", &key)];
        done(self.door.tell_with(path, body, None, &headers).await?)
    }

    /// The six digits of the letter to an address.
    async fn code(&self, email: &str) -> Result<String, BenchError> {
        let (folder, until) = (mailbox::folder(&self.stack), Instant::now() + LETTER);
        while Instant::now() < until {
            if let Some(letter) = mailbox::newest(&folder, Some(email), 1)?.pop() {
                // The tenant's name stands before it, and may have digits.
                let mut words = letter.text.rsplit(|c: char| !c.is_ascii_digit());
                let code = words.find(|word| word.len() == 6).map(str::to_owned);
                return code.ok_or_else(|| undone(letter.text.clone()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(undone(format!("no letter to {email} within {} s", LETTER.as_secs())))
    }
}

/// Straight to the API, as the door.
async fn connection(stack: &Stack) -> Result<Connection, BenchError> {
    Ok(Connection {
        url: Some(format!("https://localhost:{}", stack.known().ports.api)),
        ca: Some(stack.folder().authority()),
        client_id: None,
        client_secret_file: None,
        identity: Some(twin::door(stack).await?),
    })
}

/// A CPF for each number below 10^9.
pub fn cpf(number: u32) -> String {
    let mut digits: Vec<u32> = format!("{number:09}").bytes().map(|byte| u32::from(byte - b'0')).collect();
    for _ in 0..2 {
        let sum: u32 = digits.iter().rev().zip(2..).map(|(digit, weight)| digit * weight).sum();
        digits.push(match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        });
    }
    digits.iter().map(u32::to_string).collect()
}

fn done(Knocked { status, body, .. }: Knocked) -> Result<Value, BenchError> {
    if status < 300 { Ok(body) } else { Err(undone(format!("{status} {body}"))) }
}

fn undone(last: String) -> BenchError {
    BenchError::Undone { what: "the making of a citizen", last }
}
