//! The generator's own HTTP/1.1: one request at a time over one connection that stays open.
//!
//! It shares the machine with what it measures, so it does the least that is correct: one write, and
//! reads until the answer is whole. Redirects, compression and pools are absent.

use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::BenchError;
use crate::client::connection::Endpoint;

/// Enough for the head of every answer.
const HEADERS: usize = 32;
const FIRST_ROOM: usize = 16 * 1024;

/// Where requests go.
#[derive(Clone)]
pub struct Door {
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Door {
    /// The door at an address. Over TLS it needs the authority to trust.
    pub fn at(endpoint: Endpoint) -> Result<Self, BenchError> {
        let tls = if endpoint.is_tls { Some(tls(&endpoint)?) } else { None };
        Ok(Self { endpoint, tls })
    }

    /// As the `Host` header names it.
    pub fn host(&self) -> String {
        format!("{}:{}", self.endpoint.host, self.endpoint.port)
    }
}

fn tls(endpoint: &Endpoint) -> Result<(TlsConnector, ServerName<'static>), BenchError> {
    let unusable = |what: &dyn std::fmt::Display| BenchError::Tls(what.to_string());
    let pem = endpoint.ca.as_deref().ok_or_else(|| unusable(&"the benchmark needs --ca for https"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|error| unusable(&error))?).map_err(|error| unusable(&error))?;
    }
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|error| unusable(&error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots);
    let config = match &endpoint.identity {
        None => config.with_no_client_auth(),
        Some(pem) => {
            let pem = pem.expose_secret().as_bytes();
            let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>();
            let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| unusable(&error))?;
            config
                .with_client_auth_cert(chain.map_err(|error| unusable(&error))?, key)
                .map_err(|error| unusable(&error))?
        }
    };
    Ok((TlsConnector::from(Arc::new(config)), name))
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// One connection.
pub struct Wire {
    stream: Box<dyn Stream>,
    inbox: Vec<u8>,
}

/// An answer, as it lies in the connection's buffer.
#[derive(Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// The body as it came.
    pub body: &'a [u8],
}

impl Wire {
    /// Connects.
    pub async fn open(door: &Door) -> io::Result<Self> {
        let tcp = TcpStream::connect((door.endpoint.host.as_str(), door.endpoint.port)).await?;
        tcp.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match &door.tls {
            Some((connector, name)) => Box::new(connector.connect(name.clone(), tcp).await?),
            None => Box::new(tcp),
        };
        Ok(Self { stream, inbox: Vec::with_capacity(FIRST_ROOM) })
    }

    /// Sends a whole request and reads its whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.inbox.clear();
        let (status, start, length) = loop {
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = head(&self.inbox)? {
                break head;
            }
        };
        let end = start + length;
        self.inbox.reserve(end.saturating_sub(self.inbox.len()));
        while self.inbox.len() < end {
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Answer { status, body: &self.inbox[start..end] })
    }
}

/// Status, where the body begins, and how long it is; `None` while the head is not whole.
fn head(bytes: &[u8]) -> io::Result<Option<(u16, usize, usize)>> {
    let malformed = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| malformed(&error.to_string()))?;
    let httparse::Status::Complete(start) = parsed else { return Ok(None) };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok())
        .ok_or_else(|| malformed("an answer without its length"))?;
    Ok(Some((response.code.unwrap_or_default(), start, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 12\r\ncontent-type: application/json\r\n\r\n{\"a\":";
        assert_eq!(head(text).unwrap(), Some((201, text.len() - 5, 12)));
        assert_eq!(head(&text[..40]).unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
