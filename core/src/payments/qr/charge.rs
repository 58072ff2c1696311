//! The code of a charge: where it is, and what a person may read of it.

use super::currency;
use super::tlv::{self, Element, NoCode, Unsayable, Value};
use crate::payments::charges::Charge;
use crate::settlement::Service;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Whose codes these are. Wallets that know others only do not offer to pay them.
const OURS: &str = "org.vintem";
/// Where charges are asked for, at the public host.
const PATH: &str = "/v1/charge-locations/";
/// Where in our template the location stands, as in Pix's.
const LOCATION: u8 = 25;
/// Whoever shows nothing in its place shows this.
const NO_REFERENCE: &str = "***";
/// As long as an amount may be.
const AMOUNT_CHARS: usize = 13;
/// As long as a reference may be.
const REFERENCE_CHARS: usize = 25;

/// Where a charge is: its id in 22 letters, so that a host of any usual length fits beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location(pub Uuid);

/// What a code is made of.
#[derive(Debug, Clone, Copy)]
pub struct ChargeCode<'a> {
    /// The installation's public host, and its port where it is not the usual one.
    pub host: &'a str,
    /// The charge.
    pub charge: Uuid,
    /// The category of the trade.
    pub mcc: Option<&'a str>,
    /// Of what.
    pub asset: &'a str,
    /// How much, as decimal text.
    pub amount: &'a str,
    /// Who is paid, as payers see it.
    pub label: &'a str,
    /// Where.
    pub city: &'a str,
    /// What for, as the service calls it.
    pub reference: Option<&'a str>,
}

/// Why a text is not the code of a charge here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// No code at all, or one that was read wrongly.
    #[error(transparent)]
    NoCode(#[from] NoCode),
    /// A code of somebody else, such as Pix.
    #[error("the payment code is not one of this system")]
    Foreign,
    /// One of ours that leads to another host.
    #[error("the payment code leads elsewhere; do not pay it")]
    Elsewhere,
}

impl Location {
    /// As it stands in a path.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_bytes())
    }

    /// Reads it, in its one spelling.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Uuid::from_slice(&bytes).ok().map(Self)
    }

    /// The address at a host. Codes leave `https://` out, as there is no other way.
    fn address(self, host: &str) -> String {
        format!("{host}{PATH}{}", self.to_text())
    }
}

impl ChargeCode<'_> {
    /// Writes the code.
    pub fn encode(&self) -> Result<String, Unsayable> {
        let Self { host, charge, mcc, asset, amount, label, city, reference } = *self;
        let ours = vec![(0, OURS.to_owned()), (LOCATION, Location(charge).address(host))];
        let mut elements = vec![
            // Good for one payment.
            Element::text(1, "12"),
            Element::template(26, ours),
            Element::text(52, mcc.unwrap_or("0000")),
            Element::text(53, currency::number(asset)),
        ];
        // One that does not fit is left out: the location says it.
        if amount.len() <= AMOUNT_CHARS {
            elements.push(Element::text(54, amount));
        }
        let fits = |text: &&str| (1..=REFERENCE_CHARS).contains(&text.chars().count());
        let reference = reference.filter(fits).unwrap_or(NO_REFERENCE);
        elements.extend([
            Element::text(58, "BR"),
            Element::text(59, label),
            Element::text(60, city),
            Element::template(62, vec![(5, reference.to_owned())]),
        ]);
        tlv::encode(&elements)
    }
}

/// The code that a terminal shows of a charge.
pub fn code(charge: &Charge, service: &Service, host: &str) -> Result<String, Unsayable> {
    let said = &charge.created;
    let code = ChargeCode {
        host,
        charge: charge.id,
        mcc: service.mcc.as_deref(),
        asset: &said.asset,
        amount: &said.amount.to_text(said.scale),
        label: &said.service.label,
        city: &service.city,
        reference: said.reference.as_deref(),
    };
    code.encode()
}

