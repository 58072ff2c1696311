//! Codes that people read aloud and type: Crockford's alphabet, which has no letter that looks like a digit.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code out of random bytes: a letter is five bits of a byte.
pub fn code(random: &[u8]) -> String {
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// Reads a code of so many letters as somebody typed it, in groups or not, however its letters look.
pub fn read(text: &str, letters: usize) -> Option<String> {
    let letter = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let typed: String = text.chars().take(64).filter(|c| !matches!(c, '-' | ' ')).map(letter).collect();
    (typed.len() == letters && typed.bytes().all(|byte| ALPHABET.contains(&byte))).then_some(typed)
}
