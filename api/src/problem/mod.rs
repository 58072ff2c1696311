//! Errors as callers see them: problem documents (RFC 9457), everywhere and in one form.
//!
//! A handler returns a [`Problem`]; who is shown it ([`Shown`]: path, trace, language) is filled in
//! by the middleware around every request. A refusal that is stored under its key is rendered at
//! once, because the stored bytes are what every repetition gets.

pub mod catalogue;
mod from;

pub use catalogue::{Code, Outcome};
pub use from::dpop_fault;

use crate::lang::Lang;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use utoipa::ToSchema;
use vintem_core::access::PROOF_ALGORITHMS;
use vintem_core::kernel::{Place, Refusal};

/// Why there is no success.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: String,
    faults: Vec<Fault>,
    outcome: Outcome,
    retry_after_s: Option<u32>,
    allow: Option<String>,
    oauth: Option<&'static str>,
}

/// What is wrong at one place of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What, for programs.
    pub code: &'static str,
    /// What, for people.
    pub detail: String,
}

/// For whom a problem is written down.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The request's path.
    pub instance: String,
    /// The trace id.
    pub trace: Arc<str>,
    /// The language of titles.
    pub lang: Lang,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document<'a> {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(example = "/docs/problems#insufficient-funds")]
    kind: String,
    /// A few words for people, in English or Brazilian Portuguese.
    title: &'a str,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// The facts of this case, in English.
    detail: &'a str,
    /// The path of the request.
    #[schema(example = "/v1/transactions")]
    instance: &'a str,
    /// The stable code to match on.
    #[schema(example = "insufficient-funds")]
    code: &'a str,
    /// Whether the same request under the same key may succeed later.
    retryable: bool,
    /// What the request did.
    outcome: Outcome,
    /// To be named when asking for help.
    trace_id: &'a str,
    /// The places at fault.
    errors: Vec<DocumentFault<'a>>,
    /// The code of RFC 6749, from the token route only.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// One place at fault: exactly one of `pointer`, `parameter` and `header` is present.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProblemFault)]
pub struct DocumentFault<'a> {
    /// JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/amount/amount")]
    pointer: Option<&'a str>,
    /// Parameter of the path, the query or a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    /// Header.
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'a str>,
    /// What is wrong there: `unknown-member`, `required`, `wrong-type`, `too-long`, `malformed`, `out-of-range`, or the problem's own code.
    code: &'a str,
    /// The same for people.
    detail: &'a str,
}

