//! Entries are the fold of the moves, column by column.

use super::Audit;
use super::account::Account;
use super::explain;
use super::fold::Fold;
use super::report::{Rule, Subject};
use super::store::{derived, log};

const PAGE: i64 = 20_000;
/// So many broken accounts are looked into; the walk for it is the same for one and for all.
const EXPLAINED: usize = 32;

/// The entries of one account so far.
struct Run {
    account: i64,
    version: i64,
    digest: [u8; 16],
}

/// Compares every account's entries with its fold; answers how many there were.
pub(super) async fn check(audit: &mut Audit<'_>, fold: &Fold) -> Result<u64, sqlx::Error> {
    let expected: i64 = fold.accounts.iter().map(|account| account.version).sum();
    audit.progress.begin("entries", u64::try_from(expected).unwrap_or(0));
    let mut broken: Vec<Account> = Vec::new();
    let mut unseen = fold.accounts.iter().peekable();
    let (mut after, mut run, mut count) = ((i64::MIN, i64::MIN), None::<Run>, 0);
    // The newest event that an entry beyond the end names, and that entry.
    let mut beyond = (0, (0, 0));
    loop {
        let page = derived::entries(audit.session, audit.shard, after, PAGE).await?;
        let Some((account, line)) = page.last() else { break };
        after = (*account, line.version);
        for (account, line) in &page {
            if line.position > audit.end.position {
                beyond = beyond.max((line.position, (*account, line.version)));
                continue;
            }
            if run.as_ref().is_none_or(|run| run.account != *account) {
                finish(run.take(), fold, &mut broken);
                while let Some(passed) = unseen.next_if(|a| a.number <= *account) {
                    broken.extend((passed.number < *account && passed.version > 0).then_some(*passed));
                }
                if fold.accounts.by_number(*account).is_none() {
                    audit.findings.add(Rule::Entry, Subject::Entry(*account, line.version), "belongs to no account");
                }
                run = Some(Run { account: *account, version: 0, digest: [0; 16] });
            }
            if let Some(run) = &mut run {
                run.version += 1;
                run.digest = line.after(&run.digest);
            }
            count += 1;
        }
        audit.progress.add(page.len() as u64);
    }
    finish(run, fold, &mut broken);
    broken.extend(unseen.filter(|account| account.version > 0));
    if beyond.0 > 0 && beyond.0 > log::newest(audit.session, audit.shard).await? {
        let (position, (account, version)) = beyond;
        audit.findings.add(
            Rule::Entry,
            Subject::Entry(account, version),
            format!("names event {position}, which does not exist"),
        );
    }
    explain::explain(audit, fold, &broken[..broken.len().min(EXPLAINED)]).await?;
    Ok(count)
}

fn finish(run: Option<Run>, fold: &Fold, broken: &mut Vec<Account>) {
    let Some(run) = run else { return };
    let account = fold.accounts.by_number(run.account);
    broken.extend(account.filter(|account| account.version != run.version || account.digest != run.digest));
}
