//! The words of documents in both languages, and numbers and dates as each writes them.

use crate::lang::Lang;
use chrono::{DateTime, NaiveDate, TimeZone};
use std::fmt::Display;
use vintem_core::kernel::Minor;

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident => $english:literal, $portuguese:literal;)+) => {
        impl Lang {
            $($(#[doc = $doc])+ pub fn $name(self) -> &'static str { self.pick($english, $portuguese) })+
        }
    };
}

words! {
    /// The title.
    statement => "Account statement", "Extrato de conta";
    /// The name of the file.
    file => "statement", "extrato";
    /// Whose.
    account => "Account", "Conta";
    /// Its id.
    account_id => "Account id", "Identificador";
    /// In what.
    asset => "Asset", "Ativo";
    /// From when to when.
    period => "Period", "Período";
    /// When it was written.
    issued => "Issued", "Emitido em";
    /// Before the first line.
    opening => "Opening balance", "Saldo inicial";
    /// After the last line.
    closing => "Closing balance", "Saldo final";
    /// Everything that came in.
    incomes => "Money in", "Entradas";
    /// Everything that went out.
    expenses => "Money out", "Saídas";
    /// A column.
    date => "Date", "Data";
    /// A column.
    time => "Time", "Hora";
    /// A column.
    kind => "Type", "Tipo";
    /// A column.
    description => "Description", "Descrição";
    /// A column.
    reference => "Reference", "Referência";
    /// A column.
    amount => "Amount", "Valor";
    /// A column.
    balance => "Balance", "Saldo";
    /// Where there is no line.
    nothing => "No movement in this period.", "Nenhum movimento neste período.";
    /// The number of a page.
    page => "Page", "Página";
    /// Of how many.
    of => "of", "de";
    /// As of which position of the log.
    position => "Ledger position", "Posição no livro";
}

/// What a kind of line is called.
pub fn kind(lang: Lang, kind: &'static str) -> &'static str {
    match kind {
        "posting" => lang.pick("Posting", "Lançamento"),
        "capture" => lang.pick("Capture", "Captura"),
        "reversal" => lang.pick("Reversal", "Estorno"),
        other => other,
    }
}

/// A day as people write it.
pub fn day(lang: Lang, day: NaiveDate) -> String {
    day.format(lang.pick("%Y-%m-%d", "%d/%m/%Y")).to_string()
}

/// A minute as people write it.
pub fn minute<Z: TimeZone<Offset: Display>>(lang: Lang, at: &DateTime<Z>) -> String {
    at.format(lang.pick("%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")).to_string()
}

/// Money as people write it: `1,234.56`, or `1.234,56`.
pub fn money(lang: Lang, amount: Minor, scale: u8) -> String {
    let text = amount.to_text(scale);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let (thousands, point) = (lang.pick(",", "."), lang.pick(".", ","));
    let mut shown = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            shown.push_str(thousands);
        }
        shown.push(digit);
    }
    if let Some(fraction) = fraction {
        shown.push_str(point);
        shown.push_str(fraction);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_each_language_does() {
        for (units, scale, english, portuguese) in [
            (123_456_789, 2, "1,234,567.89", "1.234.567,89"),
            (-100_000, 2, "-1,000.00", "-1.000,00"),
            (-999, 0, "-999", "-999"),
            (5, 2, "0.05", "0,05"),
            (1_000, 0, "1,000", "1.000"),
        ] {
            assert_eq!(money(Lang::En, Minor::new(units), scale), english);
            assert_eq!(money(Lang::Pt, Minor::new(units), scale), portuguese);
        }
    }
}
