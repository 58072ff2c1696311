//! Helvetica, as every reader has it: its encoding, and how wide its characters are (Adobe's metrics, in thousandths of the size).

use pdf_writer::Name;

/// A font of the document.
#[derive(Debug, Clone, Copy)]
pub struct Font {
    name: &'static [u8],
    widths: &'static [u16; 224],
}

/// For text.
pub const REGULAR: Font = Font { name: b"R", widths: &WIDTHS };
/// For what is to be seen first.
pub const BOLD: Font = Font { name: b"B", widths: &BOLD_WIDTHS };
/// Stands where a text goes on.
const ELLIPSIS: u8 = 0x85;

impl Font {
    /// Its name on the page.
    pub fn name(self) -> Name<'static> {
        Name(self.name)
    }

    /// The width of an encoded text at a size, in the size's unit.
    pub fn width(self, text: &[u8], size: i32) -> i32 {
        let thousandths: i32 = text
            .iter()
            .map(|byte| self.widths.get(usize::from(*byte).wrapping_sub(32)).map_or(0, |w| i32::from(*w)))
            .sum();
        thousandths * size / 1_000
    }

    /// As much of a text as fits into a width.
    pub fn fitted(self, text: &str, size: i32, width: i32) -> Vec<u8> {
        let mut bytes = encoded(text);
        if self.width(&bytes, size) <= width {
            return bytes;
        }
        let room = width - self.width(&[ELLIPSIS], size);
        while !bytes.is_empty() && self.width(&bytes, size) > room {
            bytes.pop();
        }
        bytes.truncate(bytes.trim_ascii_end().len());
        bytes.push(ELLIPSIS);
        bytes
    }
}

/// What Windows-1252 has between its control characters and Latin-1, beside what nothing needs.
const SPECIAL: [(char, u8); 18] = [
    ('€', 0x80),
    ('‚', 0x82),
    ('„', 0x84),
    ('…', 0x85),
    ('†', 0x86),
    ('‰', 0x89),
    ('Š', 0x8a),
    ('Œ', 0x8c),
    ('Ž', 0x8e),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
    ('™', 0x99),
    ('š', 0x9a),
];

/// A text in the font's encoding.
pub fn encoded(text: &str) -> Vec<u8> {
    let encode = |c: char| match c {
        c if c.is_control() || c.is_whitespace() => b' ',
        ' '..='~' | '\u{a1}'..='\u{ff}' => u8::try_from(u32::from(c)).unwrap_or(b'?'),
        c => SPECIAL.iter().find(|(special, _)| *special == c).map_or(b'?', |(_, byte)| *byte),
    };
    text.chars().map(encode).collect()
}

#[rustfmt::skip]
const WIDTHS: [u16; 224] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, 350,
    556, 350, 222, 556, 333, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350,
    350, 222, 222, 333, 333, 350, 556, 1000, 333, 1000, 500, 333, 944, 350, 500, 667,
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];

#[rustfmt::skip]
const BOLD_WIDTHS: [u16; 224] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584, 350,
    556, 350, 278, 556, 500, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350,
    350, 278, 278, 500, 500, 350, 556, 1000, 333, 1000, 556, 333, 944, 350, 500, 667,
    278, 333, 556, 556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 611, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    722, 722, 722, 722, 722, 722, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 556, 556, 556, 556, 556, 278, 278, 278, 278,
    611, 611, 611, 611, 611, 611, 611, 584, 611, 611, 611, 611, 611, 556, 611, 556,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_and_cut_where_they_end() {
        assert_eq!(encoded("Ação – 5 €"), b"A\xe7\xe3o \x96 5 \x80");
        assert_eq!(encoded("a\tb\u{1f600}"), b"a b?");
        assert_eq!(REGULAR.width(b"1234", 100), 4 * 556 / 10);
        assert!(BOLD.width(b"Saldo", 100) > REGULAR.width(b"Saldo", 100));
        assert_eq!(REGULAR.fitted("short", 100, 10_000), b"short");
        let cut = REGULAR.fitted(&"long ".repeat(100), 100, 1_000);
        assert!(
            cut.starts_with(b"long long") && cut.ends_with(b"\x85") && REGULAR.width(&cut, 100) <= 1_000,
            "{cut:?}"
        );
    }
}
