//! `cargo dev queries`: every SQL query of the product checked against a freshly migrated database.
//!
//! The compiler does the checking; what it learns is kept in `.sqlx`, so that the workspace compiles
//! without a database. Run it after a change of a query or of the schema, and commit the folder.

use std::path::Path;
use std::process::Command;

use sqlx::{Connection as _, Executor as _};
use vintem_core::migrations;

use super::cluster::SUPERUSER;
use super::error::StackError;
use super::state::find_checkout;
use super::{Cluster, Stack};

/// The database that is made for it and dropped again.
const SCRATCH: &str = "vintem_queries";

/// Checks the queries and rewrites `.sqlx`; answers the compiler's exit code.
pub async fn check(stack: &Stack) -> Result<u8, StackError> {
    let checkout = find_checkout()?;
    let cluster = stack.cluster();
    cluster.drop_database(SCRATCH).await?;
    cluster.create_database(SCRATCH).await?;
    migrate(&cluster).await?;
    let code = compile(&cluster, &checkout)?;
    cluster.drop_database(SCRATCH).await?;
    Ok(code)
}

async fn migrate(cluster: &Cluster) -> Result<(), StackError> {
    let failed = || StackError::postgres("migrate the database for the queries");
    let mut owner = cluster.superuser(SCRATCH).await?;
    owner.execute("SET ROLE vintem_owner").await.map_err(failed())?;
    migrations::run(&mut owner).await.map_err(|error| failed()(sqlx::Error::Migrate(Box::new(error))))?;
    owner.close().await.map_err(failed())
}

fn compile(cluster: &Cluster, checkout: &Path) -> Result<u8, StackError> {
    let kept = checkout.join(".sqlx");
    let written = checkout.join("target").join("sqlx");
    if written.exists() {
        std::fs::remove_dir_all(&written).map_err(StackError::file("remove", &written))?;
    }
    std::fs::create_dir_all(&written).map_err(StackError::file("make", &written))?;
    let url =
        format!("postgres:///{SCRATCH}?host={}&port={}&user={SUPERUSER}", cluster.socket().display(), cluster.port);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // A newer file makes the compiler look again at queries that it has compiled before.
    let root = checkout.join("core/src/lib.rs");
    let touched = std::fs::File::options()
        .append(true)
        .open(&root)
        .and_then(|file| file.set_modified(std::time::SystemTime::now()));
    touched.map_err(StackError::file("touch", &root))?;
    // As the lints check it, so that what they compiled of the dependencies serves here too.
    let status = Command::new(cargo)
        .args(["check", "--release", "--workspace"])
        .env("DATABASE_URL", url)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", &written)
        .current_dir(checkout)
        .status()
        .map_err(|source| StackError::Spawn { program: "cargo check".into(), source })?;
    if status.success() {
        if kept.exists() {
            std::fs::remove_dir_all(&kept).map_err(StackError::file("remove", &kept))?;
        }
        std::fs::rename(&written, &kept).map_err(StackError::file("replace", &kept))?;
    }
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
