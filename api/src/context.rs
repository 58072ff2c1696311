//! Who calls, in which tenant, and with which rights: the first thing that every handler asks.
//!
//! Handlers that take a [`Context`] cannot skip authentication, and the policy comes from the one
//! table in `routes`, so that a route without a row there answers nobody.

use crate::access::staff::presence;
use crate::app::App;
use crate::body::{self, Parsed};
use crate::key;
use crate::lang::Lang;
use crate::object::parse_uuid;
use crate::open;
use crate::problem::{Code, Fault, Problem, Shown, dpop_fault};
use crate::query::Query;
use crate::routes;
use crate::terminals::machine;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;
use vintem_core::access::staff::Entered;
use vintem_core::access::{Caller, DpopProof, Identified, Presented, Reach, Tenant, Validity};
use vintem_core::event_store::RequestKey;
use vintem_core::event_store::overlay::Origin;
use vintem_core::kernel::Place;
use vintem_core::kernel::fingerprint::Fingerprint;
use vintem_core::ledger::service::Actor;
use vintem_core::telemetry::clock;

/// The trace id that the middleware gave to a request.
#[derive(Debug, Clone)]
pub struct Trace(pub Arc<str>);

/// An authenticated request.
#[derive(Clone)]
pub struct Context {
    /// The server's parts.
    pub app: web::Data<App>,
    /// Who acts, for the ledger.
    pub actor: Actor,
    /// Their tenant.
    pub tenant: Arc<Tenant>,
    /// Their proof and rights.
    pub caller: Caller,
    /// Their session, if they are a member of the staff.
    pub entered: Option<Arc<Entered>>,
    /// How long their token is good, if they came with one.
    pub validity: Option<Validity>,
    /// Which objects of the route's kind they were granted.
    pub reach: Reach,
    /// For whom problems are written down.
    pub shown: Shown,
}

/// An authenticated write: caller, key and body, checked in this order.
pub struct Write<T> {
    /// Who asks.
    pub context: Context,
    /// Under which key.
    pub key: RequestKey,
    /// For what.
    pub value: T,
}

/// A body that also proves who asks, by what they type or sign for this one request.
pub trait Credentials {
    /// The members that do. Who types a PIN again asks for the same thing as before.
    const MEMBERS: &'static [&'static str];
}

/// A write whose body has [`Credentials`].
pub struct Proven<T>(pub Write<T>);

/// An authenticated question with a body: what it asks for must not stand in a URL. It changes nothing and needs no key.
pub struct Question<T> {
    /// Who asks.
    pub context: Context,
    /// For what.
    pub value: T,
}

/// A change that its path names, and that needs no key: saying it again is saying the same.
pub struct Named<T> {
    /// Who asks.
    pub context: Context,
    /// Over method, path and canonical body.
    pub fingerprint: Fingerprint,
    /// For what.
    pub value: T,
}

/// What the problem documents of a request say about it.
pub fn shown(request: &HttpRequest) -> Shown {
    let trace = request.extensions().get::<Trace>().map_or_else(|| Arc::from(""), |trace| trace.0.clone());
    let accept = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Shown { instance: request.path().to_owned(), trace, lang: Lang::preferred(accept) }
}

impl Context {
    /// Authenticates a request and checks that its caller may use the route.
    pub async fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let app = App::of(request)?;
        let route = routes::find(request).ok_or_else(|| Problem::new(Code::Forbidden, "the route has no rule"))?;
        let (caller, entered, device, validity) = if let Some(terminal) = machine::enter(&app, request, route).await? {
            (terminal, None, None, None)
        } else if let Some(ticket) = presence::ticket(request.headers())? {
            let (caller, entered) = presence::enter(&app, request, &ticket).await?;
            (caller, Some(entered), None, None)
        } else if let Some(believed) = open::caller(request) {
            (believed, None, None, None)
        } else {
            let (token, proof) = token(request)?;
            let presented = Presented { proof, certificate: None, address: &|| address(request) };
            let Identified { caller, device, validity } = app.verifier.identify(token, clock::now(), &presented)?;
            (caller, None, device, Some(validity))
        };
        let tenant = app.access.tenant(caller.tenant).await?;
        app.limits.known(caller.subject, device, &tenant)?;
        let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
        app.access.admission().admit(caller.tenant, host, route.is_write())?;
        let reach = route.policy.admit(&caller, target(request), app.staff.now())?;
        let shown = shown(request);
        let origin = Origin { tenant: caller.tenant, actor: caller.actor(), correlation: Some(shown.trace.clone()) };
        let actor = Actor { shard: tenant.shard, origin };
        Ok(Self { app, actor, tenant, caller, entered, validity, reach, shown })
    }

    /// Whether what let the caller in would do so still, for an answer that takes longer than a request.
    pub fn is_still_good(&self) -> bool {
        let Some(validity) = self.validity else { return true };
        self.app.verifier.is_still_good(&self.caller, validity, clock::now())
    }
}

