//! The catalogue: what each code means, in one exhaustive table.
//!
//! Business refusals come from core; the rest is what HTTP adds. `docs/problems.md` is written from
//! this table by a test, so that the page cannot lag behind the code.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use utoipa::ToSchema;
use vintem_core::kernel::RefusalCode;

/// A stable code that programs match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The business said no.
    Business(RefusalCode),
    /// The request could not be read.
    MalformedRequest,
    /// A write without a key.
    IdempotencyKeyMissing,
    /// No caller, or one that is not known.
    Unauthenticated,
    /// The token's ten minutes are over.
    TokenExpired,
    /// The proof that the caller has a key is missing or not good.
    DpopInvalid,
    /// The caller was not granted this.
    Forbidden,
    /// A refresh token that has long had a successor came again.
    TokenReuseDetected,
    /// The PIN is wrong.
    PinInvalid,
    /// The PIN was wrong too often.
    PinLocked,
    /// The session's device is not the caller's any more.
    DeviceUntrusted,
    /// Not the code that was sent.
    CodeInvalid,
    /// There is no such code any more.
    CodeExpired,
    /// Not signed by the device.
    SignatureInvalid,
    /// The terminal shows no certificate.
    CertificateRequired,
    /// The terminal's certificate is not one of ours.
    CertificateUnknown,
    /// The terminal's certificate has ended.
    CertificateExpired,
    /// The terminal's certificate is worth nothing any more.
    CertificateRevoked,
    /// The terminal does not work for a while.
    TerminalSuspended,
    /// Another message of the terminal had this number.
    SequenceConflict,
    /// The terminal's clock is wrong.
    ClockSkew,
    /// The tenant was suspended, and this is a write.
    TenantSuspended,
    /// The right takes a second factor that was shown minutes ago.
    StepUpRequired,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The client did not send its request in time.
    RequestTimeout,
    /// A request under this key is being worked on.
    RequestInFlight,
    /// The person's key was destroyed.
    SubjectErased,
    /// The body is above the route's limit.
    TooLarge,
    /// The body is not of the type that the route reads.
    UnsupportedMediaType,
    /// The caller, or its address, asks too often.
    RateLimited,
    /// Too many look-ups of people, or too many that found nobody.
    LookupQuota,
    /// A defect of ours.
    InternalError,
    /// Too much at once.
    Overloaded,
    /// The shard is halted.
    LedgerHalted,
    /// Postgres is away.
    DatabaseUnavailable,
    /// A view has not come as far as was asked for.
    ViewBehind,
    /// Vault is sealed or away.
    VaultSealed,
    /// It is not known whether the write happened.
    OutcomeUnknown,
}

/// What a request did to the ledger, as far as the answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It moved nothing.
    None,
    /// It was done; only its answer could not be given.
    Applied,
    /// Ask again under the same key.
    Unknown,
}

/// What stands behind a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The code as text.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Title in English.
    pub english: &'static str,
    /// Title in Brazilian Portuguese.
    pub portuguese: &'static str,
    /// The same request, repeated under the same key, may succeed.
    pub retryable: bool,
    /// What the request did.
    pub outcome: Outcome,
    /// The answer is kept under the request's key and repeated byte for byte.
    pub frozen: bool,
}

impl Code {
    /// The codes that HTTP adds to the business's.
    const HTTP: [Self; 37] = [
        Self::MalformedRequest,
        Self::IdempotencyKeyMissing,
        Self::Unauthenticated,
        Self::TokenExpired,
        Self::DpopInvalid,
        Self::TokenReuseDetected,
        Self::Forbidden,
        Self::PinInvalid,
        Self::PinLocked,
        Self::DeviceUntrusted,
        Self::CodeInvalid,
        Self::CodeExpired,
        Self::SignatureInvalid,
        Self::CertificateRequired,
        Self::CertificateUnknown,
        Self::CertificateExpired,
        Self::CertificateRevoked,
        Self::TerminalSuspended,
        Self::SequenceConflict,
        Self::ClockSkew,
        Self::TenantSuspended,
        Self::StepUpRequired,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::RequestInFlight,
        Self::SubjectErased,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::RateLimited,
        Self::LookupQuota,
        Self::InternalError,
        Self::Overloaded,
        Self::LedgerHalted,
        Self::DatabaseUnavailable,
        Self::ViewBehind,
        Self::VaultSealed,
        Self::OutcomeUnknown,
    ];

