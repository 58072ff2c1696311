//! A statement on paper: A4, as many pages as it takes, each with its number.
//!
//! It is drawn when all of its lines are known, because each page says of how many it is one, and the first says what came in
//! and what went out. So it has a largest number of lines; a longer statement is a file for a program.
//!
//! The fonts are Helvetica's, which every reader has, in the encoding of Western Europe. What it lacks, such as a
//! pictogram in somebody's description, becomes a question mark here and is whole in the other forms.

mod font;
mod layout;

use super::entry::{Entry, Head, Paper};
use chrono::{DateTime, Datelike as _, Timelike as _};
use chrono_tz::Tz;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use layout::Page;
use pdf_writer::{Date, Filter, Finish as _, Name, Pdf as Document, Rect, Ref, TextStr};
use std::io::Write as _;
use vintem_core::kernel::Minor;

/// Lines of the longest one, some 200 pages.
pub const MOST_LINES: usize = 10_000;

/// The form.
#[derive(Debug)]
pub struct Paged {
    head: Head,
    entries: Vec<Entry>,
}

/// What came in and what went out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    incomes: Minor,
    expenses: Minor,
}

impl Paged {
    /// Without lines yet.
    pub fn new(head: Head) -> Self {
        Self { head, entries: Vec::new() }
    }

    /// How many lines it has.
    pub fn count(&self) -> usize {
        self.entries.len()
    }
}

impl Paper for Paged {
    fn begin(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn lines(&mut self, entries: &[Entry]) -> Vec<u8> {
        self.entries.extend_from_slice(entries);
        Vec::new()
    }

    fn end(&mut self) -> Vec<u8> {
        let sums = self.entries.iter().fold(Sums::default(), |sums, entry| match entry.amount {
            amount if amount.is_negative() => Sums { expenses: sums.expenses.plus(amount), ..sums },
            amount => Sums { incomes: sums.incomes.plus(amount), ..sums },
        });
        let pages = layout::pages(&self.head, &self.entries, sums);
        bound(&self.head, &pages)
    }
}

/// The pages as a document.
fn bound(head: &Head, pages: &[Page]) -> Vec<u8> {
    let mut next = 0;
    let mut id = || {
        next += 1;
        Ref::new(next)
    };
    let (catalog, tree, info, regular, bold) = (id(), id(), id(), id(), id());
    let places: Vec<(Ref, Ref)> = pages.iter().map(|_| (id(), id())).collect();
    let mut document = Document::new();
    document.catalog(catalog).pages(tree).lang(TextStr(head.lang.pick("en", "pt-BR")));
    let count = i32::try_from(places.len()).unwrap_or(i32::MAX);
    document.pages(tree).kids(places.iter().map(|place| place.0)).count(count);
    let title = format!("{} {} – {}", head.lang.statement(), head.from, head.to);
    let made = head.made_at.with_timezone(&head.zone);
    let mut about = document.document_info(info);
    about.title(TextStr(&title)).author(TextStr(&head.tenant)).producer(TextStr("Vintem"));
    if let Some(date) = date(&made) {
        about.creation_date(date);
    }
    about.finish();
    for (place, name) in [(regular, "Helvetica"), (bold, "Helvetica-Bold")] {
        document.type1_font(place).base_font(Name(name.as_bytes())).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for ((place, content), page) in places.into_iter().zip(pages) {
        let mut sheet = document.page(place);
        sheet.media_box(Rect::new(0.0, 0.0, 595.0, 842.0)).parent(tree).contents(content);
        sheet.resources().fonts().pair(font::REGULAR.name(), regular).pair(font::BOLD.name(), bold);
        sheet.finish();
        match packed(&page.0) {
            Some(bytes) => _ = document.stream(content, &bytes).filter(Filter::FlateDecode),
            None => _ = document.stream(content, &page.0),
        }
    }
    document.finish()
}

fn packed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn date(at: &DateTime<Tz>) -> Option<Date> {
    let small = |number: u32| u8::try_from(number).ok();
    let date = Date::new(u16::try_from(at.year()).ok()?).month(small(at.month())?).day(small(at.day())?);
    Some(date.hour(small(at.hour())?).minute(small(at.minute())?).second(small(at.second())?))
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::{month, written};
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn it_is_a_document_of_as_many_pages_as_it_takes() {
        let (head, entries) = month(Lang::Pt);
        let count = |entries: &[Entry]| {
            let bytes = written(Paged::new(head.clone()), entries);
            assert!(bytes.starts_with(b"%PDF-") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
            String::from_utf8_lossy(&bytes).matches("/Type /Page\n").count()
        };
        assert_eq!(count(&[]), 1);
        assert_eq!(count(&entries), 1);
        let many: Vec<Entry> = entries.iter().cycle().take(400).cloned().collect();
        assert_eq!(count(&many), layout::pages(&head, &many, Sums::default()).len());
        assert!(count(&many) > 7);
    }
}
