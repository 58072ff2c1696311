//! What happened on an account, found by words, kind, counterparty, amount and date.
//!
//! Words of the description and of the values of metadata stand apart, once per event whatever the number of its accounts,
//! as digests that an index finds by equality. A search walks down the shortest of the lists of positions that it
//! names (an account's, its counterparty's, a word's), the newest first, and looks the others up. A page looks at a
//! bounded number of rows, so that a filter that admits few cannot make it long.

use super::{Fact, Fold, Moved, Projection, Unreadable};
use crate::event_store::shadow::{KeyType, Table};
use crate::kernel::{Instant, Metadata, metadata};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use sqlx::PgConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Activity;

/// Different words of one event that can be found.
const WORDS: usize = 64;

impl Projection for Activity {
    fn name(&self) -> &'static str {
        "activity"
    }

    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [Table] {
        &[
            Table {
                name: "activity",
                paged_by: &[("account", KeyType::Uuid), ("position", KeyType::Number)],
                named_by: &[],
            },
            Table {
                name: "activity_word",
                paged_by: &[("word", KeyType::Number), ("position", KeyType::Number)],
                named_by: &[],
            },
        ]
    }

    fn only_adds(&self) -> bool {
        true
    }

    fn is_heavy(&self) -> bool {
        true
    }

    fn begin(&self) -> Box<dyn Fold> {
        Box::new(Rows::default())
    }
}

#[derive(Default)]
struct Rows {
    activity: Vec<Activities>,
    /// Word, position, tenant: in the order of the primary key.
    words: Vec<(i64, i64, Uuid)>,
}

struct Activities {
    position: i64,
    amount: i64,
    account: Uuid,
    counterparty: Option<Uuid>,
    tenant: Uuid,
    effective_at: Instant,
    kind: &'static str,
}

/// The members of payloads that are text.
#[derive(Deserialize)]
struct Texts {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

impl Fold for Rows {
    fn take(&mut self, fact: &Fact) -> Result<(), Unreadable> {
        if fact.moves.is_empty() {
            return Ok(());
        }
        self.words.extend(words_of(fact)?.into_iter().map(|word| (word, fact.position, fact.tenant)));
        let (debited, credited) = (only(fact, true), only(fact, false));
        let kind = fact.word();
        for moved in &fact.moves {
            let account = moved.account.id;
            let counterparty = if is_debited(moved) { credited } else { debited };
            self.activity.push(Activities {
                position: fact.position,
                amount: amount(moved),
                account,
                counterparty,
                tenant: fact.tenant,
                effective_at: fact.effective_at,
                kind,
            });
        }
        Ok(())
    }

    fn rows(&self) -> usize {
        self.activity.len() + self.words.len()
    }

    fn write(self: Box<Self>, tx: &mut PgConnection, shard: i16) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        async move {
            add(tx, shard, self.activity).await?;
            add_words(tx, shard, self.words).await
        }
        .boxed()
    }
}

/// What was posted; for an event that posted nothing, what it announced or gave back less what it set aside.
fn amount(moved: &Moved) -> i64 {
    if moved.posted == 0 { moved.incoming - moved.held } else { moved.posted }
}

fn is_debited(moved: &Moved) -> bool {
    use crate::ledger::known::Side;
    (moved.account.normal_side == Side::Debit) == (amount(moved) > 0)
}

/// The account on one side, if it is alone there: to the others it is the counterparty.
fn only(fact: &Fact, debited: bool) -> Option<Uuid> {
    let mut side = fact.moves.iter().filter(|moved| is_debited(moved) == debited).map(|moved| moved.account.id);
    side.next().filter(|_| side.next().is_none())
}

fn words_of(fact: &Fact) -> Result<BTreeSet<i64>, Unreadable> {
    // Most events carry no text; the payload is searched first because reading it costs far more.
    if !fact.payload.contains("\"description\"") && !fact.payload.contains("\"metadata\"") {
        return Ok(BTreeSet::new());
    }
    let texts: Texts = serde_json::from_str(&fact.payload)
        .map_err(|error| Unreadable { position: fact.position, reason: format!("has texts that are none: {error}") })?;
    let texts = texts.description.iter().chain(texts.metadata.values());
    Ok(texts.flat_map(|text| words(text)).take(WORDS).map(|word| digest(fact.tenant, &word)).collect())
}

/// The words of a text as they are compared: small letters and digits, without accents.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(|part| part.chars().flat_map(char::to_lowercase).map(plain).collect())
}

/// A small letter of the languages around us without its accent.
fn plain(letter: char) -> char {
    match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

/// The key of a tenant's word. Two words of a tenant that share one of these 64 bits' values would be found for each
/// other; among a million words that is one in forty million.
fn digest(tenant: Uuid, word: &str) -> i64 {
    let (high, low) = metadata::digest(&tenant.to_string(), word).as_u64_pair();
    (high ^ low).cast_signed()
}

async fn add(tx: &mut PgConnection, shard: i16, mut rows: Vec<Activities>) -> Result<(), sqlx::Error> {
    rows.sort_unstable_by_key(|row| (row.account, row.position));
    sqlx::query!(
        "INSERT INTO activity (shard, position, amount, account, counterparty, tenant, effective_at, kind)
         SELECT $1, position, amount, account, counterparty, tenant, effective_at, kind
         FROM unnest($2::bigint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::text[])
              AS row (position, amount, account, counterparty, tenant, effective_at, kind)",
        shard,
        &rows.iter().map(|row| row.position).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.amount).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.account).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.counterparty).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.tenant).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.effective_at).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.kind).collect::<Vec<_>>() as _
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn add_words(tx: &mut PgConnection, shard: i16, mut rows: Vec<(i64, i64, Uuid)>) -> Result<(), sqlx::Error> {
    rows.sort_unstable();
    sqlx::query!(
        "INSERT INTO activity_word (shard, word, position, tenant)
         SELECT $1, word, position, tenant FROM unnest($2::bigint[], $3::bigint[], $4::uuid[]) AS row (word, position, tenant)",
        shard,
        &rows.iter().map(|row| row.0).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.1).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.2).collect::<Vec<_>>() as _
    )
    .execute(tx)
    .await?;
    Ok(())
}

mod search;
pub use search::{Found, Search};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_and_accents() {
        let found: Vec<String> = words("Ônibus: linha-7, AÇÃO «straße» 12.50").collect();
        assert_eq!(found, ["onibus", "linha", "7", "acao", "straße", "12", "50"]);
        assert_eq!(words(" .,- ").count(), 0);
    }
}
