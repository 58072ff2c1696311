//! `vintem keys …`: the keys of the installation, replaced while everything runs.

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use vintem_core::holders::reindex::Indexer;
use vintem_core::keys::{KeysError, Rotation, State, Step, Which};
use vintem_core::secrets::people::PersonKeys;
use vintem_core::secrets::{DatabaseRole, Pace, SecretsError, Stage};
use vintem_core::telemetry::clock;

use crate::progress::Shown;
use crate::session::Session;
use crate::stack::ui;

/// Longer waits are left to the next run.
const PATIENCE: Duration = Duration::from_hours(1);
/// To the database of people's keys: one that reads them, and one that looks whether they are still there.
const CONNECTIONS: u32 = 2;

/// What to do with keys. Run it as the keyholder, and for the blind index as the indexer.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Show which keys sign, and which rotations are under way.
    List,
    /// Replace a key: publish a new one, let it sign, remove the old one.
    ///
    /// The rows of people that a key of the blind index made are written anew before that. Between these steps it waits until everybody knows the new key, and until nothing that the old one signed is alive.
    /// It may be interrupted: the next run goes on where this one stood.
    Rotate {
        /// token-signing, webhook-signing, cursor, checkpoint, blind-index, receipt
        which: Which,
        /// Do what is due and end instead of waiting.
        #[arg(long)]
        no_wait: bool,
        /// All steps at once, for a key that somebody else may know: what it signed is refused within a minute.
        #[arg(long, conflicts_with = "no_wait")]
        at_once: bool,
        /// Whose log tells of it.
        #[arg(long, default_value_t = 0)]
        shard: i16,
    },
    /// Revoke a certificate, of a service or a terminal; whoever checks it refuses it within a minute.
    Revoke {
        /// Its number, as `openssl x509 -serial` or a log shows it.
        serial: String,
    },
}

impl Keys {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let mut session = Session::open(DatabaseRole::Writer).await?;
        let done = match self {
            Self::List => list(&mut session).await,
            Self::Rotate { which, no_wait, at_once, shard } => {
                if at_once && which == Which::BlindIndex {
                    session.close().await;
                    return Err("people are found by this key: it is replaced at its own pace".into());
                }
                let pace = if at_once { Pace::AT_ONCE } else { which.pace() };
                let patience = if no_wait { Duration::ZERO } else { PATIENCE };
                rotate(&mut session, which, pace, patience, shard).await
            }
            Self::Revoke { serial } => revoke(&session, &serial).await,
        };
        session.close().await;
        done?;
        Ok(0)
    }
}

