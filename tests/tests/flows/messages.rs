//! What people are told arrives, and what cannot arrive does no harm.

use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;
use vintem_core::event_store::fresh::new_id;
use vintem_core::holders::details::Private;
use vintem_core::messages::{Contact, Counts, Login, Message, Messenger};
use vintem_tests::mailbox::{GATEWAY, Mailbox};

const PATIENCE: Duration = Duration::from_secs(20);
/// Hurried, so that a test sees the end of it.
const PAUSES: [Duration; 2] = [Duration::from_millis(50); 2];

fn private(text: &str) -> Private {
    Private::new(text.to_owned())
}

/// An address that no other test writes to.
fn somebody() -> String {
    format!("{}@vintem.test", new_id().simple())
}

fn letter(address: &str, text: &str) -> Message {
    Message {
        to: Contact::Email(private(address)),
        subject: "Seu código de confirmação".to_owned(),
        text: private(text),
    }
}

async fn after(messenger: &Messenger) -> Counts {
    messenger.finish(PATIENCE).await;
    messenger.counts()
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let (mailbox, ana) = (Mailbox::of_the_stack(), somebody());
    let messenger = mailbox.messenger();
    assert!(messenger.is_there());
    let text = "Olá, Conceição! Grüße aus Köln.\n\nSeu código: 123456\n.\nAté já – „tchau“";
    messenger.post(letter(&ana, text));
    let found = mailbox.letter(&ana).await;
    assert_eq!(found.recipients, [ana.as_str()]);
    assert_eq!(found.subject, "Seu código de confirmação");
    assert_eq!(found.text.trim_end(), text);
    assert_eq!(found.login, None);
    assert_eq!(after(&messenger).await, Counts { sent: 1, ..Counts::default() });
    messenger.post(letter(&ana, "o segundo"));
    messenger.finish(PATIENCE).await;
    assert_eq!(mailbox.newest(&ana).await.trim_end(), "o segundo");
}

#[tokio::test]
async fn a_message_to_a_phone_goes_to_the_gateway() {
    let (mailbox, id) = (Mailbox::of_the_stack(), new_id().as_u128());
    let number = format!("55{:012}", id % 1_000_000_000_000);
    let to = Contact::Phone(private(&format!("+{number}")));
    mailbox.messenger().post(Message { to, subject: "Código".to_owned(), text: private("123456 é o código") });
    let found = mailbox.letter(&format!("{number}@{GATEWAY}")).await;
    assert_eq!((found.subject.as_str(), found.text.trim_end()), ("", "123456 é o código"));
}

#[tokio::test]
async fn whoever_has_a_login_shows_it() {
    let (mailbox, ana) = (Mailbox::of_the_stack(), somebody());
    let login = Login { username: "vintem".to_owned(), password: SecretString::from("of the mail server") };
    let messenger = Messenger::new(Arc::new(mailbox.sender(Some(login))));
    messenger.post(letter(&ana, "123456"));
    assert_eq!(mailbox.letter(&ana).await.login.as_deref(), Some("vintem"));
}

#[tokio::test]
async fn a_mail_server_that_is_away_does_no_harm() {
    let messenger = Messenger::with_pauses(Arc::new(Mailbox::dead().sender(None)), &PAUSES);
    messenger.post(letter(&somebody(), "123456"));
    assert_eq!(after(&messenger).await, Counts { failed: 1, ..Counts::default() });
}

#[tokio::test]
async fn nothing_travels_in_clear_where_encryption_is_required() {
    let (mailbox, ana) = (Mailbox::of_the_stack().encrypted(), somebody());
    let login = Login { username: "vintem".to_owned(), password: SecretString::from("of the mail server") };
    let messenger = Messenger::with_pauses(Arc::new(mailbox.sender(Some(login))), &PAUSES);
    messenger.post(letter(&ana, "123456"));
    assert_eq!(after(&messenger).await, Counts { failed: 1, ..Counts::default() });
    assert!(!mailbox.holds_one(&ana));
}
