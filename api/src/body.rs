//! Request bodies: read within limits, checked strictly, parsed into typed values.
//!
//! 400 `malformed-request` is what is not JSON; 422 `validation-failed` is JSON with a wrong member,
//! named by its pointer. The straight way parses once into the typed value and once into the
//! canonical form; only a body that fails is parsed again, to find the place.

use crate::canonical::{NotCanonical, canonical, escape, without};
use crate::object::Object;
use crate::problem::{Code, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::time::Duration;
use vintem_core::kernel::Place;
use vintem_core::kernel::fingerprint::{Fingerprint, fingerprint};

/// A client that sends slower than this blocks a connection for nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Above this size a body is parsed beside the threads that serve requests.
const LARGE: usize = 128 * 1024;

/// A parsed body and what makes it the same request again.
#[derive(Debug)]
pub struct Parsed<T> {
    /// The typed value.
    pub value: T,
    /// Over method, path and canonical body.
    pub fingerprint: Fingerprint,
}

/// Reads and parses the body of a write. Without any body, members are all absent. `credentials` are members that prove who
/// asks and are not what is asked for: they are not part of the fingerprint, which is kept for ever and must not say them either.
pub async fn json<T: DeserializeOwned + Send + 'static>(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    credentials: &'static [&'static str],
) -> Result<Parsed<T>, Problem> {
    let bytes = read(request, payload, limit, "application/json").await?;
    let (method, path) = (request.method().as_str().to_owned(), request.path().to_owned());
    let parse = move || {
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let canonical = without(canonical(text).map_err(not_canonical)?, credentials);
        Ok(Parsed { fingerprint: fingerprint(&method, &path, &canonical), value: typed(text)? })
    };
    if content_length(request).is_some_and(|length| length <= LARGE) {
        return parse();
    }
    let parsed = actix_web::web::block(parse).await;
    parsed.unwrap_or_else(|_| Err(Problem::new(Code::Overloaded, "the request could not be taken")))
}

/// Reads a body of a media type, up to a limit.
pub async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    media_type: &str,
) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::TooLarge, format!("the body may have {limit} bytes"));
    if content_length(request).is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let collect = async {
        let mut body = BytesMut::with_capacity(content_length(request).unwrap_or(0));
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| {
                Problem::new(Code::MalformedRequest, "the body ended early or is not of its own encoding")
            })?;
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    let body = tokio::time::timeout(PATIENCE, collect).await;
    let body = body.unwrap_or_else(|_| {
        Err(Problem::new(Code::RequestTimeout, format!("the body did not arrive within {} s", PATIENCE.as_secs())))
    })?;
    if !body.is_empty() {
        media(request, media_type)?;
    }
    Ok(body)
}

fn content_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The one media type, in UTF-8 and not compressed.
fn media(request: &HttpRequest, wanted: &str) -> Result<(), Problem> {
    let refuse = |header: &str, detail: String| {
        let fault = crate::problem::Fault {
            place: Place::Header(header.to_owned()),
            code: "malformed",
            detail: detail.clone(),
        };
        Err(Problem::new(Code::UnsupportedMediaType, detail).with(fault))
    };
    let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let stated = text(header::CONTENT_TYPE).unwrap_or_default();
    let mut parts = stated.split(';').map(str::trim);
    let is_wanted = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted));
    let is_utf8 = parts.all(|parameter| {
        parameter
            .to_ascii_lowercase()
            .strip_prefix("charset=")
            .is_none_or(|charset| charset.trim_matches('"') == "utf-8")
    });
    if !is_wanted || !is_utf8 {
        return refuse("Content-Type", format!("the body must be {wanted} in UTF-8"));
    }
    if text(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return refuse("Content-Encoding", "compressed bodies are not read".to_owned());
    }
    Ok(())
}

fn not_canonical(error: NotCanonical) -> Problem {
    let detail = error.to_string();
    match error {
        NotCanonical::Syntax(detail) => Problem::new(Code::MalformedRequest, format!("the body is not JSON: {detail}")),
        NotCanonical::Duplicate(pointer) => Problem::invalid(Place::Pointer(pointer), "duplicate-member", detail),
        NotCanonical::Nul(pointer) => Problem::invalid(Place::Pointer(pointer), "malformed", detail),
    }
}

/// Parses text that is known to be JSON.
fn typed<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    match serde_json::from_slice::<Object<T>>(text) {
        Ok(Object(value)) => Ok(value),
        Err(_) => Err(locate::<T>(text)),
    }
}

