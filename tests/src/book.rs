//! The ledger as a test drives it, and the invariants that every run ends with.

use crate::store::Store;
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;
use vintem_core::event_store::overlay::Origin;
use vintem_core::event_store::{Answer, Disposed, Limits, Outcome, RequestKey, Shard, StoredBody, WriteError, fresh};
use vintem_core::kernel::{Instant, Metadata, RefusalCode};
use vintem_core::ledger::command::{Command, Grouped};
use vintem_core::ledger::error::LedgerError;
use vintem_core::ledger::known::{AccountRef, Side};
use vintem_core::ledger::placing::Place;
use vintem_core::ledger::service::{Actor, Ledger, WriteRequest};
use vintem_core::ledger::transaction::{ChosenId, Leg, Post, Quantity};
use vintem_core::ledger::{account, asset};
use vintem_core::look_ups::AllLookUps;

/// A ledger over a test's store, as one process would run it.
pub struct Book {
    /// The service.
    pub ledger: Ledger,
    /// Who acts.
    pub actor: Actor,
}

impl Book {
    /// One more process on the store, for its one tenant.
    pub fn open(store: &Store) -> Self {
        Self::with_limits(store, Limits::default())
    }

    /// The same with bounds of one's own.
    pub fn with_limits(store: &Store, limits: Limits) -> Self {
        let shard = Shard::start(0, store.writer(), Arc::new(AllLookUps), limits);
        let ledger = Ledger::new(store.pool("vintem_reader"), HashMap::from([(0, shard)]), 100_000);
        let origin = Origin { tenant: Uuid::from_u128(1), actor: "test".into(), correlation: None };
        Self { ledger, actor: Actor { shard: 0, origin } }
    }

    /// Does one command without a key.
    pub async fn does(&self, command: Command) -> Result<Outcome, LedgerError> {
        let mut outcomes = self.does_all(vec![command.into()], None).await?;
        Ok(outcomes.remove(0))
    }

    /// Does commands in one request.
    pub async fn does_all(&self, commands: Vec<Grouped>, key: Option<RequestKey>) -> Result<Vec<Outcome>, LedgerError> {
        match self.submits(commands, key).await? {
            Disposed::Done(done, _) => Ok(done.outcomes),
            other => panic!("expected a first answer, found {other:?}"),
        }
    }

    /// Hands commands in and answers the writer's word as it is.
    pub async fn submits(&self, commands: Vec<Grouped>, key: Option<RequestKey>) -> Result<Disposed, LedgerError> {
        let is_batch = commands.len() > 1;
        let request =
            WriteRequest { key, commands, is_batch, render: Arc::new(|done, _| plain_answer(&done.outcomes)) };
        self.ledger.execute(&self.actor, &request).await.map(|executed| executed.disposed)
    }

    /// Registers BRL with two decimals.
    pub async fn brl(self) -> Self {
        self.does(Command::Register(asset::Register { code: "BRL".into(), scale: 2, description: None }))
            .await
            .unwrap();
        self
    }

    /// Opens an account in BRL.
    pub async fn account(&self, name: &str, normal_side: Side, min: Option<&str>) {
        let open = account::Open {
            fresh_id: fresh::new_id(),
            name: Some(name.into()),
            asset: "BRL".into(),
            normal_side,
            min_balance: min.map(Into::into),
            max_balance: None,
            metadata: Metadata::new(),
        };
        assert!(matches!(self.does(Command::Open(open)).await.unwrap(), Outcome::Applied(_)));
    }

    /// Tries to move money until there is a definite answer: what became of it.
    pub async fn moves(&self, from: &str, to: &str, amount: &str) -> Result<(), RefusalCode> {
        match self.does(transfer(from, to, amount)).await.unwrap() {
            Outcome::Refused(refusal) => Err(refusal.code),
            _ => Ok(()),
        }
    }
}

/// A command that moves money between two named accounts in BRL.
pub fn transfer(from: &str, to: &str, amount: &str) -> Command {
    let leg = |account: &str, direction| Leg {
        account: AccountRef::Name(account.into()),
        direction,
        quantity: Quantity::Exact(amount.into()),
        asset: "BRL".into(),
        expect: None,
    };
    Command::Post(Post {
        id: ChosenId { id: fresh::new_id(), is_callers: false },
        legs: vec![leg(from, Side::Debit), leg(to, Side::Credit)],
        pointers: vintem_core::event_store::proposal::Pointers::FromTo,
        effective_at: None,
        description: None,
        metadata: Metadata::new(),
    })
}

/// A command that holds money back, in BRL.
pub fn hold(id: Uuid, from: &str, amount: &str, expires_at: Instant) -> Command {
    let leg = Leg {
        account: AccountRef::Name(from.into()),
        direction: Side::Debit,
        quantity: Quantity::Exact(amount.into()),
        asset: "BRL".into(),
        expect: None,
    };
    Command::Place(Place {
        id: ChosenId { id, is_callers: true },
        legs: vec![leg],
        pointers: vintem_core::event_store::proposal::Pointers::FromTo,
        expires_at,
        over_capture_percent: 0,
        description: None,
        metadata: Metadata::new(),
    })
}

/// A key of the test's principal; the fingerprint stands for the body.
pub fn key(text: &str, body: u8) -> RequestKey {
    RequestKey { principal: Uuid::from_u128(2), key: text.into(), fingerprint: [body; 32] }
}

/// Whether an error is the writer's word that it could not take the request.
pub fn is_write_error(error: &LedgerError, expected: WriteError) -> bool {
    matches!(error, LedgerError::Write(found) if *found == expected)
}

