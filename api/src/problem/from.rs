//! How the errors of core become problems.

use super::{Code, Fault, Problem};
use vintem_core::access::staff::StaffError;
use vintem_core::access::{AccessError, Barred, Denied, ProofError, TokenError};
use vintem_core::aliases::AliasError;
use vintem_core::citizens::CitizenError;
use vintem_core::event_store::WriteError;
use vintem_core::holders::HolderError;
use vintem_core::kernel::{Place, Refusal, RefusalCode};
use vintem_core::ledger::error::LedgerError;
use vintem_core::payments::PaymentError;
use vintem_core::projections::views::ViewError;
use vintem_core::receipts::ReceiptError;
use vintem_core::secrets::SecretsError;
use vintem_core::settlement::SettlementError;
use vintem_core::terminals::TerminalError;
use vintem_core::webhooks::WebhookError;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, detail, place } = refusal;
        let problem = Self::new(Code::Business(code), detail.clone());
        // A value that core finds wrong is known to be well-formed JSON of the right type.
        let fault_code = if code == RefusalCode::ValidationFailed { "malformed" } else { code.as_str() };
        match place {
            Some(place) => problem.with(Fault { place, code: fault_code, detail }),
            None => problem,
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        let code = match error {
            WriteError::Overloaded => Code::Overloaded,
            WriteError::InFlight => Code::RequestInFlight,
            WriteError::Halted => Code::LedgerHalted,
            WriteError::DatabaseUnavailable => Code::DatabaseUnavailable,
            WriteError::OutcomeUnknown => Code::OutcomeUnknown,
            WriteError::Defect => Code::InternalError,
        };
        Self::new(code, error.to_string())
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Refused(refusal) => refusal.into(),
            LedgerError::Write(error) => error.into(),
            LedgerError::Database(cause) => database(&cause),
        }
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Behind { .. } | ViewError::Rebuilding => Self::new(Code::ViewBehind, error.to_string()),
            ViewError::Database(cause) => database(&cause),
        }
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Refused(refusal) => refusal.into(),
            WebhookError::Secrets(cause) => {
                tracing::error!(error = %cause, "a webhook's secret could not be sealed");
                Self::new(Code::VaultSealed, "the secret could not be sealed; nothing was written")
            }
            WebhookError::OutcomeUnknown => Self::new(Code::OutcomeUnknown, error.to_string()),
            WebhookError::Database(cause) => database(&cause),
        }
    }
}

impl From<ReceiptError> for Problem {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::Ledger(error) => error.into(),
            ReceiptError::Database(cause) => database(&cause),
            ReceiptError::Secrets(_) | ReceiptError::NoKey => {
                tracing::error!(%error, "a receipt was not signed");
                Self::new(Code::VaultSealed, "the receipt could not be signed now")
            }
            ReceiptError::Unreadable => Self::new(Code::InternalError, error.to_string()),
        }
    }
}

impl From<HolderError> for Problem {
    fn from(error: HolderError) -> Self {
        match error {
            HolderError::Refused(refusal) => refusal.into(),
            HolderError::Write(error) => error.into(),
            HolderError::Database(cause) | HolderError::Secrets(SecretsError::KeyDatabase { source: cause }) => {
                database(&cause)
            }
            HolderError::Secrets(cause) => {
                tracing::error!(error = %cause, "a person's key is not to be had");
                Self::new(Code::VaultSealed, "the person's key is not to be had now; nothing was written")
            }
            HolderError::KeyGone => {
                tracing::error!("a holder who is not erased in the log has no key: the log was restored from before");
                Self::new(Code::SubjectErased, "the key to what was known of this person was destroyed")
            }
            HolderError::Unreadable => {
                tracing::error!("what the log says of a holder does not open under the holder's key");
                Self::new(Code::InternalError, error.to_string())
            }
        }
    }
}

impl From<PaymentError> for Problem {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Refused(refusal) => refusal.into(),
            PaymentError::Ledger(error) => error.into(),
            PaymentError::Holder(error) => error.into(),
            PaymentError::Access(error) => error.into(),
            PaymentError::Away(away) => {
                tracing::error!("what moves money outside cannot be reached");
                Self::new(Code::Overloaded, away.to_string()).retry_after(5)
            }
            PaymentError::Unreadable => {
                tracing::error!("what the log says of a payment cannot be read");
                Self::new(Code::InternalError, error.to_string())
            }
        }
    }
}

