//! A simulated terminal: it asks for money, loses the network, reboots, and in the end believes exactly what happened.
//!
//! Its one rule is the integration guide's: *ask, then reverse; never charge again*. Every message is written into the journal
//! before it is sent, and repeated as it was until somebody answers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::chance::{Chance, Share};
use super::journal::{Belief, Journal, Line, Refund};
use super::street::Street;
use super::tally::{Event, Tally};
use super::wire::{Weather, Wire, Word};
use crate::client::line::Saying;

/// In a storm a message is repeated so often, then something else is tried.
const TRIES: usize = 6;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(150);
/// How long a terminal waits for its customer.
const CUSTOMER: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(6));
/// Seconds of one long poll.
const POLL: u64 = 2;
/// Of what it does there is now and then one.
const MANUAL: Share = Share::thousandths(250);
const REFUND: Share = Share::thousandths(100);
const CHANGE_OF_MIND: Share = Share::thousandths(30);
const REBOOT: Share = Share::thousandths(15);

/// It forgot everything but its journal.
struct Rebooted;

/// A terminal.
pub struct Terminal {
    /// Its number, from 0.
    pub number: usize,
    /// What it wrote down.
    pub journal: Journal,
    wire: Wire,
    street: Arc<Street>,
    weather: Arc<Weather>,
    tally: Arc<Tally>,
    reboots: bool,
    sales: u64,
    rest: Duration,
}

impl Terminal {
    /// One that was enrolled. It rests between two sales.
    pub fn new(
        number: usize,
        wire: Wire,
        street: Arc<Street>,
        tally: Arc<Tally>,
        reboots: bool,
        rest: Duration,
    ) -> Self {
        let weather = Arc::clone(&street.weather);
        Self { number, journal: Journal::default(), wire, street, weather, tally, reboots, sales: 0, rest }
    }

    /// Sells until the end.
    pub async fn work(&mut self, end: Instant) {
        while Instant::now() < end {
            self.sales += 1;
            let mut chance = Chance::of(self.weather.seed, &format!("terminal {} sale {}", self.number, self.sales));
            if self.sale(&mut chance).await.is_err() {
                self.tally.count(Event::Reboot);
                self.wake_up(&mut chance).await;
            }
            tokio::time::sleep(chance.time(self.rest / 2, self.rest * 3 / 2)).await;
        }
    }

    /// Brings everything that is open to an end, over a network that has become whole.
    pub async fn settle(&mut self, until: Instant) {
        let mut chance = Chance::of(self.weather.seed, &format!("terminal {} settling", self.number));
        while !self.journal.open().is_empty() && Instant::now() < until {
            self.wake_up(&mut chance).await;
        }
    }

    /// What is open was begun by somebody who remembers nothing of it: it is asked for, and taken back.
    async fn wake_up(&mut self, chance: &mut Chance) {
        for place in self.journal.open() {
            let line = &self.journal.lines[place];
            if line.belief == Belief::Open {
                let is_taken = line.capture.is_some() && line.reversal.is_none();
                if !(is_taken && self.capture(place).await.is_some()) {
                    self.reverse(place, "fault", chance).await;
                }
            } else {
                self.refund(place).await;
            }
        }
    }

    async fn sale(&mut self, chance: &mut Chance) -> Result<(), Rebooted> {
        let place = self.begin(chance);
        self.tally.count(Event::Begun);
        let charge = self.create(place).await;
        self.may_reboot(chance)?;
        match charge {
            None => {
                self.reverse(place, "timeout", chance).await;
                return self.may_reboot(chance);
            }
            Some(Err(code)) => {
                self.believe(place, Belief::NotPaid);
                self.street.remember_refusal(&code);
                return Ok(());
            }
            Some(Ok(charge)) => self.street.hand_over(self.journal.lines[place].payer, &charge, chance),
        }
        let status = self.watch(place, chance).await;
        self.may_reboot(chance)?;
        match status.as_deref() {
            Some("authorised") => self.take(place, chance).await?,
            Some("captured") => self.believe(place, Belief::Paid(self.journal.lines[place].amount)),
            Some("cancelled" | "expired" | "reversed") => self.believe(place, Belief::NotPaid),
            _ => self.reverse(place, "customer", chance).await,
        }
        self.may_reboot(chance)?;
        self.regret(place, chance).await;
        self.may_reboot(chance)
    }

    /// A payment that is written down, and not yet sent.
    fn begin(&mut self, chance: &mut Chance) -> usize {
        let (amount, is_manual) = (chance.between(100, 5_000), chance.hits(MANUAL));
        let (txid, payer) = (chance.name(30), self.street.somebody(chance));
        let seq = self.journal.next_seq();
        let belief = Belief::Open;
        let (capture, reversal, refunds) = (None, None, Vec::new());
        self.journal.lines.push(Line { txid, seq, amount, is_manual, payer, belief, capture, reversal, refunds });
        self.journal.lines.len() - 1
    }

    /// Asks for the money; the charge, its refusal, or nothing that could be heard.
    async fn create(&mut self, place: usize) -> Option<Result<Value, String>> {
        let Line { txid, seq, amount, is_manual, .. } = &self.journal.lines[place];
        let capture = if *is_manual { "manual" } else { "auto" };
        // Two customers may well pay the same within a minute.
        let body = json!({"amount": self.street.money(*amount), "capture": capture, "expires_in": 60, "seq": seq, "allow_duplicate": true});
        self.insist(Saying::put(charge_path(txid), body)).await
    }

