//! How a device comes in, and how it gets its next certificate.
//!
//! A certificate is kept before the log knows it, and is good once it does. So whoever repeats a request, because its answer was lost
//! or a process died in between, gets the same certificate, and the fact is recorded then at the latest.

use std::net::IpAddr;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::code::ActivationCode;
use super::error::TerminalError;
use super::event::TerminalCertificate;
use super::serial::Serial;
use super::service::Terminals;
use super::store::{certificates, codes};
use super::terminal::Terminal;
use crate::access::proving::back_off::origin;
use crate::access::proving::{Attempt, Counted, attempts};
use crate::access::{Of, TerminalSession};
use crate::event_store::overlay::Origin;
use crate::event_store::read::tenant_tx;
use crate::kernel::{Refusal, RefusalCode, instant};
use crate::ledger::service::Actor;
use crate::secrets::pki::{Facts, SigningRequest};

/// A device that nobody knows yet.
#[derive(Debug)]
pub struct Arrives {
    /// Whose it wants to be.
    pub of: Of,
    /// Where it comes from.
    pub from: Option<IpAddr>,
    /// What is written on it.
    pub serial: Serial,
    /// What was typed on it; `None` when that is no code.
    pub code: Option<ActivationCode>,
    /// The key that it made.
    pub request: SigningRequest,
    /// The request.
    pub trace: Arc<str>,
}

/// What a device gets.
#[derive(Debug)]
pub struct Enrolled {
    /// Who it is.
    pub terminal: Terminal,
    /// Its certificate and those who vouch for it, as PEM.
    pub chain: String,
    /// The number of its next message.
    pub next_seq: i64,
}

/// Who a terminal is, as its certificate says.
pub fn uri(tenant: Uuid, terminal: Uuid) -> String {
    format!("{NAME}{tenant}:{terminal}")
}

/// The tenant and the terminal that a certificate names, if it is a terminal's.
pub fn named(facts: &Facts) -> Option<(Uuid, Uuid)> {
    let [uri] = facts.uris.as_slice() else { return None };
    let (tenant, terminal) = uri.strip_prefix(NAME)?.split_once(':')?;
    Some((Uuid::try_parse(tenant).ok()?, Uuid::try_parse(terminal).ok()?))
}

const NAME: &str = "urn:vintem:terminal:";

impl Terminals {
    /// A device shows its code and a key, and gets a certificate over that key.
    pub async fn enrol(&self, arrives: &Arrives) -> Result<Enrolled, TerminalError> {
        let (of, key) = (arrives.of, arrives.request.key());
        let counted = self.count(arrives).await?;
        let id = arrives.serial.terminal(of.tenant);
        let (code, used_by) = self.judge(arrives, id).await?;
        for (counted, is_alone) in counted {
            attempts::take_back(&self.editor, &counted, is_alone).await?;
        }
        match used_by {
            Some(other) if other != key => return Err(used()),
            Some(_) => {}
            None => self.use_code(arrives, (code, id)).await?,
        }
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let chain = certificates::find(&mut tx, of, id, key, self.now()).await?;
        tx.commit().await?;
        // The same code has brought it in, and it has renewed its certificate since.
        let chain = chain.ok_or(TerminalError::CodeExpired)?;
        let certificate = as_known(&Facts::of_pem(&chain)?);
        let origin = Origin { tenant: of.tenant, actor: actor(id), correlation: Some(arrives.trace.clone()) };
        self.decided(&Actor { shard: of.shard, origin }, id, |terminal| terminal.enrol(code, &certificate)).await?;
        Ok(Enrolled { terminal: self.own(of, id).await?, chain, next_seq: self.next_seq(of, id).await? })
    }

    /// Counts an attempt before it is judged: for the device, and for the place.
    async fn count(&self, arrives: &Arrives) -> Result<[([u8; 32], bool); 2], TerminalError> {
        let (pepper, tenant) = (&self.knows()?.pepper, arrives.of.tenant);
        let name = |counted: Counted, part: &[u8]| {
            pepper.name(&[b"terminal", counted.as_str().as_bytes(), tenant.as_bytes(), part])
        };
        let place = name(Counted::ActivationPlace, &origin(arrives.from));
        let device = name(Counted::Activation, arrives.serial.as_str().as_bytes());
        for (counted, key) in [(Counted::ActivationPlace, &place), (Counted::Activation, &device)] {
            if attempts::count(&self.editor, counted, key, self.now()).await? == Attempt::Blocked {
                return Err(TerminalError::Waiting);
            }
        }
        // Others may be trying from the same place.
        Ok([(place, true), (device, false)])
    }

