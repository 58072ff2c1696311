//! What a device says before anybody knows whose it is: the proof that it has a key, and a body that names the tenant.

use crate::app::App;
use crate::context::{Trace, address, proof, said};
use crate::object::parse_uuid;
use crate::problem::{Problem, dpop_fault};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::Uuid;
use vintem_core::access::ProofKey;
use vintem_core::citizens::Knocks;
use vintem_core::telemetry::clock;

/// A body that says which tenant it is for.
pub trait ForTenant {
    /// The tenant's name.
    fn tenant(&self) -> &str;
}

/// A request of a device that is not known yet.
pub struct Knock<T> {
    /// The server's parts.
    pub app: web::Data<App>,
    /// Who knocks, and where.
    pub knocks: Knocks,
    /// What they say.
    pub value: T,
}

impl<T: DeserializeOwned + ForTenant + Send + 'static> FromRequest for Knock<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        async move {
            let app = App::of(&request)?;
            let value: T = said(&request, &mut payload).await?.value;
            let key = Arc::new(key(&app, &request)?);
            let of = app.citizens.door(value.tenant()).await?.ok_or_else(Problem::not_found)?;
            let (tenant, from, trace) = (value.tenant().to_owned(), address(&request), trace(&request));
            Ok(Self { app, knocks: Knocks { of, tenant, from, key, trace }, value })
        }
        .boxed_local()
    }
}

/// The key of the device that sent a request.
pub fn key(app: &App, request: &HttpRequest) -> Result<ProofKey, Problem> {
    let shown = proof(request)?;
    let shown = shown.ok_or_else(|| dpop_fault("required", "send a proof by the device's key in the header DPoP"))?;
    Ok(app.verifier.proofs().key(&shown, None, clock::now())?)
}

/// The request's trace.
pub fn trace(request: &HttpRequest) -> Arc<str> {
    request.extensions().get::<Trace>().map_or_else(|| Arc::from(""), |trace| trace.0.clone())
}

/// The id in a path. What is no id names nothing.
pub fn named(request: &HttpRequest) -> Result<Uuid, Problem> {
    request.match_info().get("id").and_then(parse_uuid).ok_or_else(Problem::not_found)
}
