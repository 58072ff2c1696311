//! The terminal behind a request: the certificate that nginx was shown, and what the log says of it now.
//!
//! nginx writes the header anew for every request, and is the only one that the API's port lets in; where it does not stand before the
//! API, the header counts for nothing. What nginx has checked is checked once more here, against a list of revoked certificates
//! that is half a minute old at most, and then the log has the last word.

use crate::app::App;
use crate::problem::{Code, Problem};
use crate::routes::Entry;
use crate::tls::Unfit;
use actix_web::HttpRequest;
use vintem_core::access::{Caller, Of, Policy, Proof};
use vintem_core::secrets::pki::{self, Facts};
use vintem_core::terminals::named;

/// Where nginx puts it: PEM, with what must not stand in a header written as `%` and two digits.
const HEADER: &str = "X-Client-Cert";

/// Who comes with a certificate, on a route for terminals; on others nobody does.
pub async fn enter(app: &App, request: &HttpRequest, route: &Entry) -> Result<Option<Caller>, Problem> {
    let (Policy::Terminal { .. }, Some(judge)) = (route.policy, &app.judge) else { return Ok(None) };
    let mut values = request.headers().get_all(HEADER).filter(|value| !value.is_empty());
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(unknown());
    }
    let pem = unescaped(value.as_bytes()).ok_or_else(unknown)?;
    let der = pki::der(&pem).map_err(|_| unknown())?;
    judge.check(&der).map_err(|unfit| match unfit {
        Unfit::Expired => {
            Problem::new(Code::CertificateExpired, "the certificate's time is over; enrol the terminal anew")
        }
        Unfit::Revoked => Problem::new(Code::CertificateRevoked, "the certificate was revoked"),
        Unfit::Unknown => unknown(),
    })?;
    let facts = Facts::of_der(&der).map_err(|_| unknown())?;
    let (tenant, terminal) = named(&facts).ok_or_else(unknown)?;
    let known = app.access.tenant(tenant).await?;
    let of = Of { shard: known.shard, tenant };
    let session = app.terminals.enter(of, terminal, &facts.fingerprint).await?;
    Ok(Some(Caller { tenant, subject: terminal, proof: Proof::Terminal(session) }))
}

fn unknown() -> Problem {
    Problem::new(Code::CertificateUnknown, "the certificate is not one of a terminal's that is registered here")
}

/// A text without its escapes; `None` when it is none.
fn unescaped(escaped: &[u8]) -> Option<String> {
    let digit = |byte: Option<&u8>| {
        byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
    };
    let (mut bytes, mut rest) = (Vec::with_capacity(escaped.len()), escaped.iter());
    while let Some(byte) = rest.next() {
        let plain = if *byte == b'%' { digit(rest.next())? * 16 + digit(rest.next())? } else { *byte };
        bytes.push(plain);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_and_broken_ones_are_none() {
        assert_eq!(unescaped(b"-----BEGIN%20X-----%0AA%2b%2F%3D%0a").as_deref(), Some("-----BEGIN X-----\nA+/=\n"));
        for broken in [&b"%"[..], b"%4", b"%4g", b"a%", b"%ff"] {
            assert_eq!(unescaped(broken), None, "{broken:?}");
        }
    }
}
