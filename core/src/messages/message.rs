//! What is sent, and to whom.

use std::fmt;

use crate::holders::details::Private;

/// Where somebody can be told something.
#[derive(Clone, PartialEq, Eq)]
pub enum Contact {
    /// An e-mail address.
    Email(Private),
    /// `+` and the number with its country's code.
    Phone(Private),
}

impl Contact {
    /// Whether it is the same. Mail servers that tell `Ana@` from `ana@` are as good as none.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Email(own), Self::Email(other)) => own.to_lowercase() == other.to_lowercase(),
            (Self::Phone(own), Self::Phone(other)) => own == other,
            (Self::Email(_), Self::Phone(_)) | (Self::Phone(_), Self::Email(_)) => false,
        }
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "Email([REDACTED])",
            Self::Phone(_) => "Phone([REDACTED])",
        })
    }
}

/// A short text for one person.
#[derive(Clone)]
pub struct Message {
    /// Whom.
    pub to: Contact,
    /// What a mailbox shows of it before it is opened; nothing personal and no code. A phone is not shown it.
    pub subject: String,
    /// What it says.
    pub text: Private,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("to", &self.to).field("subject", &self.subject).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_person_is_printed() {
        let private = |text: &str| Private::new(text.to_owned());
        for to in [Contact::Email(private("ana@exemplo.com.br")), Contact::Phone(private("+5511912345678"))] {
            let printed = format!("{:?}", Message { to, subject: "Your code".to_owned(), text: private("123456") });
            assert!(printed.contains("Your code") && printed.contains("[REDACTED]"), "{printed}");
            assert!(["ana", "5511", "123456"].iter().all(|secret| !printed.contains(secret)), "{printed}");
        }
    }
}
