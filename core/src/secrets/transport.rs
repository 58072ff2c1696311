//! How requests reach the HTTP server.

use std::net::SocketAddr;

use super::environment::Environment;

/// How requests arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Over TLS, from whoever shows the certificate of the door.
    Mutual,
    /// In clear, within one machine; for tests.
    Plain,
}

impl Environment {
    /// `VINTEM_TLS`, for a server that listens there.
    pub(super) fn transport(&mut self, listen: Option<SocketAddr>) -> Option<Transport> {
        let problem = match self.optional("VINTEM_TLS").as_deref() {
            None | Some("mutual") => return Some(Transport::Mutual),
            Some("off") if listen.is_some_and(|address| address.ip().is_loopback()) => return Some(Transport::Plain),
            Some("off") => "VINTEM_TLS is off, and VINTEM_LISTEN can be reached from other machines",
            Some(_) => "VINTEM_TLS is neither mutual nor off",
        };
        self.problems.push(problem.to_owned());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(set: Option<&str>, listen: &str) -> Result<Transport, String> {
        let variables = set.map(|text| ("VINTEM_TLS".to_owned(), text.to_owned()));
        let mut environment = Environment::of(variables);
        let found = environment.transport(Some(listen.parse().unwrap()));
        environment.finish(found).map_err(|error| error.to_string())
    }

    #[test]
    fn requests_in_clear_never_come_from_another_machine() {
        assert_eq!(transport(None, "10.0.0.7:8080"), Ok(Transport::Mutual));
        assert_eq!(transport(Some("mutual"), "10.0.0.7:8080"), Ok(Transport::Mutual));
        assert_eq!(transport(Some("off"), "127.0.0.1:8080"), Ok(Transport::Plain));
        for listen in ["0.0.0.0:8080", "10.0.0.7:8080", "[::]:8080"] {
            let sentence = transport(Some("off"), listen).unwrap_err();
            assert!(sentence.contains("VINTEM_TLS is off, and VINTEM_LISTEN can be reached"), "{sentence}");
        }
        assert!(transport(Some("on"), "127.0.0.1:1").unwrap_err().contains("neither mutual nor off"));
    }
}
