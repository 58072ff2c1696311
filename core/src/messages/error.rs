//! Why a message does not leave.

/// Why a message was not sent. A server's own words are withheld, for they repeat the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Messages to phones go through a gateway, and none is configured.
    #[error("there is no gateway for messages to phones")]
    NoGateway,
    /// The contact or the text cannot be put into a letter.
    #[error("no letter can be made of the message")]
    Unwritable,
    /// No connection.
    #[error("the mail server cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the mail server did not answer in time")]
    Silent,
    /// Its certificate is not believed, or the two do not agree on a way to encrypt.
    #[error("there is no encrypted connection to the mail server")]
    Unencrypted,
    /// It lacks what the message needs.
    #[error("the mail server offers no encryption, no way to log in, or no letters of this kind")]
    Unsuitable,
    /// It refused for good.
    #[error("the mail server refused with {code}")]
    Refused {
        /// Its reply code.
        code: u16,
    },
    /// It refused for the moment.
    #[error("the mail server refused for the moment with {code}")]
    Busy {
        /// Its reply code.
        code: u16,
    },
}

impl SendError {
    /// Whether to try again is in vain.
    pub fn is_final(self) -> bool {
        match self {
            Self::NoGateway | Self::Unwritable | Self::Unsuitable => true,
            // These are about our own login, whose password may be new in half a minute.
            Self::Refused { code } => !(530..540).contains(&code),
            Self::Unreachable | Self::Silent | Self::Unencrypted | Self::Busy { .. } => false,
        }
    }
}

/// Why a sender cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The sender's address.
    #[error("VINTEM_SMTP_FROM is not an address such as Vintem <no-reply@vintem.example>")]
    From(#[source] lettre::address::AddressError),
    /// The connection.
    #[error("the connection to the mail server cannot be prepared")]
    Connection(#[source] lettre::transport::smtp::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_within_minutes_is_tried_again() {
        for error in [SendError::Unreachable, SendError::Busy { code: 450 }, SendError::Refused { code: 535 }] {
            assert!(!error.is_final(), "{error}");
        }
        for error in [SendError::NoGateway, SendError::Unsuitable, SendError::Refused { code: 550 }] {
            assert!(error.is_final(), "{error}");
        }
    }
}
