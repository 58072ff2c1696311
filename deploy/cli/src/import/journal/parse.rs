//! Lines of a journal into entries.
//!
//! The subset is what real exports contain. Whatever would change the meaning of entries
//! from afar (aliases, includes, automatic and periodic entries) is refused with its line,
//! because skipping it would book something else than the author's own tool shows.

use super::amount::{self, Styles};
use super::entry;
use super::syntax::Journal;
use crate::import::ReadError;

/// Reads the text of a journal.
pub fn parse(text: &str) -> Result<Journal, ReadError> {
    let mut parser = Parser { journal: Journal::default(), styles: Styles::default(), year: None, place: Place::Top };
    for (number, line) in (1_u64..).zip(text.trim_start_matches('\u{feff}').lines()) {
        parser.line(number, line.trim_end())?;
    }
    match parser.place {
        Place::Comment(line) => Err(ReadError::at(line, "this comment block never ends (`end comment`)")),
        _ => Ok(parser.journal),
    }
}

struct Parser {
    journal: Journal,
    styles: Styles,
    year: Option<i32>,
    place: Place,
}

/// What an indented line belongs to.
enum Place {
    Top,
    Entry,
    Directive,
    Comment(u64),
}

impl Parser {
    fn line(&mut self, number: u64, line: &str) -> Result<(), ReadError> {
        if let Place::Comment(_) = self.place {
            if line == "end comment" {
                self.place = Place::Top;
            }
            return Ok(());
        }
        if line.trim().is_empty() {
            self.place = Place::Top;
            return Ok(());
        }
        if line.starts_with([' ', '\t']) {
            return self.indented(number, line.trim_start());
        }
        match line.as_bytes()[0] {
            b';' | b'#' | b'*' => Ok(()),
            b'0'..=b'9' => {
                let entry = entry::head(number, line, self.year).map_err(|what| ReadError::at(number, what))?;
                self.journal.entries.push(entry);
                self.place = Place::Entry;
                Ok(())
            }
            _ => self.directive(number, line).map_err(|what| ReadError::at(number, what)),
        }
    }

    fn indented(&mut self, number: u64, line: &str) -> Result<(), ReadError> {
        let at = |what: String| ReadError::at(number, what);
        match (&self.place, self.journal.entries.last_mut()) {
            (Place::Entry, Some(current)) => {
                if let Some(comment) = line.strip_prefix(';') {
                    entry::comment(current, comment.trim()).map_err(at)
                } else {
                    entry::posting(current, number, line, &self.styles).map_err(at)
                }
            }
            (Place::Directive, _) => match line.strip_prefix("format ") {
                Some(sample) => self.commodity(sample.trim()).map_err(at),
                None => Ok(()),
            },
            _ if line.starts_with(';') => Ok(()),
            _ => Err(at("an indented line that belongs to no entry".to_owned())),
        }
    }

    fn directive(&mut self, number: u64, line: &str) -> Result<(), String> {
        self.place = Place::Directive;
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let plain = strip_comment(rest);
        match word {
            "comment" => self.place = Place::Comment(number),
            "commodity" => self.commodity(plain)?,
            "D" => {
                self.commodity(plain)?;
                self.styles.default_commodity = Some(amount::parse(plain, &self.styles)?.commodity);
            }
            "account" => self.account(rest),
            "decimal-mark" => match plain {
                "." => self.styles.decimal_mark = Some('.'),
                "," => self.styles.decimal_mark = Some(','),
                other => return Err(format!("{other:?} is not a decimal mark")),
            },
            "year" | "Y" => self.year(plain)?,
            "P" => *self.journal.skipped.entry("market prices left out").or_default() += 1,
            "payee" | "tag" => {}
            year if year.starts_with('Y') => self.year(&year[1..])?,
            _ => return Err(format!("{word:?} is not supported; `hledger print --explicit` writes a plain journal")),
        }
        Ok(())
    }

    fn year(&mut self, text: &str) -> Result<(), String> {
        self.year = Some(text.parse().map_err(|_| format!("{text:?} is not a year"))?);
        Ok(())
    }

    /// `commodity 1,000.00 USD` shows mark and decimals; `commodity USD` only names it.
    fn commodity(&mut self, sample: &str) -> Result<(), String> {
        if !sample.contains(|c: char| c.is_ascii_digit()) {
            return Ok(());
        }
        let mark = amount::shown_mark(sample);
        let styles = Styles { decimal_mark: mark, ..Styles::default() };
        let quantity = amount::parse(sample, &styles)?;
        if let Some(mark) = mark {
            self.styles.by_commodity.insert(quantity.commodity.clone(), mark);
        }
        self.journal.declared_decimals.insert(quantity.commodity, quantity.number.decimals);
        Ok(())
    }

    fn account(&mut self, rest: &str) {
        let (name, comment) = rest.split_once(';').unwrap_or((rest, ""));
        let kind = comment.split_once("type:").and_then(|(_, kind)| kind.trim().chars().next());
        if let Some(kind) = kind {
            self.journal.account_types.insert(name.trim().to_owned(), kind.to_ascii_uppercase());
        }
    }
}

/// The text before a `;`, quotes respected.
pub fn strip_comment(text: &str) -> &str {
    split_comment(text).0
}

/// The text before and after a `;`, quotes respected.
pub fn split_comment(text: &str) -> (&str, Option<&str>) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => return (text[..at].trim(), Some(text[at + 1..].trim())),
            _ => {}
        }
    }
    (text.trim(), None)
}
