//! Where the API is and who calls it: the options that all commands of the HTTP API share.

use std::io::Read as _;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::ClientError;

/// Connections kept open; also the most requests that a command sends at once.
pub const MOST_IN_FLIGHT: usize = 64;

/// How to reach the API. `cargo dev up` prints the values for the development stack.
#[derive(Debug, Clone, clap::Args)]
pub struct Connection {
    /// Base URL of the API, such as `https://ledger.example`.
    #[arg(long, env = "VINTEM_URL")]
    pub url: Option<String>,
    /// PEM file of the certificate authority to trust instead of the system's.
    #[arg(long, env = "VINTEM_CA")]
    pub ca: Option<PathBuf>,
    /// The service client to act as.
    #[arg(long, env = "VINTEM_CLIENT_ID")]
    pub client_id: Option<String>,
    /// A file (mode 0600) that holds the client's secret; `-` reads standard input.
    #[arg(long, env = "VINTEM_CLIENT_SECRET_FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// Key and certificate to show, as PEM, where the door itself is left out: only the stack's benchmark does that, and no option.
    #[arg(skip)]
    pub identity: Option<SecretString>,
}

/// An address in parts.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether it is reached over TLS.
    pub is_tls: bool,
    /// The authority to trust, as PEM.
    pub ca: Option<Vec<u8>>,
    /// Key and certificate to show, as PEM.
    pub identity: Option<SecretString>,
}

impl Connection {
    /// Where the API is, for who connects by itself (the benchmark).
    pub fn endpoint(&self) -> Result<Endpoint, ClientError> {
        let base = self.base_url()?;
        let url = reqwest::Url::parse(&base).map_err(|error| setup(format!("--url {base:?}: {error}")))?;
        let ca = self.ca.as_ref().map(|path| {
            std::fs::read(path).map_err(|error| setup(format!("cannot read --ca {}: {error}", path.display())))
        });
        Ok(Endpoint {
            host: url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default().unwrap_or(443),
            is_tls: url.scheme() == "https",
            ca: ca.transpose()?,
            identity: self.identity.clone(),
        })
    }

    pub(super) fn client_id(&self) -> Result<String, ClientError> {
        self.client_id.clone().ok_or_else(|| setup("--client-id (or VINTEM_CLIENT_ID) is missing: which client calls?"))
    }

    /// The base URL without its trailing slash. Tokens travel only over TLS or within this machine.
    pub(super) fn base_url(&self) -> Result<String, ClientError> {
        let url = self.url.as_deref().ok_or_else(|| setup("--url (or VINTEM_URL) is missing: which ledger?"))?;
        let base = url.trim_end_matches('/').to_owned();
        let parsed = reqwest::Url::parse(&base).map_err(|error| setup(format!("--url {base:?}: {error}")))?;
        let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match parsed.scheme() {
            "https" => Ok(base),
            "http" if local => Ok(base),
            _ => Err(setup(format!("--url {base:?}: only https, or http to this machine itself"))),
        }
    }

    /// A client of HTTP that trusts and shows what this connection says.
    pub fn http_client(&self, timeout: Duration) -> Result<reqwest::Client, ClientError> {
        let mut builder = reqwest::Client::builder()
            .http1_only()
            .timeout(timeout)
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(MOST_IN_FLIGHT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("vintem/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &self.ca {
            let pem =
                std::fs::read(path).map_err(|error| setup(format!("cannot read --ca {}: {error}", path.display())))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| setup(format!("--ca {} holds no certificate: {error}", path.display())))?;
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(pem) = &self.identity {
            let identity = reqwest::Identity::from_pem(pem.expose_secret().as_bytes());
            builder = builder.identity(identity.map_err(|error| setup(super::problem::chain(&error)))?);
        }
        builder.build().map_err(|error| setup(super::problem::chain(&error)))
    }

    /// The client's secret, from standard input or a file that nobody else can read.
    pub fn secret(&self) -> Result<SecretString, ClientError> {
        let Some(path) = &self.client_secret_file else {
            return Err(setup(
                "--client-secret-file (or VINTEM_CLIENT_SECRET_FILE) is missing: the file with the client's secret, or - for standard input",
            ));
        };
        let text = if path == Path::new("-") {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| setup(format!("cannot read the secret from standard input: {error}")))?;
            text
        } else {
            private_file(path)?
        };
        let secret = text.trim();
        if secret.is_empty() {
            return Err(setup("the client's secret is empty"));
        }
        Ok(SecretString::from(secret))
    }
}

fn private_file(path: &Path) -> Result<String, ClientError> {
    let failed = |error| setup(format!("cannot read the client's secret from {}: {error}", path.display()));
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(setup(format!("others can read {} (mode {:o}); set it to 0600", path.display(), mode & 0o777)));
    }
    std::fs::read_to_string(path).map_err(failed)
}

fn setup(what: impl Into<String>) -> ClientError {
    ClientError::Setup(what.into())
}
