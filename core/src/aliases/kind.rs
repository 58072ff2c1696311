//! What a key is, and its one spelling: two texts that pay the same person must have the same digest.

use super::event::Kind;
use crate::holders::details::{Private, is_email, is_phone};
use crate::holders::{Cpf, Details};
use crate::kernel::{Refusal, RefusalCode};
use uuid::Uuid;

/// A key as somebody types it, in its one spelling.
#[derive(Clone, PartialEq, Eq)]
pub struct Alias {
    /// What it is.
    pub kind: Kind,
    /// Its one spelling.
    pub value: Private,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Cpf, Self::Phone, Self::Email, Self::Random];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpf => "cpf",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Random => "random",
        }
    }

    /// The kind of look-up row under which such a key is found. The CPF itself has another, because a holder is found by it
    /// who has no alias.
    pub fn claim(self) -> &'static str {
        match self {
            Self::Cpf => "alias-cpf",
            Self::Phone => "alias-phone",
            Self::Email => "alias-email",
            Self::Random => "alias-random",
        }
    }

    /// The key of this kind that a person has; `None` when they have none, and always of a random one.
    pub fn of(self, details: &Details) -> Option<Private> {
        match self {
            Self::Cpf => Some(Private::new(details.cpf.digits().to_owned())),
            Self::Phone => details.phone.clone(),
            // Mail servers that tell `Ana@` from `ana@` are as good as none.
            Self::Email => details.email.as_ref().map(|email| Private::new(email.to_lowercase())),
            Self::Random => None,
        }
    }

    /// What a text looks like. A number without a plus is a CPF.
    fn guessed(text: &str) -> Self {
        if text.contains('@') {
            Self::Email
        } else if text.starts_with('+') {
            Self::Phone
        } else if uuid(text).is_some() {
            Self::Random
        } else {
            Self::Cpf
        }
    }
}

impl Alias {
    /// Reads a key; without a kind, by its looks. A refusal never repeats it.
    pub fn read(kind: Option<Kind>, text: &Private) -> Result<Self, Refusal> {
        let kind = kind.unwrap_or_else(|| Kind::guessed(text));
        let value = match kind {
            Kind::Cpf => text.parse::<Cpf>().ok().map(|cpf| cpf.digits().to_owned()),
            Kind::Phone => is_phone(text).then(|| text.to_string()),
            Kind::Email => is_email(text).then(|| text.to_lowercase()),
            Kind::Random => uuid(text).map(|uuid| uuid.to_string()),
        };
        let value = value.ok_or_else(|| {
            let detail = format!("this is no key of the kind {}", kind.as_str());
            Refusal::new(RefusalCode::ValidationFailed, detail).at("/alias")
        })?;
        Ok(Self { kind, value: Private::new(value) })
    }
}

/// Reads the form with hyphens and no other.
fn uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

impl std::fmt::Debug for Alias {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Alias({}, [REDACTED])", self.kind.as_str())
    }
}
