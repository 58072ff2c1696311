//! One pass over a JSON text: its canonical form (JCS, RFC 8785), and everything that JSON
//! parsers usually let pass.
//!
//! The pass refuses members that stand twice and strings that hold U+0000, both by pointer; `serde_json`
//! itself refuses what is not JSON, not UTF-8 or nested deeper than 128. It writes straight into
//! one buffer: building a tree first costs more than everything else a large batch needs.
//!
//! Deviation from JCS: integers beyond 2^53 keep all their digits, so that two requests that differ are two.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use vintem_core::kernel::fingerprint;

/// Why a text has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// Not JSON.
    #[error("{0}")]
    Syntax(String),
    /// A member stands twice.
    #[error("a member stands twice")]
    Duplicate(String),
    /// A string or a name holds U+0000.
    #[error("a string holds the character U+0000")]
    Nul(String),
}

/// The canonical form of a JSON text.
pub fn canonical(text: &[u8]) -> Result<Vec<u8>, NotCanonical> {
    let mut pass = Pass { out: Vec::with_capacity(text.len()), trail: Vec::new(), fault: None };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let result = DeserializeSeed::deserialize(&mut pass, &mut deserializer).and_then(|()| deserializer.end());
    let Err(error) = result else { return Ok(pass.out) };
    let pointer = pass.trail.iter().rev().fold(String::new(), |pointer, segment| pointer + &escape(segment));
    Err(match pass.fault {
        Some(Fault::Duplicate) => NotCanonical::Duplicate(pointer),
        Some(Fault::Nul) => NotCanonical::Nul(pointer),
        None => NotCanonical::Syntax(error.to_string()),
    })
}

/// The canonical form of an object without some of its members; of anything else, itself.
pub fn without(canonical: Vec<u8>, members: &[&str]) -> Vec<u8> {
    if members.is_empty() {
        return canonical;
    }
    let Ok(mut object) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(&canonical) else { return canonical };
    object.retain(|name, _| !members.contains(&name.as_str()));
    // Texts by their names always serialise.
    serde_json::to_vec(&object).unwrap_or_default()
}

/// A segment of a JSON pointer (RFC 6901).
pub fn escape(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

enum Fault {
    Duplicate,
    Nul,
}

struct Pass {
    out: Vec<u8>,
    /// On the way back from a fault: the members around it, innermost first.
    trail: Vec<String>,
    fault: Option<Fault>,
}

impl Pass {
    fn string<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        if text.as_bytes().contains(&0) {
            self.fault = Some(Fault::Nul);
            return Err(E::custom("U+0000"));
        }
        serde_json::to_writer(&mut self.out, text).map_err(E::custom)
    }

    fn number<E: serde::de::Error>(&mut self, number: f64) -> Result<(), E> {
        let form = fingerprint::canonical(&serde_json::Value::from(number)).map_err(E::custom)?;
        self.out.extend_from_slice(&form);
        Ok(())
    }

    fn fail<E: serde::de::Error>(&mut self, segment: String, error: E) -> E {
        self.trail.push(segment);
        error
    }
}

impl<'de> DeserializeSeed<'de> for &mut Pass {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A member: its name, and where its canonical form stands in the buffer.
type Member<'de> = (Cow<'de, str>, usize, usize);

