//! The use cases: give a receipt out, and say whether one is true.

use sqlx::PgPool;
use uuid::Uuid;

use super::code::Code;
use super::error::ReceiptError;
use super::receipt::{self, ClaimedLeg, Claims, Reversed};
use super::signer::{PublicKeys, Signer};
use super::store;
use crate::access::Tenant;
use crate::event_store::overlay::Origin;
use crate::event_store::read::tenant_tx;
use crate::kernel::Instant;
use crate::ledger::service::{Actor, Ledger};
use crate::secrets::Followed;

/// Who asks when anybody may.
const ANYBODY: &str = "anybody";

/// A receipt as it was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The code to ask by.
    pub code: Code,
    /// The signed text.
    pub signed: String,
}

/// Of what a receipt was given out, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Whose it is.
    pub tenant: Uuid,
    /// The transaction.
    pub transaction: Uuid,
    /// When.
    pub issued_at: Instant,
}

/// What is true of a receipt now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// When it was given out.
    pub issued_at: Instant,
    /// When the transaction was recorded, and its value date.
    pub times: (String, String),
    /// What moved.
    pub legs: Vec<ClaimedLeg>,
    /// Whether it was taken back since.
    pub reversed: Reversed,
}

/// Gives receipts out and checks them. Rows are the editor's.
#[derive(Clone)]
pub struct Receipts {
    editor: PgPool,
    ledger: Ledger,
    signer: Option<Signer>,
    issuer: String,
}

impl Receipts {
    /// Over a ledger; without a signer it only checks what was given out.
    pub fn new(editor: PgPool, ledger: Ledger, signer: Option<Signer>, issuer: String) -> Self {
        Self { editor, ledger, signer, issuer }
    }

    /// The keys that verify receipts, all that there ever were.
    pub fn keys(&self) -> Followed<PublicKeys> {
        self.signer.as_ref().map_or_else(|| Followed::fixed(PublicKeys::default()), Signer::keys)
    }

    /// The receipt of a transaction; `None` when there is none of this id.
    pub async fn of(
        &self,
        actor: &Actor,
        tenant: &Tenant,
        transaction: Uuid,
        now: Instant,
    ) -> Result<Option<Receipt>, ReceiptError> {
        let place = store::Place { shard: tenant.shard, tenant: tenant.tenant, transaction };
        let mut tx = tenant_tx(&self.editor, tenant.tenant).await?;
        let given = store::find(&mut tx, place).await?;
        tx.commit().await?;
        if given.is_some() {
            return Ok(given);
        }
        let Some(facts) = self.ledger.transaction(actor, transaction).await? else { return Ok(None) };
        let posted = facts.events.first().ok_or(ReceiptError::Unreadable)?;
        let (recorded_at, effective_at) = receipt::times(posted);
        let code = Code::draw();
        let claims = Claims {
            iss: self.issuer.clone(),
            tenant: tenant.name.as_str().to_owned(),
            iat: now.timestamp(),
            code: code.to_string(),
            transaction,
            position: posted.position,
            recorded_at,
            effective_at,
            legs: receipt::legs(posted, &facts.known).ok_or(ReceiptError::Unreadable)?,
        };
        let signed = self.signer.as_ref().ok_or(ReceiptError::NoKey)?.sign(&claims).await?;
        let mut tx = tenant_tx(&self.editor, tenant.tenant).await?;
        store::insert(&mut tx, place, &Receipt { code, signed }, now).await?;
        // Of two who asked at once the first one's is everybody's.
        let given = store::find(&mut tx, place).await?;
        tx.commit().await?;
        Ok(given)
    }

    /// The receipt of a transaction for the owner of one of its accounts; `None` when it is not for them.
    pub async fn of_own(
        &self,
        actor: &Actor,
        tenant: &Tenant,
        account: Uuid,
        transaction: Uuid,
        now: Instant,
    ) -> Result<Option<Receipt>, ReceiptError> {
        let Some(facts) = self.ledger.transaction(actor, transaction).await? else { return Ok(None) };
        let posted = facts.events.first().ok_or(ReceiptError::Unreadable)?;
        if !receipt::is_for(posted, account, &facts.known) {
            return Ok(None);
        }
        self.of(actor, tenant, transaction, now).await
    }

    /// What was given out under a code; `None` when nothing was.
    pub async fn given(&self, code: &Code) -> Result<Option<Given>, ReceiptError> {
        Ok(store::by_code(&self.editor, code).await?)
    }

    /// What is true of a receipt of a tenant now.
    pub async fn check(&self, tenant: &Tenant, given: &Given) -> Result<Option<Checked>, ReceiptError> {
        let origin = Origin::command(tenant.tenant, ANYBODY);
        let actor = Actor { shard: tenant.shard, origin };
        let Some(facts) = self.ledger.transaction(&actor, given.transaction).await? else { return Ok(None) };
        let posted = facts.events.first().ok_or(ReceiptError::Unreadable)?;
        let legs = receipt::legs(posted, &facts.known).ok_or(ReceiptError::Unreadable)?;
        let reversed = receipt::reversed(&facts.events);
        Ok(Some(Checked { issued_at: given.issued_at, times: receipt::times(posted), legs, reversed }))
    }
}
