//! `vintem rewrap`: the keys of people, wrapped by the newest version of the key in Vault.

use std::error::Error;

use clap::Args;
use vintem_core::secrets::DatabaseRole;
use vintem_core::secrets::people::rewrap::{Rewrapped, rewrap};
use vintem_core::verify::Progress as _;

use crate::progress::Shown;
use crate::session::Session;

/// Wrap the keys of people with the newest version of the key in Vault. Run it as the rewrapper.
///
/// After `vault write -f transit/keys/people/rotate`; when it is done, `min_decryption_version` may be raised. Nothing is
/// opened, people are read and registered meanwhile, and a run that was interrupted goes on where it stopped.
#[derive(Debug, Args)]
pub struct Rewrap {}

impl Rewrap {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let session = Session::open(DatabaseRole::Rewrapper).await?;
        let (mut shown, mut told) = (Shown::default(), None);
        let rewrapped = rewrap(session.vault(), session.database().pool(), |so_far: &Rewrapped| {
            let before = *told.get_or_insert_with(|| {
                shown.begin("keys", so_far.total);
                0
            });
            shown.add(so_far.done - before);
            told = Some(so_far.done);
        })
        .await;
        shown.finish();
        session.close().await;
        let Rewrapped { version, done, .. } = rewrapped?;
        println!("{done} keys were wrapped anew; all of them are of version {version} now");
        Ok(0)
    }
}
