//! The configuration of a process: typed, complete, and without a secret.
//!
//! `environment` reads it: a name that starts with `VINTEM_` and is not known stops the start, because a misspelt setting
//! that is silently ignored is found in production.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::environment::{Environment, OTLP, SettingsError};
use super::login::LoginMethod;
use super::mail::MailSettings;
use super::rates::RateSettings;
use super::transport::Transport;
use crate::kernel::Network;

/// Where Kubernetes puts the token of a pod's service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// Settings of the programs beside a command: one environment may serve them all.
const OTHERS: [&str; 23] = [
    "VINTEM_FUNDING",
    "VINTEM_LISTEN",
    "VINTEM_TLS",
    "VINTEM_METRICS_LISTEN",
    "VINTEM_ISSUER",
    "VINTEM_WEBHOOK_NETWORKS",
    "VINTEM_RATE_PRINCIPAL",
    "VINTEM_RATE_ADDRESS",
    "VINTEM_RATE_DEVICE",
    "VINTEM_RATE_EXEMPT",
    "VINTEM_SMTP",
    "VINTEM_SMTP_TLS",
    "VINTEM_SMTP_FROM",
    "VINTEM_SMS_GATEWAY",
    "VINTEM_BROKER_HOST",
    "VINTEM_BROKER_PORT",
    "VINTEM_BROKER_VIRTUAL_HOST",
    "VINTEM_BROKER_CA",
    "VINTEM_STACK_STATE",
    "VINTEM_URL",
    "VINTEM_CA",
    "VINTEM_CLIENT_ID",
    "VINTEM_CLIENT_SECRET_FILE",
];

/// Where Vault is, and who we are to it.
#[derive(Debug, Clone)]
pub struct VaultSettings {
    /// `VINTEM_VAULT_ADDR`: an `https` address.
    pub address: String,
    /// `VINTEM_VAULT_CA`: the PEM file of the authorities that may vouch for Vault; no other may.
    pub ca: PathBuf,
    /// `VINTEM_VAULT_ROLE`: our role, of the login method below.
    pub role: String,
    /// `VINTEM_VAULT_AUTH`: `approle`, or `kubernetes` in a cluster.
    pub login: LoginMethod,
    /// `VINTEM_VAULT_MOUNTS`: a prefix of the mounts, so that several systems can share a Vault.
    pub mount_prefix: String,
}

/// Where Postgres is. The user and its password are leased.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// `VINTEM_DATABASE_HOST`.
    pub host: String,
    /// `VINTEM_DATABASE_PORT`.
    pub port: u16,
    /// `VINTEM_DATABASE_NAME`.
    pub name: String,
    /// `VINTEM_DATABASE_CA`: the PEM file of the authority of the server's certificate.
    pub ca: PathBuf,
}

impl DatabaseSettings {
    /// The database of people's keys, where nothing else is said.
    #[must_use]
    pub fn keys(&self) -> Self {
        Self { name: format!("{}_keys", self.name), ..self.clone() }
    }
}

/// What the process tells about itself, and where to.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// `VINTEM_LOG`: a filter such as `info,vintem_core=debug`. A server tells more by default than a command.
    pub log: String,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: where spans go; none are kept without it.
    pub otlp_endpoint: Option<String>,
}

/// What every process needs.
#[derive(Debug, Clone)]
pub struct ProcessSettings {
    /// Vault.
    pub vault: VaultSettings,
    /// Postgres.
    pub database: DatabaseSettings,
    /// The database of people's keys: beside the other, or where `VINTEM_KEYS_HOST`, `_PORT`, `_NAME`, `_CA` say.
    pub keys: DatabaseSettings,
    /// Logs and spans.
    pub telemetry: TelemetrySettings,
}

