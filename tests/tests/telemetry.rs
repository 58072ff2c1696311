//! The export of spans, against a collector of a few lines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;
use tracing::info_span;
use vintem_core::secrets::TelemetrySettings;
use vintem_core::telemetry::{self, TraceId};

/// Answers one export and hands on its request line and body.
fn collect(listener: &TcpListener) -> (String, Vec<u8>) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    reader.read_line(&mut request).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    (request, body)
}

#[tokio::test]
async fn spans_reach_the_collector_below_the_callers_trace() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || sender.send(collect(&listener)));
    let settings = TelemetrySettings { log: "info".to_owned(), otlp_endpoint: Some(endpoint) };
    let guard = telemetry::init(&settings, "vintem-test").unwrap();

    let span = info_span!("ledger.post_transaction");
    let trace = TraceId::adopt(&span, Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    assert_eq!(trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    let first = info_span!("ledger.read_balance");
    let own = TraceId::adopt(&first, None);
    drop((span.entered(), first.entered()));
    drop(guard);

    let (request, body) = received.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(request.starts_with("POST /v1/traces "), "{request}");
    let holds = |needle: &[u8]| body.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"ledger.post_transaction") && holds(b"vintem-test"));
    assert!(holds(&u128::from_str_radix(&trace.to_string(), 16).unwrap().to_be_bytes()));
    assert!(
        holds(&u128::from_str_radix(&own.to_string(), 16).unwrap().to_be_bytes()),
        "a new trace is named by its own id"
    );
    assert!(telemetry::init(&settings, "vintem-test").is_err(), "once per process");
}
