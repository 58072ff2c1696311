//! What holds of every row of the table.

use super::*;
use std::collections::HashSet;

#[test]
fn only_these_answer_without_a_proof() {
    let open: Vec<&str> =
        ROUTES.iter().filter(|entry| entry.policy == Policy::Public).map(|entry| entry.path).collect();
    assert_eq!(
        open,
        [
            "/v1/receipts/{code}",
            "/v1/charge-locations/{id}",
            "/v1/registrations",
            "/v1/registrations/{id}/verify",
            "/v1/recoveries",
            "/v1/recoveries/{id}/verify",
            "/v1/sessions",
            "/v1/sessions/refresh",
            "/v1/sessions/{id}/verify",
            "/v1/staff/sessions",
            "/v1/staff/invitations/accept",
            "/v1/staff/invitations/confirm",
            "/v1/terminal/enrolments",
            "/v1/token",
            "/.well-known/jwks.json",
            "/livez",
            "/readyz",
            "/openapi.json",
            "/docs",
            "/docs/problems"
        ]
    );
}

#[test]
fn no_row_stands_twice_and_a_get_carries_nothing() {
    let rows: HashSet<(&str, &str)> = ROUTES.iter().map(|entry| (entry.method.as_str(), entry.path)).collect();
    assert_eq!(rows.len(), ROUTES.len());
    for entry in ROUTES {
        assert_eq!(entry.method == Method::GET, entry.body == Nothing, "{}", entry.path);
    }
}

#[test]
fn looking_and_changing_need_different_grants() {
    for entry in ROUTES {
        let Policy::Granted { client, staff } = entry.policy else { continue };
        let looks = |scope| matches!(scope, LedgerRead | HoldersRead | HoldersUnmask | AuditRead);
        assert!(client.is_none_or(|scope| looks(scope) != entry.is_write()), "{}", entry.path);
        assert!(staff.is_none_or(|need| (need.verb == View) != entry.is_write()), "{}", entry.path);
    }
}