/// What the HTTP server needs beyond that.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// `VINTEM_LISTEN`: where requests arrive.
    pub listen: SocketAddr,
    /// `VINTEM_TLS`: `mutual`, which is what nothing means, or `off`, which is refused for an address that others reach.
    pub transport: Transport,
    /// `VINTEM_METRICS_LISTEN`: the private port of `/metrics`.
    pub metrics_listen: SocketAddr,
    /// `VINTEM_ISSUER`: our public base URL, the `iss` of every token.
    pub issuer: String,
    /// `VINTEM_WEBHOOK_NETWORKS`: what webhooks may reach beside the public Internet, such as `127.0.0.0/8`; in
    /// production nothing.
    pub webhook_networks: Vec<Network>,
    /// How often requests may come.
    pub rates: RateSettings,
    /// How messages to people leave; none do where nothing is set.
    pub mail: Option<MailSettings>,
    /// `VINTEM_FUNDING`: `simulator`, where everybody's money comes in and goes out by play; in production nothing.
    pub is_funding_simulated: bool,
    /// `VINTEM_OPEN_FOR_BENCHMARKS`: `yes` for the build that believes callers, which serves nowhere else.
    pub is_open: bool,
    /// The rest.
    pub process: ProcessSettings,
}

/// Where RabbitMQ is. The user and its password are leased.
#[derive(Debug, Clone)]
pub struct BrokerSettings {
    /// `VINTEM_BROKER_HOST`: a name that its certificate bears.
    pub host: String,
    /// `VINTEM_BROKER_PORT`: of AMQP over TLS.
    pub port: u16,
    /// `VINTEM_BROKER_VIRTUAL_HOST`.
    pub virtual_host: String,
    /// `VINTEM_BROKER_CA`: the PEM file of the authority of the broker's certificate.
    pub ca: PathBuf,
}

/// What the worker needs beyond that of every process.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// `VINTEM_METRICS_LISTEN`: the private port of `/metrics`.
    pub metrics_listen: SocketAddr,
    /// `VINTEM_WEBHOOK_NETWORKS`, as the HTTP server has it.
    pub webhook_networks: Vec<Network>,
    /// RabbitMQ.
    pub broker: BrokerSettings,
    /// The rest.
    pub process: ProcessSettings,
}

impl ProcessSettings {
    /// Reads the environment of a process that does not listen.
    pub fn from_env() -> Result<Self, SettingsError> {
        let mut environment = Environment::of_process();
        environment.variables.retain(|name, _| !OTHERS.contains(&name.as_str()));
        let settings = environment.process("warn");
        environment.finish(settings)
    }
}

impl ServerSettings {
    /// Reads the environment of the HTTP server.
    pub fn from_env() -> Result<Self, SettingsError> {
        let mut environment = Environment::of_process();
        let settings = environment.server();
        environment.finish(settings)
    }
}

impl WorkerSettings {
    /// Reads the environment of the worker.
    pub fn from_env() -> Result<Self, SettingsError> {
        let mut environment = Environment::of_process();
        let settings = environment.worker();
        environment.finish(settings)
    }
}

impl Environment {
    fn process(&mut self, default_log: &str) -> Option<ProcessSettings> {
        // Each is read before any `?`, so that one run reports every problem.
        let address = self.required_where("VINTEM_VAULT_ADDR", "an https:// address", |a| a.starts_with("https://"));
        let vault_ca = self.required("VINTEM_VAULT_CA", "a file name");
        let role = self.required("VINTEM_VAULT_ROLE", "the name of a role in Vault");
        let login = self.login_method();
        let mount_prefix = self.optional("VINTEM_VAULT_MOUNTS").unwrap_or_default();
        let host = self.required("VINTEM_DATABASE_HOST", "a host name");
        let port = self.required("VINTEM_DATABASE_PORT", "a port number");
        let name = self.required("VINTEM_DATABASE_NAME", "the name of a database");
        let database_ca = self.required("VINTEM_DATABASE_CA", "a file name");
        let (keys_host, keys_name) = (self.optional("VINTEM_KEYS_HOST"), self.optional("VINTEM_KEYS_NAME"));
        let (keys_port, keys_ca) = (self.port_or("VINTEM_KEYS_PORT", port), self.optional("VINTEM_KEYS_CA"));
        let log = self.optional("VINTEM_LOG").unwrap_or_else(|| default_log.to_owned());
        let otlp_endpoint = self.optional(OTLP);
        let database = DatabaseSettings { host: host?, port: port?, name: name?, ca: database_ca? };
        let beside = database.keys();
        Some(ProcessSettings {
            vault: VaultSettings { address: address?, ca: vault_ca?, role: role?, login: login?, mount_prefix },
            keys: DatabaseSettings {
                host: keys_host.unwrap_or(beside.host),
                port: keys_port?,
                name: keys_name.unwrap_or(beside.name),
                ca: keys_ca.map_or(beside.ca, PathBuf::from),
            },
            database,
            telemetry: TelemetrySettings { log, otlp_endpoint },
        })
    }

