//! An authority of a test's own, and a client that says how a handshake ended.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use vintem_cli::stack::{Stack, authority, pki};
use vintem_core::secrets::pki::{Certificate, Draft, Facts, Service, Signed};

/// Postgres wants to be asked whether it speaks TLS.
const POSTGRES_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// A server that refuses a certificate says so at once; one that waits for a request has let the client in.
const SILENCE: Duration = Duration::from_millis(500);

/// A root and an intermediate of a prefix.
pub struct Authority {
    prefix: String,
    /// The root's certificate, in a file that every user may read.
    pub root: PathBuf,
    folder: PathBuf,
}

impl Authority {
    /// Makes both; certificates of services live so long.
    pub async fn create(stack: &Stack, prefix: &str, life: Duration) -> Self {
        let vault = stack.vault().await.unwrap();
        let certificate = pki::root(vault, prefix).await.unwrap();
        pki::intermediate(vault, prefix, life).await.unwrap();
        let folder = stack.folder().path("private").join(format!("{prefix}authority"));
        std::fs::create_dir_all(&folder).unwrap();
        let root = folder.join("root.pem");
        std::fs::write(&root, certificate).unwrap();
        Self { prefix: prefix.to_owned(), root, folder }
    }

    /// A certificate of a service.
    pub async fn issue(&self, stack: &Stack, service: Service) -> Certificate {
        authority::issue(stack.vault().await.unwrap(), &self.prefix, service).await.unwrap()
    }

    /// The same by any role (`pki/sign/terminal`) and with any wishes, over the key of a service.
    pub async fn sign(&self, stack: &Stack, service: Service, by: &str, wishes: Value) -> Result<Certificate, String> {
        let draft = Draft::of(service, &[]).unwrap();
        let mut body = json!({ "csr": draft.request() });
        body.as_object_mut().unwrap().extend(wishes.as_object().unwrap().clone());
        let vault = stack.vault().await.unwrap();
        let answer = vault.write(&format!("{}{by}", self.prefix), body).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let member = |name: &str| answer["data"][name].as_str().unwrap().to_owned();
        let signed = Signed { certificate: member("certificate"), authorities: vec![member("issuing_ca")] };
        Ok(draft.complete(&signed).unwrap())
    }

    /// Removes both.
    pub async fn remove(self, stack: &Stack) {
        pki::remove(stack.vault().await.unwrap(), &self.prefix).await.unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }

    /// A client that trusts this authority's root, and perhaps shows a key and certificate.
    pub fn client(&self, identity: Option<&SecretString>) -> Visitor {
        Visitor::new(&[&self.root], identity)
    }
}

/// A client of TLS.
#[derive(Clone)]
pub struct Visitor(TlsConnector);

impl Visitor {
    /// That trusts the roots in these files.
    pub fn new(roots: &[&PathBuf], identity: Option<&SecretString>) -> Self {
        let mut trusted = RootCertStore::empty();
        for root in roots {
            trusted.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
        }
        let builder = ClientConfig::builder().with_root_certificates(trusted);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let pair = pair.expose_secret().as_bytes();
                let chain = CertificateDer::pem_slice_iter(pair).collect::<Result<_, _>>().unwrap();
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(pair).unwrap()).unwrap()
            }
        };
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// Asks for `/livez`: the status line, or why the handshake failed.
    pub async fn ask(&self, port: u16, host: &str) -> Result<String, String> {
        let mut stream = self.connect(port, host, false).await?;
        // TLS 1.3 lets the client end its half first: the server's word on its certificate comes after that.
        let mut answer = [0; 12];
        if let Ok(read) = timeout(SILENCE, stream.read(&mut answer)).await {
            return Err(read.map_or_else(|error| error.to_string(), |_| "closed without a word".to_owned()));
        }
        let request = format!("GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        stream.read_exact(&mut answer).await.map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// What the certificate says that a server shows.
    pub async fn shown(&self, port: u16, is_postgres: bool) -> Result<Facts, String> {
        let stream = self.connect(port, "localhost", is_postgres).await?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap();
        Ok(Facts::of_der(&certificates[0]).unwrap())
    }

    async fn connect(&self, port: u16, host: &str, is_postgres: bool) -> Result<TlsStream<TcpStream>, String> {
        let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())?;
        if is_postgres {
            tcp.write_all(&POSTGRES_TLS).await.map_err(|error| error.to_string())?;
            assert_eq!(tcp.read_u8().await.unwrap(), b'S', "Postgres speaks TLS");
        }
        let name = ServerName::try_from(host.to_owned()).unwrap();
        self.0.connect(name, tcp).await.map_err(|error| error.to_string())
    }
}
