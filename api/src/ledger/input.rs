//! How members of a body become the ledger's words, or are refused with their pointer.

use crate::context::Context;
use crate::object::{object, parse_uuid};
use crate::problem::Problem;
use actix_web::HttpRequest;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::fresh;
use vintem_core::event_store::proposal::Pointers;
use vintem_core::kernel::instant::{Instant, is_effective_range};
use vintem_core::kernel::{Metadata, Place, When, metadata, name};
use vintem_core::ledger::known::{AccountRef, Side};
use vintem_core::ledger::reversal::{Extent, Money as LineMoney};
use vintem_core::ledger::transaction::{ChosenId, ExpectText, Leg, Quantity};
use vintem_core::telemetry::clock;

/// The longest text for people.
const TEXT: usize = 1_024;
/// The most legs of a transaction or hold.
const LEGS: usize = 1_000;

/// Money in a request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoneyInput)]
pub struct Money {
    /// A decimal string greater than zero, such as `12.50`.
    #[schema(example = "12.50", pattern = r"^((0|[1-9][0-9]{0,19})(\.[0-9]{1,8})?|available)$")]
    pub amount: String,
    /// The asset's code.
    #[schema(example = "BRL", pattern = r"^[A-Z][A-Z0-9._-]{0,30}$")]
    pub asset: String,
}

/// One leg in a request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegInput {
    /// The account's id or name.
    #[schema(example = "citizen:0042", pattern = r"^[a-z0-9:_.%-]{1,255}$")]
    account: String,
    /// `debit` or `credit`.
    #[schema(value_type = String, example = "debit", pattern = "^(debit|credit)$")]
    direction: Side,
    /// How much; `amount` may be the word `available` in one pair of legs per asset.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// What `posted` must be after the transaction, in the direction of the account's normal side.
    #[serde(default)]
    #[schema(example = "87.50", pattern = r"^-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,8})?$")]
    expect_after: Option<String>,
    /// The account's entry version before the transaction.
    #[serde(default)]
    #[schema(minimum = 0)]
    expect_version: Option<i64>,
    /// The account's settings version.
    #[serde(default)]
    #[schema(minimum = 1)]
    expect_settings_version: Option<i32>,
}

/// The legs of a body: either `from`, `to` and `amount`, or `legs`.
#[derive(Debug)]
pub struct Movement {
    /// Debited.
    pub from: Option<String>,
    /// Credited.
    pub to: Option<String>,
    /// How much.
    pub amount: Option<Money>,
    /// Instead of these three.
    pub legs: Option<Vec<LegInput>>,
}

/// A member that is not allowed.
pub fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::invalid(Place::Pointer(pointer.to_owned()), code, detail)
}

fn required(pointer: &str) -> Problem {
    invalid(pointer, "required", "the member is required")
}

impl Movement {
    /// The legs in the ledger's words. A hold may leave `to` out.
    pub fn legs(self, may_lack_to: bool) -> Result<(Vec<Leg>, Pointers), Problem> {
        let Self { from, to, amount, legs } = self;
        let Some(legs) = legs else {
            let from = from.ok_or_else(|| required("/from"))?;
            let amount = amount.ok_or_else(|| required("/amount"))?;
            let (quantity, asset) = quantity(amount, "/amount")?;
            let mut legs = vec![leg(account(&from, "/from")?, Side::Debit, quantity.clone(), asset.clone())];
            match to {
                Some(to) => legs.push(leg(account(&to, "/to")?, Side::Credit, quantity, asset)),
                None if may_lack_to => {}
                None => return Err(required("/to")),
            }
            return Ok((legs, Pointers::FromTo));
        };
        for (member, is_present) in [("/from", from.is_some()), ("/to", to.is_some()), ("/amount", amount.is_some())] {
            if is_present {
                return Err(invalid(member, "unknown-member", "the member does not go together with `legs`"));
            }
        }
        let least = if may_lack_to { 1 } else { 2 };
        if !(least..=LEGS).contains(&legs.len()) {
            return Err(invalid("/legs", "out-of-range", format!("there are {least} to {LEGS} legs")));
        }
        let legs: Result<Vec<Leg>, Problem> = legs
            .into_iter()
            .enumerate()
            .map(|(line, leg)| leg.read().map_err(|problem| problem.below(&format!("/legs/{line}"))))
            .collect();
        Ok((legs?, Pointers::Legs))
    }
}

impl LegInput {
    fn read(self) -> Result<Leg, Problem> {
        let Self { account: text, direction, amount, expect_after, expect_version, expect_settings_version } = self;
        if expect_version.is_some_and(|version| version < 0) {
            return Err(invalid("/expect_version", "out-of-range", "a version is not negative"));
        }
        if expect_settings_version.is_some_and(|version| version < 1) {
            return Err(invalid("/expect_settings_version", "out-of-range", "a settings version begins at 1"));
        }
        let expect =
            ExpectText { version: expect_version, settings_version: expect_settings_version, after: expect_after };
        let expect = (expect != ExpectText::default()).then_some(expect);
        let (quantity, asset) = quantity(amount, "/amount")?;
        Ok(Leg { expect, ..leg(account(&text, "/account")?, direction, quantity, asset) })
    }
}

