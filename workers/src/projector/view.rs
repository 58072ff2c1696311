//! The feed of a view: core's projection behind the messages.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use vintem_core::projections::{Projection, Projector, Reading, Standing};

use super::{Fed, Feed, FeedError};

/// So long does a view that writes much wait at most for the others.
const COURTESY: Duration = Duration::from_mins(1);
const GLANCE: Duration = Duration::from_millis(200);

/// One projection, folded by core over connections of the role `vintem_projector`.
pub struct View {
    projection: &'static dyn Projection,
    projector: Projector,
}

impl View {
    /// Of a projection, which reads the log together with the others.
    pub fn new(projection: &'static dyn Projection, pool: PgPool, reading: Arc<Reading>) -> Self {
        Self { projection, projector: Projector::new(pool, reading) }
    }
}

impl Feed for View {
    fn name(&self) -> &'static str {
        self.projection.name()
    }

    async fn catch_up(&mut self, shard: i16, up_to: Option<i64>) -> Result<Fed, FeedError> {
        let began = Instant::now();
        while began.elapsed() < COURTESY && self.projector.gives_way(self.projection, shard).await? {
            sleep(GLANCE).await;
        }
        Ok(match self.projector.catch_up(self.projection, shard, up_to).await? {
            Standing::At(position) => Fed::At(position),
            Standing::Parked(because) => Fed::Parked(because),
            Standing::OfVersion(version) => Fed::Parked(format!(
                "its rows are of version {version}, this program's of {}",
                self.projection.version()
            )),
        })
    }

    async fn is_rush(&mut self, shard: i16) -> Result<bool, FeedError> {
        Ok(self.projector.is_rush(self.projection, shard).await?)
    }
}