impl From<SettlementError> for Problem {
    fn from(error: SettlementError) -> Self {
        match error {
            SettlementError::Refused(refusal) => refusal.into(),
            SettlementError::Ledger(error) => error.into(),
            SettlementError::Beyond(pointer) => {
                let (place, detail) = (Place::Pointer(pointer.to_owned()), error.to_string());
                Self::new(Code::Forbidden, detail.clone()).with(Fault { place, code: "forbidden", detail })
            }
            SettlementError::Unreadable => {
                tracing::error!("what the log says of a provider or service cannot be read");
                Self::new(Code::InternalError, error.to_string())
            }
        }
    }
}

impl From<AliasError> for Problem {
    fn from(error: AliasError) -> Self {
        match error {
            AliasError::Refused(refusal) => refusal.into(),
            AliasError::Quota(wait) => {
                let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
                Self::new(Code::LookupQuota, error.to_string()).retry_after(seconds)
            }
            AliasError::Holder(error) => error.into(),
            AliasError::Ledger(error) => error.into(),
            AliasError::Unreadable => {
                tracing::error!("what the log says of somebody's keys cannot be read");
                Self::new(Code::InternalError, error.to_string())
            }
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::BadCredentials => Self::new(Code::Unauthenticated, error.to_string()).oauth("invalid_client"),
            AccessError::NoProof => dpop_fault("required", &error.to_string()).oauth("invalid_dpop_proof"),
            AccessError::Proof(error) => Self::from(error).oauth("invalid_dpop_proof"),
            AccessError::WrongPlace => Self::new(Code::Forbidden, error.to_string()).oauth("unauthorized_client"),
            AccessError::ScopeNotGranted | AccessError::UnknownScope(_) | AccessError::NoScopes => {
                let place = Place::Parameter("scope".to_owned());
                Self::invalid(place, "out-of-range", error.to_string()).oauth("invalid_scope")
            }
            // A valid token of a tenant that is gone.
            AccessError::UnknownTenant => Self::new(Code::Unauthenticated, error.to_string()),
            AccessError::Database(cause) => database(&cause),
            // Answers of the operator's use cases; the API calls none of them.
            AccessError::BadTenantName
            | AccessError::BadClientName
            | AccessError::UnknownTimeZone
            | AccessError::UnknownShard
            | AccessError::NameTaken
            | AccessError::UnknownLegalMode
            | AccessError::NoAsset
            | AccessError::SandboxIsForEver
            | AccessError::BadHostname
            | AccessError::HostnameTaken
            | AccessError::Unfinished
            | AccessError::UnknownClient
            | AccessError::ClientRevoked
            | AccessError::Inconsistent { .. }
            | AccessError::Write(_) => {
                tracing::error!(%error, "an access use case failed in a way that no request can cause");
                Self::new(Code::InternalError, "the access data could not be read")
            }
        }
    }
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        match error {
            // One answer for all the ways in which it was not proven who it is.
            StaffError::NotProven | StaffError::NoSession => Self::new(Code::Unauthenticated, error.to_string()),
            StaffError::StepUp => Self::new(Code::StepUpRequired, error.to_string()),
            StaffError::HoldsMore => Self::new(Code::Forbidden, error.to_string()),
            StaffError::MoreThanHeld(ref pointer) => {
                let place = Place::Pointer(pointer.clone());
                Self::new(Code::Forbidden, error.to_string()).with(Fault {
                    place,
                    code: "out-of-range",
                    detail: error.to_string(),
                })
            }
            StaffError::Refused(refusal) => refusal.into(),
            StaffError::Overloaded => Self::new(Code::Overloaded, error.to_string()),
            StaffError::Write(error) => error.into(),
            StaffError::Access(error) => error.into(),
            StaffError::Database(cause) | StaffError::Secrets(SecretsError::KeyDatabase { source: cause }) => {
                database(&cause)
            }
            StaffError::Secrets(cause) => {
                tracing::error!(error = %cause, "the key of a member of the staff is not to be had");
                Self::new(Code::VaultSealed, "the member's key is not to be had now; nothing was changed")
            }
            StaffError::Unreadable => {
                tracing::error!("what is stored of a member of the staff cannot be read");
                Self::new(Code::InternalError, error.to_string())
            }
        }
    }
}

