//! What stays of somebody who was erased, on what legal basis, and until when.
//!
//! Counsel fixes the bases and the periods; this table is where they are changed. What is in it leads to nobody any more: it is ids,
//! amounts and times, and ciphertext whose key is gone.

use chrono::Months;

use crate::kernel::Instant;

/// A kind of facts that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retained {
    /// What.
    pub category: &'static str,
    /// Why.
    pub legal_basis: &'static str,
    months: u32,
}

/// What is gone with the key.
pub const ERASED: [&str; 6] = ["name", "email", "phone", "cpf", "notes", "secrets"];

/// What stays.
pub const RETAINED: [Retained; 2] = [
    // Movements of money are kept for ten years after the relation has ended; the law alone asks for five.
    Retained {
        category: "movements",
        legal_basis: "Lei 9.613/1998, art. 10, § 2º; Circular BCB 3.978/2020, art. 67",
        months: 120,
    },
    // When and on which device somebody signed in.
    Retained { category: "sessions-and-devices", legal_basis: "Lei 12.965/2014, art. 15", months: 6 },
];

impl Retained {
    /// Until when the law asks for it, after an erasure.
    pub fn until(&self, erased_at: Instant) -> Instant {
        erased_at.checked_add_months(Months::new(self.months)).unwrap_or(erased_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn movements_outlive_sign_ins() {
        let erased_at = "2026-03-01T12:00:00Z".parse().unwrap();
        let until = RETAINED.map(|kept| kept.until(erased_at).to_rfc3339());
        assert_eq!(until, ["2036-03-01T12:00:00+00:00", "2026-09-01T12:00:00+00:00"]);
    }
}
