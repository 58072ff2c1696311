//! A statement for spreadsheets and programs: RFC 4180, UTF-8, numbers with a point and dates as ISO 8601 in every language.
//!
//! Spreadsheets take a cell that begins with `=`, `+`, `-`, `@` or a control character for a formula, and a description is
//! written by whoever pays. Such a text gets an apostrophe before it, which spreadsheets take for "this is text". Numbers
//! are ours and stay numbers.

use super::entry::{Entry, Head, Paper};
use super::words;

/// The form.
#[derive(Debug)]
pub struct Csv(pub Head);

const COLUMNS: usize = 8;

impl Paper for Csv {
    fn begin(&mut self) -> Vec<u8> {
        let (lang, head) = (self.0.lang, &self.0);
        let names = [
            lang.date(),
            lang.time(),
            lang.kind(),
            lang.description(),
            lang.amount(),
            lang.balance(),
            lang.asset(),
            lang.reference(),
        ];
        let mut bytes = row(names.map(str::to_lowercase));
        bytes.extend(self.balance(head.from.to_string(), lang.opening(), head.opening.to_text(head.scale)));
        bytes
    }

    fn lines(&mut self, entries: &[Entry]) -> Vec<u8> {
        let Head { lang, scale, asset, .. } = &self.0;
        let line = |entry: &Entry| {
            row([
                entry.at.format("%Y-%m-%d").to_string(),
                entry.at.format("%H:%M:%S").to_string(),
                words::kind(*lang, entry.kind).to_owned(),
                harmless(entry.description.as_deref().unwrap_or_default()),
                entry.amount.to_text(*scale),
                entry.balance.to_text(*scale),
                asset.clone(),
                entry.id.to_string(),
            ])
        };
        entries.iter().flat_map(line).collect()
    }

    fn end(&mut self) -> Vec<u8> {
        let head = &self.0;
        self.balance(head.to.to_string(), head.lang.closing(), head.closing.to_text(head.scale))
    }
}

impl Csv {
    fn balance(&self, day: String, what: &str, balance: String) -> Vec<u8> {
        let empty = String::new;
        row([day, empty(), what.to_owned(), empty(), empty(), balance, self.0.asset.clone(), empty()])
    }
}

fn harmless(text: &str) -> String {
    let is_formula =
        text.trim_start().starts_with(['=', '+', '-', '@', '|', '%']) || text.starts_with(['\t', '\r', '\n']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// One record. Every cell that may need it stands in quotes.
fn row(cells: [String; COLUMNS]) -> Vec<u8> {
    let quoted = cells.map(|cell| {
        if cell.contains(['"', ',', ';', '\r', '\n', '\'']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    });
    format!("{}\r\n", quoted.join(",")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::{month, written};
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn a_statement_is_rows_and_no_formula() {
        let (head, entries) = month(Lang::Pt);
        let text = String::from_utf8(written(Csv(head), &entries)).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "data,hora,tipo,descrição,valor,saldo,ativo,referência");
        assert_eq!(lines[1], "2026-03-01,,Saldo inicial,,,100.00,BRL,");
        assert_eq!(
            lines[2],
            "2026-03-01,22:30:00,Lançamento,Salário de março,2500.00,2600.00,BRL,00000000-0000-0000-0000-000000000001"
        );
        assert!(lines[3].contains(r#","'=HYPERLINK(""http://x"";""y"")",-12.50,"#), "{}", lines[3]);
        assert!(lines[4].contains(r#","Café, pão & ""queijo"" <grande>",-9.99,"#), "{}", lines[4]);
        assert!(lines[5].contains(r#","'-2+3",-1234.56,"#), "{}", lines[5]);
        assert_eq!(lines[6..], ["2026-03-31,,Saldo final,,,1342.95,BRL,", ""]);
    }

    #[test]
    fn what_a_spreadsheet_runs_is_marked_as_text() {
        for text in ["=1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "%00", "|calc"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "Coffee", "a=b", "1-2"] {
            assert_eq!(harmless(text), text);
        }
    }
}
