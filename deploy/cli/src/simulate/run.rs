//! One simulation from its first message to its last reckoning, wherever it takes place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::SimulationError;
use super::books::{self, Difference};
use super::chance::Chance;
use super::founding::{Citizen, FUNDS, Founded};
use super::journal::Journal;
use super::phone::Phone;
use super::screen;
use super::street::Street;
use super::tally::Tally;
use super::terminal::Terminal;
use super::wire::{Weather, Wire};
use crate::client::Client;
use crate::client::line::Line;

/// How long devices may take to learn everything once the network is whole.
const SETTLING: Duration = Duration::from_mins(1);

/// What goes wrong in the middle, beside the network.
pub trait Trouble: Send + Sync {
    /// Kills a process of the API as a power cut would, and starts it again.
    fn kill(&self) -> BoxFuture<'_, Result<(), SimulationError>>;
    /// Seals Vault for so long.
    fn seal(&self, time: Duration) -> BoxFuture<'_, Result<(), SimulationError>>;
}

/// Where devices find the servers, and how.
pub struct Place {
    /// What telephones speak to.
    pub phones: Line,
    /// Its base URL.
    pub public: String,
    /// As proofs name the server.
    pub issuer: String,
    /// The terminals' port.
    pub terminals: String,
    /// Of what everybody pays.
    pub asset: String,
}

/// How it goes.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// For how long things are sold.
    pub lasts: Duration,
    /// How long a terminal rests between two sales.
    pub rest: Duration,
    /// Whether terminals reboot.
    pub reboots: bool,
    /// Whether a process of the API is killed.
    pub kills: bool,
    /// For how long Vault is sealed.
    pub seals: Option<Duration>,
}

/// What came of it.
#[derive(Debug)]
pub struct Reckoning {
    /// What was counted.
    pub tally: Arc<Tally>,
    /// Where somebody believes something else than the ledger says.
    pub differences: Vec<Difference>,
    /// Charges that were refused when they were asked for.
    pub refused: BTreeMap<String, u64>,
    /// Payments that were begun.
    pub payments: usize,
    /// What the service has in the end, in cents.
    pub takings: i64,
}

/// Runs a script with citizens and terminals, each of which has the client that shows its certificate.
pub async fn run(
    place: &Place,
    script: Script,
    weather: Weather,
    citizens: Vec<Citizen>,
    terminals: Vec<Line>,
    (client, founded): (&Client, &Founded),
    trouble: &dyn Trouble,
) -> Result<Reckoning, SimulationError> {
    let (weather, tally) = (Arc::new(weather), Arc::<Tally>::default());
    let phones =
        citizens.into_iter().enumerate().map(|(number, citizen)| phone(place, number, citizen, &weather, &tally));
    let street = Arc::new(Street::new(Arc::clone(&weather), place.asset.clone(), phones.collect()));
    let mut devices: Vec<Terminal> = terminals
        .into_iter()
        .enumerate()
        .map(|(number, http)| {
            let name = format!("terminal {number}");
            let wire = Wire::new(name, http, place.terminals.clone(), Arc::clone(&weather), Arc::clone(&tally));
            Terminal::new(number, wire, Arc::clone(&street), Arc::clone(&tally), script.reboots, script.rest)
        })
        .collect();
    let end = Instant::now() + script.lasts;
    let selling = futures_util::future::join_all(devices.iter_mut().map(|device| device.work(end)));
    let name = format!("seed {}", weather.seed);
    let troubled = trouble_in_the_middle(script, end, trouble);
    let work = async { tokio::join!(selling, troubled).1 };
    tokio::select! {
        troubled = work => troubled?,
        () = screen::watch(&tally, &name, script.lasts) => {}
    }
    settle(&weather, &street, &mut devices).await;
    let (differences, takings) = reckon(&street, &mut devices, client, founded).await?;
    let payments = devices.iter().map(|device| device.journal.lines.len()).sum();
    Ok(Reckoning { tally, differences, refused: street.refused(), payments, takings })
}

fn phone(place: &Place, number: usize, (owner, device): Citizen, weather: &Arc<Weather>, tally: &Arc<Tally>) -> Phone {
    let name = format!("telephone {number}");
    let chance = Chance::of(weather.seed, &name);
    let wire = Wire::new(name, place.phones.clone(), place.public.clone(), Arc::clone(weather), Arc::clone(tally));
    Phone::new(owner, device, place.issuer.clone(), wire, chance, Arc::clone(tally))
}

/// One kill in the first half, and one seal that begins in the middle.
async fn trouble_in_the_middle(script: Script, end: Instant, trouble: &dyn Trouble) -> Result<(), SimulationError> {
    let begin = end - script.lasts;
    if script.kills {
        sleep_until(begin + script.lasts / 4).await;
        trouble.kill().await?;
    }
    if let Some(time) = script.seals {
        sleep_until(begin + script.lasts / 2).await;
        trouble.seal(time).await?;
    }
    Ok(())
}

/// The network is whole again: everything that was late comes, and everybody asks for what they do not know.
async fn settle(weather: &Weather, street: &Street, devices: &mut [Terminal]) {
    weather.calm_down();
    street.all_went().await;
    weather.all_came().await;
    let until = Instant::now() + SETTLING;
    let phones = street.phones().iter().map(|phone| async move { phone.lock().await.settle().await });
    let _ = timeout(SETTLING, futures_util::future::join_all(phones)).await;
    futures_util::future::join_all(devices.iter_mut().map(|device| device.settle(until))).await;
    // A hold whose time was over while nobody could be asked ends by the worker's clock.
    sleep(Duration::from_millis(100)).await;
}

/// Each device beside the ledger; then each account beside what the devices say.
async fn reckon(
    street: &Street,
    devices: &mut [Terminal],
    client: &Client,
    founded: &Founded,
) -> Result<(Vec<Difference>, i64), SimulationError> {
    let (mut differences, mut paid, mut reached) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for device in devices.iter_mut() {
        differences.extend(books::audit(device, &mut paid, &mut reached).await);
    }
    for (number, phone) in street.phones().iter().enumerate() {
        let phone = phone.lock().await;
        differences.extend(books::believed(&phone, &reached));
        let Some(paid) = paid.get(&number) else { continue };
        let has = books::balance(client, &phone.owner.account).await?;
        let should = (i64::try_from(FUNDS).unwrap_or(i64::MAX) - paid, 0);
        if has != should {
            differences
                .push(Difference(format!("citizen {number} has {has:?}, and should have {should:?} (posted, held)")));
        }
    }
    let takings: i64 = devices.iter().map(|device| taken(&device.journal)).sum();
    let has = books::balance(client, &founded.account).await?.0;
    if has != takings {
        differences.push(Difference(format!("the service has {has}, and its terminals say that they took {takings}")));
    }
    Ok((differences, takings))
}

/// What a terminal says it took, less what it says it gave back.
fn taken(journal: &Journal) -> i64 {
    let [(_, captured), (_, back)] = journal.counted();
    i64::try_from(captured).unwrap_or(i64::MAX) - i64::try_from(back).unwrap_or(i64::MAX)
}
