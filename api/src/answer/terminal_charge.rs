//! Charges, reversals, refunds and batches as terminals see them: nothing of a payer stands in any of them.

use super::{Money, Unreadable, time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::Recorded;
use vintem_core::kernel::{Instant, Minor};
use vintem_core::ledger::hold::Line;
use vintem_core::payments::charges::event::{ChargeReversed, ReversalResult, Sum, Tally};
use vintem_core::payments::charges::{Charge, Refund, Report, Slot, Status};

/// A charge.
#[derive(Debug, Serialize, ToSchema)]
pub struct TerminalCharge {
    /// Its id.
    pub id: Uuid,
    /// What you call it.
    #[schema(example = "A7K2M9Q4X1B8C3D6E5F0G7H2J9K4")]
    pub txid: String,
    /// `created`, `authorised`, `captured`, `partially_refunded`, `refunded`, `cancelled`, `expired` or `reversed`.
    #[schema(example = "created")]
    pub status: &'static str,
    /// `auto` or `manual`.
    #[schema(example = "auto")]
    pub capture: &'static str,
    /// What you asked for.
    pub amount: Money,
    /// What the payer's money is held for, and may still be captured.
    pub authorised: Money,
    /// What was captured.
    pub captured: Money,
    /// What went back, or is on its way back.
    pub refunded: Money,
    /// Who is paid.
    pub service_id: Uuid,
    /// What it is for, as you call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "linha-343")]
    pub reference: Option<String>,
    /// What to show while it is `created`: the text of a QR code (EMV, merchant-presented).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "000201010212…6304A1B2")]
    pub qr: Option<String>,
    /// What payers type who cannot scan, while it is `created`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "7K4M2Q9X")]
    pub short_code: Option<String>,
    /// From then on it cannot be confirmed; of an authorisation, captured.
    #[schema(example = "2026-03-01T12:05:00.000000Z")]
    pub expires_at: String,
    /// When it began.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub created_at: String,
    /// What went back, in the order in which you asked.
    pub refunds: Vec<TerminalRefund>,
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
pub struct TerminalRefund {
    /// What you call it; `reversal` is that of a reversal that came too late to undo.
    #[schema(example = "R7K2M9Q4X1B8C3D6E5F0G7H2J9K4")]
    pub id: String,
    /// `processing` until the money went back, then `succeeded`; `failed` when it could not.
    #[schema(example = "succeeded")]
    pub status: &'static str,
    /// How much.
    pub amount: Money,
}

/// What a reversal came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct TerminalReversal {
    /// What you call the charge.
    #[schema(example = "A7K2M9Q4X1B8C3D6E5F0G7H2J9K4")]
    pub txid: String,
    /// `reversed`: as if it had never been. `tombstoned`: nothing of it had come, and nothing can. `already_reversed`: you said so before.
    /// `refund_created`: what was captured goes back by the refund `reversal`. After each of them the customer owes you nothing.
    #[schema(example = "reversed")]
    pub result: &'static str,
}

/// A batch: what counts between two closings.
#[derive(Debug, Serialize, ToSchema)]
pub struct TerminalBatch {
    /// Its number.
    #[schema(example = 42)]
    pub number: i32,
    /// `open`, or once it is closed `balanced` or `mismatch`.
    #[schema(example = "balanced")]
    pub result: &'static str,
    /// What we have counted; nothing where nothing moved.
    pub server_totals: Vec<BatchTotals>,
    /// What you have counted, once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<Vec<BatchTotals>>,
    /// The last of your own numbers: that came, or that you named.
    #[schema(example = 1842)]
    pub last_seq: i64,
    /// Numbers up to it under which nothing is recorded here: of charges and reversals that never came, or were refused. 100 at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<i64>,
    /// What is recorded here under a later number than your last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T22:00:00.000000Z")]
    pub closed_at: Option<String>,
}

/// What was counted in an asset.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchTotals {
    /// Of what.
    #[schema(example = "BRL")]
    pub asset: String,
    /// Captured.
    pub captures: BatchSum,
    /// Given back, or on its way.
    pub refunds: BatchSum,
    /// Captured, and taken back by reversals.
    pub reversals: BatchSum,
}

