//! A terminal of a test's own: its service, payers, and the charges between them, as the API's handlers would call core.

use crate::book::{Book, key};
use crate::store::Store;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;
use vintem_core::event_store::{Answer, Disposed, Outcome, RequestKey, StoredBody, fresh};
use vintem_core::holders::Holders;
use vintem_core::kernel::{Minor, RefusalCode, name};
use vintem_core::ledger::known::Side;
use vintem_core::ledger::service::{Executed, Render};
use vintem_core::payments::charges::event::{CaptureMode, Payee, RefundReason, ReversalReason};
use vintem_core::payments::charges::{
    Bounds, Capture, Charge, Charges, Consent, Means, NewCharge, NewRefund, Reversal, Status, Till,
};
use vintem_core::payments::limits::Device;
use vintem_core::payments::price::Price;
use vintem_core::payments::terms::{Split, Terms};
use vintem_core::payments::{Confirm, Party, PaymentError, Payments};
use vintem_core::telemetry::clock;

/// A terminal at a service that pays the platform one per cent.
pub struct Counter {
    /// The ledger under it.
    pub book: Book,
    /// The charges of this process.
    pub charges: Charges,
    /// The terminal, and its service's terms.
    pub till: Till,
    seq: std::sync::atomic::AtomicI64,
}

impl Counter {
    /// With a bank, `ana`, `coffee` and `platform`.
    pub async fn open(store: &Store) -> Self {
        let book = Book::open(store).brl().await;
        book.account("bank", Side::Debit, None).await;
        for name in ["ana", "coffee", "platform"] {
            book.account(name, Side::Credit, Some("0")).await;
        }
        Self::over(store, book)
    }

    /// One more process, or another terminal, of the same service.
    pub fn over(store: &Store, book: Book) -> Self {
        let reader = store.pool("vintem_reader");
        let holders = Holders::new(reader.clone(), HashMap::new(), None);
        let payments = Payments::new(reader, book.ledger.clone(), holders);
        let split = Split {
            name: "platform".into(),
            account: account("platform"),
            price: Price { fixed: Minor::ZERO, basis_points: 100 },
        };
        let terms = Terms { splits: vec![split], hold_hours: 1, ..Terms::default() };
        let service = Payee { id: Uuid::from_u128(40), label: "Coffee".into(), account: account("coffee") };
        let till = Till { terminal: fresh::new_id(), service, terms };
        Self { book, charges: Charges::new(payments, Arc::new(clock::now)), till, seq: 0.into() }
    }

    /// What the terminal would ask for next.
    pub fn wants(&self, amount: &str, capture: CaptureMode) -> NewCharge {
        NewCharge {
            txid: txid(),
            amount: amount.into(),
            asset: "BRL".into(),
            capture,
            open_seconds: 300,
            reference: None,
            operator: None,
            shift: None,
            seq: self.next(),
            is_repeat: true,
        }
    }

    /// The next of the terminal's own numbers.
    pub fn next(&self) -> i64 {
        self.seq.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1
    }

    /// Asks for it.
    pub async fn asks(&self, new: &NewCharge) -> Result<(Charge, bool), RefusalCode> {
        self.charges.create(&self.book.actor, &self.till, new).await.map_err(|error| refused(&error))
    }

    /// Asks for an amount that cannot be refused.
    pub async fn asked(&self, amount: &str, capture: CaptureMode) -> Charge {
        self.asks(&self.wants(amount, capture)).await.unwrap().0
    }

    /// Confirms it by a device, within the payer's limits.
    pub async fn confirms(&self, payer: Party, charge: Uuid) -> Result<(), RefusalCode> {
        let device = Device { id: payer.holder, is_trusted: true };
        let (zone, now) = (chrono_tz::America::Sao_Paulo, clock::now());
        let by = Confirm { intent: charge, holder: payer.holder, device, zone, now };
        told(self.charges.confirm(&self.book.actor, &any_key(), (payer, &by), &render()).await)
    }

