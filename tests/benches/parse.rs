//! What reading a body costs, for a batch of a thousand transfers: its canonical form with the fingerprint, and its
//! typed value. Run with `cargo bench --workspace --bench parse`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use vintem_api::canonical::canonical;
use vintem_api::ledger::batches::BatchInput;
use vintem_core::kernel::fingerprint::fingerprint;

fn body() -> Vec<u8> {
    let amount = json!({ "amount": "12.50", "asset": "BRL" });
    let item = |number: u32| {
        let (from, to) = (format!("citizen:{number:07}"), format!("citizen:{:07}", number + 1));
        json!({ "transaction": { "from": from, "to": to, "amount": amount } })
    };
    serde_json::to_vec(&json!({ "items": (0..1_000).map(item).collect::<Vec<_>>() })).unwrap()
}

fn benchmarks(criterion: &mut Criterion) {
    let body = body();
    let mut group = criterion.benchmark_group("a body of 1000 transfers");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("canonical form", |bencher| bencher.iter(|| canonical(black_box(&body)).is_ok()));
    let text = canonical(&body).ok().unwrap();
    group.bench_function("fingerprint", |bencher| {
        bencher.iter(|| fingerprint("POST", "/v1/batches", black_box(&text)));
    });
    group.bench_function("typed value", |bencher| {
        bencher.iter(|| serde_json::from_slice::<BatchInput>(black_box(&body)).unwrap());
    });
    group.finish();
}

criterion_group!(parse, benchmarks);
criterion_main!(parse);