/// The charge that a code leads to, if it is one of ours and leads to this host. What else it says is not believed.
pub fn read(text: &str, host: &str) -> Result<Uuid, NotOurs> {
    let elements = tlv::decode(text)?;
    let ours = elements.iter().find_map(|element| match &element.value {
        Value::Template(inner) if (26..=51).contains(&element.tag) => {
            inner.contains(&(0, OURS.to_owned())).then_some(inner)
        }
        Value::Template(_) | Value::Text(_) => None,
    });
    let ours = ours.ok_or(NotOurs::Foreign)?;
    let (_, address) = ours.iter().find(|(tag, _)| *tag == LOCATION).ok_or(NotOurs::Foreign)?;
    let (at, location) = address.split_once(PATH).ok_or(NotOurs::Elsewhere)?;
    if at != host {
        return Err(NotOurs::Elsewhere);
    }
    Location::read(location).map(|Location(charge)| charge).ok_or(NotOurs::Elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHARGE: Uuid = Uuid::from_u128(0x0198_3d6c_8a00_7000_8000_0000_0000_00ff);
    const HOST: &str = "pay.cidade.example:8443";

    fn code() -> ChargeCode<'static> {
        ChargeCode {
            host: HOST,
            charge: CHARGE,
            mcc: Some("4111"),
            asset: "BRL",
            amount: "12.50",
            label: "Ônibus Centro",
            city: "Porto Alegre",
            reference: Some("linha-343"),
        }
    }

    #[test]
    fn a_code_leads_to_its_charge_and_says_what_people_read() {
        let text = code().encode().unwrap();
        let address = format!("{HOST}/v1/charge-locations/AZg9bIoAcACAAAAAAAAA_w");
        assert_eq!(address.len(), 66);
        assert!(text.starts_with(&format!("00020101021226840010org.vintem2566{address}5204")), "{text}");
        assert!(
            text.contains("520441115303986540512.505802BR5913Ônibus Centro6012Porto Alegre62130509linha-3436304"),
            "{text}"
        );
        assert_eq!(read(&text, HOST), Ok(CHARGE));
        assert!(!text.contains("br.gov.bcb.pix"));
    }

    #[test]
    fn what_is_missing_or_does_not_fit_is_left_out() {
        let text = ChargeCode { mcc: None, asset: "POINTS", reference: None, amount: "100000000000.00", ..code() };
        let text = text.encode().unwrap();
        assert!(text.contains("5204000053039995802BR") && text.contains("62070503***"), "{text}");
        let long = ChargeCode { reference: Some("a reference that is much too long"), ..code() }.encode().unwrap();
        assert!(long.contains("62070503***"));
        assert_eq!(ChargeCode { host: &"x".repeat(60), ..code() }.encode(), Err(Unsayable));
    }

    #[test]
    fn what_leads_elsewhere_is_not_paid() {
        let text = code().encode().unwrap();
        assert_eq!(read(&text, "pay.cidade.example"), Err(NotOurs::Elsewhere));
        assert_eq!(read(&text.replace("12.50", "12.51"), HOST), Err(NotOurs::NoCode(NoCode::Checksum)));
        assert_eq!(read("hello", HOST), Err(NotOurs::NoCode(NoCode::Malformed)));
        let account = |inner: &[(u8, &str)]| {
            let inner = inner.iter().map(|(tag, value)| (*tag, (*value).to_owned())).collect();
            tlv::encode(&[Element::text(1, "12"), Element::template(26, inner)]).unwrap()
        };
        assert_eq!(read(&account(&[(0, "br.gov.bcb.pix"), (25, "x.example/1")]), HOST), Err(NotOurs::Foreign));
        assert_eq!(read(&account(&[(0, OURS)]), HOST), Err(NotOurs::Foreign));
        let good = Location(CHARGE).to_text();
        for address in [
            format!("{HOST}/v1/charge-locations/"),
            format!("{HOST}/v1/charge-locations/{good}/"),
            format!("{HOST}/v1/charge-locations/{CHARGE}"),
            format!("https://{HOST}/v1/charge-locations/{good}"),
            format!("evil.example/{HOST}/v1/charge-locations/{good}"),
            format!("{HOST}@evil.example/v1/charge-locations/{good}"),
            format!("{HOST}/{good}"),
        ] {
            assert_eq!(read(&account(&[(0, OURS), (25, &address)]), HOST), Err(NotOurs::Elsewhere), "{address}");
        }
    }
}
