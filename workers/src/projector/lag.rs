//! How far the projections are behind, measured apart from folding: also while a projector stands still.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::sleep;
use vintem_core::projections::lag;
use vintem_core::telemetry::WorkerMetrics;

/// How often.
const GLANCE: Duration = Duration::from_secs(1);

/// Measures until the task is ended.
pub async fn measure(pool: PgPool, metrics: Arc<WorkerMetrics>) {
    loop {
        match lag::measure(&pool).await {
            Ok(lags) => {
                for lag in lags {
                    metrics.projector_lag(&lag.projection, lag.shard, lag.events, lag.age);
                }
            }
            Err(error) => tracing::debug!(%error, "the lag cannot be measured"),
        }
        sleep(GLANCE).await;
    }
}
