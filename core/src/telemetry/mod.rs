//! What a process tells about itself: logs, spans, metrics; and the clock.
//!
//! Logs are JSON, one object a line, on standard error. Spans go to an OpenTelemetry collector
//! when one is configured. Metrics are kept in one typed struct and printed in Prometheus's text
//! form; there is no global registry, so two servers in one test do not count together.
//!
//! Nothing here decides anything about money, and nothing secret or personal may be put into a
//! field, a label or a span: labels are route templates and codes, never ids.

pub mod clock;
mod logs;
mod metrics;
mod trace;
mod vault_metrics;
mod webhook_metrics;
mod worker_metrics;

pub use logs::{TelemetryError, TelemetryGuard, init};
pub use metrics::{Metrics, ProposalResult};
pub use trace::TraceId;
pub use vault_metrics::VaultMetrics;
pub use webhook_metrics::WebhookMetrics;
pub use worker_metrics::{PublishResult, WorkerMetrics};
