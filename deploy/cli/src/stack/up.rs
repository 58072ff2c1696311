//! `cargo dev up`: from a bare machine to a running stack, step by step.

use std::path::Path;
use std::time::Duration;

use vintem_core::secrets::pki::Service;

use super::error::StackError;
use super::state::{Folder, State, find_checkout};
use super::ui::Step;
use super::{
    DATABASE, LeaseTimes, POSTGRES, Stack, authority, broker_users, certifier, database, first, mailbox, packages, pki,
    process, provision, servers, vault_build, vault_server, welcome,
};
use crate::client::readiness;

/// How long the API may take to lease its database users and read the ledger's head.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sets the whole stack up.
pub async fn up(yes: bool) -> Result<(), StackError> {
    let checkout = find_checkout()?;
    let folder = Folder::of_checkout(&checkout);
    let _one_at_a_time = begin(&folder)?;
    let stack = services(&folder, &checkout, yes).await?;
    product(&stack, &checkout).await?;
    let mut known = stack.known().clone();
    let new_client = if known.first_client.is_none() { Some(first_client(&stack, &mut known).await?) } else { None };
    stack.vault().await?.write("auth/token/revoke-self", serde_json::json!({})).await?;
    welcome::print(&stack, &known, new_client.as_ref());
    Ok(())
}

/// The product itself: the schema and the processes of this build, behind their door.
pub async fn product(stack: &Stack, checkout: &Path) -> Result<(), StackError> {
    let step = Step::begin("Schema", "migrating");
    first::migrate(stack).await?;
    step.done("of this version");

    let mut step = Step::begin("API", "compiling");
    let programs = servers::build(checkout, |package| step.tell(&format!("compiling {package}")))?;
    step.tell("starting");
    servers::ensure(stack, servers::API, &programs).await?;
    step.done(&format!("supervised, on port {}", stack.known().ports.api));

    let step = Step::begin("Worker", "starting");
    servers::ensure(stack, servers::WORKER, &programs).await?;
    step.done(&format!("supervised, metrics on port {}", stack.known().ports.worker_metrics));

    door(stack).await?;

    let step = Step::begin("Certificates", "starting who renews them");
    certifier::ensure(stack).await?;
    step.done("renewed at two thirds of their lives");
    Ok(())
}

/// Makes the first tenant and client, and fills its ledger with a month to look at.
///
/// The client is recorded last, because its secret is shown once, by the last lines of the run that made it:
/// a run that is interrupted before that leaves the next one to make another and to go on with the month.
async fn first_client(stack: &Stack, known: &mut State) -> Result<first::NewClient, StackError> {
    let step = Step::begin("First client", "tenant and service client");
    let made = first::tenant_and_client(stack).await?;
    step.done(&format!("of tenant {}", made.names.tenant));

    first::demonstrate(stack, &made).await?;
    known.first_client = Some(made.names.clone());
    stack.folder().write(known)?;
    Ok(made)
}

async fn door(stack: &Stack) -> Result<(), StackError> {
    let step = Step::begin("nginx", "starting");
    let nginx = stack.nginx();
    nginx.initialise()?;
    authority::certify(stack.vault().await?, Service::Nginx, &nginx.folder, nginx.owner).await?;
    pki::supply(stack.vault().await?, "", &nginx).await?;
    nginx.ensure()?;
    await_ready(stack).await?;
    step.done(&format!("{}, for terminals {}", stack.url(), stack.terminal_url()));
    Ok(())
}

