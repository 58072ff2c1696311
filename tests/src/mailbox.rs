//! What people are told, as they would read it: letters that arrived in the stack's mailbox.

use crate::vault::eventually;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use vintem_cli::stack::mailbox::{self, Letter};
use vintem_cli::stack::{Stack, free_port};
use vintem_core::messages::{Login, Messenger, Smtp};
use vintem_core::secrets::{Followed, MailSettings, MailTransport};

/// The domain at which phones are addresses.
pub const GATEWAY: &str = "sms.vintem.test";

const PATIENCE: Duration = Duration::from_secs(20);

/// The mailbox that `cargo dev up` and `cargo dev test` start. Tests share it, so each writes to people of its own.
pub struct Mailbox {
    folder: PathBuf,
    settings: MailSettings,
}

impl Mailbox {
    /// The stack's.
    pub fn of_the_stack() -> Self {
        let stack = Stack::load().unwrap();
        let settings = MailSettings {
            host: "127.0.0.1".to_owned(),
            port: stack.known().ports.mail(),
            transport: MailTransport::Plain,
            from: "Vintem <no-reply@vintem.test>".to_owned(),
            sms_gateway: Some(GATEWAY.to_owned()),
        };
        Self { folder: mailbox::folder(&stack), settings }
    }

    /// Where nobody listens.
    pub fn dead() -> Self {
        let mut mailbox = Self::of_the_stack();
        mailbox.settings.port = free_port().unwrap();
        mailbox
    }

    /// Sends there, as the product does.
    pub fn messenger(&self) -> Messenger {
        Messenger::new(Arc::new(self.sender(None)))
    }

    /// The same as somebody, or hurried.
    pub fn sender(&self, login: Option<Login>) -> Smtp {
        Smtp::try_new(&self.settings, login.map(Followed::fixed)).unwrap()
    }

    /// The same by TLS or not at all.
    #[must_use]
    pub fn encrypted(mut self) -> Self {
        self.settings.transport = MailTransport::Encrypted;
        self
    }

    /// The text of the newest letter to somebody, waited for.
    pub async fn newest(&self, recipient: &str) -> String {
        self.letter(recipient).await.text
    }

    /// The newest letter to somebody, waited for.
    pub async fn letter(&self, recipient: &str) -> Letter {
        let arrived = eventually(PATIENCE, async || self.holds_one(recipient)).await;
        assert!(arrived, "no letter to {recipient} arrived; does the mailbox run? cargo dev status");
        mailbox::newest(&self.folder, Some(recipient), 1).unwrap().pop().unwrap()
    }

    /// The text of the letter of a number to somebody, the first is 1, waited for.
    pub async fn nth(&self, recipient: &str, number: usize) -> String {
        let all = || mailbox::newest(&self.folder, Some(recipient), 1_000).unwrap();
        let arrived = eventually(PATIENCE, async || all().len() >= number).await;
        assert!(arrived, "letter {number} to {recipient} did not arrive; does the mailbox run? cargo dev status");
        all().into_iter().nth(number - 1).unwrap().text
    }

    /// How many letters there are to somebody now.
    pub fn count(&self, recipient: &str) -> usize {
        mailbox::newest(&self.folder, Some(recipient), 1_000).unwrap().len()
    }

    /// Whether there is a letter to somebody now.
    pub fn holds_one(&self, recipient: &str) -> bool {
        !mailbox::newest(&self.folder, Some(recipient), 1).unwrap().is_empty()
    }
}
