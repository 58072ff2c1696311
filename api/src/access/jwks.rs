//! `/.well-known/jwks.json`: the public keys of our tokens and of our receipts.

use crate::app::App;
use actix_web::{HttpResponse, web};
use vintem_core::access::JWKS_MAX_AGE;

/// The public keys that verify our tokens and receipts (RFC 7517). Those of receipts stay for ever.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "Access", responses((status = 200, body = Object, description = "A JSON Web Key Set", content_type = "application/jwk-set+json")), security(()))]
pub async fn show(app: web::Data<App>) -> HttpResponse {
    let mut set = app.keys.load().jwks().clone();
    if let Some(keys) = set.get_mut("keys").and_then(|keys| keys.as_array_mut()) {
        keys.extend(app.receipts.keys().load().jwks());
    }
    // A rotation waits for longer than this before a new key signs.
    HttpResponse::Ok()
        .content_type("application/jwk-set+json")
        .insert_header(("Cache-Control", format!("public, max-age={JWKS_MAX_AGE}")))
        .body(set.to_string())
}
