//! The public code of a receipt: 80 random bits in Crockford's alphabet, which has no letter that looks like a digit.

use std::fmt;

use crate::kernel::spoken;
use crate::secrets::random;

const LETTERS: usize = 16;

/// A code, as it is kept: 16 letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// One that nobody had before and nobody guesses.
    pub fn draw() -> Self {
        Self(spoken::code(&random::bytes::<LETTERS>()))
    }

    /// Reads what somebody typed, in groups or not, however its letters look. What is no code is nobody's.
    pub fn read(text: &str) -> Option<Self> {
        spoken::read(text, LETTERS).map(Self)
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As it is shown: `7K3M-09QX-T4WB-2HZD`.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<&str> = (0..LETTERS).step_by(4).filter_map(|at| self.0.get(at..at + 4)).collect();
        f.write_str(&groups.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = Code::read("7K3M-09QX-T4WB-2HZD").unwrap();
        assert_eq!(code.to_string(), "7K3M-09QX-T4WB-2HZD");
        for typed in ["7k3mo9qxt4wb2hzd", "7K3M O9QX T4WB 2HZD", "7k3m-09qx-t4wb-2hzd"] {
            assert_eq!(Code::read(typed).as_ref(), Some(&code), "{typed}");
        }
        assert_eq!(Code::read("LLLL-IIII-OOOO-1111"), Code::read("1111111100001111"));
        for nonsense in
            ["", "7K3M", "7K3M-09QX-T4WB-2HZU", "7K3M-09QX-T4WB-2HZDX", "ç7K3M09QXT4WB2HZ", &"A".repeat(900)]
        {
            assert_eq!(Code::read(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn codes_are_drawn_from_the_whole_alphabet_and_never_twice() {
        let drawn: std::collections::HashSet<String> = (0..500).map(|_| Code::draw().0).collect();
        assert_eq!(drawn.len(), 500);
        let letters: std::collections::HashSet<char> = drawn.iter().flat_map(|code| code.chars()).collect();
        assert_eq!(letters.len(), 32);
        assert!(drawn.iter().all(|code| Code::read(code).is_some()));
    }
}