/// The object that a path names by its id.
fn target(request: &HttpRequest) -> Option<Uuid> {
    request.match_info().get("id").and_then(parse_uuid)
}

/// Where a request comes from: nginx says so, who overwrites what a client claims; else the connection does.
pub fn address(request: &HttpRequest) -> Option<IpAddr> {
    request.connection_info().realip_remote_addr().and_then(|text| text.parse().ok())
}

/// The token of the one `Authorization` header: `Bearer`, or `DPoP` together with a proof.
fn token(request: &HttpRequest) -> Result<(&str, Option<DpopProof<'_>>), Problem> {
    let refuse = |code, detail: &str| {
        let fault = Fault { place: Place::Header("Authorization".to_owned()), code, detail: detail.to_owned() };
        Problem::new(Code::Unauthenticated, detail).with(fault)
    };
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let value = values
        .next()
        .ok_or_else(|| refuse("required", "send `Authorization: Bearer <token>`; POST /v1/token gives tokens"))?;
    if values.next().is_some() {
        return Err(refuse("malformed", "the Authorization header stands twice"));
    }
    let split = value.to_str().ok().and_then(|text| text.split_once(' ')).map(|(scheme, token)| (scheme, token.trim()));
    match split {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok((token, None)),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("dpop") => match proof(request)? {
            Some(proof) => Ok((token, Some(proof))),
            None => Err(dpop_fault("required", "a token that is bound to a key goes with a proof in the header DPoP")),
        },
        _ => Err(refuse("malformed", "the Authorization header is not `Bearer <token>`")),
    }
}

/// The proof of the one `DPoP` header, if there is one.
pub fn proof(request: &HttpRequest) -> Result<Option<DpopProof<'_>>, Problem> {
    let mut values = request.headers().get_all("DPoP");
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(dpop_fault("malformed", "the DPoP header stands twice"));
    }
    let text = value.to_str().map_err(|_| dpop_fault("malformed", "the DPoP header is not a JWT"))?.trim();
    Ok(Some(DpopProof { text, method: request.method().as_str(), path: request.path() }))
}

impl FromRequest for Context {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { Self::of(&request).await }.boxed_local()
    }
}

impl<T: DeserializeOwned + Send + 'static> FromRequest for Write<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        async move { written(&request, &mut payload, &[]).await }.boxed_local()
    }
}

impl<T: DeserializeOwned + Credentials + Send + 'static> FromRequest for Proven<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        async move { written(&request, &mut payload, T::MEMBERS).await.map(Self) }.boxed_local()
    }
}

async fn written<T: DeserializeOwned + Send + 'static>(
    request: &HttpRequest,
    payload: &mut Payload,
    credentials: &'static [&'static str],
) -> Result<Write<T>, Problem> {
    let context = Context::of(request).await?;
    let key = key::idempotency_key(request.headers())?;
    let body = body_of(request, payload, credentials).await?;
    let key = RequestKey { principal: context.caller.subject, key, fingerprint: body.fingerprint };
    Ok(Write { context, key, value: body.value })
}

impl<T: DeserializeOwned + Send + 'static> FromRequest for Question<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let named = Named::from_request(request, payload);
        async move { named.await.map(|Named { context, value, .. }| Self { context, value }) }.boxed_local()
    }
}

impl<T: DeserializeOwned + Send + 'static> FromRequest for Named<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        async move {
            let context = Context::of(&request).await?;
            let Parsed { value, fingerprint } = said(&request, &mut payload).await?;
            Ok(Self { context, fingerprint, value })
        }
        .boxed_local()
    }
}

/// What a request with a body says. It has no parameters: everything is in its body, and so in its fingerprint.
pub async fn said<T: DeserializeOwned + Send + 'static>(
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<Parsed<T>, Problem> {
    body_of(request, payload, &[]).await
}

async fn body_of<T: DeserializeOwned + Send + 'static>(
    request: &HttpRequest,
    payload: &mut Payload,
    credentials: &'static [&'static str],
) -> Result<Parsed<T>, Problem> {
    Query::of(request, &[])?;
    let limit = routes::find(request).map_or(0, routes::Entry::body_limit);
    body::json(request, payload, limit, credentials).await
}