    /// Confirms it by a mandate, as if at an instant: from there its hours are counted.
    pub async fn consents(&self, payer: Party, charge: Uuid, now: vintem_core::kernel::Instant) {
        let consent = Consent { payer, by: Means::Mandate(payer.holder), now };
        let bounds = async |_: &Charge| Ok(Ok(Bounds::default()));
        let done = self.charges.confirm_by(&self.book.actor, &any_key(), (charge, &consent), bounds, &render()).await;
        told(done).unwrap();
    }

    /// Captures from it.
    pub async fn captures(&self, txid: &str, amount: Option<&str>, is_final: bool) -> Result<(), RefusalCode> {
        let command = Capture { amount: amount.map(|text| (text.into(), "BRL".into())), is_final };
        let at = (self.till.terminal, txid);
        told(self.charges.capture(&self.book.actor, &any_key(), at, &command, &render()).await)
    }

    /// Gives it up.
    pub async fn cancels(&self, txid: &str) -> Result<(), RefusalCode> {
        told(self.charges.cancel(&self.book.actor, &any_key(), (self.till.terminal, txid), &render()).await)
    }

    /// Takes it back; answers whether that is new.
    pub async fn reverses(&self, txid: &str) -> bool {
        let command = Reversal { txid: txid.into(), reason: ReversalReason::Timeout, seq: self.next() };
        let at = (self.till.terminal, &command);
        let done = self.charges.reverse(&self.book.actor, &any_key(), at, &render()).await.unwrap();
        match outcome(done) {
            Outcome::Applied(_) => true,
            Outcome::Already(_) => false,
            Outcome::Refused(refusal) => panic!("a reversal is never refused: {refusal}"),
        }
    }

    /// Gives back a part of it under an id of its own.
    pub async fn refunds(&self, txid: &str, id: &str, amount: &str) -> Result<bool, RefusalCode> {
        let command =
            NewRefund { id: id.into(), amount: amount.into(), asset: "BRL".into(), reason: RefundReason::Customer };
        let done = self.charges.refund(&self.book.actor, (self.till.terminal, txid), &command).await;
        done.map(|(_, is_new)| is_new).map_err(|error| refused(&error))
    }

    /// Where it is.
    pub async fn status(&self, txid: &str) -> Status {
        let charge = self.charges.find(&self.book.actor, self.till.terminal, txid).await.unwrap();
        charge.status(clock::now())
    }
}

/// A txid that nobody used.
pub fn txid() -> String {
    fresh::new_id().simple().to_string()
}

/// The account of a name.
pub fn account(name: &str) -> Uuid {
    name::account_id(Uuid::from_u128(1), name, "BRL")
}

/// A payer, by the name of their account.
pub fn payer(name: &str) -> Party {
    Party { holder: name::uuid_of_digest(name.as_bytes()), account: account(name) }
}

/// A key that nobody used.
pub fn any_key() -> RequestKey {
    key(&txid(), 0)
}

/// An answer that nobody reads.
pub fn render() -> Render {
    Arc::new(|_, _| Answer { status: 200, code: None, body: StoredBody::Rendered })
}

fn told(done: Result<Executed, PaymentError>) -> Result<(), RefusalCode> {
    match outcome(done.map_err(|error| refused(&error))?) {
        Outcome::Refused(refusal) => Err(refusal.code),
        Outcome::Applied(_) | Outcome::Already(_) => Ok(()),
    }
}

fn outcome(executed: Executed) -> Outcome {
    match executed.disposed {
        Disposed::Done(mut done, _) => done.outcomes.remove(0),
        other => panic!("{other:?}"),
    }
}

fn refused(error: &PaymentError) -> RefusalCode {
    match error {
        PaymentError::Refused(refusal) => refusal.code,
        other => panic!("{other}"),
    }
}