    fn login_method(&mut self) -> Option<LoginMethod> {
        match self.optional("VINTEM_VAULT_AUTH").as_deref() {
            None | Some("approle") => {
                let role_id = self.required("VINTEM_VAULT_ROLE_ID", "the id of the AppRole")?;
                Some(LoginMethod::AppRole { role_id })
            }
            Some("kubernetes") => {
                let token_file = self.optional("VINTEM_VAULT_TOKEN_FILE").unwrap_or_else(|| SERVICE_ACCOUNT.to_owned());
                Some(LoginMethod::Kubernetes { token_file: token_file.into() })
            }
            Some(_) => {
                self.problems.push("VINTEM_VAULT_AUTH is neither approle nor kubernetes".to_owned());
                None
            }
        }
    }

    fn server(&mut self) -> Option<ServerSettings> {
        let listen = self.required("VINTEM_LISTEN", "an address and port such as 127.0.0.1:8080");
        let transport = self.transport(listen);
        let metrics_listen = self.required("VINTEM_METRICS_LISTEN", "an address and port");
        // The issuer is compared as text, so it has one spelling.
        let issuer = self.required_where("VINTEM_ISSUER", "an https:// address without a final slash", |issuer| {
            issuer.starts_with("https://") && !issuer.ends_with('/')
        });
        let webhook_networks = self.networks("VINTEM_WEBHOOK_NETWORKS");
        let rates = self.rates();
        let mail = self.mail();
        let is_funding_simulated = self.is_funding_simulated();
        let process = self.process("info");
        Some(ServerSettings {
            listen: listen?,
            transport: transport?,
            metrics_listen: metrics_listen?,
            issuer: issuer?,
            webhook_networks: webhook_networks?,
            rates: rates?,
            mail,
            is_funding_simulated: is_funding_simulated?,
            is_open: self.optional("VINTEM_OPEN_FOR_BENCHMARKS").as_deref() == Some("yes"),
            process: process?,
        })
    }

