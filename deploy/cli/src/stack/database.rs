//! What only the superuser can do in Postgres: group roles, databases, and the users that Vault works with.
//!
//! Names come from this program or a test, are checked against a narrow grammar, and only then become part of a
//! statement: Postgres takes no parameters there.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::cluster::Cluster;
use super::error::StackError;

/// The group roles, run before every first migration.
const ROLES: &str = include_str!("../../../../migrations/roles.sql");
/// Roles whose members may open a ledger's database.
pub(super) const GROUPS: &str = "vintem_owner, vintem_reader, vintem_writer, vintem_operator, vintem_projector, vintem_relay, \
     vintem_integrators, vintem_editor, vintem_webhooks, vintem_auditor";
/// The same for a database of people's keys: nobody of a ledger's.
pub(super) const KEY_GROUPS: &str = "vintem_key_owner, vintem_keeper, vintem_rewrapper, vintem_indexer";

/// The database of people's keys beside a ledger's.
pub fn keys_of(database: &str) -> String {
    format!("{database}_keys")
}

impl Cluster {
    /// Makes the group roles, once per server.
    pub async fn create_roles(&self) -> Result<(), StackError> {
        self.as_superuser("make the group roles", &[ROLES.to_owned()]).await
    }

    /// Makes an empty database that the migrator may fill and nobody else may enter but members of the group roles.
    pub async fn create_database(&self, name: &str) -> Result<(), StackError> {
        self.create_database_of(name, "vintem_owner", GROUPS).await
    }

    /// The same for the keys of the people of a ledger.
    pub async fn create_key_database(&self, ledger: &str) -> Result<(), StackError> {
        self.create_database_of(&keys_of(ledger), "vintem_key_owner", KEY_GROUPS).await
    }

    async fn create_database_of(&self, name: &str, owner: &str, groups: &str) -> Result<(), StackError> {
        check_name(name)?;
        let statements = [
            format!("CREATE DATABASE \"{name}\" OWNER {owner}"),
            format!("REVOKE ALL ON DATABASE \"{name}\" FROM PUBLIC"),
            format!("GRANT CONNECT ON DATABASE \"{name}\" TO {groups}"),
        ];
        self.as_superuser(&format!("create database {name}"), &statements).await
    }

    /// Whether a database exists.
    pub async fn has_database(&self, name: &str) -> Result<bool, StackError> {
        self.has("SELECT FROM pg_catalog.pg_database WHERE datname", name).await
    }

    /// Whether a role exists.
    pub async fn has_role(&self, name: &str) -> Result<bool, StackError> {
        self.has("SELECT FROM pg_catalog.pg_roles WHERE rolname", name).await
    }

    /// Drops a database, cutting the sessions it still has.
    pub async fn drop_database(&self, name: &str) -> Result<(), StackError> {
        check_name(name)?;
        self.as_superuser(
            &format!("drop database {name}"),
            &[format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")],
        )
        .await
    }

    /// Makes the user that Vault creates and drops leased users with, or gives it a new password.
    ///
    /// It may hand out the group roles and does not inherit them.
    pub async fn create_vault_user(
        &self,
        name: &str,
        password: &SecretString,
        database: &str,
        groups: &str,
    ) -> Result<(), StackError> {
        check_name(name)?;
        check_name(database)?;
        let verb = if self.has_role(name).await? { "ALTER" } else { "CREATE" };
        let statements = [
            format!("{verb} ROLE \"{name}\" LOGIN CREATEROLE NOINHERIT PASSWORD '{}'", password.expose_secret()),
            format!("GRANT {groups} TO \"{name}\" WITH ADMIN OPTION"),
            format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{name}\", {groups}"),
        ];
        self.as_superuser(&format!("make user {name} for Vault"), &statements).await
    }

    /// Drops Vault's user and what it may still do in databases.
    pub async fn drop_vault_user(&self, name: &str) -> Result<(), StackError> {
        check_name(name)?;
        if !self.has_role(name).await? {
            return Ok(());
        }
        // The database named in its grant may be dropped before or after the user.
        let statements = [format!("DROP OWNED BY \"{name}\""), format!("DROP ROLE \"{name}\"")];
        self.as_superuser(&format!("drop user {name}"), &statements).await
    }

    async fn as_superuser(&self, doing: &str, statements: &[String]) -> Result<(), StackError> {
        let mut session = self.superuser("postgres").await?;
        for statement in statements {
            let sent = session.execute(statement.as_str()).await;
            sent.map_err(StackError::postgres(doing))?;
        }
        close(session).await
    }

    async fn has(&self, question: &str, name: &str) -> Result<bool, StackError> {
        check_name(name)?;
        let mut session = self.superuser("postgres").await?;
        let found = session.fetch_optional(&*format!("{question} = '{name}'")).await;
        close(session).await?;
        Ok(found.map_err(StackError::postgres("look into Postgres' catalogue"))?.is_some())
    }
}

async fn close(session: PgConnection) -> Result<(), StackError> {
    session.close().await.map_err(StackError::postgres("close a session"))
}

/// Small letters, digits, `_` and `-`, at most 63 bytes: nothing that could leave the quotes.
pub(super) fn check_name(name: &str) -> Result<(), StackError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.len() <= 63 && name.bytes().all(plain) {
        return Ok(());
    }
    Err(StackError::Name(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        for good in ["vintem", "t42-ledger", "t_1"] {
            assert!(check_name(good).is_ok());
        }
        for bad in ["", "A", "a\"b", "a b", "é", &"x".repeat(64)] {
            assert!(matches!(check_name(bad), Err(StackError::Name(_))));
        }
    }
}
