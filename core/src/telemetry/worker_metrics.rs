//! The counters of a worker.

use std::time::Duration;

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::metrics::{counters, encode, gauge_value, gauges, note_start, register};
use super::webhook_metrics::WebhookMetrics;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishResult {
    /// The broker has it.
    Confirmed,
    /// No queue has it.
    Unroutable,
    /// Unknown or refused; it is published again.
    Failed,
}

impl PublishResult {
    fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unroutable => "unroutable",
            Self::Failed => "failed",
        }
    }
}

/// Every metric of a worker.
#[derive(Debug)]
pub struct WorkerMetrics {
    /// Those of webhooks.
    pub webhooks: WebhookMetrics,
    registry: Registry,
    relay_lag: IntGaugeVec,
    relay_oldest: IntGaugeVec,
    relay_owner: IntGaugeVec,
    relay_forked: IntGaugeVec,
    relay_events: IntCounterVec,
    relay_messages: IntCounterVec,
    projector_position: IntGaugeVec,
    projector_lag: IntGaugeVec,
    projector_age: IntGaugeVec,
    projector_parked: IntGaugeVec,
    projector_messages: IntCounterVec,
    projector_redeliveries: IntCounterVec,
    integrators: SubscriptionMetrics,
    drift: DriftMetrics,
    connected: IntGaugeVec,
    lease_ttl: IntGaugeVec,
    token_ttl: IntGauge,
}

/// Those of the integrators' publishers.
#[derive(Debug)]
struct SubscriptionMetrics {
    full: IntGaugeVec,
    lag: IntGaugeVec,
    oldest: IntGaugeVec,
    messages: IntCounterVec,
}

impl SubscriptionMetrics {
    fn new(registry: &Registry) -> Self {
        let shard: &[&str] = &["subscription", "shard"];
        Self {
            full: gauges(
                registry,
                "subscription_full",
                "1 while a subscription's queue takes no more events",
                &["subscription"],
            ),
            lag: gauges(
                registry,
                "subscription_lag_events",
                "Events recorded and not yet published to a subscription",
                shard,
            ),
            oldest: gauges(
                registry,
                "subscription_oldest_unpublished_milliseconds",
                "Age of the oldest of them, 0 when there is none",
                shard,
            ),
            messages: counters(
                registry,
                "subscription_messages_total",
                "Events published to a subscription, by what became of them",
                &["subscription", "result"],
            ),
        }
    }
}

/// Those of the drift checks.
#[derive(Debug)]
struct DriftMetrics {
    checked: IntCounterVec,
    found: IntCounterVec,
}

impl DriftMetrics {
    fn new(registry: &Registry) -> Self {
        Self {
            checked: counters(
                registry,
                "drift_checked_total",
                "Rows that were held against the log",
                &["check", "shard"],
            ),
            found: counters(
                registry,
                "drift_found_total",
                "Those of them that are not what the log says",
                &["check", "shard"],
            ),
        }
    }
}

