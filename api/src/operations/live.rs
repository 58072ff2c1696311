//! `/livez`: the process runs and answers. Says nothing about what it depends on: restarting it would not help.

use actix_web::HttpResponse;

/// Whether the process lives.
#[utoipa::path(get, path = "/livez", tag = "Operations", responses((status = 200, body = String, description = "It lives", content_type = "text/plain")), security(()))]
pub async fn show() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}
