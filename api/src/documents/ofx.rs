//! A statement for personal finance programs: OFX 1.0.2.
//!
//! The older version, of tags without end, is the one that Brazilian banks hand out and that every program reads; ours closes
//! its tags all the same, which both kinds of readers take. The header is the one that they agree on for UTF-8.
//!
//! `FITID` is the id of the transaction or of its reversal, so a line that is imported twice is recognised. `OFX` has 22
//! characters for an account, so ours is the account's id in base64url. Opening balances do not exist in OFX 1.0.2.

use super::entry::{Entry, Head, Paper};
use super::words;
use crate::lang::Lang;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Offset as _};
use chrono_tz::Tz;
use std::fmt::Write as _;
use vintem_core::kernel::When;

/// The form.
#[derive(Debug)]
pub struct Ofx(pub Head);

const HEADER: &str = "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:UTF-8\r\nCHARSET:NONE\r\n\
                      COMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n";
/// Characters of a payee.
const NAME: usize = 32;
/// Characters of a memo.
const MEMO: usize = 255;

/// Whether a code is one of a currency, as OFX wants it.
pub fn is_currency(asset: &str) -> bool {
    asset.len() == 3 && asset.bytes().all(|byte| byte.is_ascii_uppercase())
}

impl Paper for Ofx {
    fn begin(&mut self) -> Vec<u8> {
        let head = &self.0;
        let language = head.lang.pick("ENG", "POR");
        let made = stamp(&head.made_at.with_timezone(&head.zone));
        let bank: String = head.tenant.chars().take(9).collect();
        let account = URL_SAFE_NO_PAD.encode(head.account.as_bytes());
        let status = "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>";
        let text = format!(
            "{HEADER}<OFX>\r\n<SIGNONMSGSRSV1><SONRS>{status}<DTSERVER>{made}</DTSERVER><LANGUAGE>{language}</LANGUAGE>\
             <FI><ORG>{org}</ORG></FI></SONRS></SIGNONMSGSRSV1>\r\n\
             <BANKMSGSRSV1><STMTTRNRS><TRNUID>0</TRNUID>{status}<STMTRS><CURDEF>{currency}</CURDEF>\r\n\
             <BANKACCTFROM><BANKID>{bank}</BANKID><ACCTID>{account}</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM>\r\n\
             <BANKTRANLIST><DTSTART>{from}</DTSTART><DTEND>{to}</DTEND>\r\n",
            org = head.tenant.chars().take(NAME).collect::<String>(),
            currency = head.asset,
            from = stamp(&When::On(head.from).start(head.zone).with_timezone(&head.zone)),
            to = stamp(&self.ends_at()),
        );
        text.into_bytes()
    }

    fn lines(&mut self, entries: &[Entry]) -> Vec<u8> {
        let Head { lang, scale, .. } = self.0;
        let mut text = String::new();
        for entry in entries {
            let direction = if entry.amount.is_negative() { "DEBIT" } else { "CREDIT" };
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "<STMTTRN><TRNTYPE>{direction}</TRNTYPE><DTPOSTED>{at}</DTPOSTED><TRNAMT>{amount}</TRNAMT><FITID>{id}</FITID>{words}</STMTTRN>\r\n",
                at = stamp(&entry.at),
                amount = entry.amount.to_text(scale),
                id = entry.id,
                words = said(lang, entry),
            );
        }
        text.into_bytes()
    }

    fn end(&mut self) -> Vec<u8> {
        // A month that is not over is known as of now.
        let as_of = self.ends_at().min(self.0.made_at.with_timezone(&self.0.zone));
        let (balance, as_of) = (self.0.closing.to_text(self.0.scale), stamp(&as_of));
        format!(
            "</BANKTRANLIST>\r\n<LEDGERBAL><BALAMT>{balance}</BALAMT><DTASOF>{as_of}</DTASOF></LEDGERBAL>\r\n\
             </STMTRS></STMTTRNRS></BANKMSGSRSV1>\r\n</OFX>\r\n"
        )
        .into_bytes()
    }
}

impl Ofx {
    fn ends_at(&self) -> DateTime<Tz> {
        When::On(self.0.to).end(self.0.zone).with_timezone(&self.0.zone)
    }
}

/// The payee is the beginning of the description, or what kind of line it is; the memo is all of it.
fn said(lang: Lang, entry: &Entry) -> String {
    let kind = words::kind(lang, entry.kind);
    match entry.description.as_deref().map(plain).filter(|text| !text.is_empty()) {
        Some(text) => format!("<NAME>{}</NAME><MEMO>{}</MEMO>", tagged(&text, NAME), tagged(&text, MEMO)),
        None => format!("<NAME>{kind}</NAME>"),
    }
}

/// A text on one line, without what no program shows.
fn plain(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a text, in which nothing is a tag.
fn tagged(text: &str, most: usize) -> String {
    let beginning: String = text.chars().take(most).collect();
    beginning.trim_end().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An instant with its distance from Greenwich in hours: `20260301223000.000[-3:GMT]`.
fn stamp(at: &DateTime<Tz>) -> String {
    let minutes = at.offset().fix().local_minus_utc() / 60;
    let (sign, minutes) = (if minutes < 0 { "-" } else { "" }, minutes.abs());
    // Half and quarter hours as decimals of an hour.
    let fraction = match minutes % 60 * 100 / 60 {
        0 => String::new(),
        hundredths => format!(".{hundredths:02}"),
    };
    format!("{}[{sign}{}{fraction}:GMT]", at.format("%Y%m%d%H%M%S%.3f"), minutes / 60)
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::{month, written};
    use super::*;
    use chrono::TimeZone as _;

    #[test]
    fn a_statement_is_a_list_that_cannot_be_broken_out_of() {
        let (head, entries) = month(Lang::Pt);
        let text = String::from_utf8(written(Ofx(head), &entries)).unwrap();
        assert!(text.starts_with("OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\n"));
        assert!(text.contains("<ACCTID>AZg9bIoAcACAAAAAAAAA_w</ACCTID>"), "{text}");
        assert!(
            text.contains("<DTSTART>20260301000000.000[-3:GMT]</DTSTART><DTEND>20260331235959.999[-3:GMT]</DTEND>")
        );
        assert!(text.contains("<TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20260302223000.000[-3:GMT]</DTPOSTED><TRNAMT>-12.50</TRNAMT><FITID>00000000-0000-0000-0000-000000000002</FITID>"));
        assert!(text.contains("<MEMO>Café, pão &amp; \"queijo\" &lt;grande&gt;</MEMO>"));
        assert!(text.contains("<BALAMT>1342.95</BALAMT><DTASOF>20260331235959.999[-3:GMT]</DTASOF>"));
        assert_eq!(text.matches("<STMTTRN>").count(), 4);
    }

    #[test]
    fn times_say_where_they_are() {
        let at = |zone: Tz| stamp(&zone.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap());
        assert_eq!(at(chrono_tz::UTC), "20260102030405.000[0:GMT]");
        assert_eq!(at(chrono_tz::Asia::Kolkata), "20260102030405.000[5.50:GMT]");
        assert_eq!(at(chrono_tz::America::St_Johns), "20260102030405.000[-3.50:GMT]");
    }

    #[test]
    fn only_currencies_fit() {
        assert!(is_currency("BRL"));
        for other in ["", "BR", "POINTS", "brl", "BR1"] {
            assert!(!is_currency(other), "{other}");
        }
    }
}
