//! Logs and the export of spans.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::secrets::TelemetrySettings;

/// Crates that stay quiet whatever the filter says. Those below Vault repeat our own errors in
/// words of theirs; those below the exporter would log about exporting, and export that.
const SILENCED: [&str; 6] =
    ["vaultrs=off", "rustify=off", "hyper_util=off", "reqwest=off", "h2=off", "opentelemetry_otlp=warn"];

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `VINTEM_LOG` is not a filter.
    #[error("VINTEM_LOG is not a filter such as info,vintem_core=debug")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The exporter could not be built.
    #[error("spans cannot be exported to OTEL_EXPORTER_OTLP_ENDPOINT")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    /// A process starts its telemetry once.
    #[error("telemetry was started before")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Sends what is still buffered when the process ends.
#[must_use = "dropping the guard ends the export of spans"]
pub struct TelemetryGuard(Option<SdkTracerProvider>);

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // A collector that is away must not hold up the end of the process.
            let _ = provider.shutdown_with_timeout(Duration::from_secs(2));
        }
    }
}

/// Starts logs, and spans if a collector is configured. `service` is the name in both.
pub fn init(settings: &TelemetrySettings, service: &'static str) -> Result<TelemetryGuard, TelemetryError> {
    let logs = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .with_filter(filter(&settings.log)?);
    let provider = settings.otlp_endpoint.as_deref().map(|endpoint| provider(endpoint, service)).transpose()?;
    let spans = match &provider {
        Some(provider) => {
            let tracer = provider.tracer(service);
            Some(tracing_opentelemetry::layer().with_tracer(tracer).with_filter(filter(&settings.log)?))
        }
        None => None,
    };
    tracing_subscriber::registry().with(logs).with(spans).try_init().map_err(TelemetryError::Twice)?;
    Ok(TelemetryGuard(provider))
}

fn filter(text: &str) -> Result<EnvFilter, TelemetryError> {
    let mut filter = EnvFilter::builder().parse(text).map_err(TelemetryError::Filter)?;
    for directive in SILENCED {
        filter = filter.add_directive(directive.parse().map_err(TelemetryError::Filter)?);
    }
    Ok(filter)
}

fn provider(endpoint: &str, service: &'static str) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(Duration::from_secs(5))
        .build()
        .map_err(TelemetryError::Exporter)?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(service).build())
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_silences_what_repeats_us() {
        let text = filter("debug").unwrap().to_string();
        assert!(text.contains("vaultrs=off") && text.contains("debug"), "{text}");
        assert!(filter("a=b=c").is_err());
    }
}