async fn revoke(session: &Session, serial: &str) -> Result<(), Box<dyn Error>> {
    let number = number(serial).ok_or("that is not the number of a certificate, such as 1f:2a:45")?;
    match session.vault().revoke_certificate(&number).await {
        Ok(()) => println!("{number} is revoked"),
        Err(SecretsError::Status { status: 400 | 404, .. }) => {
            return Err(format!("there is no certificate {number}, or it ended long ago").into());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// A number as Vault writes it, of one with or without colons, in small or large letters.
fn number(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("serial=").replace(':', "").to_lowercase();
    let is_whole =
        !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|sign| sign.is_ascii_hexdigit());
    let pairs: Option<Vec<&str>> = is_whole.then(|| (0..text.len()).step_by(2).map(|at| &text[at..at + 2]).collect());
    pairs.map(|pairs| pairs.join(":"))
}

async fn list(session: &mut Session) -> Result<(), Box<dyn Error>> {
    let shard = session.writer(0);
    for which in Which::ALL {
        let rotation = Rotation::new(session.vault(), &shard, which, which.pace());
        let State { current, added_at, stage } = match rotation.state().await {
            Err(KeysError::Secrets(SecretsError::Forbidden { .. })) => {
                println!("{:16} is shown to the {}", which.as_str(), which.keeper());
                continue;
            }
            state => state?,
        };
        let since = added_at.map_or_else(String::new, |at| format!(" since {}", shown(at)));
        let under_way = match stage {
            Stage::AtRest => String::new(),
            Stage::Announced { kid, due } => format!("; {kid} is published and may sign from {}", shown(due)),
            Stage::Replaced { kid, due } => format!("; {kid} before it may go from {}", shown(due)),
            Stage::LeftOver { kid, due } => format!("; what {kid} made may be deleted from {}", shown(due)),
        };
        println!("{:16} {current}{since}{under_way}", which.as_str());
    }
    Ok(())
}

async fn rotate(
    session: &mut Session,
    which: Which,
    pace: Pace,
    patience: Duration,
    shard: i16,
) -> Result<(), Box<dyn Error>> {
    let writer = session.writer(shard);
    let rotation = Rotation::new(session.vault(), &writer, which, pace);
    if let Err(KeysError::Secrets(SecretsError::Forbidden { .. })) = rotation.state().await {
        return Err(format!("this process does not keep that key; run it as the {}", which.keeper()).into());
    }
    if which != Which::BlindIndex {
        return to_the_end(&rotation, which, patience).await;
    }
    let people = session.keys(DatabaseRole::Indexer, CONNECTIONS).await?;
    let keys = PersonKeys::new(session.vault().clone(), people.pool().clone());
    let rows = Indexer::new(session.database().pool().clone(), keys, Box::new(Shown::default()));
    let done = to_the_end(&rotation.with_rows(&rows), which, patience).await;
    people.close().await;
    done
}

async fn to_the_end(rotation: &Rotation<'_>, which: Which, patience: Duration) -> Result<(), Box<dyn Error>> {
    if rotation.state().await?.stage != Stage::AtRest {
        println!("{}: a rotation is under way; going on with it", which.as_str());
    }
    let mut step = rotation.begin(clock::now()).await?;
    loop {
        match &step {
            Step::AtRest => return Ok(()),
            Step::Waits { stage, due } => {
                let left = (*due - clock::now()).to_std().unwrap_or_default();
                if left > patience {
                    println!("{}: {}", which.as_str(), why(stage));
                    println!("  to do      run this again from {}", shown(*due));
                    return Ok(());
                }
                wait(which, stage, *due).await;
            }
            done => tell(which, done),
        }
        step = rotation.go_on(clock::now()).await?;
    }
}

fn tell(which: Which, step: &Step) {
    let which = which.as_str();
    match step {
        Step::Announced { kid } => println!("{which}: {kid} is published and does not sign yet"),
        Step::Replaced { kid, old } => println!("{which}: {kid} signs in the place of {old}"),
        Step::Removed { kid } => println!("{which}: {kid} is gone"),
        Step::Cleared { kid } => println!("{which}: nothing that {kid} made is left"),
        _ => println!("{which}: somebody else is rotating it, too"),
    }
}

fn why(stage: &Stage) -> String {
    match stage {
        Stage::Announced { kid, .. } => format!("{kid} signs when every process and every cache knows it"),
        Stage::Replaced { kid, .. } => format!("{kid} goes when nothing that it signed is alive or unchecked"),
        Stage::LeftOver { kid, .. } => format!("what {kid} made is deleted when nobody can make more of it"),
        Stage::AtRest => String::new(),
    }
}

async fn wait(which: Which, stage: &Stage, due: DateTime<Utc>) {
    let mut step = ui::Step::begin(which.as_str(), &why(stage));
    while let Ok(left) = (due - clock::now()).to_std() {
        step.tell(&format!("{}: {} s left", why(stage), left.as_secs()));
        tokio::time::sleep(left.min(Duration::from_secs(1))).await;
    }
    step.done("waited");
}

fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_named_as_a_log_or_openssl_names_it() {
        for text in ["1f:2a:0b", "1F2A0B", "serial=1F2A0B", " 1f:2A:0b\n"] {
            assert_eq!(number(text).as_deref(), Some("1f:2a:0b"), "{text}");
        }
        for text in ["", "1f2", "mine", "1f-2a", "1f/2a"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