    /// Every code, by status and then in the order of the enumerations.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> =
            Self::HTTP.into_iter().chain(RefusalCode::ALL.iter().copied().map(Self::Business)).collect();
        all.sort_by_key(|code| code.meaning().status);
        all
    }

    /// The row of the table.
    #[rustfmt::skip]
    pub fn meaning(self) -> Meaning {
        use Outcome::{None, Unknown};
        let row = |code, status, english, portuguese, retryable, outcome| Meaning { code, status, english, portuguese, retryable, outcome, frozen: false };
        match self {
            Self::Business(code) => business(code),
            Self::MalformedRequest => row("malformed-request", 400, "The request cannot be read", "A requisição não pode ser lida", false, None),
            Self::IdempotencyKeyMissing => row("idempotency-key-missing", 400, "The header Idempotency-Key is missing", "Falta o cabeçalho Idempotency-Key", false, None),
            Self::Unauthenticated => row("unauthenticated", 401, "The caller is not known", "O chamador não é conhecido", false, None),
            Self::TokenExpired => row("token-expired", 401, "The token has expired", "O token expirou", true, None),
            Self::DpopInvalid => row("dpop-invalid", 401, "The proof of possession is not valid", "A prova de posse não é válida", true, None),
            Self::Forbidden => row("forbidden", 403, "The caller was not granted this", "O chamador não tem esta permissão", false, None),
            Self::TokenReuseDetected => row("token-reuse-detected", 401, "The refresh token was used before; the session has ended", "O token de renovação já foi usado; a sessão terminou", false, None),
            Self::PinInvalid => row("pin-invalid", 403, "The PIN is wrong", "A senha numérica está errada", false, None),
            Self::PinLocked => row("pin-locked", 403, "The PIN is locked", "A senha numérica está bloqueada", false, None),
            Self::DeviceUntrusted => row("device-untrusted", 403, "The device is not one of yours", "O aparelho não é um dos seus", false, None),
            Self::CodeInvalid => row("code-invalid", 403, "The code is wrong", "O código está errado", false, None),
            Self::CodeExpired => row("code-expired", 410, "The code is over", "O código não vale mais", false, None),
            Self::SignatureInvalid => row("signature-invalid", 422, "The signature is not by the device over what is confirmed", "A assinatura não é do aparelho sobre o que se confirma", false, None),
            Self::CertificateRequired => row("certificate-required", 401, "Show a terminal's certificate", "Apresente o certificado de um terminal", false, None),
            Self::CertificateUnknown => row("certificate-unknown", 401, "The certificate is not one of a terminal's here", "O certificado não é de um terminal daqui", false, None),
            Self::CertificateExpired => row("certificate-expired", 401, "The certificate has ended", "O certificado venceu", false, None),
            Self::CertificateRevoked => row("certificate-revoked", 403, "The certificate was revoked", "O certificado foi revogado", false, None),
            Self::TerminalSuspended => row("terminal-suspended", 403, "The terminal is suspended", "O terminal está suspenso", false, None),
            Self::SequenceConflict => row("sequence-conflict", 409, "Another message had this number", "Outra mensagem teve este número", false, None),
            Self::ClockSkew => row("clock-skew", 422, "The device's clock is wrong", "O relógio do aparelho está errado", false, None),
            Self::TenantSuspended => row("tenant-suspended", 403, "The tenant is suspended", "A instituição está suspensa", false, None),
            Self::StepUpRequired => row("step-up-required", 403, "Show your second factor again", "Apresente novamente o segundo fator", false, None),
            Self::MethodNotAllowed => row("method-not-allowed", 405, "The method is not allowed here", "O método não é permitido aqui", false, None),
            Self::RequestTimeout => row("request-timeout", 408, "The request did not arrive in time", "A requisição não chegou a tempo", true, None),
            Self::RequestInFlight => row("request-in-flight", 409, "A request under this key is being worked on", "Uma requisição com esta chave está em andamento", true, Unknown),
            Self::SubjectErased => row("subject-erased", 410, "The person was erased", "A pessoa foi apagada", false, None),
            Self::TooLarge => row("too-large", 413, "The body is too large", "O corpo é grande demais", false, None),
            Self::UnsupportedMediaType => row("unsupported-media-type", 415, "The media type is not supported", "O tipo de mídia não é aceito", false, None),
            Self::RateLimited => row("rate-limited", 429, "There are too many requests", "Há requisições demais", true, None),
            Self::LookupQuota => row("lookup-quota", 429, "There were too many look-ups of people", "Houve consultas demais de pessoas", true, None),
            Self::InternalError => row("internal-error", 500, "Something is wrong on our side", "Algo está errado do nosso lado", true, Unknown),
            Self::Overloaded => row("overloaded", 503, "There is too much to do at once", "Há demais a fazer ao mesmo tempo", true, None),
            Self::LedgerHalted => row("ledger-halted", 503, "Writes are halted", "As escritas estão suspensas", true, None),
            Self::DatabaseUnavailable => row("database-unavailable", 503, "The database is not available", "O banco de dados não está disponível", true, None),
            Self::ViewBehind => row("view-behind", 503, "The view has not come that far yet", "A visão ainda não chegou a esse ponto", true, None),
            Self::VaultSealed => row("vault-sealed", 503, "The key store is not available", "O cofre de chaves não está disponível", true, None),
            Self::OutcomeUnknown => row("outcome-unknown", 504, "It is not known whether the write happened", "Não se sabe se a escrita aconteceu", true, Unknown),
        }
    }
}

