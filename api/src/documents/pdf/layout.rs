//! Where things stand on a page. Lengths are whole tenths of a point, so that nothing here is a float until it is written.

use super::super::entry::{Entry, Head};
use super::super::words::{self, day, minute, money};
use super::Sums;
use super::font::{BOLD, Font, REGULAR, encoded};
use pdf_writer::{Content, Str};
use vintem_core::kernel::Minor;

/// What a page shows, as its content stream.
#[derive(Debug)]
pub struct Page(pub Vec<u8>);

const LEFT: i32 = 450;
const RIGHT: i32 = 5_500;
const TOP: i32 = 7_950;
/// Below this stands the foot.
const BOTTOM: i32 = 600;
const ROW: i32 = 165;
/// Where the table begins on the first page, below the summary.
const FIRST_TABLE: i32 = 6_330;
/// Between boxes.
const GAP: i32 = 80;
const TEXT: i32 = 85;
const SMALL: i32 = 70;

/// The left edges of columns of words, and the right edges of columns of numbers.
const KIND: i32 = 1_120;
const DESCRIPTION: i32 = 1_720;
const REFERENCE: i32 = 3_400;
const AMOUNT: i32 = 4_720;
const BALANCE: i32 = RIGHT - 60;

type Colour = [f32; 3];
const INK: Colour = [0.13, 0.16, 0.22];
const GREY: Colour = [0.42, 0.46, 0.53];
const GREEN: Colour = [0.04, 0.42, 0.27];
const WHITE: Colour = [1.0, 1.0, 1.0];
const DARK: Colour = [0.09, 0.24, 0.38];
const PALE: Colour = [0.95, 0.96, 0.98];
const LINE: Colour = [0.80, 0.83, 0.87];

/// All pages of a statement.
pub fn pages(head: &Head, entries: &[Entry], sums: Sums) -> Vec<Page> {
    // The opening and the closing balance are rows too.
    let rows = entries.len() + 2;
    let (first, other) = (capacity(FIRST_TABLE), capacity(TOP));
    let count = 1 + rows.saturating_sub(first).div_ceil(other);
    let mut left = entries;
    let mut pages = Vec::with_capacity(count);
    for number in 1..=count {
        let (top, places) = if number == 1 { (FIRST_TABLE, first - 1) } else { (TOP, other) };
        let mut sheet = Sheet::new();
        if number == 1 {
            sheet.title(head);
            sheet.summary(head, sums);
        }
        let mut y = sheet.table_head(head, top);
        if number == 1 {
            y = sheet.balance(head, y, head.lang.opening(), head.opening);
            if entries.is_empty() {
                y = sheet.remark(head.lang.nothing(), y);
            }
        }
        let (here, rest) = left.split_at(left.len().min(places));
        left = rest;
        for (index, entry) in here.iter().enumerate() {
            y = sheet.row(head, entry, y, index % 2 == 1);
        }
        if number == count {
            sheet.balance(head, y, head.lang.closing(), head.closing);
        }
        sheet.foot(head, number, count);
        pages.push(Page(sheet.0.finish().into_vec()));
    }
    pages
}

/// Rows between the head of a table at some height and the foot; where there is nothing to list, a remark takes one.
fn capacity(top: i32) -> usize {
    usize::try_from((top - ROW - BOTTOM) / ROW).unwrap_or(1).max(2)
}

struct Sheet(Content);

impl Sheet {
    fn new() -> Self {
        let mut content = Content::new();
        // From here on everything is in tenths.
        content.transform([0.1, 0.0, 0.0, 0.1, 0.0, 0.0]);
        Self(content)
    }

    fn title(&mut self, head: &Head) {
        let lang = head.lang;
        self.left(BOLD, 110, DARK, LEFT, TOP - 80, &encoded(&head.tenant));
        self.right(BOLD, 190, INK, RIGHT, TOP - 100, &encoded(lang.statement()));
        self.rule(TOP - 190, DARK);
        let account = head.name.clone().unwrap_or_else(|| head.account.to_string());
        let period = format!("{} – {}", day(lang, head.from), day(lang, head.to));
        let made = minute(lang, &head.made_at.with_timezone(&head.zone));
        let facts = [
            [(lang.account(), account), (lang.period(), period)],
            [(lang.account_id(), head.account.to_string()), (lang.issued(), format!("{made} ({})", head.zone))],
        ];
        for ((name, value), (x, y)) in
            facts.into_iter().flatten().zip([(LEFT, 420), (3_150, 420), (LEFT, 720), (3_150, 720)])
        {
            self.left(REGULAR, SMALL, GREY, x, TOP - y + 110, &encoded(name));
            let shown = REGULAR.fitted(&value, 95, 2_500);
            self.left(REGULAR, 95, INK, x, TOP - y, &shown);
        }
    }

