//! `/metrics`, `/livez` and `/readyz`, on the private port: three answers, for which no web framework is worth its weight.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::health::Health;

/// A request line and headers that are longer are nobody's we know.
const REQUEST_MAX: usize = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// What is printed at `/metrics`, made anew for each request.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Binds the port.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until the task is ended.
pub async fn serve(listener: TcpListener, metrics: Metrics, health: Health) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, mostly: a moment later there may be one.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (metrics, health) = (metrics.clone(), health.clone());
        tokio::spawn(async move { tokio::time::timeout(PATIENCE, answer(stream, metrics, health)).await });
    }
}

async fn answer(mut stream: TcpStream, metrics: Metrics, health: Health) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > REQUEST_MAX || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let (status, body) = respond(&request, &metrics, &health).await;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

async fn respond(request: &[u8], metrics: &Metrics, health: &Health) -> (&'static str, String) {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next()) {
        (Some(b"GET"), Some(b"/metrics")) => ("200 OK", metrics()),
        (Some(b"GET"), Some(b"/livez")) => ("200 OK", "alive\n".to_owned()),
        (Some(b"GET"), Some(b"/readyz")) => {
            let report = health.report().await;
            let status = if report.is_ready() { "200 OK" } else { "503 Service Unavailable" };
            (status, serde_json::to_string(&report).unwrap_or_default())
        }
        (Some(b"GET"), Some(_)) => ("404 Not Found", "there is nothing here\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET is known here\n".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn three_paths_are_known_and_one_method() {
        let metrics: Metrics = Arc::new(|| "counted 1\n".to_owned());
        for (line, status) in [
            ("GET /metrics", "200 OK"),
            ("GET /livez", "200 OK"),
            ("GET /readyz", "200 OK"),
            ("GET /", "404 Not Found"),
            ("POST /metrics", "405 Method Not Allowed"),
            ("hello", "405 Method Not Allowed"),
        ] {
            let request = format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(respond(request.as_bytes(), &metrics, &Health::default()).await.0, status, "{line}");
        }
    }
}
