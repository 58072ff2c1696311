//! Query parameters: each known by name, once, and of its form.

use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::web;
use chrono::NaiveDate;
use vintem_core::kernel::{Place, When};

/// The parameters of one request.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

/// How many rows a page has unless the caller says so.
const PAGE: i64 = 50;
/// How many it has at most.
const LONGEST_PAGE: i64 = 100;

impl Query {
    /// Reads the query; a parameter that is not among `known` is refused. A name that ends in `[]` stands
    /// for any member: `metadata[]` admits `metadata[order]`.
    pub fn of(request: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let pairs = pairs.map_err(|_| invalid("", "malformed", "the query cannot be read"))?.into_inner();
        for (index, (name, value)) in pairs.iter().enumerate() {
            let is_member = |known: &&str| {
                known.strip_suffix(']').is_some_and(|head| name.starts_with(head) && name.ends_with(']'))
            };
            if !known.iter().any(|known| known == name || is_member(known)) {
                return Err(invalid(name, "unknown-member", "there is no such parameter"));
            }
            if pairs[..index].iter().any(|(other, _)| other == name) {
                return Err(invalid(name, "duplicate-member", "the parameter stands twice"));
            }
            // The replacement character stands where the bytes were not UTF-8.
            if [name, value].iter().any(|text| text.contains(['\0', '\u{fffd}'])) {
                return Err(invalid(name, "malformed", "the parameter is not UTF-8 or holds U+0000"));
            }
        }
        Ok(Self(pairs))
    }

    /// A parameter as it stands.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The members of `<name>[…]`.
    pub fn members(&self, name: &str) -> Vec<(String, String)> {
        let member = |(known, value): &(String, String)| {
            let key = known.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
            Some((key.to_owned(), value.clone()))
        };
        self.0.iter().filter_map(member).collect()
    }

    /// A whole number from a range.
    pub fn integer(&self, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<i64> = is_plain.then(|| text.parse().ok()).flatten();
        let detail = format!("the parameter is a whole number from {} to {}", range.start(), range.end());
        match number {
            Some(number) if range.contains(&number) => Ok(Some(number)),
            Some(_) => Err(invalid(name, "out-of-range", &detail)),
            None => Err(invalid(name, "malformed", &detail)),
        }
    }

    /// The length of a page.
    pub fn limit(&self) -> Result<i64, Problem> {
        Ok(self.integer("limit", 1..=LONGEST_PAGE)?.unwrap_or(PAGE))
    }

    /// An instant or a date.
    pub fn when(&self, name: &str) -> Result<Option<When>, Problem> {
        let parse = |text| {
            When::parse(text).ok_or_else(|| {
                invalid(name, "malformed", "the parameter is an RFC 3339 instant or a date such as 2026-03-31")
            })
        };
        let when = self.text(name).map(parse).transpose()?;
        match when {
            Some(when) if !is_calendar_year(when) => {
                Err(invalid(name, "out-of-range", "the year is between 1800 and 9998"))
            }
            when => Ok(when),
        }
    }

    /// A day.
    pub fn date(&self, name: &str) -> Result<Option<NaiveDate>, Problem> {
        match self.when(name)? {
            None => Ok(None),
            Some(When::On(date)) => Ok(Some(date)),
            Some(When::At(_)) => Err(invalid(name, "malformed", "the parameter is a date such as 2026-03-31")),
        }
    }

    /// The list that a cursor is bound to: the route and every parameter but cursor and limit.
    pub fn list(&self, route: &str) -> String {
        let mut filter: Vec<String> = self
            .0
            .iter()
            .filter(|(name, _)| name != "cursor" && name != "limit")
            .map(|(name, value)| format!("{}:{name}={value}", name.len()))
            .collect();
        filter.sort();
        format!("{route}?{}", filter.join("&"))
    }
}

/// Postgres and time zones agree on these years; nothing is recorded outside of them.
fn is_calendar_year(when: When) -> bool {
    use chrono::Datelike;
    let year = match when {
        When::At(instant) => instant.year(),
        When::On(date) => date.year(),
    };
    (1800..=9998).contains(&year)
}

/// A parameter that is not allowed.
pub fn invalid(name: &str, code: &'static str, detail: &str) -> Problem {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    Problem::invalid(Place::Parameter(shown), code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(query: &str) -> Result<Query, Problem> {
        Query::of(&TestRequest::with_uri(&format!("/x?{query}")).to_http_request(), &["limit", "at", "metadata[]"])
    }

    #[test]
    fn only_known_parameters_are_read_and_once() {
        let query = read("limit=7&metadata%5Border%5D=a%20b&at=2026-03-31").unwrap();
        assert_eq!(query.limit().unwrap(), 7);
        assert_eq!(query.members("metadata"), [("order".to_owned(), "a b".to_owned())]);
        assert!(query.when("at").unwrap().is_some());
        for bad in ["limits=7", "limit=7&limit=7", "at=%FF", "metadata=x", "metadata%5Ba=x", "at=%00"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        for bad in ["0", "101", "-1", "+1", "1e1", "", "99999999999999999999"] {
            assert!(read(&format!("limit={bad}")).unwrap().limit().is_err(), "{bad}");
        }
        for bad in ["yesterday", "0001-01-01", "2026-13-01", "9999-12-31"] {
            assert!(read(&format!("at={bad}")).unwrap().when("at").is_err(), "{bad}");
        }
    }
}
