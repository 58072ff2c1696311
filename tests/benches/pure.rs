//! What the pure parts of a write cost, for a thousand transfers at a time: resolve and decide, put on the overlay
//! (which writes the payload), hash into the chain; and what it costs to seal and open a field of a person, and to check a proof. Run with `cargo bench --workspace --bench pure`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use uuid::Uuid;
use vintem_core::access::{BoundToken, DpopProof, ProofKey, Proofs, Thumbprint};
use vintem_core::event_store::chain::{self, BatchHeader};
use vintem_core::event_store::overlay::{AccountState, Origin, Overlay, SCHEMA};
use vintem_core::event_store::proposal::{Pointers, Settings, Status};
use vintem_core::event_store::{Decision, Proposal};
use vintem_core::kernel::name::account_id;
use vintem_core::kernel::{Instant, Metadata, Minor};
use vintem_core::ledger::command::{Command, Loaded};
use vintem_core::ledger::known::{AccountRef, Identity, Known, Side};
use vintem_core::ledger::transaction::{ChosenId, Leg, Post, Quantity};
use vintem_core::secrets::people::{DataKey, Place};
use vintem_core::telemetry::clock;
use vintem_tests::device::Device;
use zeroize::Zeroizing;

const COUNT: u128 = 1_000;
const TENANT: Uuid = Uuid::from_u128(7);
const ASSET: &str = "BRL";

fn name(number: u128) -> String {
    format!("citizen:{number:07}")
}

/// The posting of one cent from an account to the next.
fn command(number: u128) -> Command {
    let leg = |number, direction| Leg {
        account: AccountRef::Name(name(number)),
        direction,
        quantity: Quantity::Exact("0.01".into()),
        asset: ASSET.into(),
        expect: None,
    };
    Command::Post(Post {
        id: ChosenId { id: Uuid::from_u128(1_000_000 + number), is_callers: false },
        legs: vec![leg(number, Side::Debit), leg((number + 1) % COUNT, Side::Credit)],
        pointers: Pointers::FromTo,
        effective_at: None,
        description: None,
        metadata: Metadata::new(),
    })
}

fn loaded() -> Loaded {
    let identity = |number: u128| Identity {
        id: account_id(TENANT, &name(number), ASSET),
        number: i64::try_from(number).unwrap() + 1,
        name: Some(name(number)),
        asset: ASSET.into(),
        scale: 2,
        normal_side: Side::Credit,
    };
    let accounts = (0..COUNT).map(identity).map(|identity| (identity.id, Arc::new(identity)));
    Loaded {
        known: Known { accounts: accounts.collect(), assets: HashMap::from([(ASSET.to_owned(), 2)]) },
        ..Loaded::default()
    }
}

fn proposals(loaded: &Loaded) -> Vec<Proposal> {
    let decide = |number| match command(number).decide(TENANT, loaded).unwrap() {
        Decision::Propose(proposal) => proposal,
        other => panic!("{other:?}"),
    };
    (0..COUNT).map(decide).collect()
}

fn overlay(loaded: &Loaded) -> Overlay {
    let settings = Settings {
        min_balance: None,
        max_balance: None,
        sends: true,
        receives: true,
        status: Status::Open,
        version: 1,
    };
    let state = |identity: &Identity| AccountState {
        number: identity.number,
        tenant: TENANT,
        scale: 2,
        settings,
        version: 1,
        posted: Minor::ZERO,
        held: Minor::ZERO,
        incoming: Minor::ZERO,
        position: identity.number,
    };
    let accounts = loaded.known.accounts.iter().map(|(id, identity)| (*id, state(identity))).collect();
    Overlay::new(now(), 1_000, accounts, HashMap::new())
}

fn now() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn origin() -> Origin {
    Origin { tenant: TENANT, actor: "client:00000000-0000-0000-0000-000000000001".into(), correlation: None }
}

fn fill(mut overlay: Overlay, origin: &Origin, proposals: &[Proposal]) -> Overlay {
    for proposal in proposals {
        overlay.propose(origin, proposal).unwrap();
    }
    overlay
}

fn benchmarks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("1000 transfers");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("parse amounts", |bencher| {
        bencher.iter(|| (0..COUNT).filter_map(|_| Minor::parse_amount(black_box("1234.56"), 2).ok()).count());
    });
    let (loaded, origin) = (loaded(), origin());
    let commands: Vec<Command> = (0..COUNT).map(command).collect();
    group.bench_function("decide", |bencher| {
        bencher.iter(|| commands.iter().filter(|command| command.decide(TENANT, black_box(&loaded)).is_ok()).count());
    });
    let proposals = proposals(&loaded);
    group.bench_function("encode", |bencher| {
        bencher.iter_batched(
            || overlay(&loaded),
            |overlay| fill(overlay, &origin, black_box(&proposals)),
            BatchSize::LargeInput,
        );
    });
    let filled = fill(overlay(&loaded), &origin, &proposals);
    let header = BatchHeader {
        shard: 0,
        seq: 1,
        epoch: 1,
        first_position: 1_001,
        last_position: 2_000,
        recorded_at: now(),
        flags: 0,
    };
    group.bench_function("chain", |bencher| {
        bencher.iter(|| {
            let events = filled.events.iter().map(|row| row.columns(SCHEMA, None));
            chain::tip(&chain::genesis(0), &header, black_box(events), Vec::new())
        });
    });
    group.finish();
}

/// Fields of people with their key at hand; the bar is 50,000 a second.
fn people(criterion: &mut Criterion) {
    let key = DataKey::new(Zeroizing::new([7; 32]));
    let place = Place { tenant: TENANT, stream: Uuid::from_u128(8), field: "name" };
    let sealed = key.seal(&place, "Ana Conceição d'Ávila".as_bytes());
    let mut group = criterion.benchmark_group("a field of a person");
    group.throughput(Throughput::Elements(1));
    group.bench_function("seal", |bencher| bencher.iter(|| key.seal(black_box(&place), "Ana Conceição".as_bytes())));
    group.bench_function("open", |bencher| bencher.iter(|| key.open(black_box(&place), &sealed).unwrap()));
    group.finish();
}

/// A proof of possession beside the bare check of its signature; the bar is 1.3 times that.
fn proofs(criterion: &mut Criterion) {
    const COUNT: usize = 200_000;
    let (device, address) = (Device::create(), "https://vintem.example/v1/transactions");
    let token = "a.b.c";
    // Each is good once, so there are more of them than a run checks.
    let mut made = Vec::with_capacity(COUNT);
    made.resize_with(COUNT, || device.proof("POST", address, Some(token)));
    let key = ProofKey::from_jwk(&device.jwk().to_string()).unwrap();
    let (signed, signature) = made[0].rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let proofs = Proofs::new("https://vintem.example");
    let digest = Thumbprint::of(token.as_bytes());
    let bound = BoundToken { key: key.thumbprint(), digest: digest.as_bytes() };
    let now = clock::now();
    let mut next = made.iter();
    let mut group = criterion.benchmark_group("a proof of a key");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    group.bench_function("bare signature", |bencher| {
        bencher.iter(|| assert!(key.has_signed(black_box(signed.as_bytes()), &signature)));
    });
    group.bench_function("whole proof", |bencher| {
        bencher.iter(|| {
            let text = next.next().unwrap();
            let proof = DpopProof { text, method: "POST", path: "/v1/transactions" };
            proofs.check(black_box(&proof), Some(bound), now).unwrap();
        });
    });
    group.finish();
}

criterion_group!(pure, benchmarks, people, proofs);
criterion_main!(pure);
