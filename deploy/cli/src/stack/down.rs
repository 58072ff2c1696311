//! `cargo dev down`: everything stops; with `--purge` nothing is left.

use super::error::StackError;
use super::process;
use super::state::{Folder, find_checkout};
use super::ui::{Step, say};
use super::{POSTGRES, RABBITMQ, broker, certifier, cluster, mailbox, nginx, owner, servers, vault_server};

/// Stops the stack; `purge` removes its folder, with the ledger in it.
pub fn down(purge: bool) -> Result<(), StackError> {
    let folder = Folder::of_checkout(&find_checkout()?);
    if !folder.root().exists() {
        say("There is no development stack here.");
        return Ok(());
    }
    let lock = super::up::begin(&folder)?;
    stop_all(&folder);
    if purge {
        let step = Step::begin("Files", "removing");
        owner::remove_folder(folder.root())?;
        // The folder of all stacks goes with the last one; while others are in it, this fails as it should.
        let _ = folder.root().parent().map(std::fs::remove_dir);
        step.done("removed");
    }
    drop(lock);
    Ok(())
}

/// From the door inwards, so that nobody loses what he stands on.
fn stop_all(folder: &Folder) {
    for (name, shown, signal) in [
        (certifier::NAME, "Certifier", certifier::STOP),
        (nginx::NAME, "nginx", nginx::STOP),
        (servers::API.name, "API", servers::STOP),
        (servers::WORKER.name, "Worker", servers::STOP),
        (mailbox::NAME, "Mailbox", mailbox::STOP),
        (RABBITMQ, "RabbitMQ", broker::STOP),
        (vault_server::NAME, "Vault", vault_server::STOP),
        (POSTGRES, "Postgres", cluster::STOP),
    ] {
        let step = Step::begin(shown, "stopping");
        process::stop(folder, name, signal);
        step.done("stopped");
    }
    // RabbitMQ's port mapper, servers of tests that could not clean up, and processes whose record was lost.
    for name in process::recorded(folder) {
        process::stop(folder, &name, cluster::STOP);
    }
    process::end_strays(folder, folder.root(), cluster::STOP);
}
