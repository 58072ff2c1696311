//! Text with columns in braces: `customers:{branch}-{account_id}`.

use serde::Deserialize;

/// A text that takes some of its parts from the columns of a row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Text(String),
    Column(String),
}

/// A brace without its partner, or nothing between two.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a text with columns in braces, such as customers:{{account}}")]
pub struct TemplateError(String);

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut segments = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (plain, tail) = rest.split_once('{').unwrap_or((rest, ""));
            if plain.contains('}') {
                return Err(TemplateError(text));
            }
            let opened = plain.len() < rest.len();
            if !plain.is_empty() {
                segments.push(Segment::Text(plain.to_owned()));
            }
            rest = tail;
            if opened {
                match tail.split_once('}') {
                    Some((column, tail)) if !column.is_empty() && !column.contains('{') => {
                        segments.push(Segment::Column(column.to_owned()));
                        rest = tail;
                    }
                    _ => return Err(TemplateError(text)),
                }
            }
        }
        Ok(Self { segments })
    }
}

/// A template whose columns have been found in a file's header.
#[derive(Debug, Clone)]
pub struct Bound {
    segments: Vec<BoundSegment>,
}

#[derive(Debug, Clone)]
enum BoundSegment {
    Text(String),
    Column(usize),
}

impl Template {
    /// Finds the columns; the error is the name of one that the file lacks.
    pub fn bind(&self, find: impl Fn(&str) -> Option<usize>) -> Result<Bound, String> {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Text(text) => Ok(BoundSegment::Text(text.clone())),
            Segment::Column(name) => find(name).map(BoundSegment::Column).ok_or_else(|| name.clone()),
        });
        Ok(Bound { segments: segments.collect::<Result<_, _>>()? })
    }
}

impl Bound {
    /// The text for one row, or nothing where a column of it is empty.
    pub fn fill_all<'r>(&self, field: impl Fn(usize) -> &'r str) -> Option<String> {
        let empty =
            |segment: &BoundSegment| matches!(segment, BoundSegment::Column(index) if field(*index).trim().is_empty());
        (!self.segments.iter().any(empty)).then(|| self.fill(field))
    }

    /// The text for one row, without the white space that empty columns leave at its ends.
    pub fn fill<'r>(&self, field: impl Fn(usize) -> &'r str) -> String {
        let mut text = String::new();
        for segment in &self.segments {
            match segment {
                BoundSegment::Text(plain) => text.push_str(plain),
                BoundSegment::Column(index) => text.push_str(field(*index)),
            }
        }
        let trimmed = text.trim();
        if trimmed.len() == text.len() { text } else { trimmed.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_filled_in() {
        let template = Template::try_from("bank:{no}-{branch}".to_owned()).unwrap();
        let columns = ["branch", "no"];
        let bound = template.bind(|name| columns.iter().position(|column| *column == name)).unwrap();
        assert_eq!(bound.fill(|index| ["centro", "7"][index]), "bank:7-centro");
    }

    #[test]
    fn a_missing_column_is_named() {
        let template = Template::try_from("{iban}".to_owned()).unwrap();
        assert_eq!(template.bind(|_| None).unwrap_err(), "iban");
    }

    #[test]
    fn lonely_braces_are_refused() {
        for text in ["a{", "a}b", "{}", "{a{b}}", "}{"] {
            assert!(Template::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