/// Business refusals that depend on state are frozen under their key. The other two are judged again.
#[rustfmt::skip]
fn business(code: RefusalCode) -> Meaning {
    use RefusalCode as C;
    let row = |status, english, portuguese, frozen| Meaning { code: code.as_str(), status, english, portuguese, retryable: false, outcome: Outcome::None, frozen };
    match code {
        C::NotFound => row(404, "There is no such object", "Não existe tal objeto", false),
        C::ValidationFailed => row(422, "A value is not allowed", "Um valor não é permitido", false),
        C::IdempotencyMismatch => row(422, "The key or id was used for something else", "A chave ou o id foi usado para outra coisa", false),
        C::InsufficientFunds => row(422, "There is not enough money available", "Não há saldo disponível suficiente", true),
        C::BoundExceeded => row(422, "The maximum balance would be exceeded", "O saldo máximo seria excedido", true),
        C::AmountOverflow => row(422, "A balance would grow too large", "Um saldo ficaria grande demais", true),
        C::AccountFrozen => row(422, "The account is frozen", "A conta está bloqueada", true),
        C::AccountClosed => row(409, "The account is closed", "A conta está encerrada", true),
        C::InvalidState => row(409, "The state does not permit this", "O estado não permite isto", true),
        C::NameTaken => row(409, "The name is taken", "O nome já está em uso", true),
        C::AlreadyRegistered => row(409, "The person is registered", "A pessoa já está cadastrada", true),
        C::AliasTaken => row(409, "The key is somebody's already", "A chave já é de alguém", true),
        C::RoleConflict => row(422, "These roles must not meet in one person", "Estes papéis não podem estar na mesma pessoa", true),
        C::UnknownAsset => row(422, "The asset is not registered", "O ativo não está registrado", true),
        C::UnknownAccount => row(422, "An account does not exist", "Uma conta não existe", true),
        C::DuplicateAccount => row(422, "An account stands twice", "Uma conta aparece duas vezes", true),
        C::Unbalanced => row(422, "Debits and credits differ", "Débitos e créditos diferem", true),
        C::ConditionFailed => row(412, "A condition does not hold", "Uma condição não se cumpre", true),
        C::VersionMismatch => row(412, "The version is not the current one", "A versão não é a atual", true),
        C::HoldEnded => row(409, "The hold has ended", "A reserva terminou", true),
        C::CaptureExceedsHold => row(422, "The capture exceeds the hold", "A captura excede a reserva", true),
        C::ReversalExceeds => row(422, "The reversal exceeds the original", "O estorno excede o original", true),
        C::LimitExceeded => row(422, "A limit would be exceeded", "Um limite seria excedido", true),
        C::NightLimit => row(422, "The limit of the night would be exceeded", "O limite noturno seria excedido", true),
        C::ChargeExpired => row(410, "The time to confirm the payment is over", "O prazo para confirmar o pagamento acabou", true),
        C::ChargeAlreadyPaid => row(409, "The payment was confirmed before", "O pagamento já foi confirmado", true),
        C::ChargeReversed => row(409, "The charge was reversed", "A cobrança foi estornada", true),
        C::PossibleDuplicate => row(409, "The same was paid a moment ago", "O mesmo foi pago há instantes", true),
        C::RefundExceedsCaptured => row(422, "Refunds would exceed what was captured", "As devoluções excederiam o valor capturado", true),
        C::RefundWindowClosed => row(422, "The time to refund the charge is over", "O prazo para devolver a cobrança acabou", true),
        C::ApprovalRequired => row(403, "Somebody else must approve this", "Isto precisa da aprovação de outra pessoa", false),
        C::GroupFailed => row(422, "Another item of the group was refused", "Outro item do grupo foi recusado", true),
    }
}