/// An answer with just enough in it to tell two apart.
fn plain_answer(outcomes: &[Outcome]) -> Answer {
    let code = outcomes.iter().find_map(|o| if let Outcome::Refused(refusal) = o { Some(refusal.code) } else { None });
    let positions: Vec<i64> = outcomes
        .iter()
        .flat_map(|o| {
            if let Outcome::Applied(applied) = o { applied.events.iter().map(|e| e.position).collect() } else { vec![] }
        })
        .collect();
    Answer {
        status: if code.is_some() { 422 } else { 201 },
        code,
        body: StoredBody::Whole(format!("{positions:?}").into_bytes()),
    }
}

/// The invariants, directly in SQL: independent of the product's own `verify`.
#[expect(clippy::disallowed_methods, reason = "independent of the product on purpose")]
pub async fn check_invariants(session: &mut PgConnection) {
    // Fresh tables have no statistics, and these checks join whole tables.
    sqlx::raw_sql("ANALYZE; SET enable_nestloop = off").execute(&mut *session).await.unwrap();
    for (what, sql) in INVARIANTS {
        let broken: Option<String> = sqlx::query_scalar(sql).fetch_optional(&mut *session).await.unwrap().flatten();
        assert_eq!(broken, None, "{what}");
    }
}

const INVARIANTS: &[(&str, &str)] = &[
    (
        "the ledger balances per asset",
        "SELECT asset || ' ' || sum(CASE normal_side WHEN 'debit' THEN e.posted ELSE -e.posted END)
         FROM account a CROSS JOIN LATERAL (SELECT posted FROM entry WHERE entry.shard = a.shard AND entry.account = a.account ORDER BY version DESC LIMIT 1) e
         GROUP BY asset HAVING sum(CASE normal_side WHEN 'debit' THEN e.posted ELSE -e.posted END) <> 0",
    ),
    (
        "every balance follows from the one before",
        "SELECT account || '/' || version FROM (
             SELECT account, version, posted, amount, lag(posted, 1, 0::bigint) OVER w AS before, lag(version, 1, 0::bigint) OVER w AS previous, lag(position, 1, 0::bigint) OVER w AS earlier, position
             FROM entry WINDOW w AS (PARTITION BY shard, account ORDER BY version)) steps
         WHERE posted <> before + amount OR version <> previous + 1 OR position <= earlier LIMIT 1",
    ),
    (
        "entries are the moves of the events",
        "SELECT e.position || ' ' || a.id FROM event e
         CROSS JOIN LATERAL json_array_elements(coalesce(e.payload -> 'moves', '[]')) AS leg
         JOIN account a ON a.shard = e.shard AND a.id = (leg ->> 0)::uuid
         LEFT JOIN entry n ON n.shard = e.shard AND n.account = a.account AND n.position = e.position AND n.amount = (leg ->> 1)::bigint
         WHERE n.version IS NULL LIMIT 1",
    ),
    (
        "there is no entry without a move",
        "SELECT 'entries ' || (SELECT count(*) FROM entry) || ' moves ' || (SELECT coalesce(sum(json_array_length(payload -> 'moves')), 0) FROM event WHERE payload -> 'moves' IS NOT NULL)
         WHERE (SELECT count(*) FROM entry) <> (SELECT coalesce(sum(json_array_length(payload -> 'moves')), 0) FROM event WHERE payload -> 'moves' IS NOT NULL)",
    ),
    (
        "no movement crosses a minimum",
        "SELECT a.name || ' at ' || n.version FROM account a JOIN (
             SELECT shard, account, version, posted - held AS available, lag(posted - held, 1, 0::bigint) OVER (PARTITION BY shard, account ORDER BY version) AS before FROM entry) n
         ON n.shard = a.shard AND n.account = a.account
         WHERE a.settings_version = 1 AND a.min_balance IS NOT NULL AND n.available < a.min_balance AND n.available < n.before LIMIT 1",
    ),
    (
        "positions are gap-free",
        "SELECT shard || ': ' || count(*) || ' of ' || max(position) FROM event GROUP BY shard HAVING count(*) <> max(position)",
    ),
    (
        "batches follow each other",
        "SELECT shard || '/' || seq FROM (SELECT shard, seq, first_position, last_position, recorded_at, lag(seq, 1, 0::bigint) OVER w AS previous,
             lag(last_position, 1, 0::bigint) OVER w AS before, lag(recorded_at, 1, recorded_at) OVER w AS earlier FROM batch WINDOW w AS (PARTITION BY shard ORDER BY seq)) b
         WHERE seq <> previous + 1 OR first_position <> before + 1 OR recorded_at < earlier LIMIT 1",
    ),
    (
        "no more is refunded than was captured",
        "SELECT stream::text FROM event WHERE kind IN ('charge.captured', 'refund.succeeded') GROUP BY stream
         HAVING sum((payload ->> 'amount')::bigint * CASE kind WHEN 'charge.captured' THEN 1 ELSE -1 END) < 0 LIMIT 1",
    ),
    (
        "a charge that is captured or ended holds nothing",
        "SELECT o.hold::text FROM open_hold o JOIN event placed ON placed.shard = o.shard AND placed.stream = o.hold AND placed.version = 1
         JOIN charge c ON c.shard = o.shard AND c.id = (placed.payload ->> 'payment')::uuid WHERE c.status <> 'authorised' LIMIT 1",
    ),
    (
        "streams are contiguous",
        "SELECT stream::text FROM event GROUP BY shard, stream HAVING count(*) <> max(version) LIMIT 1",
    ),
];