impl From<CitizenError> for Problem {
    fn from(error: CitizenError) -> Self {
        let plain = |code| Self::new(code, error.to_string());
        match error {
            CitizenError::NotProven | CitizenError::NoSession => plain(Code::Unauthenticated),
            CitizenError::Reuse => plain(Code::TokenReuseDetected),
            CitizenError::CodeInvalid => plain(Code::CodeInvalid),
            CitizenError::CodeExpired => plain(Code::CodeExpired),
            CitizenError::PinInvalid => plain(Code::PinInvalid),
            CitizenError::PinLocked => plain(Code::PinLocked),
            CitizenError::DeviceUntrusted => plain(Code::DeviceUntrusted),
            CitizenError::SignatureInvalid => plain(Code::SignatureInvalid),
            CitizenError::Overloaded => plain(Code::Overloaded).retry_after(1),
            CitizenError::NoMessages => {
                tracing::error!("no code can be sent: this process has no way to send messages (VINTEM_SMTP)");
                plain(Code::Overloaded)
            }
            CitizenError::Unreadable => {
                tracing::error!("what is stored of a citizen cannot be read");
                plain(Code::InternalError)
            }
            CitizenError::Refused(refusal) => refusal.into(),
            CitizenError::Holder(error) => error.into(),
            CitizenError::Ledger(error) => error.into(),
            CitizenError::Access(error) => error.into(),
            CitizenError::Write(error) => error.into(),
            CitizenError::Secrets(cause) => HolderError::Secrets(cause).into(),
            CitizenError::Database(cause) => database(&cause),
        }
    }
}

impl From<TerminalError> for Problem {
    fn from(error: TerminalError) -> Self {
        let plain = |code| Self::new(code, error.to_string());
        match error {
            TerminalError::CodeExpired => plain(Code::CodeExpired),
            TerminalError::Waiting => plain(Code::RateLimited).retry_after(2),
            TerminalError::BadRequest(_) => {
                Self::invalid(Place::Pointer("/csr".to_owned()), "malformed", error.to_string())
            }
            TerminalError::Unknown => plain(Code::CertificateUnknown),
            TerminalError::Suspended => plain(Code::TerminalSuspended),
            TerminalError::CertificateRevoked => plain(Code::CertificateRevoked),
            TerminalError::SequenceConflict(_) => plain(Code::SequenceConflict),
            TerminalError::ClockSkew(_) => plain(Code::ClockSkew),
            TerminalError::Elsewhere => plain(Code::Forbidden),
            TerminalError::Unreadable => {
                tracing::error!("what is stored of a terminal cannot be read");
                plain(Code::InternalError)
            }
            TerminalError::Refused(refusal) => refusal.into(),
            TerminalError::Access(error) => error.into(),
            TerminalError::Write(error) => error.into(),
            TerminalError::Secrets(cause) => HolderError::Secrets(cause).into(),
            TerminalError::Database(cause) => database(&cause),
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        // Which check failed is for the log: a forger learns nothing from the answer.
        tracing::debug!(%error, "a token was not accepted");
        match error {
            TokenError::WrongPlace => Self::new(Code::Forbidden, error.to_string()),
            TokenError::Proof(error) => error.into(),
            TokenError::NoProof => dpop_fault("required", &error.to_string()),
            TokenError::NotBound => dpop_fault("malformed", &error.to_string()),
            TokenError::OtherCertificate => Self::new(Code::Unauthenticated, error.to_string()),
            TokenError::Expired => Self::new(Code::TokenExpired, "the token has expired"),
            _ => Self::new(Code::Unauthenticated, "the token is not valid").with(Fault {
                place: Place::Header("Authorization".to_owned()),
                code: "malformed",
                detail: "the token is not valid".to_owned(),
            }),
        }
    }
}

impl From<Barred> for Problem {
    fn from(barred: Barred) -> Self {
        match barred {
            Barred::Elsewhere => Self::not_found(),
            Barred::Suspended => Self::new(Code::TenantSuspended, barred.to_string()),
        }
    }
}

impl From<Denied> for Problem {
    fn from(error: Denied) -> Self {
        match error {
            // What was not granted looks like what is not there.
            Denied::NotYours => Self::not_found(),
            Denied::StepUp => Self::new(Code::StepUpRequired, error.to_string()),
            Denied::Superseded => Self::new(Code::CertificateRevoked, error.to_string()),
            _ => Self::new(Code::Forbidden, error.to_string()),
        }
    }
}

impl From<ProofError> for Problem {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::TooMany => Self::new(Code::Overloaded, error.to_string()),
            _ => dpop_fault("malformed", &error.to_string()),
        }
    }
}

/// What is wrong with a proof that a caller has a key.
pub fn dpop_fault(code: &'static str, detail: &str) -> Problem {
    let fault = Fault { place: Place::Header("DPoP".to_owned()), code, detail: detail.to_owned() };
    Problem::new(Code::DpopInvalid, detail).with(fault)
}

/// The database cannot be read; its own words are for the log.
fn database(cause: &dyn std::error::Error) -> Problem {
    tracing::error!(error = %cause, "the database could not be read");
    Problem::new(Code::DatabaseUnavailable, "the database could not be read; nothing was written")
}