impl WorkerMetrics {
    /// A registry of its own with every metric at zero.
    pub fn new() -> Self {
        let registry = Registry::new();
        let shard: &[&str] = &["shard"];
        let view: &[&str] = &["projection", "shard"];
        let metrics = Self {
            webhooks: WebhookMetrics::new(&registry),
            relay_lag: gauges(&registry, "relay_lag_events", "Events recorded and not yet published", shard),
            relay_oldest: gauges(
                &registry,
                "relay_oldest_unpublished_milliseconds",
                "Age of the oldest event that is not published, 0 when there is none",
                shard,
            ),
            relay_owner: gauges(&registry, "relay_owner", "1 while this process relays the shard", shard),
            relay_forked: gauges(
                &registry,
                "relay_forked",
                "1 while the log lacks the batch that the relay stands at",
                shard,
            ),
            relay_events: counters(&registry, "relay_events_total", "Events published and confirmed", shard),
            relay_messages: counters(
                &registry,
                "relay_messages_total",
                "Messages published, by what became of them",
                &["shard", "result"],
            ),
            projector_position: gauges(&registry, "projector_position", "Where a projection stands", view),
            projector_lag: gauges(
                &registry,
                "projector_lag_events",
                "Events recorded and not yet folded into a projection",
                view,
            ),
            projector_age: gauges(
                &registry,
                "projector_lag_milliseconds",
                "Age of the oldest of them, 0 when there is none",
                view,
            ),
            projector_parked: gauges(&registry, "projector_parked", "1 while a projection's shard is parked", view),
            projector_messages: counters(&registry, "projector_messages_total", "Messages worked off", view),
            projector_redeliveries: counters(
                &registry,
                "projector_redeliveries_total",
                "Messages that had been given to a consumer before",
                view,
            ),
            integrators: SubscriptionMetrics::new(&registry),
            drift: DriftMetrics::new(&registry),
            connected: gauges(&registry, "broker_connections", "Connections to the broker", &["role"]),
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

    /// How far a shard's relay is behind.
    pub fn relay_lag(&self, shard: i16, events: i64, oldest: Duration) {
        let shard = shard.to_string();
        self.relay_lag.with_label_values(&[shard.as_str()]).set(events);
        self.relay_oldest.with_label_values(&[shard.as_str()]).set(gauge_value(oldest.as_millis()));
    }

    /// Whether this process is the shard's relay.
    pub fn relay_owner(&self, shard: i16, is_owner: bool) {
        self.relay_owner.with_label_values(&[shard.to_string().as_str()]).set(i64::from(is_owner));
    }

    /// Whether the log lacks the batch that the relay stands at.
    pub fn relay_forked(&self, shard: i16, is_forked: bool) {
        self.relay_forked.with_label_values(&[shard.to_string().as_str()]).set(i64::from(is_forked));
    }

    /// Messages with the same fate.
    pub fn relay_messages(&self, shard: i16, result: PublishResult, count: usize) {
        let labels = [shard.to_string(), result.as_str().to_owned()];
        self.relay_messages.with_label_values(&labels).inc_by(u64::try_from(count).unwrap_or(0));
    }

    /// Events that are published for good.
    pub fn relay_events(&self, shard: i16, count: i64) {
        let counter = self.relay_events.with_label_values(&[shard.to_string().as_str()]);
        counter.inc_by(u64::try_from(count).unwrap_or(0));
    }

    /// Where a projection stands, and whether it stands still.
    pub fn projector(&self, projection: &str, shard: i16, position: Option<i64>, is_parked: bool) {
        let labels = [projection.to_owned(), shard.to_string()];
        if let Some(position) = position {
            self.projector_position.with_label_values(&labels).set(position);
        }
        self.projector_parked.with_label_values(&labels).set(i64::from(is_parked));
    }

    /// How far a projection is behind.
    pub fn projector_lag(&self, projection: &str, shard: i16, events: i64, oldest: Duration) {
        let labels = [projection.to_owned(), shard.to_string()];
        self.projector_lag.with_label_values(&labels).set(events);
        self.projector_age.with_label_values(&labels).set(gauge_value(oldest.as_millis()));
    }

    /// Messages worked off, and how many of them had been given out before.
    pub fn projector_messages(&self, projection: &str, shard: i16, count: usize, redelivered: usize) {
        let labels = [projection.to_owned(), shard.to_string()];
        let number = |count: usize| u64::try_from(count).unwrap_or(0);
        self.projector_messages.with_label_values(&labels).inc_by(number(count));
        self.projector_redeliveries.with_label_values(&labels).inc_by(number(redelivered));
    }

    /// Whether a subscription's queue is full; answers whether it has just become so.
    pub fn subscription_full(&self, subscription: &str, is_full: bool) -> bool {
        let gauge = self.integrators.full.with_label_values(&[subscription]);
        let was_full = gauge.get() == 1;
        gauge.set(i64::from(is_full));
        is_full && !was_full
    }

    /// How far a subscription is behind.
    pub fn subscription_lag(&self, subscription: &str, shard: i16, events: i64, oldest: Duration) {
        let labels = [subscription.to_owned(), shard.to_string()];
        self.integrators.lag.with_label_values(&labels).set(events);
        self.integrators.oldest.with_label_values(&labels).set(gauge_value(oldest.as_millis()));
    }

    /// Events with the same fate.
    pub fn subscription_messages(&self, subscription: &str, result: PublishResult, count: usize) {
        let counter = self.integrators.messages.with_label_values(&[subscription, result.as_str()]);
        counter.inc_by(u64::try_from(count).unwrap_or(0));
    }

    /// A subscription was taken down: its queue is not full any more.
    pub fn subscription_gone(&self, subscription: &str) {
        // Without a gauge there is nothing to remove.
        let _ = self.integrators.full.remove_label_values(&[subscription]);
    }

    /// Rows that were held against the log, and how many were not what it says.
    pub fn drift(&self, check: &str, shard: i16, checked: u64, found: usize) {
        let labels = [check.to_owned(), shard.to_string()];
        self.drift.checked.with_label_values(&labels).inc_by(checked);
        self.drift.found.with_label_values(&labels).inc_by(u64::try_from(found).unwrap_or(0));
    }

    /// A connection to the broker was made (+1) or given up (−1).
    pub fn connections(&self, role: &str, change: i64) {
        self.connected.with_label_values(&[role]).add(change);
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

impl Default for WorkerMetrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_printed_under_its_name() {
        let metrics = WorkerMetrics::new();
        metrics.relay_lag(0, 12, Duration::from_millis(1_500));
        metrics.relay_owner(0, true);
        metrics.relay_forked(0, false);
        metrics.relay_messages(0, PublishResult::Confirmed, 3);
        metrics.relay_events(0, 900);
        metrics.projector("volume", 0, Some(888), false);
        metrics.projector_messages("volume", 0, 3, 1);
        metrics.projector_lag("volume", 0, 5, Duration::from_millis(20));
        assert!(metrics.subscription_full("mail", true) && !metrics.subscription_full("mail", true));
        metrics.subscription_lag("mail", 0, 7, Duration::from_secs(2));
        metrics.subscription_messages("mail", PublishResult::Failed, 5);
        metrics.drift("entries", 0, 900, 1);
        metrics.connections("relay", 1);
        metrics.lease_ttl("relay", Duration::from_mins(1));
        metrics.token_ttl(Duration::from_secs(90));
        let text = metrics.encode();
        for line in [
            r#"relay_lag_events{shard="0"} 12"#,
            r#"relay_oldest_unpublished_milliseconds{shard="0"} 1500"#,
            r#"relay_owner{shard="0"} 1"#,
            r#"relay_forked{shard="0"} 0"#,
            r#"relay_messages_total{result="confirmed",shard="0"} 3"#,
            r#"relay_events_total{shard="0"} 900"#,
            r#"projector_position{projection="volume",shard="0"} 888"#,
            r#"projector_lag_events{projection="volume",shard="0"} 5"#,
            r#"projector_lag_milliseconds{projection="volume",shard="0"} 20"#,
            r#"projector_parked{projection="volume",shard="0"} 0"#,
            r#"projector_messages_total{projection="volume",shard="0"} 3"#,
            r#"projector_redeliveries_total{projection="volume",shard="0"} 1"#,
            r#"subscription_full{subscription="mail"} 1"#,
            r#"subscription_lag_events{shard="0",subscription="mail"} 7"#,
            r#"subscription_oldest_unpublished_milliseconds{shard="0",subscription="mail"} 2000"#,
            r#"subscription_messages_total{result="failed",subscription="mail"} 5"#,
            r#"drift_checked_total{check="entries",shard="0"} 900"#,
            r#"drift_found_total{check="entries",shard="0"} 1"#,
            r#"broker_connections{role="relay"} 1"#,
            r#"vault_lease_ttl_seconds{role="relay"} 60"#,
            "vault_token_ttl_seconds 90",
            "process_start_time_seconds",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
