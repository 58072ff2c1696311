//! The language of titles: English, or Brazilian Portuguese for who prefers it.

use serde::{Deserialize, Serialize};

/// A language that titles are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Brazilian Portuguese.
    Pt,
}

impl Lang {
    /// Reads Accept-Language (RFC 9110): the preferred one of the two, English if neither is named.
    pub fn preferred(accept: Option<&str>) -> Self {
        let weigh = |range: &str| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(1_000, thousandths);
            let primary = tag.trim().split('-').next().unwrap_or_default();
            let lang = if primary.eq_ignore_ascii_case("pt") {
                Some(Self::Pt)
            } else if primary.eq_ignore_ascii_case("en") || primary == "*" {
                Some(Self::En)
            } else {
                None
            };
            lang.filter(|_| weight > 0).map(|lang| (weight, lang))
        };
        let ranges = accept.into_iter().flat_map(|text| text.split(',')).filter_map(weigh);
        // The first of equal weight wins.
        ranges
            .fold(
                None,
                |best: Option<(u16, Self)>, next| if best.is_some_and(|b| b.0 >= next.0) { best } else { Some(next) },
            )
            .map_or(Self::En, |best| best.1)
    }

    /// The one of two texts that is in this language.
    pub fn pick<'a>(self, english: &'a str, portuguese: &'a str) -> &'a str {
        match self {
            Self::En => english,
            Self::Pt => portuguese,
        }
    }
}

/// A weight such as `0.8` in thousandths, without floats; what cannot be read weighs nothing.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if whole == "1" {
        return 1_000;
    }
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    if whole == "0" { padded.parse().unwrap_or(0) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_wins() {
        for (accept, lang) in [
            ("pt-BR", Lang::Pt),
            ("pt-BR,pt;q=0.9,en;q=0.8", Lang::Pt),
            ("en, pt", Lang::En),
            ("en;q=0.5, pt;q=0.6", Lang::Pt),
            ("de, fr", Lang::En),
            ("pt;q=0", Lang::En),
            ("pt;q=zero", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(Lang::preferred(Some(accept)), lang, "{accept}");
        }
        assert_eq!(Lang::preferred(None), Lang::En);
    }
}
