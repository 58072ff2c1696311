//! The build that believes callers, for the benchmark: what is left of a request's cost when nobody is checked.
//!
//! It takes a feature of Cargo that nothing else switches on, and a setting: without either there is no such process. The
//! normal build has nothing of it but the refusal of that setting.

use actix_web::HttpRequest;
use vintem_core::access::Caller;

/// Whether this is that build.
pub const IS_OPEN: bool = cfg!(feature = "open-for-benchmarks");

/// Whoever a request says it is of.
#[cfg(not(feature = "open-for-benchmarks"))]
pub fn caller(_: &HttpRequest) -> Option<Caller> {
    None
}

/// Whoever a request says it is of: `Authorization: Bench <tenant>:<client>`.
#[cfg(feature = "open-for-benchmarks")]
pub fn caller(request: &HttpRequest) -> Option<Caller> {
    use vintem_core::access::{Proof, Scopes};

    let value = request.headers().get(actix_web::http::header::AUTHORIZATION)?.to_str().ok()?;
    let (tenant, subject) = value.strip_prefix("Bench ")?.split_once(':')?;
    let (tenant, subject) = (tenant.parse().ok()?, subject.parse().ok()?);
    Some(Caller { tenant, subject, proof: Proof::Client(Scopes::all()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use uuid::Uuid;

    #[test]
    fn the_normal_build_believes_nobody() {
        let said = format!("Bench {}:{}", Uuid::nil(), Uuid::nil());
        let request = TestRequest::default().insert_header(("Authorization", said)).to_http_request();
        assert!(!IS_OPEN && caller(&request).is_none());
    }
}
