//! How messages to people leave, as the environment says it. User and password of the mail server are Vault's.

use super::environment::Environment;

/// Where messages are handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// The host of `VINTEM_SMTP`.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `VINTEM_SMTP_TLS`: `required`, which is what nothing means, or `off`, which is refused for another machine.
    pub transport: MailTransport,
    /// `VINTEM_SMTP_FROM`: whom letters are from.
    pub from: String,
    /// `VINTEM_SMS_GATEWAY`: the domain where a phone number is an address; without it no message goes to a phone.
    pub sms_gateway: Option<String>,
}

/// How letters travel to the mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTransport {
    /// Over TLS, or not at all.
    Encrypted,
    /// In clear, within one machine; for the development stack.
    Plain,
}

/// What has a meaning only beside `VINTEM_SMTP`.
const MORE: [&str; 3] = ["VINTEM_SMTP_TLS", "VINTEM_SMTP_FROM", "VINTEM_SMS_GATEWAY"];

impl Environment {
    /// Reads them; none where there is no `VINTEM_SMTP`, or a problem that stops the start.
    pub(super) fn mail(&mut self) -> Option<MailSettings> {
        if self.variables.get("VINTEM_SMTP").is_none_or(String::is_empty) {
            self.variables.remove("VINTEM_SMTP");
            let lost = MORE.into_iter().filter(|name| self.optional(name).is_some()).count();
            if lost > 0 {
                self.problems.push("VINTEM_SMTP is missing, and settings beside it are there".to_owned());
            }
            return None;
        }
        let server = self.required_where("VINTEM_SMTP", "host:port of a mail server", |text| place(text).is_some());
        let server = server.as_deref().and_then(place);
        let transport = self.mail_transport(server.as_ref().map(|(host, _)| host.as_str()));
        let form = "an address such as Vintem <no-reply@vintem.example>";
        let from = self.required_where("VINTEM_SMTP_FROM", form, |text| text.contains('@'));
        let gateway = self.optional("VINTEM_SMS_GATEWAY");
        if gateway.as_deref().is_some_and(|domain| !is_domain(domain)) {
            self.problems.push("VINTEM_SMS_GATEWAY is not a domain such as sms.example.com".to_owned());
        }
        let (host, port) = server?;
        Some(MailSettings { host, port, transport: transport?, from: from?, sms_gateway: gateway })
    }

    fn mail_transport(&mut self, host: Option<&str>) -> Option<MailTransport> {
        let problem = match self.optional("VINTEM_SMTP_TLS").as_deref() {
            None | Some("required") => return Some(MailTransport::Encrypted),
            Some("off") if host.is_some_and(is_loopback) => return Some(MailTransport::Plain),
            Some("off") => "VINTEM_SMTP_TLS is off, and VINTEM_SMTP is another machine",
            Some(_) => "VINTEM_SMTP_TLS is neither required nor off",
        };
        self.problems.push(problem.to_owned());
        None
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn place(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = bare.map_or_else(|| is_domain(host), |address| address.parse::<std::net::Ipv6Addr>().is_ok());
    is_host.then_some((bare.unwrap_or(host).to_owned(), port.parse().ok().filter(|port| *port > 0)?))
}

fn is_domain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(set: &[(&str, &str)]) -> Result<Option<MailSettings>, String> {
        let variables = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut environment = Environment::of(variables);
        let found = environment.mail();
        environment.finish(Some(found)).map_err(|error| error.to_string())
    }

    const FROM: (&str, &str) = ("VINTEM_SMTP_FROM", "Vintem <no-reply@vintem.example>");

    #[test]
    fn messages_leave_by_one_server_or_not_at_all() {
        assert_eq!(mail(&[]), Ok(None));
        assert_eq!(mail(&[("VINTEM_SMTP", ""), ("VINTEM_SMTP_FROM", "")]), Ok(None));
        let found = mail(&[("VINTEM_SMTP", "mail.example.com:587"), FROM]).unwrap().unwrap();
        assert_eq!((found.host.as_str(), found.port), ("mail.example.com", 587));
        assert_eq!((found.transport, found.sms_gateway), (MailTransport::Encrypted, None));
        let found = mail(&[("VINTEM_SMTP", "[::1]:25"), ("VINTEM_SMTP_TLS", "off"), FROM]).unwrap().unwrap();
        assert_eq!((found.host.as_str(), found.transport), ("::1", MailTransport::Plain));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let server = ("VINTEM_SMTP", "mail.example.com:587");
        for (set, sentence) in [
            (vec![FROM], "VINTEM_SMTP is missing"),
            (vec![server], "VINTEM_SMTP_FROM is missing"),
            (vec![("VINTEM_SMTP", "mail.example.com"), FROM], "VINTEM_SMTP is not host:port"),
            (vec![("VINTEM_SMTP", "mail example:25"), FROM], "VINTEM_SMTP is not host:port"),
            (vec![server, FROM, ("VINTEM_SMTP_TLS", "off")], "VINTEM_SMTP is another machine"),
            (vec![server, FROM, ("VINTEM_SMTP_TLS", "on")], "neither required nor off"),
            (vec![server, FROM, ("VINTEM_SMS_GATEWAY", "a@b")], "VINTEM_SMS_GATEWAY is not a domain"),
        ] {
            let found = mail(&set).unwrap_err();
            assert!(found.contains(sentence), "{found} does not say {sentence}");
        }
    }
}
