//! The counters of calls to Vault, which whoever makes the calls keeps.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGauge, Registry};

use super::metrics::{SECONDS, counters, encode, histogram, register};

/// Every metric of the door to Vault.
#[derive(Debug)]
pub struct VaultMetrics {
    registry: Registry,
    calls: IntCounterVec,
    seconds: HistogramVec,
    serves: IntGauge,
}

impl VaultMetrics {
    /// A registry of its own: its text is added to the process's.
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            calls: counters(&registry, "vault_calls_total", "Calls to Vault, by outcome", &["call", "outcome"]),
            seconds: histogram(&registry, "vault_call_seconds", "Time of one call to Vault", &["call"], &SECONDS),
            serves: register(&registry, IntGauge::new("vault_serves", "0 while calls to Vault fail at once")),
            registry,
        };
        metrics.serves(true);
        metrics
    }

    /// A call that was made.
    pub fn made(&self, call: &str, outcome: &str, took: Duration) {
        self.calls.with_label_values(&[call, outcome]).inc();
        self.seconds.with_label_values(&[call]).observe(took.as_secs_f64());
    }

    /// A call that was not made, because the ones before it were in vain.
    pub fn spared(&self, call: &str) {
        self.calls.with_label_values(&[call, "spared"]).inc();
    }

    /// Whether calls are made.
    pub fn serves(&self, serves: bool) {
        self.serves.set(i64::from(serves));
    }

    /// Everything, in Prometheus's text form.
    pub fn encode(&self) -> String {
        encode(&self.registry)
    }
}

impl Default for VaultMetrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_printed_under_its_name() {
        let metrics = VaultMetrics::new();
        metrics.made("database/creds", "ok", Duration::from_millis(30));
        metrics.spared("transit/encrypt");
        metrics.serves(false);
        let text = metrics.encode();
        for line in [
            r#"vault_calls_total{call="database/creds",outcome="ok"} 1"#,
            r#"vault_calls_total{call="transit/encrypt",outcome="spared"} 1"#,
            r#"vault_call_seconds_count{call="database/creds"} 1"#,
            "vault_serves 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
