//! Signing in: the one use case that strangers try.
//!
//! The order is fixed, and the same for somebody and nobody: the address may try, whose login it is, whether it may be
//! tried, the password (always hashed), then the second factor. A refusal is always the same, and what it was is for the log.
//!
//! Nobody is judged by what is known of another member of the tenant, who stands in: as much is read, compared and opened,
//! and it lets nobody in. The second factor is looked at beside the hashing, which takes longer, for whatever password it
//! is; only who has the password waits for it and hears that Vault is away, and only a right code is ever used up. So an
//! answer's time tells neither who exists nor that a password was right, as long as Vault answers within a hash's time.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::error::StaffError;
use super::member::{self, Member};
use super::recovery::{self, CodeDigest};
use super::seen::Seen;
use super::service::{Entered, Of, Staff, acting, load};
use super::session::{FRESH, Session};
use super::store::credentials::{self, Credential};
use super::store::sessions;
use super::ticket::{Purpose, Ticket};
use crate::access::at_the_door;
use crate::access::proving::{Attempt, Counted, Password, attempts};
use crate::event_store::fresh;
use crate::event_store::read::tenant_tx;
use crate::kernel::name::natural_key;

/// What somebody presents.
#[derive(Debug)]
pub struct SignIn {
    /// The tenant's name.
    pub tenant: String,
    /// The login, as it was typed.
    pub login: String,
    /// The password, as it was typed.
    pub password: SecretString,
    /// What they have.
    pub factor: SecondFactor,
}

/// What somebody has.
#[derive(Debug)]
pub enum SecondFactor {
    /// A device's code.
    Code(SecretString),
    /// One of the codes on paper.
    RecoveryCode(SecretString),
}

/// A session that was opened.
#[derive(Debug)]
pub struct SignedIn {
    /// Whose, and which.
    pub entered: Entered,
    /// Opens it; the cookie.
    pub ticket: Ticket,
}

/// Whoever it may be: what is known of a login, or of who stands in for nobody.
struct Candidate {
    of: Of,
    member: Option<Member>,
    credential: Option<Credential>,
    /// Whether it is the login's own.
    is_meant: bool,
    /// Whether the recovery code that was presented is one of the member's.
    has_code: bool,
    /// What their attempts are counted as.
    counted: Counted,
}

/// The step that a device's code belongs to, as soon as it is known.
type Step = JoinHandle<Result<Option<i64>, StaffError>>;

impl SignIn {
    /// What is kept of the recovery code, if one was presented that can be one of the member's.
    fn code_on_paper(&self, member: Uuid) -> Option<CodeDigest> {
        match &self.factor {
            SecondFactor::RecoveryCode(code) => recovery::digest_of(member, code.expose_secret()),
            SecondFactor::Code(_) => None,
        }
    }
}

/// That a second factor was shown, and how many recovery codes are left if it was one of them.
struct Shown {
    recovery_codes_left: Option<i64>,
}

impl Staff {
    /// Opens a session, or refuses in the one way.
    pub async fn sign_in(&self, who: SignIn, from: Option<IpAddr>, seen: Seen) -> Result<SignedIn, StaffError> {
        let (knows, now) = (self.knows()?, self.now());
        let place = knows.place(from);
        let by_address = knows.counted(Counted::Address, &[&place]);
        if attempts::count(&self.editor, Counted::Address, &by_address, now).await? == Attempt::Blocked {
            tracing::warn!("sign-ins from one address are refused for a while");
            return Err(StaffError::NotProven);
        }
        let candidate = self.candidate(&who, &place, now).await?;
        let login: [&[u8]; 3] = [who.tenant.as_bytes(), who.login.as_bytes(), &place];
        let parts = if candidate.counted == Counted::LoginAtHome { &login[..] } else { &login[..2] };
        let by_login = knows.counted(candidate.counted, parts);
        let attempt = attempts::count(&self.editor, candidate.counted, &by_login, now).await?;
        let shown = match self.prove(&candidate, &who, attempt, now).await {
            Err(StaffError::NotProven) => {
                self.report(&candidate, attempt);
                return Err(StaffError::NotProven);
            }
            Err(error) => {
                // Nothing was judged.
                attempts::take_back(&self.editor, &by_login, true).await?;
                attempts::take_back(&self.editor, &by_address, true).await?;
                return Err(error);
            }
            Ok(shown) => shown,
        };
        attempts::take_back(&self.editor, &by_login, false).await?;
        attempts::take_back(&self.editor, &by_address, true).await?;
        attempts::forget(&self.editor, now).await?;
        let member = candidate.member.ok_or(StaffError::NotProven)?;
        self.open(candidate.of, member, shown, &place, &seen).await
    }

    /// Asks the same of the database for any login of any tenant.
    async fn candidate(&self, who: &SignIn, place: &[u8; 32], now: DateTime<Utc>) -> Result<Candidate, StaffError> {
        let found = at_the_door(&self.editor, &who.tenant).await?;
        let of = found.unwrap_or(Of { shard: 0, tenant: Uuid::nil() });
        let meant = natural_key(of.tenant, "staff", &[&who.login]);
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let found = credentials::find_or_stand_in(&mut tx, of, meant).await?;
        let (id, credential) = found.map_or((meant, None), |(id, credential)| (id, Some(credential)));
        let member = load(&mut tx, of, id).await?;
        let is_at_home = sessions::is_at_home(&mut tx, of, id, place, now).await?;
        let has_code = match who.code_on_paper(id) {
            Some(digest) => credentials::has_code(&mut tx, of, id, &digest).await?,
            None => false,
        };
        tx.commit().await?;
        let is_meant = id == meant && credential.is_some();
        let counted = if is_at_home && is_meant { Counted::LoginAtHome } else { Counted::Login };
        Ok(Candidate { of, member, credential, is_meant, has_code, counted })
    }