impl<'de> Visitor<'de> for &mut Pass {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.out.extend_from_slice(value.to_string().as_bytes());
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.out.extend_from_slice(value.to_string().as_bytes());
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.string(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        for index in 0_usize.. {
            let comma = self.out.len();
            if index > 0 {
                self.out.push(b',');
            }
            match seq.next_element_seed(&mut *self) {
                Ok(Some(())) => {}
                Ok(None) => {
                    self.out.truncate(comma);
                    break;
                }
                Err(error) => return Err(self.fail(index.to_string(), error)),
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.out.push(b'{');
        let mut members: Vec<Member<'de>> = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            let start = self.out.len();
            if let Err(error) = self.string::<A::Error>(&name) {
                return Err(self.fail(name.into_owned(), error));
            }
            self.out.push(b':');
            if let Err(error) = map.next_value_seed(&mut *self) {
                return Err(self.fail(name.into_owned(), error));
            }
            members.push((name, start, self.out.len()));
        }
        self.order(members)?;
        self.out.push(b'}');
        Ok(())
    }
}

impl Pass {
    /// Puts an object's members into the order of their names' UTF-16 code units, with commas between.
    fn order<E: serde::de::Error>(&mut self, mut members: Vec<Member<'_>>) -> Result<(), E> {
        let Some(&(_, start, _)) = members.first() else { return Ok(()) };
        members.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
        if let Some(twice) = members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let name = twice[0].0.clone().into_owned();
            self.fault = Some(Fault::Duplicate);
            return Err(self.fail(name, E::custom("duplicate member")));
        }
        let mut ordered = Vec::with_capacity(self.out.len() - start + members.len());
        for (index, (_, from, to)) in members.iter().enumerate() {
            if index > 0 {
                ordered.push(b',');
            }
            ordered.extend_from_slice(&self.out[*from..*to]);
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&ordered);
        Ok(())
    }
}

/// A member's name, borrowed from the text where it holds no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_the_reference_implementation() {
        for text in [
            r#"{"b":1,"a":{"z":[1,2,{"y":null,"x":true}],"":false},"é":"\u20ac$\u000f\nA'\"\\\/"}"#,
            r" [ ] ",
            r"{}",
            r#"[{"b":[],"a":{}},-5,1.50,1e3,0.000001,1e-7,123456789012345]"#,
            r#"{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3,"1":4,"\r":5,"A":6,"\u0080":7}"#,
            r#""x""#,
        ] {
            let tree: serde_json::Value = serde_json::from_str(text).unwrap();
            let expected = fingerprint::canonical(&tree).unwrap();
            assert_eq!(
                String::from_utf8(canonical(text.as_bytes()).unwrap()).unwrap(),
                String::from_utf8(expected).unwrap()
            );
        }
    }

    #[test]
    fn members_are_left_out_and_the_others_stay_as_they_are() {
        let left = |text: &str, members: &[&str]| {
            String::from_utf8(without(canonical(text.as_bytes()).unwrap(), members)).unwrap()
        };
        let text = r#"{"pin":"274906","b":{"pin":1},"a":1.50}"#;
        assert_eq!(left(text, &["pin", "none"]), r#"{"a":1.5,"b":{"pin":1}}"#);
        assert_eq!(left(text, &["pin", "a", "b"]), "{}");
        assert_eq!(left(text, &[]), r#"{"a":1.5,"b":{"pin":1},"pin":"274906"}"#);
        assert_eq!(left("[1]", &["pin"]), "[1]");
    }

    #[test]
    fn what_parsers_let_pass_is_refused_with_its_place() {
        let error = |text: &str| canonical(text.as_bytes()).unwrap_err();
        assert_eq!(error(r#"{"a":1,"b":{"c":[{"d":1,"d":2}]}}"#), NotCanonical::Duplicate("/b/c/0/d".into()));
        assert_eq!(error(r#"{"a":"x","a":"x"}"#), NotCanonical::Duplicate("/a".into()));
        assert_eq!(error(r#"{"a":["x","y\u0000"]}"#), NotCanonical::Nul("/a/1".into()));
        assert_eq!(error(r#"{"m/n":{"~\u0000":1}}"#), NotCanonical::Nul("/m~1n/~0\0".into()));
        assert!(matches!(error("{"), NotCanonical::Syntax(_)));
        assert!(matches!(error("{} {}"), NotCanonical::Syntax(_)));
        assert!(matches!(error(""), NotCanonical::Syntax(_)));
        assert!(matches!(error("{\"a\":\"\u{1}\"}"), NotCanonical::Syntax(_)));
        assert!(matches!(error(&"[".repeat(100_000)), NotCanonical::Syntax(_)));
        assert!(matches!(canonical(b"\"\xff\""), Err(NotCanonical::Syntax(_))));
    }
}
