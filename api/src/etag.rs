//! Versions of what administrators edit: `ETag` on what is read and changed, `If-Match` on a change that builds on it.

use crate::problem::{Code, Fault, Problem};
use crate::write::Ready;
use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap};
use serde::Deserialize;
use vintem_core::kernel::Place;

/// The `ETag` of a version.
pub fn etag(version: i32) -> String {
    format!("\"{version}\"")
}

/// The version of `If-Match: "3"`.
pub fn if_match(headers: &HeaderMap) -> Result<Option<i32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let quoted = value.to_str().ok().and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"'));
    let version =
        quoted.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse().ok());
    version.map(Some).ok_or_else(|| {
        let detail = "If-Match holds one ETag, such as \"3\"".to_owned();
        Problem::new(Code::MalformedRequest, detail.clone()).with(Fault {
            place: Place::Header("If-Match".to_owned()),
            code: "malformed",
            detail,
        })
    })
}

/// Only successes carry an `ETag`; it stands in the body, which a replay repeats.
pub fn tagged(ready: Ready) -> HttpResponse {
    #[derive(Deserialize)]
    struct Tagged {
        #[serde(alias = "settings_version")]
        version: i32,
    }
    let tag = (ready.status < 400).then(|| serde_json::from_slice::<Tagged>(&ready.body).ok()).flatten();
    let mut response = ready.respond();
    if let Some(value) = tag.and_then(|tag| etag(tag.version).parse().ok()) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}
