//! `vintem dev …`, in a checkout `cargo dev …`.

use std::error::Error;
use std::ffi::OsString;
use std::io::BufRead as _;
use std::path::PathBuf;

use clap::Subcommand;
use secrecy::{ExposeSecret as _, SecretString};

use crate::stack::state::Folder;
use crate::stack::supervisor::Supervisor;
use crate::stack::ui::say;
use crate::stack::{Stack, certifier, console, down, mailbox, queries, servers, status, tests, up};

/// What to do with the development stack.
#[derive(Debug, Subcommand)]
pub enum Dev {
    /// Install what is missing, start everything, and print where it is
    Up {
        /// Do not ask before installing packages
        #[arg(long, short)]
        yes: bool,
    },
    /// Stop everything
    Down {
        /// Remove everything as well: the ledger, the keys, the built Vault
        #[arg(long)]
        purge: bool,
    },
    /// Show what runs where; exit code 1 when something does not
    Status,
    /// Show the end of the logs
    Logs {
        /// One service: nginx, nginx-access, api, worker, vault, postgres, rabbitmq, certifier, mailbox
        service: Option<String>,
        /// How many lines of each
        #[arg(long, short = 'n', default_value_t = 40)]
        lines: u32,
        /// Go on with what comes
        #[arg(long, short)]
        follow: bool,
    },
    /// Show the newest letters that the product sent to people, newest last
    Mail {
        /// To one address alone; a phone number is an address at sms.vintem.test
        recipient: Option<String>,
        /// How many
        #[arg(long, short = 'n', default_value_t = 5)]
        letters: usize,
        /// Go on with what comes
        #[arg(long, short)]
        follow: bool,
    },
    /// Start Postgres, RabbitMQ and Vault, and run the tests of the workspace
    Test {
        /// Passed on to `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Check every SQL query against a freshly migrated database and rewrite `.sqlx`
    Queries,
    /// Open psql as superuser
    Psql {
        /// Passed on to psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run rabbitmqctl on the stack's node
    Rabbitmqctl {
        /// Passed on to rabbitmqctl
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run Vault's client with a short-lived root token
    Vault {
        /// Passed on to the client
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run an operator's command against the stack: `cargo dev as operator client create …`
    As {
        /// Whose rights: migrator, operator, keyholder, projector or auditor
        role: String,
        /// The command, as `vintem` takes it
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
    /// The background process that keeps a server running; reads its token from standard input
    #[command(hide = true)]
    Supervise {
        /// api or worker
        #[arg(long)]
        server: String,
        /// The state folder
        #[arg(long)]
        state: PathBuf,
    },
    /// The background process that renews certificates; reads its wrapped secret id from standard input
    #[command(hide = true)]
    Certify {
        /// The id of its AppRole
        #[arg(long)]
        role_id: String,
        /// The state folder
        #[arg(long)]
        state: PathBuf,
    },
    /// The background process that takes letters
    #[command(hide = true)]
    Receive {
        /// The state folder
        #[arg(long)]
        state: PathBuf,
    },
    /// Vault's client asks this for its token
    #[command(hide = true)]
    VaultToken {
        /// The state folder
        #[arg(long)]
        state: PathBuf,
        /// get, store or erase
        verb: String,
    },
}

impl Dev {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        match self {
            Self::Up { yes } => up::up(yes).await?,
            Self::Down { purge } => down::down(purge)?,
            Self::Status => return Ok(show_status(&Stack::load()?).await),
            Self::Logs { service, lines, follow } => {
                return Err(status::logs(&Stack::load()?, service.as_deref(), lines, follow).into());
            }
            Self::Mail { recipient, letters, follow } => {
                mailbox::print(&Stack::load()?, recipient.as_deref(), letters, follow)?;
            }
            Self::Test { arguments } => return Ok(tests::test(arguments).await?),
            Self::Queries => return Ok(queries::check(&Stack::load()?).await?),
            Self::Psql { arguments } => return Err(console::psql(&Stack::load()?, arguments).into()),
            Self::Rabbitmqctl { arguments } => return Err(console::rabbitmqctl(&Stack::load()?, &arguments)?.into()),
            Self::Vault { arguments } => return Err(console::vault(&Stack::load()?, arguments)?.into()),
            Self::As { role, command } => return Ok(console::run_as(&Stack::load()?, &role, command).await?),
            Self::Supervise { server, state } => supervise(&server, state).await?,
            Self::Certify { role_id, state } => {
                certifier::run(&Stack::load_from(Folder::at(state))?, role_id).await?;
            }
            Self::Receive { state } => mailbox::receive(&Stack::load_from(Folder::at(state))?).await?,
            Self::VaultToken { state, verb } => {
                let stack = Stack::load_from(Folder::at(state))?;
                if let Some(token) = console::vault_token(&stack, &verb).await? {
                    // The client reads it from the pipe between us.
                    print!("{}", token.expose_secret());
                }
            }
        }
        Ok(0)
    }
}

async fn supervise(server: &str, state: PathBuf) -> Result<(), Box<dyn Error>> {
    let server = servers::find(server).ok_or("the servers are api and worker")?;
    let stack = Stack::load_from(Folder::at(state))?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let token = SecretString::from(line.trim().to_owned());
    Ok(Supervisor::new(stack.folder(), stack.known(), server, token)?.run().await?)
}

async fn show_status(stack: &Stack) -> u8 {
    let lines = status::status(stack).await;
    for line in &lines {
        say(&format!("{} {:9} {}", if line.is_well { "✓" } else { "✗" }, line.service, line.found));
    }
    say(&format!("  files     {}", stack.folder().root().display()));
    u8::from(!lines.iter().all(|line| line.is_well))
}
