//! Movements in recorded order in, in effective order out, however many there are.
//!
//! The movements lie in an unnamed temporary file; memory holds 32 bytes of index for each.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek, SeekFrom, Write};

use chrono::{DateTime, NaiveDate, Utc};

use super::entry::Entry;

/// A temporary file of entries, being filled.
pub struct Spool {
    file: BufWriter<File>,
    index: Vec<Place>,
    end: u64,
}

struct Place {
    effective_at: DateTime<Utc>,
    offset: u64,
    length: u32,
}

impl Spool {
    /// An empty spool. The file has no name, so nothing is left behind however the command ends.
    pub fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(tempfile::tempfile()?), index: Vec::new(), end: 0 })
    }

    /// Adds an entry.
    pub fn push(&mut self, effective_at: DateTime<Utc>, entry: &Entry) -> io::Result<()> {
        let bytes = serde_json::to_vec(entry)?;
        self.file.write_all(&bytes)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.index.push(Place { effective_at, offset: self.end, length });
        self.end += u64::from(length);
        Ok(())
    }

    /// The day of the earliest entry, in universal time.
    pub fn first_day(&self) -> Option<NaiveDate> {
        self.index.iter().map(|place| place.effective_at).min().map(|instant| instant.date_naive())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Gives every entry in order of effect; those of one instant stay in recorded order.
    pub fn drain(mut self, mut visit: impl FnMut(Entry) -> io::Result<()>) -> io::Result<()> {
        self.index.sort_by_key(|place| place.effective_at);
        let mut file = BufReader::with_capacity(64 * 1024, self.file.into_inner()?);
        let mut at = file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        for place in self.index {
            // Most entries follow each other: a relative step keeps the buffer.
            file.seek_relative(
                i64::try_from(place.offset).map_err(io::Error::other)? - i64::try_from(at).map_err(io::Error::other)?,
            )?;
            bytes.resize(place.length as usize, 0);
            file.read_exact(&mut bytes)?;
            at = place.offset + u64::from(place.length);
            visit(serde_json::from_slice(&bytes)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_in_order_of_effect() {
        let mut spool = Spool::new().unwrap();
        let day = |day: u32| chrono::NaiveDate::from_ymd_opt(2024, 1, day).unwrap();
        let instant = |number: u32| day(number).and_time(chrono::NaiveTime::MIN).and_utc();
        for (number, description) in [(3, "c"), (1, "a"), (2, "b"), (1, "a again")] {
            let entry = Entry {
                date: day(number),
                description: description.to_owned(),
                legs: vec![(0, 1)],
                ..Entry::default()
            };
            spool.push(instant(number), &entry).unwrap();
        }
        assert_eq!(spool.len(), 4);
        let mut order = Vec::new();
        spool
            .drain(|entry| {
                order.push(entry.description);
                Ok(())
            })
            .unwrap();
        assert_eq!(order, ["a", "a again", "b", "c"]);
    }
}
