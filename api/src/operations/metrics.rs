//! `/metrics`, on the private port only.

use crate::app::App;
use actix_web::{HttpResponse, web};

/// Everything, in Prometheus's text form.
pub async fn show(app: web::Data<App>) -> HttpResponse {
    for (role, life) in app.health.lease_lives() {
        app.metrics.lease_ttl(role, life);
    }
    if let Some(life) = app.health.token_life() {
        app.metrics.token_ttl(life);
    }
    app.metrics.password_hashes(app.staff.hashes());
    let messages = app.messages.counts();
    app.metrics.messages("sent", messages.sent);
    app.metrics.messages("failed", messages.failed);
    app.metrics.messages("dropped", messages.dropped);
    app.metrics.messages_waiting(messages.waiting);
    let (size, idle) = app.ledger.reader_connections();
    app.metrics.pool("reader", size, idle);
    let report = app.health.report(&app.ledger, &app.views).await;
    for (shard, writer) in app.ledger.writers() {
        app.metrics.halted(shard, report.halted_shards.contains(&shard));
        app.metrics.queue_depth(shard, writer.waiting());
        for (phase, spent) in writer.times().read() {
            app.metrics.writer(shard, phase, spent);
        }
    }
    let text = app.metrics.encode() + &app.health.vault_calls();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}