fn leg(account: AccountRef, direction: Side, quantity: Quantity, asset: String) -> Leg {
    Leg { account, direction, quantity, asset, expect: None }
}

fn quantity(money: Money, pointer: &str) -> Result<(Quantity, String), Problem> {
    let asset = asset(money.asset, &format!("{pointer}/asset"))?;
    let quantity = if money.amount == "available" { Quantity::Available } else { Quantity::Exact(money.amount) };
    Ok((quantity, asset))
}

/// An account's id or name. What looks like an id is one.
pub fn account(text: &str, pointer: &str) -> Result<AccountRef, Problem> {
    match parse_uuid(text) {
        Some(id) => Ok(AccountRef::Id(id)),
        None if name::is_account_name(text) => Ok(AccountRef::Name(text.to_owned())),
        None => Err(invalid(
            pointer,
            "malformed",
            "an account is named by its id, or by its name of 1 to 255 of a-z 0-9 : _ . % -",
        )),
    }
}

/// An asset's code.
pub fn asset(code: String, pointer: &str) -> Result<String, Problem> {
    if name::is_asset_code(&code) {
        Ok(code)
    } else {
        Err(invalid(pointer, "malformed", "an asset's code is a capital letter and up to 30 of A-Z 0-9 . _ -"))
    }
}

/// A text for people.
pub fn text(text: Option<String>, pointer: &str) -> Result<Option<String>, Problem> {
    match text {
        Some(text) if text.len() > TEXT => {
            Err(invalid(pointer, "too-long", format!("the text has at most {TEXT} bytes")))
        }
        text => Ok(text),
    }
}

/// The integrator's own facts.
pub fn metadata(members: Option<BTreeMap<String, String>>) -> Result<Metadata, Problem> {
    let members = members.unwrap_or_default();
    metadata::check(&members).map_err(|refusal| {
        let pointer = "/metadata";
        invalid(pointer, "too-long", refusal.detail)
    })?;
    Ok(members)
}

/// The id of a new stream: the caller's, or one drawn now.
pub fn chosen(id: Option<Uuid>) -> ChosenId {
    ChosenId { id: id.unwrap_or_else(fresh::new_id), is_callers: id.is_some() }
}

/// A value date.
pub fn effective_at(value: Option<String>, context: &Context) -> Result<Option<Instant>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let at = instant(&value, "/effective_at", context)?;
    if !is_effective_range(at, clock::now()) {
        return Err(invalid(
            "/effective_at",
            "out-of-range",
            "a value date lies between 1900-01-01 and 400 days from now",
        ));
    }
    Ok(Some(at))
}

/// An instant or the start of a date in the tenant's zone.
pub fn instant(value: &str, pointer: &str, context: &Context) -> Result<Instant, Problem> {
    let when = When::parse(value).ok_or_else(|| {
        invalid(pointer, "malformed", "an instant is RFC 3339 such as 2026-03-31T12:00:00Z, or a date")
    })?;
    Ok(when.start(context.tenant.time_zone))
}

/// One line of an extent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineInput {
    /// The line, from 0.
    #[schema(example = 0)]
    line: u16,
    /// How much of it.
    #[serde(deserialize_with = "object")]
    amount: Money,
}

/// How much of an original: `amount`, or `lines`, or `all`, or everything if nothing is said.
pub fn extent(amount: Option<Money>, lines: Option<Vec<LineInput>>, all: Option<bool>) -> Result<Extent, Problem> {
    let money = |Money { amount, asset }: Money| LineMoney { amount, asset: Some(asset) };
    match (amount, lines, all) {
        (None, None, None | Some(true)) => Ok(Extent::All),
        (Some(amount), None, None | Some(false)) => Ok(Extent::Amount(money(amount))),
        (None, Some(lines), None | Some(false)) => {
            if !(1..=LEGS).contains(&lines.len()) {
                return Err(invalid("/lines", "out-of-range", format!("there are 1 to {LEGS} lines")));
            }
            Ok(Extent::Lines(lines.into_iter().map(|LineInput { line, amount }| (line, money(amount))).collect()))
        }
        (None, None, Some(false)) => Err(required("/amount")),
        (Some(_), Some(_), _) => Err(invalid("/lines", "unknown-member", "say `amount` or `lines`, not both")),
        (_, _, Some(true)) => Err(invalid("/all", "unknown-member", "`all` does not go together with amounts")),
    }
}

/// The id in a path. What is no id names nothing.
pub fn path_id(request: &HttpRequest) -> Result<Uuid, Problem> {
    let text = request.match_info().get("id").unwrap_or_default();
    parse_uuid(text).ok_or_else(|| {
        let detail = "the path holds no id of the usual form".to_owned();
        Problem::not_found().with(crate::problem::Fault {
            place: Place::Parameter("id".to_owned()),
            code: "malformed",
            detail,
        })
    })
}
