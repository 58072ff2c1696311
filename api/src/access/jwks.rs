//! `/.well-known/jwks.json`: the public keys of our tokens.

use crate::app::App;
use actix_web::{HttpResponse, web};

/// The public keys that verify our tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "Access", responses((status = 200, body = Object, description = "A JSON Web Key Set", content_type = "application/jwk-set+json")), security(()))]
pub async fn show(app: web::Data<App>) -> HttpResponse {
    // Shorter than a token lives, so that a new key is known before the old one is gone.
    HttpResponse::Ok()
        .content_type("application/jwk-set+json")
        .insert_header(("Cache-Control", "public, max-age=300"))
        .body(app.jwks.clone())
}