    /// Until the customer has done something, or nobody waits any longer.
    async fn watch(&mut self, place: usize, chance: &mut Chance) -> Option<String> {
        let until = Instant::now() + chance.time(CUSTOMER.0, CUSTOMER.1);
        let saying = Saying::get(format!("{}?wait={POLL}", charge_path(&self.journal.lines[place].txid)));
        let mut seen = None;
        while Instant::now() < until && !self.weather.is_calm() {
            if let Word::Done(charge) = self.wire.say(&saying).await {
                seen = charge["status"].as_str().map(str::to_owned);
                if seen.as_deref() != Some("created") {
                    break;
                }
            } else {
                tokio::time::sleep(PAUSE).await;
            }
        }
        seen
    }

    /// Takes what is held, all of it or a part; or lets it go.
    async fn take(&mut self, place: usize, chance: &mut Chance) -> Result<(), Rebooted> {
        let line = &self.journal.lines[place];
        let part = chance.between(1, 4);
        if part == 4 {
            self.reverse(place, "customer", chance).await;
            return Ok(());
        }
        let amount = (line.amount * part).div_ceil(3).min(line.amount);
        self.journal.lines[place].capture = Some((chance.key(), amount));
        self.may_reboot(chance)?;
        if self.capture(place).await.is_none() {
            self.reverse(place, "timeout", chance).await;
        }
        Ok(())
    }

    /// Repeats a capture that was decided; nothing when nobody answered.
    async fn capture(&mut self, place: usize) -> Option<()> {
        let line = &self.journal.lines[place];
        let (key, amount) = line.capture.clone()?;
        let body = json!({"amount": self.street.money(amount), "final": true});
        let saying = Saying::post(format!("{}/capture", charge_path(&line.txid)), &key, body);
        match self.insist(saying).await? {
            Ok(_) => self.believe(place, Belief::Paid(amount)),
            // It ended in another way: by its time, or it never began.
            Err(_) => self.believe(place, Belief::NotPaid),
        }
        Some(())
    }

    /// Takes a payment back, whatever became of it, until somebody says that it is.
    async fn reverse(&mut self, place: usize, reason: &'static str, chance: &mut Chance) {
        if self.journal.lines[place].reversal.is_none() {
            let insistence = self.journal.insist(chance);
            self.journal.lines[place].reversal = Some((insistence, reason));
        }
        let line = &self.journal.lines[place];
        let Some((insistence, reason)) = &line.reversal else { return };
        let body = json!({"txid": line.txid, "reason": reason, "seq": insistence.seq});
        if let Some(Ok(_)) = self.insist(Saying::post("/v1/terminal/reversals", &insistence.key, body)).await {
            self.believe(place, Belief::NotPaid);
        }
    }

    /// Now and then a customer brings something back, or all of it at once.
    async fn regret(&mut self, place: usize, chance: &mut Chance) {
        let Belief::Paid(captured) = self.journal.lines[place].belief else { return };
        if chance.hits(CHANGE_OF_MIND) {
            self.journal.lines[place].belief = Belief::Open;
            self.reverse(place, "customer", chance).await;
        } else if chance.hits(REFUND) {
            let (id, amount) = (chance.name(26), chance.between(1, captured));
            self.journal.lines[place].refunds.push(Refund { id, amount, done: None });
            self.refund(place).await;
        }
    }

    /// Repeats refunds that were begun.
    async fn refund(&mut self, place: usize) {
        let line = &self.journal.lines[place];
        let Some(which) = line.refunds.iter().position(|refund| refund.done.is_none()) else { return };
        let Refund { id, amount, .. } = &line.refunds[which];
        let body = json!({"amount": self.street.money(*amount), "reason": "customer"});
        let path = format!("{}/refunds/{id}", charge_path(&line.txid));
        let done = match self.insist(Saying::put(path, body)).await {
            Some(Ok(refund)) => match refund["status"].as_str() {
                Some("succeeded") => Some(true),
                Some("failed") => Some(false),
                _ => None,
            },
            Some(Err(_)) => Some(false),
            None => None,
        };
        self.journal.lines[place].refunds[which].done = done;
        if done == Some(true) {
            self.tally.count(Event::Refunded);
        }
    }

    /// Asks, over a network that is whole.
    pub async fn ask(&mut self, saying: &Saying) -> Word {
        self.wire.say(saying).await
    }

    fn believe(&mut self, place: usize, belief: Belief) {
        self.journal.lines[place].belief = belief;
        self.tally.count(if matches!(belief, Belief::Paid(_)) { Event::Paid } else { Event::NotPaid });
    }

    /// Says the same until it is answered; a refusal is an answer.
    async fn insist(&mut self, saying: Saying) -> Option<Result<Value, String>> {
        for _ in 0..TRIES {
            match self.wire.say(&saying).await {
                Word::Done(body) => return Some(Ok(body)),
                Word::Refused(code) => return Some(Err(code)),
                Word::Unclear => tokio::time::sleep(PAUSE).await,
            }
        }
        None
    }

    fn may_reboot(&self, chance: &mut Chance) -> Result<(), Rebooted> {
        if self.reboots && chance.hits(REBOOT) && !self.weather.is_calm() { Err(Rebooted) } else { Ok(()) }
    }
}

/// Where a terminal's charge is.
pub fn charge_path(txid: &str) -> String {
    format!("/v1/terminal/charges/{txid}")
}
