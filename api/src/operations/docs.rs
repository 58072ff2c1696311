//! `/docs`: the API to try out, and the catalogue of problems that every problem's `type` points to.

use crate::problem::catalogue::{Code, Meaning};
use actix_web::http::header;
use actix_web::{HttpResponse, Result};
use std::fmt::Write as _;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The pages that come with the program.
pub fn pages() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json").try_it_out_enabled(true))
}

/// To the page, whose files are relative to its folder.
pub async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// The catalogue of problems as a page.
pub async fn problems() -> Result<HttpResponse> {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Problems</title><h1>Problems</h1>\n",
    );
    for code in Code::all() {
        let Meaning { code, status, english, portuguese, retryable, outcome, frozen } = code.meaning();
        let (retryable, frozen) = (
            if retryable { "retryable" } else { "not retryable" },
            if frozen { "frozen under its key" } else { "judged again" },
        );
        let outcome = format!("{outcome:?}").to_lowercase();
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "<h2 id=\"{code}\">{code}</h2><p>{status} · {english} · <i lang=\"pt-BR\">{portuguese}</i></p><p>{retryable} · outcome {outcome} · {frozen}</p>"
        );
    }
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page))
}
