//! `vintem rebuild`: a view of the log made anew beside the one that is in use, while writes and reads go on.

use std::error::Error;

use clap::Args;
use sqlx::PgConnection;
use vintem_core::projections::rebuild::{self, Rebuilt};
use vintem_core::projections::{self, Projection};
use vintem_core::secrets::DatabaseRole;
use vintem_core::verify;

use crate::progress::{Shown, per_second};
use crate::session::Session;

/// Build views of the log anew and put them in the place of those in use. Run it as the migrator.
///
/// Also the way out for a view that is parked, and after an upgrade for those whose rows now mean something else.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// activity, volume, hold-ageing, top-accounts, trial-balance
    #[arg(required_unless_present_any = ["all", "changed"])]
    projections: Vec<String>,
    /// Every one.
    #[arg(long, conflicts_with_all = ["projections", "changed"])]
    all: bool,
    /// Those that are parked or whose rows are of another version than this program's.
    #[arg(long, conflicts_with = "projections")]
    changed: bool,
}

impl Rebuild {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let named = self
            .projections
            .iter()
            .map(|name| projections::find(name).ok_or_else(|| format!("there is no view {name}")));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        let session = Session::open(DatabaseRole::Migrator).await?;
        let mut connection = session.database().pool().acquire().await?;
        let rebuilt = self.rebuild(&mut connection, named).await;
        drop(connection);
        session.close().await;
        rebuilt?;
        Ok(0)
    }

    async fn rebuild(
        &self,
        session: &mut PgConnection,
        named: Vec<&'static dyn Projection>,
    ) -> Result<(), Box<dyn Error>> {
        let wanted = if self.all {
            projections::ALL.to_vec()
        } else if self.changed {
            rebuild::changed(session).await?
        } else {
            named
        };
        let shards = verify::shards(session).await?;
        for projection in wanted {
            let mut shown = Shown::default();
            let rebuilt = rebuild::rebuild(session, projection, &shards, &mut shown).await;
            shown.finish();
            print(projection.name(), &rebuilt?);
        }
        Ok(())
    }
}

fn print(name: &str, rebuilt: &Rebuilt) {
    let Rebuilt { events, elapsed, swap, differing } = rebuilt;
    println!(
        "{name} is rebuilt: {events} events in {}.{:03} s ({} events/s), swapped within {} ms",
        elapsed.as_secs(),
        elapsed.subsec_millis(),
        per_second(*events, *elapsed),
        swap.as_millis()
    );
    match differing.as_deref() {
        None => {
            println!("  there was none to compare it with: it had not begun, stood still, or was of another version");
        }
        Some([]) => println!("  the one before it was the same, row by row"),
        Some(rows) => {
            for (table, (key, stored, folded)) in rows {
                let text = |row: &Option<String>| row.clone().unwrap_or_else(|| "nothing".to_owned());
                println!("  {table} {key} was {}, the log says {}", text(stored), text(folded));
            }
        }
    }
}