    /// Begins to find out which step a device's code belongs to.
    fn step_beside(&self, candidate: &Candidate, who: &SignIn, now: DateTime<Utc>) -> Step {
        let (SecondFactor::Code(code), Some(member), Some(credential)) =
            (&who.factor, &candidate.member, &candidate.credential)
        else {
            return tokio::spawn(async { Ok(None) });
        };
        let (staff, of, member) = (self.clone(), candidate.of, member.id);
        let (sealed, code) = (credential.device.clone(), code.clone());
        tokio::spawn(async move {
            let device = staff.device(of, member, &sealed).await?;
            Ok(device.step_of(code.expose_secret(), now))
        })
    }

    /// The password first and always; what follows is only for whoever has it.
    async fn prove(
        &self,
        candidate: &Candidate,
        who: &SignIn,
        attempt: Attempt,
        now: DateTime<Utc>,
    ) -> Result<Shown, StaffError> {
        let step = self.step_beside(candidate, who, now);
        let stored = candidate.credential.as_ref().map(|credential| credential.password_hash.clone());
        let is_right = self.knows()?.hashing.verify(Password::typed(&who.password).as_bytes(), stored).await?;
        let (Some(member), Some(credential)) = (&candidate.member, &candidate.credential) else {
            return Err(StaffError::NotProven);
        };
        let is_theirs = is_right && candidate.is_meant && member.is_proven_by(credential.enrolled_by);
        if !is_theirs || attempt == Attempt::Blocked {
            return Err(StaffError::NotProven);
        }
        let of = candidate.of;
        match who.code_on_paper(member.id) {
            None => {
                // It neither panics nor is cancelled.
                let step = step.await.map_err(|_| StaffError::Overloaded)??.ok_or(StaffError::NotProven)?;
                let mut tx = tenant_tx(&self.editor, of.tenant).await?;
                let is_first = credentials::use_step(&mut tx, of, member.id, step).await?;
                tx.commit().await?;
                if is_first { Ok(Shown { recovery_codes_left: None }) } else { Err(StaffError::NotProven) }
            }
            Some(_) if !candidate.has_code => Err(StaffError::NotProven),
            Some(digest) => {
                let mut tx = tenant_tx(&self.editor, of.tenant).await?;
                let is_first = credentials::use_code(&mut tx, of, member.id, &digest).await?;
                let left = credentials::codes_left(&mut tx, of, member.id).await?;
                tx.commit().await?;
                if is_first { Ok(Shown { recovery_codes_left: Some(left) }) } else { Err(StaffError::NotProven) }
            }
        }
    }

    /// The fact first: nobody is in whom the log knows nothing of.
    async fn open(
        &self,
        of: Of,
        member: Member,
        shown: Shown,
        place: &[u8; 32],
        seen: &Seen,
    ) -> Result<SignedIn, StaffError> {
        let now = self.now();
        let ticket = Ticket::generate(Purpose::Session, of.tenant);
        let session = Session {
            id: fresh::new_id(),
            member: member.id,
            member_version: member.version,
            created_at: now,
            used_at: now,
            // A code on paper stands in for the device once, and not for what asks for the device.
            fresh_until: shown.recovery_codes_left.is_none().then(|| now + FRESH),
            ended_at: None,
        };
        let seen = self.key(of, member.id).await?.map(|key| seen.seal(&key, of, session.id));
        let decision = member::sign_in(session.id, member.id, seen, shown.recovery_codes_left);
        self.record(&acting(of, &format!("staff:{}", member.id)), decision).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        sessions::insert(&mut tx, of, &session, &ticket.digest(), place).await?;
        tx.commit().await?;
        Ok(SignedIn { entered: Entered { member, session }, ticket })
    }

    /// Each step of a member's pause is a fact. It is recorded beside the answer, which must not take longer for it.
    fn report(&self, candidate: &Candidate, attempt: Attempt) {
        let Attempt::Free { failures } = attempt else { return };
        let pause = candidate.counted.pause(failures).num_seconds();
        if pause == 0 {
            return;
        }
        let Some(member) = candidate.member.as_ref().filter(|_| candidate.is_meant).map(|member| member.id) else {
            tracing::warn!(failures, pause, "sign-ins under a login that is nobody's are refused for a while");
            return;
        };
        tracing::warn!(%member, failures, pause, "sign-ins of a member are refused for a while");
        let (staff, of) = (self.clone(), candidate.of);
        tokio::spawn(async move {
            let decision = member::sign_in_refused(fresh::new_id(), member, failures, pause);
            if let Err(error) = staff.record(&acting(of, "sign-in"), decision).await {
                tracing::warn!(%error, %member, "a refused sign-in is not in the log");
            }
        });
    }
}