/// Finds the member that a body failed at.
fn locate<T: DeserializeOwned>(text: &[u8]) -> Problem {
    let deserializer = &mut serde_json::Deserializer::from_slice(text);
    let Err(error) = serde_path_to_error::deserialize::<_, Object<T>>(deserializer) else {
        return Problem::new(Code::MalformedRequest, "the body could not be read");
    };
    let mut pointer: String = error.path().iter().filter_map(segment).collect();
    let message = error.inner().to_string();
    let detail = without_value(message.rsplit_once(" at line ").map_or(&*message, |(what, _)| what));
    let code = if detail.starts_with("unknown field") {
        "unknown-member"
    } else if let Some(name) = detail.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        pointer.push_str(&escape(name));
        "required"
    } else if detail.starts_with("invalid type") {
        "wrong-type"
    } else if detail.starts_with("invalid value") {
        "out-of-range"
    } else {
        "malformed"
    };
    Problem::invalid(Place::Pointer(pointer), code, detail)
}

/// What is wrong with a value, and not the value: it may be a PIN that came as a number.
fn without_value(detail: &str) -> String {
    let tells = ["invalid type", "invalid value", "unknown variant"].iter().any(|start| detail.starts_with(start));
    match detail.rsplit_once(", expected ") {
        Some((what, expected)) if tells => {
            let kind = what.split(['`', '"']).next().unwrap_or_default().trim_end();
            format!("{kind}, expected {expected}")
        }
        _ => detail.to_owned(),
    }
}

fn segment(segment: &serde_path_to_error::Segment) -> Option<String> {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(escape(key)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::objects;
    use serde::Deserialize;
    use serde_json::Value;
    use std::collections::BTreeMap;

    #[test]
    fn a_wrong_value_is_not_repeated() {
        for (told, shown) in [
            ("invalid type: integer `123456`, expected a string", "invalid type: integer, expected a string"),
            (r#"invalid type: string "a, expected b", expected u64"#, "invalid type: string, expected u64"),
            ("invalid type: null, expected a string", "invalid type: null, expected a string"),
            ("unknown variant `x`, expected one of `a`, `b`", "unknown variant, expected one of `a`, `b`"),
            ("unknown field `x`, expected `a` or `b`", "unknown field `x`, expected `a` or `b`"),
            ("missing field `a`", "missing field `a`"),
        ] {
            assert_eq!(without_value(told), shown);
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(default)]
        name: Option<String>,
        #[serde(default, deserialize_with = "objects")]
        inner: Option<Vec<Inner>>,
        #[serde(default)]
        members: BTreeMap<String, String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        count: u8,
    }

    fn fault(text: &str) -> (String, String) {
        let problem = typed::<Outer>(text.as_bytes()).unwrap_err();
        let shown = crate::problem::Shown { instance: "/".into(), trace: "t".into(), lang: crate::lang::Lang::En };
        let document: Value = serde_json::from_slice(&problem.document(&shown)).unwrap();
        assert_eq!(document["status"], 422);
        let fault = &document["errors"][0];
        (fault["pointer"].as_str().unwrap().to_owned(), fault["code"].as_str().unwrap().to_owned())
    }

    #[test]
    fn every_fault_has_its_pointer_and_code() {
        for (text, pointer, code) in [
            (r#"{"nmae":1}"#, "/nmae", "unknown-member"),
            (r#"{"a/b":1}"#, "/a~1b", "unknown-member"),
            (r#"{"name":1}"#, "/name", "wrong-type"),
            (r#"{"inner":[{"count":1},{"count":1,"x":2}]}"#, "/inner/1/x", "unknown-member"),
            (r#"{"inner":[{"count":1},{}]}"#, "/inner/1/count", "required"),
            (r#"{"inner":[{"count":300}]}"#, "/inner/0/count", "out-of-range"),
            (r#"{"inner":[{"count":1.5}]}"#, "/inner/0/count", "wrong-type"),
            (r#"{"inner":[[1]]}"#, "/inner/0", "wrong-type"),
            (r#"{"inner":{}}"#, "/inner", "wrong-type"),
            (r#"{"members":{"k":1}}"#, "/members/k", "wrong-type"),
            (r"[]", "", "wrong-type"),
            (r#"["x",null,{}]"#, "", "wrong-type"),
            (r"5", "", "wrong-type"),
        ] {
            assert_eq!(fault(text), (pointer.to_owned(), code.to_owned()), "{text}");
        }
        let outer: Outer = typed(br#"{"name":null,"inner":[{"count":7}],"members":{"a":"b"}}"#).unwrap();
        assert!(outer.name.is_none() && outer.inner.unwrap()[0].count == 7 && outer.members.len() == 1);
    }
}