/// How often, and how much together.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchSum {
    /// How often.
    #[schema(example = 17)]
    pub count: i64,
    /// Decimal text.
    #[schema(example = "412.50")]
    pub amount: String,
}

impl TerminalCharge {
    /// At an instant; `qr` is left out of what cannot be paid any more.
    pub fn of(charge: &Charge, qr: Option<String>, now: Instant) -> Self {
        let said = charge.created.clone();
        let (status, open) = (charge.status(now), charge.open_hold().filter(|hold| now < hold.expires_at));
        let money = |amount: Minor| Money { amount: amount.to_text(said.scale), asset: said.asset.clone() };
        let held = open.and_then(|hold| hold.lines.first()).map_or(Minor::ZERO, Line::remaining);
        let is_open = status == Status::Created;
        Self {
            id: charge.id,
            status: status.as_str(),
            capture: said.capture.as_str(),
            amount: money(said.amount),
            authorised: money(held),
            captured: money(charge.captured()),
            refunded: money(charge.refunded()),
            service_id: said.service.id,
            qr: qr.filter(|_| is_open),
            short_code: is_open.then_some(said.short_code),
            expires_at: time(open.map_or(charge.expires_at(), |hold| hold.expires_at)),
            created_at: time(charge.created_at),
            refunds: charge.refunds.iter().map(|refund| TerminalRefund::of(charge, refund)).collect(),
            txid: said.txid,
            reference: said.reference,
        }
    }
}

impl TerminalRefund {
    /// Of a charge.
    pub fn of(charge: &Charge, refund: &Refund) -> Self {
        let (scale, asset) = (charge.created.scale, charge.created.asset.clone());
        let amount = Money { amount: refund.requested.amount.to_text(scale), asset };
        Self { id: refund.requested.refund.clone(), status: refund.status.as_str(), amount }
    }
}

impl TerminalReversal {
    /// As the log says.
    pub fn of(slot: &Slot) -> Result<Self, Unreadable> {
        let reversed = match slot {
            Slot::Tombstone(tombstone) => &tombstone.reversed,
            Slot::Charge(charge) => &charge.reversed.as_ref().ok_or(Unreadable)?.0,
            Slot::Free(_) => return Err(Unreadable),
        };
        let result = match reversed.result {
            ReversalResult::Tombstoned => "tombstoned",
            ReversalResult::Reversed => "reversed",
            ReversalResult::RefundCreated => "refund_created",
        };
        Ok(Self { txid: reversed.txid.clone(), result })
    }

    /// Of a reversal that was recorded before.
    pub fn again(recorded: &Recorded) -> Option<Self> {
        let ChargeReversed { txid, .. } = recorded.says()?;
        Some(Self { txid, result: "already_reversed" })
    }
}

impl TerminalBatch {
    /// A report.
    pub fn of(report: Report) -> Self {
        let Report { number, totals, last_seq, closed } = report;
        let shown = |tallies: &[Tally]| tallies.iter().map(BatchTotals::of).collect();
        let server_totals = shown(&totals);
        let Some(compared) = closed else {
            let (missing, unknown) = (Vec::new(), Vec::new());
            return Self {
                number,
                result: "open",
                server_totals,
                counted: None,
                last_seq,
                missing,
                unknown,
                closed_at: None,
            };
        };
        Self {
            number,
            result: if compared.is_balanced { "balanced" } else { "mismatch" },
            server_totals,
            counted: Some(shown(&compared.closed.facts.counted)),
            last_seq,
            missing: compared.missing,
            unknown: compared.unknown,
            closed_at: Some(time(compared.closed.closed_at)),
        }
    }
}

impl BatchTotals {
    fn of(tally: &Tally) -> Self {
        let sum = |sum: Sum| BatchSum { count: sum.count, amount: sum.amount.to_text(tally.scale) };
        let Tally { captures, refunds, reversals, .. } = *tally;
        Self { asset: tally.asset.clone(), captures: sum(captures), refunds: sum(refunds), reversals: sum(reversals) }
    }
}
