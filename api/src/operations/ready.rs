//! `/readyz`: whether requests should be sent here.

use super::health::Report;
use crate::app::App;
use crate::problem::Problem;
use actix_web::{HttpResponse, web};

/// Whether the process can serve.
#[utoipa::path(get, path = "/readyz", tag = "Operations", responses((status = 200, body = Report)), security(()))]
pub async fn show(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let report = app.health.report(&app.ledger, &app.views).await;
    for shard in &report.halted_shards {
        app.metrics.halted(*shard, true);
    }
    match report.why {
        None => Ok(HttpResponse::Ok().json(report)),
        Some(code) => {
            let Report { database, halted_shards, vault, ended_leases, .. } = report;
            let detail = format!(
                "database: {database}; halted shards: {halted_shards:?}; vault: {vault}; ended leases: {ended_leases:?}"
            );
            Err(Problem::new(code, detail))
        }
    }
}
