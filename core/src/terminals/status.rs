//! Where a terminal stands.

/// Where a terminal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// In the inventory.
    Provisioned,
    /// A code brings it in.
    CodeIssued,
    /// At work.
    Active,
    /// Not for a while.
    Suspended,
    /// Nobody knows where.
    Lost,
    /// For good.
    Revoked,
    /// Out of the inventory.
    Retired,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Provisioned, Self::CodeIssued, Self::Active, Self::Suspended, Self::Lost, Self::Revoked, Self::Retired];

    /// As stored and answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioned => "provisioned",
            Self::CodeIssued => "code_issued",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Lost => "lost",
            Self::Revoked => "revoked",
            Self::Retired => "retired",
        }
    }

    /// As it was stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}
