//! The one door to mail servers.
//!
//! A message is a letter in plain text over a connection of its own, because there are few. A phone is an address at a gateway
//! that makes short messages of letters.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message as Letter, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::error::{SendError, SetupError};
use super::message::{Contact, Message};
use super::messenger::Sender;
use crate::event_store::fresh::new_id;
use crate::secrets::{FOLLOW_EVERY, Followed, MailSettings, MailTransport, SecretsError, Vault};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// Where TLS begins with the first byte (RFC 8314); elsewhere it begins with STARTTLS, and nothing is said before.
const SUBMISSIONS: u16 = 465;

/// Whom the mail server knows us as.
#[derive(Debug, Clone, Deserialize)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

impl Login {
    /// Reads it from Vault and keeps it new; none where Vault keeps none when the process starts.
    pub async fn follow(vault: &Vault) -> Result<Option<Followed<Self>>, SecretsError> {
        match Followed::follow(vault, "smtp", FOLLOW_EVERY, Ok::<Self, SecretsError>).await {
            Ok(login) => Ok(Some(login)),
            Err(SecretsError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Sends by one mail server.
pub struct Smtp {
    server: AsyncSmtpTransportBuilder,
    login: Option<Followed<Login>>,
    from: Mailbox,
    gateway: Option<String>,
}

impl Smtp {
    /// Prepares it; nothing is connected yet, for a process starts also while its mail server is away.
    pub fn try_new(settings: &MailSettings, login: Option<Followed<Login>>) -> Result<Self, SetupError> {
        let from: Mailbox = settings.from.parse().map_err(SetupError::From)?;
        let encryption = || TlsParameters::new(settings.host.clone()).map_err(SetupError::Connection);
        let tls = match settings.transport {
            MailTransport::Plain => Tls::None,
            MailTransport::Encrypted if settings.port == SUBMISSIONS => Tls::Wrapper(encryption()?),
            MailTransport::Encrypted => Tls::Required(encryption()?),
        };
        let server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(CONNECT))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        Ok(Self { server, login, from, gateway: settings.sms_gateway.clone() })
    }

    /// As it goes over the wire.
    fn letter(&self, message: &Message) -> Result<Letter, SendError> {
        let to = match &message.to {
            Contact::Email(address) => address.parse::<Address>(),
            Contact::Phone(number) => {
                let gateway = self.gateway.as_deref().ok_or(SendError::NoGateway)?;
                Address::new(number.trim_start_matches('+'), gateway)
            }
        };
        let to = Mailbox::new(None, to.map_err(|_| SendError::Unwritable)?);
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut letter: MessageBuilder = Letter::builder()
            .from(self.from.clone())
            .to(to)
            .message_id(Some(format!("<{}@{}>", new_id(), self.from.email.domain())))
            // Nobody's note of absence comes back (RFC 3834).
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN);
        // A gateway would put the subject before the text, and a short message has no room for it.
        if let Contact::Email(_) = message.to {
            letter = letter.subject(message.subject.as_str());
        }
        letter.body(message.text.to_string()).map_err(|_| SendError::Unwritable)
    }
}

impl Sender for Smtp {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let letter = self.letter(message)?;
            let mut server = self.server.clone();
            if let Some(login) = self.login.as_ref().map(Followed::load) {
                let password = login.password.expose_secret().to_owned();
                server = server.credentials(Credentials::new(login.username.clone(), password));
            }
            let sent = server.build::<Tokio1Executor>().send(letter).await;
            sent.map(drop).map_err(|error| failure(&error))
        })
    }
}

/// Only what kind it is: the server's words repeat the address.
fn failure(error: &lettre::transport::smtp::Error) -> SendError {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() => SendError::Refused { code },
        Some(code) => SendError::Busy { code },
        None if error.is_tls() => SendError::Unencrypted,
        None if error.is_client() => SendError::Unsuitable,
        None if error.is_timeout() => SendError::Silent,
        None => SendError::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holders::details::Private;

    fn smtp(gateway: Option<&str>) -> Smtp {
        let settings = MailSettings {
            host: "127.0.0.1".to_owned(),
            port: 25,
            transport: MailTransport::Plain,
            from: "Vintem <no-reply@vintem.example>".to_owned(),
            sms_gateway: gateway.map(str::to_owned),
        };
        Smtp::try_new(&settings, None).unwrap()
    }

    fn private(text: &str) -> Private {
        Private::new(text.to_owned())
    }

    fn written(gateway: Option<&str>, to: Contact, subject: &str) -> Result<String, SendError> {
        let message = Message { to, subject: subject.to_owned(), text: private("Your code is 123456") };
        let letter = smtp(gateway).letter(&message)?;
        Ok(String::from_utf8(letter.formatted()).unwrap())
    }

    #[test]
    fn a_letter_is_plain_text_from_us() {
        let text = written(None, Contact::Email(private("ana@exemplo.com.br")), "Code").unwrap();
        for line in [
            "From: Vintem <no-reply@vintem.example>",
            "To: ana@exemplo.com.br",
            "Subject: Code",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("\r\n\r\nYour code is 123456"), "{text}");
    }

    #[test]
    fn a_phone_is_an_address_at_the_gateway() {
        let phone = || Contact::Phone(private("+5511912345678"));
        let text = written(Some("sms.example"), phone(), "Code").unwrap();
        assert!(text.contains("To: 5511912345678@sms.example") && !text.contains("Subject"), "{text}");
        assert_eq!(written(None, phone(), "Code").unwrap_err(), SendError::NoGateway);
    }

    #[test]
    fn nobody_writes_headers_or_addressees_of_their_own() {
        let text = written(None, Contact::Email(private("ana@b.example")), "Code\r\nBcc: eve@b.example").unwrap();
        assert!(!text.contains("\nBcc"), "{text}");
        for address in ["", "ana", "a@b.example\r\nBcc: eve@b.example", "a@b.example, eve@b.example", "<a@b>"] {
            let refused = written(None, Contact::Email(private(address)), "Code").unwrap_err();
            assert_eq!(refused, SendError::Unwritable, "{address}");
        }
    }
}
