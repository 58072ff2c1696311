//! The street: citizens with telephones, who come by and are asked to pay.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::chance::{Chance, Share};
use super::phone::{Manner, Phone};
use super::wire::Weather;

/// How customers behave, besides paying as they should.
const WALKS_AWAY: Share = Share::thousandths(70);
const WRONG_PIN_FIRST: Share = Share::thousandths(50);
const COMES_LATE: Share = Share::thousandths(60);
/// How long somebody needs to find their telephone.
const FINDS_PHONE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(600));
/// And who is late for everything.
const LATE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(9));

/// Who comes by.
pub struct Street {
    /// How bad the network is.
    pub weather: Arc<Weather>,
    asset: String,
    phones: Vec<Arc<tokio::sync::Mutex<Phone>>>,
    paying: Mutex<JoinSet<()>>,
    refusals: Mutex<BTreeMap<String, u64>>,
}

impl Street {
    /// With these telephones, whose owners pay in an asset.
    pub fn new(weather: Arc<Weather>, asset: String, phones: Vec<Phone>) -> Self {
        let phones = phones.into_iter().map(|phone| Arc::new(tokio::sync::Mutex::new(phone))).collect();
        Self { weather, asset, phones, paying: Mutex::default(), refusals: Mutex::default() }
    }

    /// The telephones, once nobody pays any more.
    pub fn phones(&self) -> &[Arc<tokio::sync::Mutex<Phone>>] {
        &self.phones
    }

    /// Cents, as they are written.
    pub fn money(&self, cents: u64) -> Value {
        json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "asset": self.asset})
    }

    /// Whoever comes by.
    pub fn somebody(&self, chance: &mut Chance) -> usize {
        chance.index(self.phones.len())
    }

    /// Shows a charge to a citizen, who does with it what they do.
    pub fn hand_over(&self, who: usize, charge: &Value, chance: &mut Chance) {
        if chance.hits(WALKS_AWAY) {
            return;
        }
        let manner = if chance.hits(WRONG_PIN_FIRST) { Manner::WrongPinFirst } else { Manner::Plain };
        let (least, most) = if chance.hits(COMES_LATE) { LATE } else { FINDS_PHONE };
        let after = chance.time(least, most);
        // Half of them type the short code.
        let shown = if chance.hits(Share::thousandths(500)) { "qr" } else { "short_code" };
        let member = if shown == "qr" { "qr" } else { "code" };
        let (phone, seen) = (Arc::clone(&self.phones[who]), json!({ member: charge[shown] }));
        if let Ok(mut paying) = self.paying.lock() {
            paying.spawn(async move {
                tokio::time::sleep(after).await;
                phone.lock().await.pay(seen, manner).await;
            });
        }
    }

    /// Until everybody has put their telephone away.
    pub async fn all_went(&self) {
        let mut paying = self.paying.lock().map(|mut paying| std::mem::take(&mut *paying)).unwrap_or_default();
        while paying.join_next().await.is_some() {}
    }

    /// A charge that was refused when it was asked for, which the script has no place for.
    pub fn remember_refusal(&self, code: &str) {
        if let Ok(mut refusals) = self.refusals.lock() {
            *refusals.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// Charges that were refused when they were asked for.
    pub fn refused(&self) -> BTreeMap<String, u64> {
        self.refusals.lock().map(|refusals| refusals.clone()).unwrap_or_default()
    }
}