    fn worker(&mut self) -> Option<WorkerSettings> {
        let metrics_listen = self.required("VINTEM_METRICS_LISTEN", "an address and port");
        let host = self.required("VINTEM_BROKER_HOST", "a host name");
        let port = self.required("VINTEM_BROKER_PORT", "a port number");
        let virtual_host = self.required("VINTEM_BROKER_VIRTUAL_HOST", "the name of a virtual host");
        let ca = self.required("VINTEM_BROKER_CA", "a file name");
        let webhook_networks = self.networks("VINTEM_WEBHOOK_NETWORKS");
        let process = self.process("info");
        let broker = BrokerSettings { host: host?, port: port?, virtual_host: virtual_host?, ca: ca? };
        Some(WorkerSettings {
            metrics_listen: metrics_listen?,
            webhook_networks: webhook_networks?,
            broker,
            process: process?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const COMPLETE: [(&str, &str); 11] = [
        ("VINTEM_LISTEN", "127.0.0.1:8080"),
        ("VINTEM_METRICS_LISTEN", "127.0.0.1:9090"),
        ("VINTEM_ISSUER", "https://vintem.example"),
        ("VINTEM_VAULT_ADDR", "https://127.0.0.1:8200"),
        ("VINTEM_VAULT_CA", "/ca.pem"),
        ("VINTEM_VAULT_ROLE", "api"),
        ("VINTEM_VAULT_ROLE_ID", "0c3f"),
        ("VINTEM_DATABASE_HOST", "localhost"),
        ("VINTEM_DATABASE_PORT", "5432"),
        ("VINTEM_DATABASE_NAME", "vintem"),
        ("VINTEM_DATABASE_CA", "/pg.pem"),
    ];

    fn server(changes: &[(&str, Option<&str>)]) -> Result<ServerSettings, String> {
        let mut variables: BTreeMap<String, String> =
            COMPLETE.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in changes {
            match value {
                Some(value) => variables.insert((*name).to_owned(), (*value).to_owned()),
                None => variables.remove(*name),
            };
        }
        variables.insert("PATH".to_owned(), "/usr/bin".to_owned());
        let mut environment = Environment::of(variables);
        let settings = environment.server();
        environment.finish(settings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_complete_environment_is_taken_with_its_defaults() {
        let settings = server(&[]).unwrap();
        assert_eq!(settings.process.database.port, 5432);
        let keys = settings.process.keys;
        assert_eq!((keys.host.as_str(), keys.port, keys.name.as_str()), ("localhost", 5432, "vintem_keys"));
        assert!(server(&[("VINTEM_KEYS_PORT", Some("many"))]).unwrap_err().contains("VINTEM_KEYS_PORT is not a port"));
        assert_eq!(settings.process.telemetry.log, "info");
        assert_eq!(settings.process.vault.mount_prefix, "");
        assert!(settings.process.telemetry.otlp_endpoint.is_none());
        assert!(settings.webhook_networks.is_empty());
        assert_eq!(settings.rates.principal, "3000/10".parse().unwrap());
    }

    #[test]
    fn rates_and_who_is_exempt_are_settings() {
        let changes = [("VINTEM_RATE_ADDRESS", Some("60/60")), ("VINTEM_RATE_EXEMPT", Some("bench, demo,"))];
        let rates = server(&changes).unwrap().rates;
        assert_eq!(
            (rates.address, rates.exempt),
            ("60/60".parse().unwrap(), vec!["bench".to_owned(), "demo".to_owned()])
        );
        let sentence = server(&[("VINTEM_RATE_PRINCIPAL", Some("0/1"))]).unwrap_err();
        assert!(sentence.contains("VINTEM_RATE_PRINCIPAL is not a rate"), "{sentence}");
    }

    #[test]
    fn in_a_cluster_the_service_account_takes_the_place_of_the_role_id() {
        let changes = [("VINTEM_VAULT_AUTH", Some("kubernetes")), ("VINTEM_VAULT_ROLE_ID", None)];
        let LoginMethod::Kubernetes { token_file } = server(&changes).unwrap().process.vault.login else {
            panic!("it was asked for")
        };
        assert_eq!(token_file.display().to_string(), SERVICE_ACCOUNT);
        let sentence = server(&[("VINTEM_VAULT_AUTH", Some("token"))]).unwrap_err();
        assert!(sentence.contains("VINTEM_VAULT_AUTH is neither approle nor kubernetes"), "{sentence}");
    }

    #[test]
    fn networks_are_listed_with_commas() {
        let networks =
            |text| server(&[("VINTEM_WEBHOOK_NETWORKS", Some(text))]).map(|settings| settings.webhook_networks);
        assert_eq!(networks("127.0.0.0/8,::1/128").unwrap().len(), 2);
        assert!(networks("localhost").unwrap_err().contains("VINTEM_WEBHOOK_NETWORKS is not a list of networks"));
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let sentence = server(&[
            ("VINTEM_VAULT_ROLE", None),
            ("VINTEM_DATABASE_PORT", Some("many")),
            ("VINTEM_DATABASE_PASSWORD", Some("hunter2")),
        ])
        .unwrap_err();
        assert!(sentence.contains("VINTEM_VAULT_ROLE is missing"), "{sentence}");
        assert!(sentence.contains("VINTEM_DATABASE_PORT is not a port number"), "{sentence}");
        assert!(sentence.contains("VINTEM_DATABASE_PASSWORD is not a setting"), "{sentence}");
        assert!(!sentence.contains("hunter2"), "values are not repeated: {sentence}");
    }

    #[test]
    fn plain_http_and_a_second_spelling_of_the_issuer_are_refused() {
        assert!(server(&[("VINTEM_VAULT_ADDR", Some("http://127.0.0.1:8200"))]).is_err());
        assert!(server(&[("VINTEM_ISSUER", Some("https://vintem.example/"))]).is_err());
        assert!(server(&[("VINTEM_LISTEN", Some("8080"))]).is_err());
    }

    #[test]
    fn empty_counts_as_missing() {
        assert!(server(&[("VINTEM_DATABASE_HOST", Some(""))]).unwrap_err().contains("missing"));
        assert!(server(&[("VINTEM_LOG", Some(""))]).is_ok());
    }
}
