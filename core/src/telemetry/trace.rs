//! The trace id of a request: from its `traceparent` header, or new.
//!
//! Every request has one, with or without a collector, because problem documents and log lines
//! name it.

use std::fmt;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceState};
use opentelemetry::{Context, TraceId as OtelTraceId};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::secrets::random;

/// The 16 bytes that tie together everything about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(OtelTraceId);

impl TraceId {
    /// Gives the request's span its place: below the caller's span if the header names one, else
    /// as the first of a new trace.
    pub fn adopt(span: &Span, traceparent: Option<&str>) -> Self {
        if let Some(parent) = traceparent.and_then(parse) {
            let id = parent.trace_id();
            // Without a collector there is no layer that could take the parent; the id suffices.
            let _ = span.set_parent(Context::new().with_remote_span_context(parent));
            return Self(id);
        }
        let own = span.context().span().span_context().trace_id();
        if own == OtelTraceId::INVALID { Self(OtelTraceId::from_bytes(random::bytes())) } else { Self(own) }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Version 00 of W3C Trace Context: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, ids not zero.
/// Later versions may append members, which are ignored as the standard asks.
fn parse(header: &str) -> Option<SpanContext> {
    let mut parts = header.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, len| part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let well_formed = is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
    if !well_formed || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let trace = OtelTraceId::from_hex(trace).ok()?;
    let span = SpanId::from_hex(span).ok()?;
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_callers_trace_goes_on() {
        let id = TraceId::adopt(&Span::none(), Some(HEADER));
        assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(parse(HEADER).unwrap().is_sampled());
    }

    #[test]
    fn a_bad_header_starts_a_new_trace() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        let (one, two) = (TraceId::adopt(&Span::none(), None), TraceId::adopt(&Span::none(), Some("x")));
        assert_ne!(one, two);
        assert_eq!(one.to_string().len(), 32);
    }

    #[test]
    fn a_later_version_is_understood_as_far_as_we_know_it() {
        assert!(parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra").is_some());
    }
}
