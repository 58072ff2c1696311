//! A town for a simulation: citizens by import, money, a provider with a service, and terminals that are enrolled like real ones.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;
use vintem_core::citizens::{Chosen, Citizens, Settler};
use vintem_core::event_store::fresh::new_id;
use vintem_core::holders::Details;
use vintem_core::holders::details::Private;
use vintem_core::ledger::service::Actor;

use super::SimulationError;
use super::phone::Owner;
use crate::bench::citizens::cpf;
use crate::client::Client;
use crate::client::device::Device;
use crate::progress::Progress;

/// What every citizen signs in with.
pub const PASSWORD: &str = "cinco pontes sem rio";
/// And pays with.
pub const PIN: &str = "274906";
/// What each has at the beginning, in cents.
pub const FUNDS: u64 = 50_000;
/// Settled in one commit.
const PAGE: u32 = 250;
/// Where numbers of citizens begin: eleven zeros are nobody's.
const FIRST_NUMBER: u32 = 200_000_001;
const ISSUES_AT_ONCE: usize = 16;

/// A citizen with the key of their telephone.
pub type Citizen = (Owner, Arc<Device>);

/// So many citizens at once.
pub async fn citizens(of: &Citizens, actor: &Actor, tenant: &str, count: u32) -> Result<Vec<Citizen>, SimulationError> {
    let mut progress = Progress::start("citizens", u64::from(count));
    let mut all = Vec::new();
    let chosen = Chosen { password: SecretString::from(PASSWORD), pin: SecretString::from(PIN) };
    for first in (0..count).step_by(PAGE as usize) {
        let page = PAGE.min(count - first);
        let devices: Vec<_> = (0..page).map(|_| Arc::new(Device::create())).collect();
        let people = devices.iter().zip(first..).map(|(device, number)| settler(number, device));
        let settled = of.settle(actor, people.collect::<Result<_, _>>()?, &chosen).await?;
        for ((settled, device), number) in settled.iter().zip(devices).zip(first..) {
            let (cpf, account) = (cpf(FIRST_NUMBER + number), settled.account.to_string());
            let (password, pin) = (PASSWORD.to_owned(), PIN.to_owned());
            all.push((Owner { tenant: tenant.to_owned(), cpf, password, pin, account }, device));
        }
        progress.add(u64::from(page));
    }
    progress.finish();
    Ok(all)
}

fn settler(number: u32, device: &Device) -> Result<Settler, SimulationError> {
    let private = |text: String| Private::new(text);
    let email = private(format!("{number}.{}@simulation.example", new_id().simple()));
    let cpf = private(cpf(FIRST_NUMBER + number));
    let details = Details::checked(private(format!("Ana Simulada {number}")), Some(email), None, &cpf)?;
    Ok(Settler { details, key: device.key() })
}

/// Gives each citizen what they begin with.
pub async fn funds(client: &Client, asset: &str, citizens: &[Citizen]) -> Result<(), SimulationError> {
    let mut progress = Progress::start("funded", citizens.len() as u64);
    for page in citizens.chunks(ISSUES_AT_ONCE) {
        let issued = page.iter().map(|(owner, _)| async move {
            let amount = format!("{}.{:02}", FUNDS / 100, FUNDS % 100);
            let body = json!({"account": owner.account, "amount": {"amount": amount, "asset": asset}, "reference": "simulation"});
            client.post_json("/v1/issuances", &new_id().to_string(), &body).await
        });
        futures_util::future::try_join_all(issued).await?;
        progress.add(page.len() as u64);
    }
    progress.finish();
    Ok(())
}

/// Who is paid.
#[derive(Debug, Clone)]
pub struct Founded {
    /// The service.
    pub service: Uuid,
    /// What it is paid on.
    pub account: String,
}

/// A provider with a service whose captures are all its own, so that the books can be added up by hand.
pub async fn service(client: &Client, asset: &str) -> Result<Founded, SimulationError> {
    let provider = json!({"name": "Simulação Ltda", "cnpj": "11222333000181"});
    let provider = made(client, "/v1/admin/providers", &provider).await?;
    let service = json!({"provider": provider["id"], "label": "Simulação", "city": "São Paulo", "asset": asset});
    let service = made(client, "/v1/admin/services", &service).await?;
    let id = service["id"].as_str().and_then(|id| id.parse().ok());
    let account = service["account"].as_str().map(str::to_owned);
    let (service, account) = id.zip(account).ok_or_else(|| SimulationError::Unexpected(service.to_string()))?;
    Ok(Founded { service, account })
}

/// What a write has made.
pub(super) async fn made(client: &Client, path: &str, body: &Value) -> Result<Value, SimulationError> {
    Ok(client.post_json(path, &new_id().to_string(), body).await?.json()?)
}
