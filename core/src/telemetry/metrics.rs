//! The counters of a process, each written by a method with a name.
//!
//! Label values are few and fixed (route templates, codes, shards, roles), so that the number of
//! series does not grow with use.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::{
    Encoder as _, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};

/// From a tenth of a millisecond (a cached read) to ten seconds (a bulk request on a busy day).
pub(super) const SECONDS: [f64; 16] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
const ITEMS: [f64; 12] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1_024.0, 4_096.0, 16_384.0];

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalResult {
    /// Its events are durable.
    Committed,
    /// The business said no, durably where it has a key.
    Refused,
    /// It was answered from an earlier record.
    Replayed,
    /// It lost against another writer and was decided again.
    Conflict,
    /// It failed: the database, the queue, the halt.
    Failed,
}

impl ProposalResult {
    fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Refused => "refused",
            Self::Replayed => "replayed",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
        }
    }
}

/// Every metric of a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    http: HistogramVec,
    proposals: IntCounterVec,
    append: HistogramVec,
    batch_size: HistogramVec,
    queue_depth: IntGaugeVec,
    writer: IntCounterVec,
    halted: IntGaugeVec,
    replays: IntCounter,
    password_hashes: IntCounter,
    rate_limited: IntCounterVec,
    messages: IntCounterVec,
    messages_waiting: IntGauge,
    pool: IntGaugeVec,
    lease_ttl: IntGaugeVec,
    token_ttl: IntGauge,
}

impl Metrics {
    /// A registry of its own with every metric at zero.
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            http: histogram(
                &registry,
                "http_server_request_duration_seconds",
                "Time from the first byte of a request to the last of its answer",
                &["method", "route", "status"],
                &SECONDS,
            ),
            proposals: counters(
                &registry,
                "ledger_proposals_total",
                "Proposals by shard and outcome",
                &["shard", "result"],
            ),
            append: histogram(
                &registry,
                "ledger_append_seconds",
                "Time of one append transaction, lock to commit",
                &["shard"],
                &SECONDS,
            ),
            batch_size: histogram(&registry, "ledger_batch_size", "Proposals in one append", &["shard"], &ITEMS),
            queue_depth: gauges(&registry, "ledger_queue_depth", "Proposals that wait for the writer", &["shard"]),
            writer: counters(
                &registry,
                "ledger_writer_microseconds_total",
                "What the shard's writer did with its time",
                &["shard", "phase"],
            ),
            halted: gauges(&registry, "ledger_halted", "1 while writes to the shard are halted", &["shard"]),
            replays: register(
                &registry,
                IntCounter::new("idempotency_replays_total", "Requests answered from their first answer"),
            ),
            password_hashes: register(
                &registry,
                IntCounter::new("staff_password_hashes_total", "Passwords that were hashed, of whatever outcome"),
            ),
            rate_limited: counters(
                &registry,
                "http_rate_limited_total",
                "Requests that came too often, by whose they are: principal, address",
                &["by"],
            ),
            messages: counters(
                &registry,
                "messages_total",
                "Messages to people, by what became of them: sent, failed, dropped",
                &["outcome"],
            ),
            messages_waiting: register(
                &registry,
                IntGauge::new("messages_waiting", "Messages to people that wait or are tried"),
            ),
            pool: gauges(&registry, "db_pool_connections", "Connections by role and state", &["role", "state"]),
            lease_ttl: gauges(&registry, "vault_lease_ttl_seconds", "Remaining life of the leased user", &["role"]),
            token_ttl: register(
                &registry,
                IntGauge::new("vault_token_ttl_seconds", "Remaining life of the Vault token"),
            ),
            registry,
        };
        note_start(&metrics.registry);
        metrics
    }

    /// One answered request. `route` is the template, such as `/v1/accounts/{id}`.
    pub fn http_request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let class = match status / 100 {
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            5 => "5xx",
            _ => "1xx",
        };
        self.http.with_label_values(&[method, route, class]).observe(took.as_secs_f64());
    }

    /// Proposals with the same outcome.
    pub fn proposals(&self, shard: i16, result: ProposalResult, count: u64) {
        self.proposals.with_label_values(&[shard.to_string().as_str(), result.as_str()]).inc_by(count);
    }

    /// One committed append.
    pub fn append(&self, shard: i16, proposals: u32, took: Duration) {
        let shard = shard.to_string();
        self.append.with_label_values(&[shard.as_str()]).observe(took.as_secs_f64());
        self.batch_size.with_label_values(&[shard.as_str()]).observe(f64::from(proposals));
    }

    /// How many proposals wait.
    pub fn queue_depth(&self, shard: i16, waiting: usize) {
        self.queue_depth.with_label_values(&[shard.to_string().as_str()]).set(gauge_value(waiting));
    }

    /// What a shard's writer has done with its time, taken when metrics are asked for.
    pub fn writer(&self, shard: i16, phase: &str, spent: Duration) {
        let counter = self.writer.with_label_values(&[shard.to_string().as_str(), phase]);
        let spent = u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
        counter.inc_by(spent.saturating_sub(counter.get()));
    }

    /// Whether the shard's writes are halted.
    pub fn halted(&self, shard: i16, halted: bool) {
        self.halted.with_label_values(&[shard.to_string().as_str()]).set(i64::from(halted));
    }

    /// A request answered from its record.
    pub fn idempotency_replay(&self) {
        self.replays.inc();
    }

    /// How many passwords were hashed, taken when metrics are asked for.
    pub fn password_hashes(&self, done: u64) {
        self.password_hashes.inc_by(done.saturating_sub(self.password_hashes.get()));
    }

    /// A request that came too often for its principal, or for its address.
    pub fn rate_limited(&self, by: &str) {
        self.rate_limited.with_label_values(&[by]).inc();
    }

    /// How many messages met that outcome, taken when metrics are asked for.
    pub fn messages(&self, outcome: &str, count: u64) {
        let counter = self.messages.with_label_values(&[outcome]);
        counter.inc_by(count.saturating_sub(counter.get()));
    }

    /// How many are not sent yet.
    pub fn messages_waiting(&self, count: u64) {
        self.messages_waiting.set(gauge_value(count));
    }

    /// The state of a pool, taken when metrics are asked for.
    pub fn pool(&self, role: &str, size: u32, idle: usize) {
        let size = i64::from(size);
        let idle = gauge_value(idle).min(size);
        self.pool.with_label_values(&[role, "idle"]).set(idle);
        self.pool.with_label_values(&[role, "used"]).set(size - idle);
    }

    /// The remaining life of a leased user.
    pub fn lease_ttl(&self, role: &str, remaining: Duration) {
        self.lease_ttl.with_label_values(&[role]).set(gauge_value(remaining.as_secs()));
    }

    /// The remaining life of the Vault token.
    pub fn token_ttl(&self, remaining: Duration) {
        self.token_ttl.set(gauge_value(remaining.as_secs()));
    }

    /// Everything, in Prometheus's text form.
    pub fn encode(&self) -> String {
        encode(&self.registry)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

pub(super) fn encode(registry: &Registry) -> String {
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text).expect("well-formed metrics are written to memory");
    String::from_utf8(text).expect("the text form is UTF-8")
}

