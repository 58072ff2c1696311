//! The header `Idempotency-Key`.

use crate::problem::{Code, Fault, Problem};
use actix_web::http::header::HeaderMap;
use std::sync::Arc;
use vintem_core::kernel::Place;

/// The header's name.
pub const HEADER: &str = "Idempotency-Key";

/// Reads the key: exactly one, 1 to 255 printable ASCII characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Arc<str>, Problem> {
    let place = || Place::Header(HEADER.to_owned());
    let malformed = |code, detail: &str| {
        Problem::new(Code::MalformedRequest, detail).with(Fault { place: place(), code, detail: detail.to_owned() })
    };
    let mut keys = headers.get_all(HEADER);
    let Some(key) = keys.next().filter(|key| !key.is_empty()) else {
        let detail = "a write needs an Idempotency-Key, so that it can be repeated safely";
        return Err(Problem::new(Code::IdempotencyKeyMissing, detail).with(Fault {
            place: place(),
            code: "required",
            detail: detail.to_owned(),
        }));
    };
    if keys.next().is_some() {
        return Err(malformed("malformed", "the Idempotency-Key stands twice"));
    }
    check(key.as_bytes()).map_err(|(code, detail)| malformed(code, detail))?;
    // Printable ASCII is UTF-8.
    Ok(String::from_utf8_lossy(key.as_bytes()).into())
}

/// Whether bytes may be a key.
pub fn check(key: &[u8]) -> Result<(), (&'static str, &'static str)> {
    if key.len() > 255 {
        return Err(("too-long", "an Idempotency-Key has at most 255 characters"));
    }
    if key.is_empty() || !key.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return Err(("malformed", "an Idempotency-Key is of printable ASCII characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn read(values: &[&[u8]]) -> Result<Arc<str>, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HeaderName::from_static("idempotency-key"), HeaderValue::from_bytes(value).unwrap());
        }
        idempotency_key(&headers).map_err(|problem| problem.status())
    }

    #[test]
    fn one_printable_key_is_read() {
        assert_eq!(&*read(&[b"order 7/\"a\""]).unwrap(), "order 7/\"a\"");
        assert!(read(&[&[b'k'; 255]]).is_ok());
        for bad in [&[][..], &[b"" as &[u8]], &[b"a", b"a"], &[&[b'k'; 256]], &[b"caf\xc3\xa9"], &[b"tab\tkey"]] {
            assert_eq!(read(bad), Err(400), "{bad:?}");
        }
    }
}
