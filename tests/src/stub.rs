//! A server that answers as a test tells it to, under a certificate of the stack's authority: a Vault on a bad day, or one
//! of another make whose answers were written down.

use secrecy::ExposeSecret;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use vintem_cli::stack::{Stack, authority};
use vintem_core::secrets::pki::Service;

/// What somebody wanted.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET`, `POST` …
    pub method: String,
    /// With a slash before it.
    pub path: String,
    /// `Null` without one.
    pub body: Value,
}

/// A running server; it ends with the test.
pub struct Stub {
    /// Where it listens.
    pub address: String,
    /// What it was asked, in order.
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    /// Begins to answer.
    pub async fn serve(stack: &Stack, answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let own = authority::issue(stack.vault().await.unwrap(), "", Service::Vault).await.unwrap();
        let certificates = CertificateDer::pem_slice_iter(own.chain.as_bytes()).collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(own.key.expose_secret().as_bytes()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
        let (acceptor, answer) = (TlsAcceptor::from(Arc::new(config)), Arc::new(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer, noted) = (acceptor.clone(), answer.clone(), noted.clone());
                tokio::spawn(async move {
                    // Whoever hangs up in the middle is not answered.
                    let _ = converse(acceptor, stream, &*answer, &noted).await;
                });
            }
        });
        Self { address, asked }
    }

    /// How often something was asked.
    pub fn count(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path.starts_with(path)).count()
    }
}

async fn converse(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    answer: &(impl Fn(&Asked) -> (u16, Value) + Sync),
    noted: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    loop {
        let Some(asked) = read(&mut stream).await? else { return Ok(()) };
        noted.lock().unwrap().push(asked.clone());
        let (status, body) = answer(&asked);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await?;
        stream.flush().await?;
    }
}

/// The next request of a connection; `None` at its end.
async fn read(stream: &mut (impl AsyncBufReadExt + AsyncReadExt + Unpin)) -> std::io::Result<Option<Asked>> {
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(Asked { method, path, body: serde_json::from_slice(&body).unwrap_or_default() }))
}