    /// Four boxes: what it began with, what came, what went, what it ended with.
    fn summary(&mut self, head: &Head, sums: Sums) {
        let lang = head.lang;
        let boxes = [
            (lang.opening(), head.opening, INK),
            (lang.incomes(), sums.incomes, GREEN),
            (lang.expenses(), sums.expenses, INK),
            (lang.closing(), head.closing, DARK),
        ];
        let width = (RIGHT - LEFT - 3 * GAP) / 4;
        let mut x = LEFT;
        for (name, amount, colour) in boxes {
            self.fill(PALE, [x, TOP - 1_400, width, 460]);
            self.left(REGULAR, SMALL, GREY, x + 80, TOP - 1_080, &encoded(&format!("{name} ({})", head.asset)));
            let shown = BOLD.fitted(&money(lang, amount, head.scale), 125, width - 120);
            self.left(BOLD, 125, colour, x + 80, TOP - 1_290, &shown);
            x += width + GAP;
        }
    }

    fn table_head(&mut self, head: &Head, top: i32) -> i32 {
        let lang = head.lang;
        self.fill(DARK, [LEFT, top - ROW, RIGHT - LEFT, ROW]);
        let y = top - ROW + 50;
        let words = [
            (LEFT + 60, lang.date()),
            (KIND, lang.kind()),
            (DESCRIPTION, lang.description()),
            (REFERENCE, lang.reference()),
        ];
        for (x, text) in words {
            self.left(BOLD, TEXT, WHITE, x, y, &encoded(text));
        }
        self.right(BOLD, TEXT, WHITE, AMOUNT, y, &encoded(lang.amount()));
        self.right(BOLD, TEXT, WHITE, BALANCE, y, &encoded(lang.balance()));
        top - ROW
    }

    fn row(&mut self, head: &Head, entry: &Entry, top: i32, is_shaded: bool) -> i32 {
        if is_shaded {
            self.fill(PALE, [LEFT, top - ROW, RIGHT - LEFT, ROW]);
        }
        let y = top - ROW + 50;
        self.left(REGULAR, TEXT, INK, LEFT + 60, y, &encoded(&day(head.lang, entry.at.date_naive())));
        self.left(REGULAR, TEXT, INK, KIND, y, &REGULAR.fitted(words::kind(head.lang, entry.kind), TEXT, 560));
        let description = entry.description.as_deref().unwrap_or_default();
        self.left(REGULAR, TEXT, INK, DESCRIPTION, y, &REGULAR.fitted(description, TEXT, REFERENCE - DESCRIPTION - 80));
        // The random end of an id; all of it stands in the other forms.
        let id = entry.id.simple().to_string();
        self.left(REGULAR, SMALL, GREY, REFERENCE, y, &encoded(&id[20..]));
        let colour = if entry.amount.is_negative() { INK } else { GREEN };
        self.right(REGULAR, TEXT, colour, AMOUNT, y, &encoded(&money(head.lang, entry.amount, head.scale)));
        self.right(REGULAR, TEXT, INK, BALANCE, y, &encoded(&money(head.lang, entry.balance, head.scale)));
        top - ROW
    }

    fn balance(&mut self, head: &Head, top: i32, name: &str, balance: Minor) -> i32 {
        let y = top - ROW + 50;
        self.left(BOLD, TEXT, INK, KIND, y, &encoded(name));
        self.right(BOLD, TEXT, INK, BALANCE, y, &encoded(&money(head.lang, balance, head.scale)));
        self.rule(top - ROW, LINE);
        top - ROW
    }

    fn remark(&mut self, text: &str, top: i32) -> i32 {
        self.left(REGULAR, TEXT, GREY, KIND, top - ROW + 50, &encoded(text));
        top - ROW
    }

    fn foot(&mut self, head: &Head, number: usize, count: usize) {
        let lang = head.lang;
        self.rule(BOTTOM - 90, LINE);
        let left = format!("{} {} · {} {}", lang.account(), head.account, lang.position(), head.position);
        self.left(REGULAR, SMALL, GREY, LEFT, BOTTOM - 200, &encoded(&left));
        let right = format!("{} {number} {} {count}", lang.page(), lang.of());
        self.right(REGULAR, SMALL, GREY, RIGHT, BOTTOM - 200, &encoded(&right));
    }

    fn left(&mut self, font: Font, size: i32, colour: Colour, x: i32, y: i32, text: &[u8]) {
        let [red, green, blue] = colour;
        self.0.set_fill_rgb(red, green, blue);
        self.0.begin_text().set_font(font.name(), number(size)).next_line(number(x), number(y));
        self.0.show(Str(text)).end_text();
    }

    fn right(&mut self, font: Font, size: i32, colour: Colour, x: i32, y: i32, text: &[u8]) {
        self.left(font, size, colour, x - font.width(text, size), y, text);
    }

    fn fill(&mut self, colour: Colour, [x, y, width, height]: [i32; 4]) {
        let [red, green, blue] = colour;
        self.0.set_fill_rgb(red, green, blue);
        self.0.rect(number(x), number(y), number(width), number(height)).fill_nonzero();
    }

    fn rule(&mut self, y: i32, colour: Colour) {
        self.fill(colour, [LEFT, y, RIGHT - LEFT, 8]);
    }
}

/// A place on the page as the library wants it: all of ours are small.
fn number(tenths: i32) -> f32 {
    f32::from(i16::try_from(tenths).unwrap_or(i16::MAX))
}
