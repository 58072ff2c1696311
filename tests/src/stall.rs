//! A terminal at work and somebody who pays at it: one service, one device behind nginx, one citizen with money.

use crate::api::Read;
use crate::phone::{Phone, Town};
use crate::shops::confirm;
use crate::terminal::{Fleet, Till};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use vintem_core::event_store::fresh;

/// Where a citizen resolves what a terminal shows.
pub const RESOLUTIONS: &str = "/v1/charge-resolutions";
/// Where a terminal takes back.
pub const REVERSALS: &str = "/v1/terminal/reversals";

/// A till, and somebody with 100.00 who pays at it.
pub struct Stall {
    /// The door and what is behind it.
    pub fleet: Fleet,
    /// The terminal.
    pub till: Till,
    /// The payer.
    pub her: Phone,
    seq: AtomicI64,
}

impl Stall {
    /// Over a fresh database.
    pub async fn open() -> Self {
        let town = Town::create().await;
        let (_, her) = town.citizen(1).await;
        town.issue(&her, "100.00").await;
        let fleet = Fleet::over(town.office).await;
        let till = fleet.till("PX-1").await;
        Self { fleet, till, her, seq: AtomicI64::new(0) }
    }

    /// The next number of a message.
    pub fn next(&self) -> i64 {
        self.seq.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What the till asks for.
    pub fn wants(&self, amount: &str) -> Value {
        json!({"amount": brl(amount), "seq": self.next(), "reference": "linha-343"})
    }

    /// What the till takes back.
    pub fn takes_back(&self, txid: &str) -> Value {
        json!({"txid": txid, "reason": "timeout", "seq": self.next()})
    }

    /// Asks for an amount; answers what it is called.
    pub async fn asked(&self, amount: &str, capture: &str) -> String {
        let (txid, mut body) = (name(), self.wants(amount));
        body["capture"] = json!(capture);
        self.till.put(&charge(&txid), &body).await.expect(201);
        txid
    }

    /// She pays what the till shows.
    pub async fn pays(&self, txid: &str) -> Value {
        let shown = self.till.get(&charge(txid)).await.expect(200);
        let resolved = self.her.ask(RESOLUTIONS, &json!({"qr": shown["qr"]})).await.expect(200);
        self.her.post(&confirm(&resolved), &self.her.pays(&resolved)).await.expect(200)
    }

    /// Asks for an amount, and she pays it.
    pub async fn paid(&self, amount: &str, capture: &str) -> String {
        let txid = self.asked(amount, capture).await;
        self.pays(&txid).await;
        txid
    }

    /// What she has, and what is held of it.
    pub async fn has(&self) -> (String, String) {
        let balance = self.her.get("/v1/account/balance").await.expect(200);
        let member = |name: &str| balance[name].as_str().unwrap().to_owned();
        (member("total"), member("held"))
    }

    /// Leaves nothing behind; the invariants hold.
    pub async fn close(self) {
        self.fleet.close().await;
    }
}

/// Money.
pub fn brl(amount: &str) -> Value {
    json!({"amount": amount, "asset": "BRL"})
}

/// What a terminal may call something: another one each time.
pub fn name() -> String {
    fresh::new_id().simple().to_string()
}

/// Where a charge is.
pub fn charge(txid: &str) -> String {
    format!("/v1/terminal/charges/{txid}")
}

/// Where it is captured from.
pub fn capture(txid: &str) -> String {
    format!("{}/capture", charge(txid))
}

/// Where it is given up.
pub fn cancel(txid: &str) -> String {
    format!("{}/cancel", charge(txid))
}

/// Where one of its refunds is.
pub fn refund(txid: &str, refund: &str) -> String {
    format!("{}/refunds/{refund}", charge(txid))
}

/// Where a batch is closed.
pub fn close(number: i64) -> String {
    format!("/v1/terminal/batches/{number}/close")
}

/// What somebody has, and what is held of it.
pub fn has(total: &str, held: &str) -> (String, String) {
    (total.to_owned(), held.to_owned())
}

/// How an answer refuses.
pub fn refused(answer: &Read) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

/// How one is to refuse.
pub fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The same answer as one before, and it says so.
#[track_caller]
pub fn assert_replayed(first: &Read, again: &Read) {
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    assert!(!first.headers.contains_key("idempotency-replayed") && again.headers["idempotency-replayed"] == "true");
}
