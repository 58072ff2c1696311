//! Why a subscription was not made or removed.

/// A refusal or a failure of this context.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// Not a slug.
    #[error(
        "a subscription's name has 1 to 63 lower-case letters, digits and hyphens, and does not begin with a hyphen"
    )]
    BadName,
    /// Not a pattern.
    #[error("kinds are words of lower-case letters with dots between them; `*` is one word, `#` any number of them")]
    BadKinds,
    /// Nothing could wait, or too much.
    #[error("between 1 and 10,000,000 events may wait")]
    BadLength,
    /// One of this name exists, or existed and its queue is not gone yet.
    #[error("the name is taken; one that was removed is free again when a worker has deleted its queue")]
    NameTaken,
    /// None of this name.
    #[error("there is no such subscription")]
    Unknown,
    /// No such tenant.
    #[error("the tenant does not exist")]
    UnknownTenant,
    /// The database could not answer.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}
