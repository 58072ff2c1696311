//! The lines of one entry: its head, its comments, its postings.

use chrono::NaiveDate;

use super::amount::{self, Styles};
use super::parse::split_comment;
use super::syntax::{Assertion, Cost, Entry, Posting};

/// `2024-01-31=2024-02-01 * (code) description ; comment`
pub fn head(line: u64, text: &str, year: Option<i32>) -> Result<Entry, String> {
    let (dates, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (first, second) = dates.split_once('=').map_or((dates, None), |(first, second)| (first, Some(second)));
    let (body, comment_text) = rest.split_once(';').map_or((rest, None), |(body, comment)| (body, Some(comment)));
    let mut entry = Entry {
        line,
        date: date(first, year)?,
        description: String::new(),
        metadata: Vec::new(),
        postings: Vec::new(),
    };
    let mut body = body.trim();
    if let Some(second) = second {
        entry.metadata.push(("date2".to_owned(), date(second, year)?.to_string()));
    }
    for (mark, word) in [('*', "cleared"), ('!', "pending")] {
        if let Some(rest) = body.strip_prefix(mark) {
            entry.metadata.push(("status".to_owned(), word.to_owned()));
            body = rest.trim_start();
            break;
        }
    }
    if let Some((code, rest)) = body.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        entry.metadata.push(("code".to_owned(), code.to_owned()));
        body = rest.trim_start();
    }
    body.clone_into(&mut entry.description);
    if let Some(text) = comment_text {
        comment(&mut entry, text.trim())?;
    }
    Ok(entry)
}

/// A comment of the entry: its tags become members of the metadata, the rest stays text.
pub fn comment(entry: &mut Entry, text: &str) -> Result<(), String> {
    if !entry.postings.is_empty() {
        return posting_comment(entry, text);
    }
    let mut plain = Vec::new();
    for piece in text.split(',') {
        match tag(piece) {
            Some((before, name, value)) => {
                if !before.is_empty() {
                    plain.push(before);
                }
                add(entry, name, value);
            }
            None if piece.trim().is_empty() => {}
            None => plain.push(piece.trim()),
        }
    }
    if !plain.is_empty() {
        add(entry, "comment", &plain.join(", "));
    }
    Ok(())
}

/// A comment on the posting before it, kept under the posting's number.
fn posting_comment(entry: &mut Entry, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let own_date = text.split(',').filter_map(tag).any(|(_, name, _)| name == "date" || name == "date2");
    if own_date || text.starts_with('[') {
        return Err("a posting with a date of its own is not supported; split the entry".to_owned());
    }
    add(entry, &format!("posting:{}", entry.postings.len()), text);
    Ok(())
}

/// A member of the metadata; what came before under the same name is kept.
fn add(entry: &mut Entry, name: &str, value: &str) {
    match entry.metadata.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => {
            known.push_str("; ");
            known.push_str(value);
        }
        None => entry.metadata.push((name.to_owned(), value.to_owned())),
    }
}

/// `words name:value`: the words, the name, the value.
fn tag(piece: &str) -> Option<(&str, &str, &str)> {
    let (head, value) = piece.split_once(':')?;
    let (before, name) = head.rsplit_once(char::is_whitespace).unwrap_or(("", head));
    (!name.is_empty()).then(|| (before.trim(), name, value.trim()))
}

/// `account name  10.00 USD @ 5.00 BRL = 90.00 USD  ; comment`
pub fn posting(entry: &mut Entry, line: u64, text: &str, styles: &Styles) -> Result<(), String> {
    let (text, comment) = split_comment(text);
    let text = text.strip_prefix(['*', '!']).map_or(text, str::trim_start);
    if text.starts_with(['(', '[']) {
        return Err("a virtual posting does not balance and is not supported".to_owned());
    }
    let end = text.find("  ").into_iter().chain(text.find('\t')).min().unwrap_or(text.len());
    let (account, rest) = text.split_at(end);
    let (rest, assertion) = assertion(rest, styles)?;
    let (rest, cost) = cost(rest, styles)?;
    let amount = match rest.trim() {
        "" => None,
        text => Some(amount::parse(text, styles)?),
    };
    if amount.is_none() && cost.is_some() {
        return Err("a price needs an amount before it".to_owned());
    }
    let account = account.trim().to_owned();
    entry.postings.push(Posting { line, account, amount, cost, assertion });
    match comment {
        Some(comment) => self::comment(entry, comment),
        None => Ok(()),
    }
}

fn assertion<'t>(text: &'t str, styles: &Styles) -> Result<(&'t str, Option<Assertion>), String> {
    let Some((before, after)) = text.split_once('=') else { return Ok((text, None)) };
    let (sole, after) = after.strip_prefix('=').map_or((false, after), |after| (true, after));
    let (inclusive, after) = after.strip_prefix('*').map_or((false, after), |after| (true, after));
    // A price behind an assertion says nothing about the balance.
    let after = after.split_once('@').map_or(after, |(balance, _)| balance);
    let quantity = amount::parse(after, styles)?;
    Ok((before, Some(Assertion { quantity, sole, inclusive })))
}

fn cost<'t>(text: &'t str, styles: &Styles) -> Result<(&'t str, Option<Cost>), String> {
    if text.contains('{') {
        return Err("a lot price ({…}) is not supported".to_owned());
    }
    let Some((before, after)) = text.split_once('@') else { return Ok((text, None)) };
    let cost = match after.strip_prefix('@') {
        Some(total) => Cost::Total(amount::parse(total, styles)?),
        None => Cost::Unit(amount::parse(after, styles)?),
    };
    Ok((before, Some(cost)))
}

/// `2024-1-31`, `2024/01/31`, `2024.01.31`, or without the year where a directive gives it.
fn date(text: &str, year: Option<i32>) -> Result<NaiveDate, String> {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
    let found = match (parts.as_slice(), year) {
        ([year, month, day], _) if year.len() == 4 => {
            year.parse().ok().zip(number(month)).zip(number(day)).map(|((year, month), day)| (year, month, day))
        }
        ([month, day], Some(year)) => number(month).zip(number(day)).map(|(month, day)| (year, month, day)),
        _ => None,
    };
    found
        .and_then(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day))
        .ok_or_else(|| format!("{text:?} is not a date with its year"))
}