/// The page of the documentation, as Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# Problems\n\n\
         Every error is a problem document (RFC 9457, `application/problem+json`). Match on `code`; show `title` to people \
         (`Accept-Language: pt-BR` gives Portuguese) and `detail` to those who integrate. `errors` names the place at fault: a \
         JSON `pointer` into the body, a `parameter` or a `header`.\n\n\
         - `outcome` says what the request did: `none` moved nothing, `applied` was done, `unknown` must be asked again under the same key.\n\
         - `retryable` says whether the same request under the same key may succeed later.\n\
         - *Frozen* answers are kept under their `Idempotency-Key` like successes: whoever repeats the request gets the same bytes, \
         even if it would succeed by now. To try anew, use a new key. All others are judged again.\n\n\
         <!-- Written by `cargo test -p vintem-api catalogue`; do not edit. -->\n",
    );
    for code in Code::all() {
        let Meaning { code, status, english, portuguese, retryable, outcome, frozen } = code.meaning();
        let outcome = format!("{outcome:?}").to_lowercase();
        let yes = |is: bool| if is { "yes" } else { "no" };
        let (retryable, frozen) = (yes(retryable), yes(frozen));
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "\n## {code}\n\n{status} · {english} · *{portuguese}*\n\nretryable: {retryable} · outcome: `{outcome}` · frozen: {frozen}"
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_statuses_are_of_errors() {
        let codes: HashSet<&str> = Code::all().iter().map(|code| code.meaning().code).collect();
        assert_eq!(codes.len(), Code::all().len());
        assert!(Code::all().iter().all(|code| (400..600).contains(&code.meaning().status)));
    }

    #[test]
    fn only_refusals_that_depend_on_state_are_frozen() {
        for code in Code::all() {
            let meaning = code.meaning();
            assert!(!meaning.frozen || matches!(meaning.status, 409 | 410 | 412 | 422), "{meaning:?}");
            assert!(!meaning.frozen || !meaning.retryable, "{meaning:?}");
        }
    }

    #[test]
    fn the_page_of_the_documentation_is_the_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        if written != page() {
            std::fs::write(path, page()).unwrap();
            panic!("docs/problems.md was not current and has been written anew; commit it");
        }
    }
}
