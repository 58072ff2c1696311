//! The counters of webhooks.

use std::time::Duration;

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::metrics::{counters, gauge_value, gauges, register};

/// Every metric of the role `webhooks`.
#[derive(Debug)]
pub struct WebhookMetrics {
    lag: IntGaugeVec,
    oldest_uncollected: IntGaugeVec,
    collected: IntCounterVec,
    attempts: IntCounterVec,
    due: IntGauge,
    oldest_due: IntGauge,
    in_flight: IntGauge,
}

impl WebhookMetrics {
    /// With every metric at zero.
    pub(super) fn new(registry: &Registry) -> Self {
        let shard: &[&str] = &["shard"];
        let gauge = |name: &str, help: &str| register(registry, IntGauge::new(name, help));
        Self {
            lag: gauges(registry, "webhook_lag_events", "Events recorded and not yet looked at for webhooks", shard),
            oldest_uncollected: gauges(
                registry,
                "webhook_oldest_uncollected_milliseconds",
                "Age of the oldest event that is not looked at, 0 when there is none",
                shard,
            ),
            collected: counters(registry, "webhook_deliveries_total", "Deliveries made of events", shard),
            attempts: counters(registry, "webhook_attempts_total", "Attempts, by what they met", &["outcome"]),
            due: gauge("webhook_due", "Deliveries that are due, at most 10,000 per endpoint"),
            oldest_due: gauge(
                "webhook_oldest_due_milliseconds",
                "For how long the oldest due delivery has been due, 0 when there is none",
            ),
            in_flight: gauge("webhook_in_flight", "Requests that this process has out"),
        }
    }

    /// How far a shard's log is ahead of the deliveries.
    pub fn lag(&self, shard: i16, events: i64, oldest: Duration) {
        let shard = shard.to_string();
        self.lag.with_label_values(&[shard.as_str()]).set(events);
        self.oldest_uncollected.with_label_values(&[shard.as_str()]).set(gauge_value(oldest.as_millis()));
    }

    /// Deliveries were made of events.
    pub fn collected(&self, shard: i16, count: u64) {
        self.collected.with_label_values(&[shard.to_string().as_str()]).inc_by(count);
    }

    /// An attempt ended.
    pub fn attempt(&self, outcome: &str) {
        self.attempts.with_label_values(&[outcome]).inc();
    }

    /// What waits in all of the database.
    pub fn due(&self, due: i64, oldest: Duration) {
        self.due.set(due);
        self.oldest_due.set(gauge_value(oldest.as_millis()));
    }

    /// How many requests are out.
    pub fn in_flight(&self, count: usize) {
        self.in_flight.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::super::metrics::encode;
    use super::*;

    #[test]
    fn every_metric_is_printed_under_its_name() {
        let registry = Registry::new();
        let metrics = WebhookMetrics::new(&registry);
        metrics.lag(0, 12, Duration::from_millis(1_500));
        metrics.collected(0, 3);
        metrics.attempt("delivered");
        metrics.due(2, Duration::from_secs(7));
        metrics.in_flight(1);
        let text = encode(&registry);
        for line in [
            r#"webhook_lag_events{shard="0"} 12"#,
            r#"webhook_oldest_uncollected_milliseconds{shard="0"} 1500"#,
            r#"webhook_deliveries_total{shard="0"} 3"#,
            r#"webhook_attempts_total{outcome="delivered"} 1"#,
            "webhook_due 2",
            "webhook_oldest_due_milliseconds 7000",
            "webhook_in_flight 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