pub(super) fn note_start(registry: &Registry) {
    let start = register(registry, IntGauge::new("process_start_time_seconds", "When the process began"));
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    start.set(gauge_value(since_epoch.as_secs()));
}

pub(super) fn gauge_value(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// Names are constants of this file, so a refusal is a defect that the first test finds.
pub(super) fn register<C: Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<C>) -> C {
    let metric = metric.expect("the metric is well-formed");
    registry.register(Box::new(metric.clone())).expect("the metric's name is its own");
    metric
}

pub(super) fn histogram(registry: &Registry, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
    register(registry, HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels))
}

pub(super) fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

pub(super) fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_printed_under_its_name() {
        let metrics = Metrics::new();
        metrics.http_request("POST", "/v1/transactions", 201, Duration::from_millis(3));
        metrics.proposals(1, ProposalResult::Committed, 5);
        metrics.append(1, 5, Duration::from_millis(2));
        metrics.queue_depth(1, 7);
        metrics.writer(1, "idle", Duration::from_micros(4));
        metrics.writer(1, "idle", Duration::from_micros(9));
        metrics.halted(1, false);
        metrics.idempotency_replay();
        metrics.password_hashes(3);
        metrics.rate_limited("address");
        metrics.messages("sent", 2);
        metrics.messages_waiting(1);
        metrics.pool("reader", 4, 3);
        metrics.lease_ttl("reader", Duration::from_mins(1));
        metrics.token_ttl(Duration::from_secs(90));
        let text = metrics.encode();
        for line in [
            r#"http_server_request_duration_seconds_count{method="POST",route="/v1/transactions",status="2xx"} 1"#,
            r#"ledger_proposals_total{result="committed",shard="1"} 5"#,
            r#"ledger_batch_size_sum{shard="1"} 5"#,
            r#"ledger_queue_depth{shard="1"} 7"#,
            r#"ledger_writer_microseconds_total{phase="idle",shard="1"} 9"#,
            r#"ledger_halted{shard="1"} 0"#,
            "idempotency_replays_total 1",
            "staff_password_hashes_total 3",
            r#"http_rate_limited_total{by="address"} 1"#,
            r#"messages_total{outcome="sent"} 2"#,
            "messages_waiting 1",
            r#"db_pool_connections{role="reader",state="used"} 1"#,
            r#"vault_lease_ttl_seconds{role="reader"} 60"#,
            "vault_token_ttl_seconds 90",
            "process_start_time_seconds",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
