//! A bank's CSV file: a reader of rows, and what each row books.
//!
//! A row is single-sided: it says by how much one account's balance grows. The other side
//! is the mapping's contra account. Where the bank carried finer values than it printed,
//! the remainder is a second transaction against a rounding account, in one group with the
//! first, and the printed balance is expected after the last of them.
//!
//! Reading twice gives the same steps: the first reading finds every account (and every
//! malformed line, before anything is posted), the second posts, and neither holds the file.

pub mod mapping;
pub mod plan;
pub mod row;
pub mod template;

#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::Path;

use mapping::Mapping;
use plan::Planner;
use row::{Columns, Row};

use super::ReadError;
use super::input;
use super::plan::{Chart, Notes, Step};

/// Reads the rows of `input` in booking order and hands each to `visit`.
pub fn for_each_row(
    mapping: &Mapping,
    input: impl Read,
    mut visit: impl FnMut(Row) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(u8::try_from(mapping.format.delimiter).unwrap_or(b','))
        .from_reader(input);
    let mut record = csv::StringRecord::new();
    let mut columns: Option<Columns> = None;
    let mut kept = Vec::new();
    while reader.read_record(&mut record).map_err(ReadError::from_csv)? {
        let line = record.position().map_or(0, csv::Position::line);
        let known = columns.is_some();
        let columns = match &mut columns {
            Some(columns) => &*columns,
            unknown => unknown.insert(find_columns(mapping, &record, line)?),
        };
        if !known && mapping.format.header {
            continue;
        }
        let row = columns.read(&record, line)?;
        if mapping.format.newest_first {
            kept.push(row);
        } else {
            visit(row)?;
        }
    }
    kept.into_iter().rev().try_for_each(visit)
}

/// Finds the mapping's columns by the names in the first line, or by their numbers.
fn find_columns(mapping: &Mapping, first: &csv::StringRecord, line: u64) -> Result<Columns, ReadError> {
    let names: Vec<String> = if mapping.format.header {
        first.iter().map(str::to_owned).collect()
    } else {
        (1..=first.len()).map(|number| number.to_string()).collect()
    };
    Columns::find(mapping, &names).map_err(|missing| ReadError::at(line, format!("the file has no column {missing:?}")))
}

/// Reads a file and hands every step to `visit`, in order.
pub fn read(
    mapping: &Mapping,
    path: &Path,
    mut visit: impl FnMut(Step) -> Result<(), ReadError>,
) -> Result<(Chart, Notes), ReadError> {
    let mut planner = Planner::try_new(mapping).map_err(|error| ReadError::at(0, error.to_string()))?;
    for_each_row(mapping, input::open(path)?, |row| match planner.step(&row)? {
        Some(step) => visit(step),
        None => Ok(()),
    })?;
    Ok(planner.finish())
}
