//! Money comes into being and goes out of it: by somebody who has that right, against what backs it outside.

use super::event::{MONEY_ISSUED, MONEY_REDEEMED, MoneyMoved};
use super::posting::{self, ISSUED};
use crate::event_store::proposal::NewEvent;
use crate::event_store::{Decision, Proposal};
use crate::kernel::{Minor, Refusal, RefusalCode};
use crate::ledger::known::{Identity, Known};
use crate::ledger::transaction;
use uuid::Uuid;

/// A reference has at most so many bytes.
const REFERENCE: usize = 64;

/// In which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into being.
    Issue,
    /// Out of being.
    Redeem,
}

/// The command.
#[derive(Debug, Clone)]
pub struct Move {
    /// In which direction.
    pub direction: Direction,
    /// Drawn by the service.
    pub id: Uuid,
    /// Drawn by the service.
    pub transaction: Uuid,
    /// Whose money.
    pub account: Uuid,
    /// Decimal text.
    pub amount: String,
    /// Of what.
    pub asset: String,
    /// What it is for, as the books number it.
    pub reference: String,
}

/// Decides it. The account of what backs the asset was opened before the first one.
pub fn decide(command: &Move, tenant: Uuid, known: &Known) -> Result<Decision, Refusal> {
    if !is_reference(&command.reference) {
        let detail = "a reference has 1 to 64 letters, digits and ._:/-";
        return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/reference"));
    }
    let unknown =
        |detail: String| Ok(Decision::Refuse(Refusal::new(RefusalCode::UnknownAccount, detail).at("/account"), vec![]));
    let Some(account) = known.accounts.get(&command.account) else {
        return unknown(format!("there is no account {}", command.account));
    };
    if account.asset != command.asset {
        return unknown(format!("the account is in {}, not in {}", account.asset, command.asset));
    }
    let amount = transaction::amount(&command.amount, account.scale, "/amount/amount")?;
    let issued = posting::system(tenant, ISSUED, &account.asset);
    if account.id == issued {
        let detail = "what backs the money does not hold it";
        return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/account"));
    }
    if !known.accounts.contains_key(&issued) {
        let detail = format!("nothing backs {} yet", account.asset);
        return Ok(Decision::Refuse(Refusal::new(RefusalCode::UnknownAccount, detail), vec![]));
    }
    Ok(propose(command, issued, account, amount))
}

/// The fact stands first: it is what the answer speaks of.
fn propose(command: &Move, issued: Uuid, account: &Identity, amount: Minor) -> Decision {
    let facts = MoneyMoved { transaction: command.transaction, reference: command.reference.clone() };
    let (kind, moves) = match command.direction {
        Direction::Issue => (MONEY_ISSUED, posting::issuance(issued, account, amount)),
        Direction::Redeem => (MONEY_REDEEMED, posting::redemption(issued, account, amount)),
    };
    let fact = NewEvent { fresh: true, ..NewEvent::fact(command.id, 0, kind, &facts) };
    let events = vec![fact, posting::transaction(command.transaction, command.id, moves)];
    Decision::Propose(Proposal { events, ..Proposal::default() })
}

fn is_reference(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    (1..=REFERENCE).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::known::Side;
    use std::sync::Arc;

    const TENANT: Uuid = Uuid::from_u128(1);
    const ANA: Uuid = Uuid::from_u128(2);

    fn known(is_opened: bool) -> Known {
        let identity = |id, side| {
            let identity = Identity { id, number: 1, name: None, asset: "BRL".into(), scale: 2, normal_side: side };
            (id, Arc::new(identity))
        };
        let mut accounts = vec![identity(ANA, Side::Credit)];
        if is_opened {
            accounts.push(identity(posting::system(TENANT, ISSUED, "BRL"), Side::Debit));
        }
        Known { accounts: accounts.into_iter().collect(), assets: [("BRL".to_owned(), 2)].into() }
    }

    fn command(direction: Direction, amount: &str) -> Move {
        Move {
            direction,
            id: Uuid::from_u128(3),
            transaction: Uuid::from_u128(4),
            account: ANA,
            amount: amount.into(),
            asset: "BRL".into(),
            reference: "TED/2026-118".into(),
        }
    }

    fn proposed(command: &Move) -> Proposal {
        match decide(command, TENANT, &known(true)).unwrap() {
            Decision::Propose(proposal) => proposal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn issuing_raises_both_sides_and_redeeming_lowers_them() {
        for (direction, sign) in [(Direction::Issue, 1), (Direction::Redeem, -1)] {
            let proposal = proposed(&command(direction, "12.50"));
            assert_eq!(proposal.events.len(), 2);
            let moves: Vec<i128> = proposal.events[1].moves.iter().map(|m| m.posted.units()).collect();
            assert_eq!(moves, [sign * 1_250, sign * 1_250]);
        }
    }

    #[test]
    fn nothing_is_issued_against_nothing() {
        let decision = decide(&command(Direction::Issue, "1.00"), TENANT, &known(false)).unwrap();
        assert!(matches!(decision, Decision::Refuse(refusal, _) if refusal.code == RefusalCode::UnknownAccount));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut foreign = command(Direction::Issue, "1.00");
        foreign.account = Uuid::from_u128(99);
        assert!(matches!(decide(&foreign, TENANT, &known(true)), Ok(Decision::Refuse(..))));
        let mut other = command(Direction::Issue, "1.00");
        other.asset = "USD".into();
        assert!(matches!(decide(&other, TENANT, &known(true)), Ok(Decision::Refuse(..))));
        assert!(decide(&command(Direction::Issue, "0"), TENANT, &known(true)).is_err());
        let mut nameless = command(Direction::Issue, "1.00");
        nameless.reference = "for Ana Conceição".into();
        assert!(decide(&nameless, TENANT, &known(true)).is_err());
        let mut backing = command(Direction::Issue, "1.00");
        backing.account = posting::system(TENANT, ISSUED, "BRL");
        assert!(decide(&backing, TENANT, &known(true)).is_err());
    }
}