    /// Judges a code: which one it is, and what it was used with.
    async fn judge(&self, arrives: &Arrives, id: Uuid) -> Result<(Uuid, Option<String>), TerminalError> {
        let of = arrives.of;
        let issued = self.row(of, id).await?.and_then(|row| row.code);
        let (issued, code) = issued.zip(arrives.code.as_ref()).ok_or(TerminalError::CodeExpired)?;
        let digest = code.digest(&self.knows()?.pepper, id);
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let kept = codes::count(&mut tx, of, (issued, id), self.now()).await?;
        let right = kept.filter(|kept| kept.digest.ct_eq(&digest).into());
        if right.is_some() {
            codes::take_back(&mut tx, of, issued).await?;
        }
        tx.commit().await?;
        let Some(kept) = right else {
            tracing::info!(terminal = %id, "an activation code was refused");
            return Err(TerminalError::CodeExpired);
        };
        Ok((issued, kept.used_by))
    }

    /// Uses a code: from then on it is good with this key only. Of two at once one is first.
    async fn use_code(&self, arrives: &Arrives, (code, id): (Uuid, Uuid)) -> Result<(), TerminalError> {
        let (of, request) = (arrives.of, &arrives.request);
        let (chain, facts) = self.knows()?.vault.sign_terminal(request, &uri(of.tenant, id)).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        if codes::claim(&mut tx, of, code, request.key()).await? {
            certificates::put(&mut tx, of, id, (request.key(), &chain), facts.ends_at).await?;
            tx.commit().await?;
            return Ok(());
        }
        let is_own = certificates::find(&mut tx, of, id, request.key(), self.now()).await?.is_some();
        tx.commit().await?;
        if is_own { Ok(()) } else { Err(used()) }
    }

    /// Another certificate, over another key. Whoever did not hear of it asks with the certificate before.
    pub async fn renew(
        &self,
        actor: &Actor,
        session: &TerminalSession,
        request: &SigningRequest,
    ) -> Result<Enrolled, TerminalError> {
        let (of, id, now) = (Of::from(actor), session.terminal, self.now());
        let terminal = self.own(of, id).await?;
        let own = terminal.certificate.as_ref().ok_or(TerminalError::Unreadable)?;
        let is_asked_again = own.key == request.key();
        if session.is_superseded && !is_asked_again {
            return Err(TerminalError::CertificateRevoked);
        }
        let may_renew = terminal.may_renew(now);
        if is_asked_again && may_renew && !session.is_superseded {
            let detail = "a renewal is over another key than the certificate's";
            return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/csr").into());
        }
        if !is_asked_again && !may_renew {
            let from = instant::to_text(own.renewable_from());
            let detail = format!("the certificate is renewed from {from} on, or when the terminal is told to");
            return Err(Refusal::new(RefusalCode::InvalidState, detail).into());
        }
        let chain = self.signed(of, id, request).await?;
        let certificate = as_known(&Facts::of_pem(&chain)?);
        self.decided(actor, id, |terminal| terminal.renew(&certificate)).await?;
        Ok(Enrolled { terminal: self.own(of, id).await?, chain, next_seq: self.next_seq(of, id).await? })
    }

    /// The certificate over a key: the one that was signed last, or another.
    async fn signed(&self, of: Of, id: Uuid, request: &SigningRequest) -> Result<String, TerminalError> {
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let known = certificates::find(&mut tx, of, id, request.key(), self.now()).await?;
        tx.commit().await?;
        if let Some(chain) = known {
            return Ok(chain);
        }
        let (chain, facts) = self.knows()?.vault.sign_terminal(request, &uri(of.tenant, id)).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        certificates::put(&mut tx, of, id, (request.key(), &chain), facts.ends_at).await?;
        tx.commit().await?;
        Ok(chain)
    }
}

fn used() -> TerminalError {
    Refusal::new(RefusalCode::InvalidState, "the code has brought a device with another key in").into()
}

fn actor(id: Uuid) -> Arc<str> {
    format!("terminal:{id}").into()
}

fn as_known(facts: &Facts) -> TerminalCertificate {
    TerminalCertificate {
        number: facts.serial.clone(),
        fingerprint: facts.fingerprint.clone(),
        key: facts.key.clone(),
        not_before: facts.begins_at,
        not_after: facts.ends_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_one_terminal_of_one_tenant() {
        let (tenant, terminal) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let of = |uris: &[&str]| {
            named(&Facts {
                serial: String::new(),
                uris: uris.iter().map(ToString::to_string).collect(),
                fingerprint: String::new(),
                key: String::new(),
                begins_at: chrono::DateTime::UNIX_EPOCH,
                ends_at: chrono::DateTime::UNIX_EPOCH,
            })
        };
        let own = uri(tenant, terminal);
        assert_eq!(of(&[&own]), Some((tenant, terminal)));
        let own = own.as_str();
        for other in [&[][..], &[own, own], &["urn:vintem:service:nginx"], &[own.trim_end_matches('2')]] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
