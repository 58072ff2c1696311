//! A Vault server's process: configuration, start, and its audit log. The stack has one; a test that seals, stops or
//! kills Vault makes its own.

use std::path::PathBuf;

use nix::sys::signal::Signal;

use super::authority;
use super::error::StackError;
use super::owner::{self, Owner};
use super::process::{self, Service};
use super::state::{Folder, State, is_free};

/// How Vault is asked to end.
pub const STOP: Signal = Signal::SIGTERM;
/// An audit log that is larger is put aside by the next `up`; the one that was aside goes.
const AUDIT_BYTES: u64 = 64 * 1024 * 1024;

/// One server.
#[derive(Debug, Clone)]
pub struct Node {
    /// Name of its process record and log.
    pub name: String,
    /// Its folder, inside the state folder.
    pub folder: PathBuf,
    /// Where it listens.
    pub port: u16,
    /// Where other nodes would.
    pub cluster_port: u16,
    /// Whom it runs as.
    pub owner: Option<Owner>,
    /// `vault` or `bao`.
    program: PathBuf,
    plugins: Option<PathBuf>,
    pub(super) state: Folder,
}

impl Node {
    /// Of the program that the stack uses.
    pub(super) fn new(state: &Folder, known: &State, name: &str, folder: PathBuf, ports: (u16, u16)) -> Self {
        Self {
            name: name.into(),
            folder,
            port: ports.0,
            cluster_port: ports.1,
            owner: state.owners().vault,
            program: known.vault_program.clone(),
            plugins: known.vault_plugins.clone(),
            state: state.clone(),
        }
    }

    /// Makes its folders.
    pub(super) fn make_folders(&self) -> Result<(), StackError> {
        owner::make_folder(&self.folder, self.owner, 0o755)?;
        owner::make_folder(&self.folder.join("raft"), self.owner, 0o700)
    }

    /// Starts it with the certificate in its folder; it is sealed then.
    pub(super) fn launch(&self) -> Result<(), StackError> {
        owner::write_file(&self.folder.join("config.hcl"), self.config().as_bytes(), None, 0o644)?;
        let service = Service {
            name: self.name.clone(),
            program: self.program.clone(),
            arguments: vec!["server".into(), "-config".into(), self.folder.join("config.hcl").into()],
            // Its RabbitMQ engine trusts what the machine trusts and takes no other authority by configuration.
            environment: vec![("SSL_CERT_FILE".into(), self.state.authority().display().to_string())],
            owner: self.owner,
            folder: self.folder.clone(),
            stop: STOP,
            secret_line: None,
        };
        process::end_strays(&self.state, &self.folder, STOP);
        for (port, name) in [(self.port, "Vault"), (self.cluster_port, "Vault's cluster")] {
            if !is_free(port) {
                return Err(StackError::PortTaken { service: name.into(), port });
            }
        }
        service.start(&self.state).map(drop)
    }

    /// Where every request is noted before it is answered; Vault keeps secrets out of it by noting their HMAC.
    pub fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    /// Puts a long audit log aside. Vault opens another when it is told, and refuses every request when it cannot.
    pub(super) fn turn_audit_log(&self) -> Result<(), StackError> {
        let path = self.audit_log();
        if std::fs::metadata(&path).is_ok_and(|log| log.len() > AUDIT_BYTES) {
            std::fs::rename(&path, path.with_extension("log.1")).map_err(StackError::file("put aside", &path))?;
            process::signal(&self.state, &self.name, Signal::SIGHUP);
        }
        Ok(())
    }

    fn config(&self) -> String {
        let pair = authority::pair(&self.folder);
        let plugins = self
            .plugins
            .as_ref()
            .map_or_else(String::new, |path| format!("plugin_directory = {:?}\n", path.display().to_string()));
        // OpenBao takes audit devices from its configuration only, Vault over its API only.
        let audit = if self.program.ends_with("bao") {
            format!(
                "audit \"file\" \"file\" {{\n  options {{\n    file_path = {:?}\n  }}\n}}\n",
                self.audit_log().display().to_string()
            )
        } else {
            String::new()
        };
        format!(
            "# Written by `vintem dev up`; changes are overwritten.\n\
             storage \"raft\" {{\n  path = {raft:?}\n  node_id = \"stack\"\n  performance_multiplier = 1\n}}\n\
             listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = {pair:?}\n  tls_key_file = {pair:?}\n  tls_min_version = \"tls13\"\n}}\n\
             api_addr = \"https://127.0.0.1:{port}\"\ncluster_addr = \"https://127.0.0.1:{cluster}\"\n\
             disable_mlock = true\nui = false\nlog_level = \"warn\"\n{plugins}{audit}",
            raft = self.folder.join("raft").display().to_string(),
            pair = pair.display().to_string(),
            port = self.port,
            cluster = self.cluster_port,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openbao_is_told_of_its_audit_log_by_file_and_vault_is_not() {
        let state = Folder::at("/s".into());
        let mut node = Node {
            name: "vault".into(),
            folder: "/s/vault".into(),
            port: 1,
            cluster_port: 2,
            owner: None,
            program: "/usr/bin/bao".into(),
            plugins: None,
            state,
        };
        assert!(node.config().contains("file_path = \"/s/vault/audit.log\""));
        node.program = "/s/bin/vault".into();
        assert!(!node.config().contains("audit"));
        assert!(node.config().contains("tls_min_version = \"tls13\""));
    }
}
