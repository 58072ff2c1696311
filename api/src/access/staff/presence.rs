//! The session behind a request: its cookie, and that our own page sent it.

use crate::app::App;
use crate::context::{address, said};
use crate::problem::{Code, Fault, Problem};
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use vintem_core::access::staff::session::ABSOLUTE;
use vintem_core::access::staff::{Entered, Purpose, Ticket};
use vintem_core::access::{Caller, Proof};
use vintem_core::kernel::Place;

/// The cookie. Its prefix makes browsers insist on https, on this host and on every path.
pub const COOKIE: &str = "__Host-vintem_session";
/// The word against forged requests.
pub const CSRF: &str = "X-CSRF-Token";

/// What somebody says before anybody knows them.
pub struct Knock<T> {
    /// The server's parts.
    pub app: web::Data<App>,
    /// Where they come from.
    pub from: Option<IpAddr>,
    /// What their browser says that it is.
    pub device: Option<String>,
    /// What they say.
    pub value: T,
}

impl<T: DeserializeOwned + Send + 'static> FromRequest for Knock<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        async move {
            let app = App::of(&request)?;
            same_origin(&request)?;
            let value = said(&request, &mut payload).await?.value;
            let device = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
            Ok(Self { app, from: address(&request), device: device.map(str::to_owned), value })
        }
        .boxed_local()
    }
}

/// The ticket in a request's cookie; `None` when there is no such cookie.
pub fn ticket(headers: &HeaderMap) -> Result<Option<Ticket>, Problem> {
    let lines = headers.get_all(header::COOKIE).map(|line| line.to_str().unwrap_or_default());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    let Some(value) = found.next() else { return Ok(None) };
    if found.next().is_some() || headers.contains_key(header::AUTHORIZATION) {
        return Err(unknown("send one session cookie or one bearer token, and not both"));
    }
    Ticket::read(Purpose::Session, value).map(Some).ok_or_else(|| unknown("there is no such session, or it has ended"))
}

/// Lets a session's member in. What changes something must come from a page of ours.
pub async fn enter(app: &App, request: &HttpRequest, ticket: &Ticket) -> Result<(Caller, Arc<Entered>), Problem> {
    let tenant = app.access.tenant(ticket.tenant()).await?;
    let entered = app.staff.enter(super::of(&tenant), ticket).await?;
    if *request.method() != Method::GET {
        same_origin(request)?;
        let word = request.headers().get(CSRF).and_then(|word| word.to_str().ok()).unwrap_or_default();
        if !ticket.has_csrf(word) {
            let detail = "send the session's csrf_token in the header X-CSRF-Token";
            let place = Place::Header(CSRF.to_owned());
            let fault = Fault { place, code: "required", detail: detail.to_owned() };
            return Err(Problem::new(Code::Forbidden, detail).with(fault));
        }
    }
    let proof = Proof::Staff(Arc::new(entered.standing()));
    Ok((Caller { tenant: ticket.tenant(), subject: entered.member.id, proof }, Arc::new(entered)))
}

/// The line that gives a browser its session.
pub fn set_cookie(ticket: &Ticket) -> String {
    let (value, seconds) = (ticket.reveal(), ABSOLUTE.num_seconds());
    format!("{COOKIE}={}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict", value.expose_secret())
}

/// The line that takes it away again.
pub fn clear_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict")
}

/// Refuses what a page of another origin sent. Browsers say so in one of two headers; who sends neither is no browser.
fn same_origin(request: &HttpRequest) -> Result<(), Problem> {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_foreign = text("Sec-Fetch-Site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let connection = request.connection_info();
    let own = (connection.scheme(), with_port(connection.scheme(), connection.host()));
    let is_own =
        |origin: &str| origin.split_once("://").is_some_and(|(scheme, host)| (scheme, with_port(scheme, host)) == own);
    if is_foreign || text("Origin").is_some_and(|origin| !is_own(origin)) {
        let (detail, place) = ("the request comes from a page of another origin", Place::Header("Origin".to_owned()));
        let fault = Fault { place, code: "out-of-range", detail: detail.to_owned() };
        return Err(Problem::new(Code::Forbidden, detail).with(fault));
    }
    Ok(())
}

/// A host with its port, which origins leave out where it is the usual one.
fn with_port(scheme: &str, host: &str) -> String {
    let has_port =
        host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let port = if scheme == "https" { 443 } else { 80 };
    if has_port { host.to_ascii_lowercase() } else { format!("{}:{port}", host.to_ascii_lowercase()) }
}

fn unknown(detail: &str) -> Problem {
    let fault = Fault { place: Place::Header("Cookie".to_owned()), code: "malformed", detail: detail.to_owned() };
    Problem::new(Code::Unauthenticated, detail).with(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use uuid::Uuid;

    fn read(lines: &[&str]) -> Result<Option<Ticket>, u16> {
        let request =
            lines.iter().fold(TestRequest::default(), |request, line| request.append_header(("Cookie", *line)));
        ticket(request.to_http_request().headers()).map_err(|problem| problem.status())
    }

    #[test]
    fn one_cookie_is_one_session() {
        let own = Ticket::generate(Purpose::Session, Uuid::from_u128(1));
        let line = set_cookie(&own);
        let pair = line.split(';').next().unwrap();
        assert!(line.ends_with("; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict"));
        for good in [&[pair][..], &[&format!("a=b; {pair}; c=d")], &["a=b", pair]] {
            assert_eq!(read(good).unwrap().unwrap().digest(), own.digest(), "{good:?}");
        }
        assert!(read(&[]).unwrap().is_none() && read(&["vintem_session=x", "a"]).unwrap().is_none());
        for bad in [
            &[pair, pair][..],
            &[&format!("{pair}; {pair}")],
            &["__Host-vintem_session="],
            &["__Host-vintem_session=x"],
        ] {
            assert_eq!(read(bad).err(), Some(401), "{bad:?}");
        }
    }

    #[test]
    fn another_origins_page_is_refused() {
        let judge = |headers: &[(&'static str, &'static str)]| {
            let request = headers.iter().fold(TestRequest::default(), |request, header| request.append_header(*header));
            same_origin(&request.to_http_request()).is_ok()
        };
        let https = [("Host", "bank.example:443"), ("X-Forwarded-Proto", "https")];
        assert!(judge(&https));
        assert!(judge(
            &[&https[..], &[("Origin", "https://bank.example"), ("Sec-Fetch-Site", "same-origin")]].concat()
        ));
        assert!(judge(&[
            ("Host", "localhost:8443"),
            ("X-Forwarded-Proto", "https"),
            ("Origin", "https://localhost:8443")
        ]));
        for bad in [
            ("Origin", "https://evil.example"),
            ("Origin", "http://bank.example"),
            ("Origin", "https://bank.example:8443"),
            ("Origin", "https://bank.example.evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            assert!(!judge(&[&https[..], &[bad]].concat()), "{bad:?}");
        }
    }
}
