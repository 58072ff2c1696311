//! Balance assertions: which of them the ledger can check, and the rest checked here.
//!
//! The ledger checks a balance after a whole transaction, on a leg. So an assertion in the
//! middle of an entry is moved to the entry's end by what its account still gets there, and
//! one that has no leg (its posting is zero, or it counts other accounts or assets) is
//! compared with the books that the journal itself has led to.

use super::resolve::{Books, CHAIN, Draft, Resolved, minor};
use super::syntax::{Assertion, Posting};
use crate::import::ReadError;
use crate::import::plan::Mismatch;
use crate::money::show;

/// Walks an entry's postings: books them, hands assertions to the drafts, lists what is broken.
pub fn check<'j>(
    resolved: &[Resolved<'j>],
    drafts: &mut [Draft<'j>],
    books: &mut Books<'j>,
    scale: impl Fn(&str) -> u32,
) -> Result<Vec<Mismatch>, ReadError> {
    let mut broken = Vec::new();
    for (place, current) in resolved.iter().enumerate() {
        let posting = current.posting;
        *books.entry(&posting.account).or_default().entry(current.asset).or_default() += current.minor;
        let Some(assertion) = &posting.assertion else { continue };
        let asset = assertion.quantity.commodity.as_str();
        let scale = scale(asset);
        let expected = minor(&assertion.quantity, scale, posting.line)?;
        let actual = balance(books, posting, assertion);
        let later = resolved[place + 1..]
            .iter()
            .filter(|other| other.posting.account == posting.account && other.asset == asset);
        let at_the_end = expected + later.map(|other| other.minor).sum::<i128>();
        let leg = drafts.iter_mut().find(|draft| {
            !assertion.inclusive && draft.minor != 0 && draft.account == posting.account && draft.asset == asset
        });
        let carried = leg.is_some_and(|leg| *leg.expect_after.get_or_insert(at_the_end) == at_the_end);
        let sole_holds = !assertion.sole || nothing_else(books, posting, assertion);
        if (!carried && expected != actual) || !sole_holds {
            broken.push(Mismatch {
                line: posting.line,
                chain: CHAIN,
                account: format!("{} ({asset})", posting.account),
                expected: show(expected, scale),
                actual: if sole_holds { show(actual, scale) } else { "a balance in other commodities too".to_owned() },
            });
        }
    }
    Ok(broken)
}

fn balance(books: &Books<'_>, posting: &Posting, assertion: &Assertion) -> i128 {
    counted(books, posting, assertion)
        .filter(|(asset, _)| **asset == assertion.quantity.commodity)
        .map(|(_, minor)| minor)
        .sum()
}

fn nothing_else(books: &Books<'_>, posting: &Posting, assertion: &Assertion) -> bool {
    counted(books, posting, assertion).all(|(asset, minor)| *asset == assertion.quantity.commodity || *minor == 0)
}

/// The books of the posting's account, and of those below it where the assertion counts them.
fn counted<'b, 'j>(
    books: &'b Books<'j>,
    posting: &'b Posting,
    assertion: &'b Assertion,
) -> impl Iterator<Item = (&'b &'j str, &'b i128)> {
    let counts = |name: &str| match name.strip_prefix(posting.account.as_str()) {
        Some("") => true,
        Some(below) => assertion.inclusive && below.starts_with(':'),
        None => false,
    };
    books.iter().filter(move |(name, _)| counts(name)).flat_map(|(_, assets)| assets)
}
