//! Certificates of our own services and of terminals, from Vault's authority, as new as they have to be.
//!
//! A service makes its key itself, in memory, and asks Vault's intermediate to sign it ([`draft`]); the key never was anywhere
//! else. At two thirds of its life the certificate is replaced by one of another key ([`identity`]). Who lets services in
//! looks every half minute whom to believe and whom no longer ([`trust`]). A terminal makes its key likewise, and whoever knows it has
//! its [`request`] signed.
//!
//! Invariants:
//! - A certificate names its service in a URI ([`Service::uri`]), which only that service's role in Vault grants. Host
//!   names tell where somebody is, and several services share a host; the URI tells who it is.
//! - With Vault away, the certificate in memory goes on until its end, and so does the list of revoked ones.
//!
//! Absent on purpose: keys made by Vault, which would travel; a service's certificate that outlives three days.

mod calls;
mod certificate;
mod draft;
mod identity;
mod request;
mod trust;

pub use certificate::{Certificate, Facts, der};
pub use draft::{Draft, Signed};
pub use identity::Identity;
pub use request::{BadRequest, SigningRequest};
pub use trust::{Revoked, Trust};

/// A service of ours that shows certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The HTTP server.
    Api,
    /// The door before it.
    Nginx,
    /// The database.
    Postgres,
    /// The broker.
    Rabbitmq,
    /// Vault itself, whose certificate comes from the root: it cannot ask itself before it runs.
    Vault,
}

impl Service {
    /// All that Vault's intermediate signs for.
    pub const SIGNED: [Self; 4] = [Self::Api, Self::Nginx, Self::Postgres, Self::Rabbitmq];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Nginx => "nginx",
            Self::Postgres => "postgres",
            Self::Rabbitmq => "rabbitmq",
            Self::Vault => "vault",
        }
    }

    /// Its role in Vault's PKI.
    pub fn role(self) -> String {
        format!("service-{}", self.as_str())
    }

    /// Who it is, as its certificate says.
    pub fn uri(self) -> String {
        format!("urn:vintem:service:{}", self.as_str())
    }

    /// The host name that it bears everywhere, whatever its machine is called.
    pub fn host(self) -> String {
        format!("{}.vintem.internal", self.as_str())
    }

    /// Whether it also shows its certificate to servers.
    pub fn is_client(self) -> bool {
        self == Self::Nginx
    }
}
