//! A transfer from one person to another: requested, then confirmed or over. Pure; signatures and PINs are judged before.

use super::confirm::{Confirm, OPEN_FOR};
use super::event::{self, TransferConfirmed, TransferRequested};
use super::limits::Limits;
use super::posting;
use super::said::Said;
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::{Instant, Minor, Refusal, RefusalCode};
use uuid::Uuid;

/// A note has at most so many characters.
pub const NOTE_CHARS: usize = 140;

/// Where a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The payer was told, and has not said yes.
    RequiresConfirmation,
    /// The money moved.
    Completed,
    /// Nobody said yes in time.
    Expired,
}

impl Status {
    /// As it is answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequiresConfirmation => "requires_confirmation",
            Self::Completed => "completed",
            Self::Expired => "expired",
        }
    }
}

/// A transfer folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its stream.
    pub id: Uuid,
    /// What the payer was told.
    pub requested: TransferRequested,
    /// When.
    pub requested_at: Instant,
    /// What moved the money, and when, once it is confirmed.
    pub confirmed: Option<(TransferConfirmed, Instant)>,
    version: i32,
}

/// Decides a request. The id was drawn by the service.
pub fn request(id: Uuid, asked: &TransferRequested) -> Result<Decision, Refusal> {
    if asked.payer.account == asked.payee.account {
        let detail = "the payee is the payer";
        return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/lookup_id"));
    }
    if Minor::ZERO.within_limit(asked.amount.plus(asked.fee)).is_none() {
        let detail = "amount and fee together are above 10^18 minor units";
        return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/amount"));
    }
    let event = NewEvent { fresh: true, ..NewEvent::fact(id, 0, event::TRANSFER_REQUESTED, asked) };
    Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
}

/// The refusal of a payee who was found too long ago: a key may have changed hands since.
pub fn stale() -> Decision {
    let detail = "the look-up is over; look the payee up again";
    Decision::Refuse(Refusal::new(RefusalCode::InvalidState, detail).at("/lookup_id"), Vec::new())
}

impl Transfer {
    /// Folds a stream; `None` when it is not a transfer's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        if first.kind != event::TRANSFER_REQUESTED {
            return None;
        }
        let confirmed = events.iter().find(|recorded| recorded.kind == event::TRANSFER_CONFIRMED);
        let confirmed = match confirmed {
            Some(recorded) => Some((recorded.says()?, recorded.recorded_at)),
            None => None,
        };
        Some(Self {
            id: first.stream,
            requested: first.says()?,
            requested_at: first.recorded_at,
            confirmed,
            version: last.version,
        })
    }

    /// From then on it can be confirmed no more.
    pub fn expires_at(&self) -> Instant {
        self.requested_at + OPEN_FOR
    }

    /// Where it is at an instant.
    pub fn status(&self, now: Instant) -> Status {
        match self.confirmed {
            Some(_) => Status::Completed,
            None if now >= self.expires_at() => Status::Expired,
            None => Status::RequiresConfirmation,
        }
    }

    /// What leaves the payer's account.
    pub fn total(&self) -> Minor {
        self.requested.amount.plus(self.requested.fee)
    }

    /// The bytes that the payer's device signs: the canonical JSON of what they were told, and nothing they were not.
    pub fn said(&self) -> Vec<u8> {
        let TransferRequested { payee, asset, scale, amount, nonce, .. } = &self.requested;
        let (intent, payee) = (self.id, payee.holder);
        Said { intent, payee, amount: *amount, scale: *scale, asset, nonce }.bytes()
    }

    /// Decides a confirmation by a device that has proven itself. `transaction` was drawn by the service.
    pub fn confirm(&self, transaction: Uuid, fees: Uuid, limits: &Limits, by: &Confirm) -> Decision {
        let current = StreamVersion { stream: self.id, version: self.version };
        if self.confirmed.is_some() {
            let refusal = Refusal::new(RefusalCode::ChargeAlreadyPaid, "this transfer was confirmed before");
            return Decision::Refuse(refusal, vec![current]);
        }
        let TransferRequested { payer, payee, amount, fee, .. } = &self.requested;
        let against = match by.against(limits, current, payer.account, self.total()) {
            Ok(against) => against,
            Err((refusal, seen)) => return Decision::Refuse(refusal, seen.into()),
        };
        let facts = TransferConfirmed { transaction, device: by.device.id };
        let confirmed = NewEvent::fact(self.id, self.version, event::TRANSFER_CONFIRMED, &facts);
        let moves = posting::transfer(*payer, *payee, fees, *amount, *fee);
        let is_over = Refusal::new(RefusalCode::ChargeExpired, "the time to confirm this transfer is over");
        Decision::Propose(Proposal {
            events: vec![confirmed, posting::transaction(transaction, self.id, moves)],
            expects: vec![against.expects],
            until: Some((self.expires_at(), is_over)),
            from: against.from,
            counts: against.counts,
            ..Proposal::default()
        })
    }
}

/// Checks a note. A refusal never repeats it.
pub fn check_note(note: &str) -> Result<(), Refusal> {
    let is_fine = (1..=NOTE_CHARS).contains(&note.chars().count()) && !note.chars().any(char::is_control);
    if is_fine {
        return Ok(());
    }
    let detail = "a note has 1 to 140 characters, none of them a control character";
    Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/note"))
}

