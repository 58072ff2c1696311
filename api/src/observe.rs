//! The middleware around every request: a span, a trace id, a time in the metrics, and the
//! finished form of problems.

use crate::app::App;
use crate::context::{Trace, shown};
use crate::limits::Limits;
use crate::problem::Problem;
use crate::routes::{self, Entry};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError as _, web};
use std::time::Instant;
use tracing::Instrument;
use vintem_core::telemetry::TraceId;

/// Label for whatever path is no route of ours: labels must stay few.
const NO_ROUTE: &str = "unmatched";

/// Observes one request from its head to the head of its answer.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let method = method_label(request.method());
    let route = request.match_pattern().unwrap_or_else(|| NO_ROUTE.to_owned());
    let app = request.app_data::<web::Data<App>>().cloned();
    let span = tracing::info_span!(
        "http.request",
        method,
        route,
        trace_id = tracing::field::Empty,
        status = tracing::field::Empty
    );
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let trace: std::sync::Arc<str> = TraceId::adopt(&span, traceparent).to_string().into();
    span.record("trace_id", &*trace);
    request.extensions_mut().insert(Trace(trace));
    let (limits, row) = (app.as_ref().map(|app| &app.limits), routes::named(request.method(), &route));
    if let Some(row) = row {
        request.extensions_mut().insert(row);
    }
    let response = match limits.map(|limits| limits.before(request.request(), row)) {
        Some(Err(too_often)) => {
            let answer = too_often.error_response();
            request.into_response(answer)
        }
        _ => next.call(request).instrument(span.clone()).await?.map_into_boxed_body(),
    };
    let response = finish_problem(response, limits, row);
    let status = response.status().as_u16();
    span.record("status", status);
    span.in_scope(|| {
        if status >= 500 {
            tracing::warn!(status, "the request failed");
        } else {
            tracing::debug!(status, "the request was answered");
        }
    });
    if let Some(app) = app {
        app.metrics.http_request(method, &route, status, started.elapsed());
    }
    Ok(response)
}

/// Gives a problem the body that names its request; or another problem where there were too many of its kind.
fn finish_problem(
    mut response: ServiceResponse<BoxBody>,
    limits: Option<&Limits>,
    row: Option<&Entry>,
) -> ServiceResponse<BoxBody> {
    let problem = response.response_mut().extensions_mut().remove::<Problem>();
    match problem {
        Some(problem) => {
            let counted = limits.map(|limits| limits.after(response.request(), row, &problem));
            let problem = counted.and_then(Result::err).unwrap_or(problem);
            let answer = problem.respond(&shown(response.request()));
            response.into_response(answer)
        }
        None => response,
    }
}

/// The methods that exist; a caller may send any word.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
