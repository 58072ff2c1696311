//! Placeholder.
use crate::holders::details::Private;
/// C.
pub enum Contact {
    /// E.
    Email(Private),
    /// P.
    Phone(Private),
}
/// M.
pub struct Message {
    /// T.
    pub to: Contact,
    /// S.
    pub subject: String,
    /// X.
    pub text: Private,
}
/// M.
#[derive(Clone)]
pub struct Messenger;
impl Contact {
    /// B.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Email(text) | Self::Phone(text) => text.as_bytes(),
        }
    }
}
impl Messenger {
    /// P.
    pub fn post(&self, _: Message) {}
    /// I.
    pub fn is_there(&self) -> bool {
        true
    }
}
