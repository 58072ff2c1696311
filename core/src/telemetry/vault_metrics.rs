//! The counters of calls to Vault, which whoever makes the calls keeps.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::metrics::{SECONDS, counters, encode, gauges, histogram, register};

/// Every metric of the door to Vault.
#[derive(Debug)]
pub struct VaultMetrics {
    registry: Registry,
    calls: IntCounterVec,
    seconds: HistogramVec,
    serves: IntGauge,
    certificates: IntGaugeVec,
}

impl VaultMetrics {
    /// A registry of its own: its text is added to the process's.
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            calls: counters(&registry, "vault_calls_total", "Calls to Vault, by outcome", &["call", "outcome"]),
            seconds: histogram(&registry, "vault_call_seconds", "Time of one call to Vault", &["call"], &SECONDS),
            serves: register(&registry, IntGauge::new("vault_serves", "0 while calls to Vault fail at once")),
            certificates: gauges(
                &registry,
                "certificate_ends_seconds",
                "When the certificate in use ends, in seconds since 1970",
                &["service"],
            ),
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

    /// When the certificate that a service shows ends. It is replaced when a third of its life is left, so one that ends
    /// within a quarter of it was not.
    pub fn certificate_ends(&self, service: &str, seconds: i64) {
        self.certificates.with_label_values(&[service]).set(seconds);
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
        metrics.certificate_ends("api", 1_800_000_000);
        let text = metrics.encode();
        for line in [
            r#"vault_calls_total{call="database/creds",outcome="ok"} 1"#,
            r#"vault_calls_total{call="transit/encrypt",outcome="spared"} 1"#,
            r#"vault_call_seconds_count{call="database/creds"} 1"#,
            "vault_serves 0",
            r#"certificate_ends_seconds{service="api"} 1800000000"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