#[cfg(test)]
mod tests {
    use super::super::event::Party;
    use super::super::limits::Device;
    use super::*;
    use chrono::TimeDelta;
    use chrono_tz::America::Sao_Paulo;

    const ID: Uuid = Uuid::from_u128(1);
    const FEES: Uuid = Uuid::from_u128(9);
    const TRUSTED: Device = Device { id: Uuid::from_u128(7), is_trusted: true };

    fn now() -> Instant {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn party(number: u128) -> Party {
        Party { holder: Uuid::from_u128(number), account: Uuid::from_u128(number + 100) }
    }

    fn wanted(amount: i128, fee: i128) -> TransferRequested {
        TransferRequested {
            payer: party(2),
            payee: party(3),
            asset: "BRL".into(),
            scale: 2,
            amount: Minor::new(amount),
            fee: Minor::new(fee),
            nonce: "n-1".into(),
            note: None,
        }
    }

    fn recorded(decision: Decision, minutes: i64) -> Vec<Recorded> {
        let Decision::Propose(proposal) = decision else { panic!("{decision:?}") };
        let at = now() + TimeDelta::minutes(minutes);
        let own = proposal.events.into_iter().filter(|event| event.stream == ID);
        own.map(|event| event.recorded(Uuid::nil(), at)).collect()
    }

    fn requested(amount: i128, fee: i128) -> Transfer {
        Transfer::fold(&recorded(request(ID, &wanted(amount, fee)).unwrap(), 0)).unwrap()
    }

    fn confirm(transfer: &Transfer) -> Decision {
        let limits = Limits::fold(Uuid::from_u128(8), &[], 2);
        let by = Confirm { intent: ID, holder: party(2).holder, device: TRUSTED, zone: Sao_Paulo, now: now() };
        transfer.confirm(Uuid::from_u128(5), FEES, &limits, &by)
    }

    #[test]
    fn the_payer_signs_what_they_were_told() {
        let said = String::from_utf8(requested(1_250, 10).said()).unwrap();
        let expected = r#"{"amount":"12.50","asset":"BRL","intent_id":"00000000-0000-0000-0000-000000000001","nonce":"n-1","payee":"00000000-0000-0000-0000-000000000003"}"#;
        assert_eq!(said, expected);
    }

    #[test]
    fn a_confirmation_moves_the_amount_and_the_fee_and_counts_both() {
        let Decision::Propose(proposal) = confirm(&requested(1_250, 10)) else { panic!() };
        let moves: Vec<_> = proposal.events[1].moves.iter().map(|m| (m.account, m.posted.units())).collect();
        assert_eq!(moves, [(party(2).account, -1_260), (party(3).account, 1_250), (FEES, 10)]);
        assert!(proposal.events[0].moves.is_empty());
        assert!(proposal.counts.iter().all(|count| count.delta == Minor::new(1_260)));
        assert_eq!(proposal.counts.len(), 3);
        assert_eq!(proposal.until.unwrap().0, now() + OPEN_FOR);
        let Decision::Propose(free) = confirm(&requested(1_250, 0)) else { panic!() };
        assert_eq!(free.events[1].moves.len(), 2);
    }

    #[test]
    fn it_is_confirmed_once_and_ends_by_itself() {
        let transfer = requested(1_250, 0);
        assert_eq!(transfer.status(now()), Status::RequiresConfirmation);
        assert_eq!(transfer.status(now() + OPEN_FOR), Status::Expired);
        let mut events = recorded(request(ID, &wanted(1_250, 0)).unwrap(), 0);
        events.extend(recorded(confirm(&transfer), 1));
        let confirmed = Transfer::fold(&events).unwrap();
        assert_eq!(confirmed.status(now() + OPEN_FOR), Status::Completed);
        let Decision::Refuse(refusal, expects) = confirm(&confirmed) else { panic!() };
        assert_eq!((refusal.code, expects[0].version), (RefusalCode::ChargeAlreadyPaid, 2));
    }

    #[test]
    fn a_refusal_by_limits_holds_for_the_levels_that_it_saw() {
        let Decision::Refuse(refusal, expects) = confirm(&requested(500_000, 1)) else { panic!() };
        assert_eq!((refusal.code, expects.len()), (RefusalCode::LimitExceeded, 2));
    }

    #[test]
    fn nobody_pays_themselves_or_more_than_there_can_be() {
        let own = TransferRequested { payee: party(2), ..wanted(1, 0) };
        assert_eq!(request(ID, &own).unwrap_err().code, RefusalCode::ValidationFailed);
        let limit = crate::kernel::amount::LIMIT;
        assert_eq!(request(ID, &wanted(limit, 1)).unwrap_err().code, RefusalCode::ValidationFailed);
        assert!(request(ID, &wanted(limit, 0)).is_ok());
    }

    #[test]
    fn a_note_is_short_and_plain() {
        assert!(check_note("almoço de 3ª-feira").is_ok() && check_note(&"é".repeat(140)).is_ok());
        for bad in ["", "a\nb", "a\0", &"é".repeat(141)] {
            assert!(check_note(bad).is_err(), "{bad:?}");
        }
    }
}