/// Waits until a request gets through nginx, the API, Vault and Postgres.
async fn await_ready(stack: &Stack) -> Result<(), StackError> {
    let end = tokio::time::Instant::now() + PATIENCE;
    while let Err(reason) = readiness::ask(&stack.url(), &stack.folder().authority(), None).await {
        if tokio::time::Instant::now() > end {
            let what = format!("is not ready after {} s: {reason}", PATIENCE.as_secs());
            return Err(StackError::Service {
                service: "API".into(),
                what,
                log: stack.folder().log(servers::API.name),
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Makes the state folder and takes the lock that keeps two commands from changing one stack at once.
pub fn begin(folder: &Folder) -> Result<std::fs::File, StackError> {
    folder.create()?;
    folder
        .try_lock("stack")?
        .ok_or_else(|| StackError::Declined("another `cargo dev` command is changing this stack right now".into()))
}

/// What the product runs on: Postgres, RabbitMQ, Vault and the mailbox running, the first database, roles and policies.
pub async fn services(folder: &Folder, checkout: &Path, yes: bool) -> Result<Stack, StackError> {
    packages::ensure(yes)?;
    let known = decide(folder, checkout)?;
    let step = Step::begin("Vault", "starting");
    let vault = vault_server::ensure(folder, &known).await?;
    step.done(&format!("unsealed on {}", vault_server::address(&known)));

    // Erlang takes some seconds to start, in which Postgres does, too.
    let stack = Stack::administered(folder.clone(), known.clone(), vault.clone());
    let broker = stack.broker();
    broker.initialise()?;
    let is_new = authority::certify(&vault, Service::Rabbitmq, &broker.folder, broker.owner).await?;
    if is_new && broker.listens() {
        broker.read_certificates()?;
    }
    broker.launch()?;

    let step = Step::begin("Postgres", "starting");
    let cluster = stack.cluster();
    cluster.initialise()?;
    if authority::certify(&vault, Service::Postgres, &cluster.folder, cluster.owner).await? {
        // A running server reads its certificate again when told.
        process::signal(folder, POSTGRES, nix::sys::signal::Signal::SIGHUP);
    }
    cluster.start().await?;
    cluster.create_roles().await?;
    if !cluster.has_database(DATABASE).await? {
        cluster.create_database(DATABASE).await?;
    }
    if !cluster.has_database(&database::keys_of(DATABASE)).await? {
        cluster.create_key_database(DATABASE).await?;
    }
    step.done(&format!("on port {}", cluster.port));

    let step = Step::begin("Secrets", "policies, roles, keys");
    provision::shared(&vault, &known, &vault_server::node(folder, &known)).await?;
    stack.provision_vault("", DATABASE).await?;
    step.done("database users are leased, policies are those of vault-policies/");

    let step = Step::begin("RabbitMQ", "starting");
    broker.await_ready().await?;
    stack.provision_broker_on(&broker, "", broker_users::VIRTUAL_HOST, LeaseTimes::default()).await?;
    step.done(&format!("on port {}, its users are leased", broker.ports.amqps));

    let stack = Stack::administered(folder.clone(), known, vault);
    let step = Step::begin("Mailbox", "starting");
    mailbox::ensure(&stack)?;
    step.done(&format!("on port {}, shown by cargo dev mail", stack.known().ports.mail()));
    Ok(stack)
}

/// What is decided once and recorded: programs and ports.
fn decide(folder: &Folder, checkout: &Path) -> Result<State, StackError> {
    let found = match vault_build::find(folder) {
        Some(found) => found,
        None => build_vault(folder, checkout)?,
    };
    let old = folder.read()?;
    let data_version = std::fs::read_to_string(folder.path("postgres/data/PG_VERSION")).ok();
    let major = data_version.and_then(|text| text.trim().parse().ok());
    let postgres_bin = packages::postgres_programs(major).ok_or_else(|| StackError::Missing {
        what: format!("the stack's data is of Postgres {}, which is not installed any more", major.unwrap_or_default()),
        advice: "install that version, or start afresh: cargo dev down --purge".into(),
    })?;
    let known = State {
        checkout: checkout.to_path_buf(),
        ports: old.as_ref().map_or_else(|| folder.choose_ports(), |old| old.ports),
        postgres_bin,
        vault_program: found.program,
        vault_plugins: found.plugins,
        first_client: old.and_then(|old| old.first_client),
    };
    folder.write(&known)?;
    Ok(known)
}

fn build_vault(folder: &Folder, checkout: &Path) -> Result<vault_build::Found, StackError> {
    if let Some(lack) = vault_build::lacks_go() {
        return Err(lack);
    }
    let mut step = Step::begin("Vault", "building it from its Go module, once (about 5 minutes)");
    let found = vault_build::build(folder, checkout, |line| step.tell(&format!("building it, once: {line}")))?;
    step.done("built");
    Ok(found)
}
