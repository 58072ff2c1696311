//! The file of an import, read once to know it and once to post it.

use std::path::PathBuf;

use super::csv::mapping::Mapping;
use super::plan::{Chart, Fold, Mismatch, Notes, Step};
use super::{ReadError, csv, input, journal};

/// What is imported.
#[derive(Debug)]
pub enum Source {
    /// A bank's rows: streamed, however many they are.
    Csv {
        /// The file.
        path: PathBuf,
        /// What its columns mean.
        mapping: Box<Mapping>,
    },
    /// A journal, which is sorted and therefore held.
    Journal {
        /// Its steps, in order of their dates.
        steps: Vec<Step>,
    },
}

/// What the first reading found.
#[derive(Debug)]
pub struct Survey {
    /// Every account.
    pub chart: Chart,
    /// What is left out on purpose.
    pub notes: Notes,
    /// Rows or entries to post.
    pub movements: u64,
    /// Balances that the file states and the ledger will check.
    pub expectations: u64,
}

impl Source {
    /// Reads a CSV file through once.
    pub fn csv(path: PathBuf, mapping: Mapping) -> Result<(Self, Survey), ReadError> {
        let (mut movements, mut expectations) = (0, 0);
        let (chart, notes) = csv::read(&mapping, &path, |step| {
            count(&step, &mut movements, &mut expectations);
            Ok(())
        })?;
        Ok((Self::Csv { path, mapping: Box::new(mapping) }, Survey { chart, notes, movements, expectations }))
    }

    /// Reads a journal.
    pub fn journal(path: &std::path::Path, options: &journal::Options) -> Result<(Self, Survey), ReadError> {
        let (steps, chart, notes) = journal::read(&input::read_text(path)?, options)?;
        let (mut movements, mut expectations) = (0, 0);
        for step in &steps {
            count(step, &mut movements, &mut expectations);
        }
        Ok((Self::Journal { steps }, Survey { chart, notes, movements, expectations }))
    }

    /// Hands over every step, in order. The second reading of a CSV file gives the same as the first.
    pub fn for_each(self, mut visit: impl FnMut(Step) -> Result<(), ReadError>) -> Result<(), ReadError> {
        match self {
            Self::Csv { path, mapping } => csv::read(&mapping, &path, visit).map(drop),
            Self::Journal { steps } => steps.into_iter().try_for_each(&mut visit),
        }
    }

    /// Every stated balance that the file's own movements do not lead to, counted from zero.
    pub fn mismatches(self, chart: &Chart) -> Result<Vec<Mismatch>, ReadError> {
        let mut fold = Fold::default();
        let mut mismatches = Vec::new();
        self.for_each(|step| {
            match step {
                Step::Post(movement) => mismatches.extend(fold.apply(&movement, chart)),
                Step::Broken(mismatch) => mismatches.push(mismatch),
            }
            Ok(())
        })?;
        Ok(mismatches)
    }
}

fn count(step: &Step, movements: &mut u64, expectations: &mut u64) {
    if let Step::Post(movement) = step {
        *movements += 1;
        let legs = movement.transactions.iter().flat_map(|transaction| &transaction.legs);
        *expectations += legs.filter(|leg| leg.expect_after.is_some()).count() as u64;
    }
}