impl Problem {
    /// A problem with the facts of its case.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let outcome = code.meaning().outcome;
        let retry_after_s =
            matches!(code.meaning().status, 503 | 504).then_some(1).or((code == Code::RequestInFlight).then_some(1));
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            faults: Vec::new(),
            outcome,
            retry_after_s,
            allow: None,
            oauth: None,
        }))
    }

    /// A value that is not allowed, at a place.
    pub fn invalid(place: Place, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::new(Code::Business(vintem_core::kernel::RefusalCode::ValidationFailed), detail.clone()).with(Fault {
            place,
            code,
            detail,
        })
    }

    /// The object of a path does not exist here.
    pub fn not_found() -> Self {
        Self::new(Code::Business(vintem_core::kernel::RefusalCode::NotFound), "there is no such object")
    }

    /// Names one more place.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.0.faults.push(fault);
        self
    }

    /// Its pointers put below `prefix`: an item of a batch speaks of itself.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        for fault in &mut self.0.faults {
            if let Place::Pointer(pointer) = &mut fault.place {
                pointer.insert_str(0, prefix);
            }
        }
        self
    }

    /// The write was done although there is no answer to it.
    #[must_use]
    pub fn after_the_write(mut self) -> Self {
        self.0.outcome = Outcome::Applied;
        self
    }

    /// What the request did cannot be told from this.
    #[must_use]
    pub fn unknown(mut self) -> Self {
        self.0.outcome = Outcome::Unknown;
        self
    }

    /// Which methods there are instead.
    #[must_use]
    pub fn allowing(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// When to ask again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// The error code that OAuth 2.0 clients know.
    #[must_use]
    pub fn oauth(mut self, error: &'static str) -> Self {
        self.0.oauth = Some(error);
        self
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Its status.
    pub fn status(&self) -> u16 {
        self.0.code.meaning().status
    }

    /// The document's bytes.
    pub fn document(&self, shown: &Shown) -> Vec<u8> {
        let Inner { code, detail, faults, outcome, oauth, .. } = &*self.0;
        let meaning = code.meaning();
        let document = Document {
            kind: format!("/docs/problems#{}", meaning.code),
            title: shown.lang.pick(meaning.english, meaning.portuguese),
            status: meaning.status,
            detail,
            instance: &shown.instance,
            code: meaning.code,
            retryable: meaning.retryable,
            outcome: *outcome,
            trace_id: &shown.trace,
            errors: faults.iter().map(Fault::document).collect(),
            error: *oauth,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// The whole answer.
    pub fn respond(&self, shown: &Shown) -> HttpResponse {
        let mut response = self.head();
        response.content_type("application/problem+json");
        response.body(self.document(shown))
    }

    fn head(&self) -> HttpResponseBuilder {
        let mut head = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.0.retry_after_s {
            head.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(allow) = self.0.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            head.insert_header((header::ALLOW, allow));
        }
        match (self.0.code, self.0.oauth) {
            (Code::DpopInvalid, _) => {
                let challenge =
                    format!("DPoP realm=\"vintem\", error=\"invalid_dpop_proof\", algs=\"{PROOF_ALGORITHMS}\"");
                _ = head.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            (Code::Unauthenticated | Code::TokenExpired, Some(_)) => {
                _ = head.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"vintem\""));
            }
            (Code::TokenExpired, None) => {
                _ = head.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"vintem\", error=\"invalid_token\""));
            }
            (Code::Unauthenticated, None) => {
                _ = head.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"vintem\""));
            }
            _ => {}
        }
        head
    }
}

impl Fault {
    fn document(&self) -> DocumentFault<'_> {
        let (mut pointer, mut parameter, mut header) = (None, None, None);
        match &self.place {
            Place::Pointer(text) => pointer = Some(text.as_str()),
            Place::Parameter(text) => parameter = Some(text.as_str()),
            Place::Header(text) => header = Some(text.as_str()),
        }
        DocumentFault { pointer, parameter, header, code: self.code, detail: &self.detail }
    }
}

/// A refused item of a batch: the problem without what belongs to the whole request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ItemProblem)]
pub struct ItemDocument<'a> {
    #[schema(example = "insufficient-funds")]
    code: &'a str,
    title: &'a str,
    detail: &'a str,
    errors: Vec<DocumentFault<'a>>,
}

impl<'a> ItemDocument<'a> {
    /// Of a refusal whose pointer is already below its item.
    pub fn of(refusal: &'a Refusal, lang: Lang) -> Self {
        let meaning = Code::Business(refusal.code).meaning();
        let (mut pointer, mut parameter, mut header) = (None, None, None);
        match &refusal.place {
            Some(Place::Pointer(text)) => pointer = Some(text.as_str()),
            Some(Place::Parameter(text)) => parameter = Some(text.as_str()),
            Some(Place::Header(text)) => header = Some(text.as_str()),
            None => {}
        }
        let fault = DocumentFault { pointer, parameter, header, code: refusal.code.as_str(), detail: &refusal.detail };
        let errors = if refusal.place.is_some() { vec![fault] } else { Vec::new() };
        Self {
            code: meaning.code,
            title: lang.pick(meaning.english, meaning.portuguese),
            detail: &refusal.detail,
            errors,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl std::error::Error for Problem {}

/// The middleware replaces the body, which needs to know the request.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.head().finish();
        response.extensions_mut().insert(self.clone());
        response
    }
}
