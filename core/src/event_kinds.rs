//! Every kind of event: how its payload is read, and the JSON Schema that those who receive it may rely on.
//!
//! The schemas are made from the structs that write the payloads, and stand in `docs/events`, where a test compares
//! them: a change of a payload is a change of a page that integrators read.

use crate::access::event as access;
use crate::access::staff::event as staff;
use crate::aliases::event as aliases;
use crate::citizens::event as citizens;
use crate::holders::event as holders;
use crate::kernel::Minor;
use crate::keys::event as keys;
use crate::ledger::event as ledger;
use crate::payments::charges::event as charges;
use crate::payments::event as payments;
use crate::payments::mandates::event as mandates;
use crate::settlement::event as settlement;
use crate::terminals::event as terminals;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// A kind of event.
#[derive(Debug, Clone, Copy)]
pub struct EventKind {
    /// Its name.
    pub name: &'static str,
    /// Why a payload cannot be read, if it cannot.
    pub read: fn(&str) -> Result<(), serde_json::Error>,
    schema: fn(&str) -> Value,
}

/// What the writer adds to the facts of any event that moves money or is counted.
#[derive(Debug, Deserialize, ToSchema)]
struct Added {
    /// What moved: account, and the changes of posted, held and incoming, in the direction of the account's normal side.
    #[serde(default, rename = "moves")]
    _moves: Vec<(Uuid, Minor, Minor, Minor)>,
    /// What was counted against windowed limits: account, window, and how much of it was used.
    #[serde(default, rename = "counts")]
    _counts: Vec<(Uuid, String, Minor)>,
}

/// The facts of a kind that says all by its name and its moves.
#[derive(Debug, Deserialize, ToSchema)]
struct NothingMore {}

impl EventKind {
    /// The schema of its payload.
    pub fn schema(&self) -> Value {
        (self.schema)(self.name)
    }
}

const fn kind<T: ToSchema + DeserializeOwned>(name: &'static str) -> EventKind {
    EventKind { name, read: read::<T>, schema: schema::<T> }
}

fn read<T: DeserializeOwned>(payload: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<T>(payload)?;
    serde_json::from_str::<Added>(payload).map(drop)
}

/// A page that stands alone: what it refers to is in it.
fn schema<T: ToSchema>(name: &str) -> Value {
    let mut others = Vec::new();
    T::schemas(&mut others);
    Added::schemas(&mut others);
    others.push((Minor::name().into_owned(), Minor::schema()));
    let definitions: Map<String, Value> = others.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    let page = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": name,
        "allOf": [T::schema(), Added::schema()], "$defs": definitions,
    });
    // The generator speaks of an OpenAPI document, where definitions have another place.
    let text = page.to_string().replace("#/components/schemas/", "#/$defs/");
    serde_json::from_str(&text).unwrap_or(page)
}

/// All of them.
pub const ALL: [EventKind; 98] = [
    kind::<access::TenantCreated>(access::TENANT_CREATED),
    kind::<access::TenantSuspended>(access::TENANT_SUSPENDED),
    kind::<access::TenantResumed>(access::TENANT_RESUMED),
    kind::<access::TenantChanged>(access::TENANT_CHANGED),
    kind::<access::ClientCreated>(access::CLIENT_CREATED),
    kind::<access::ClientRotated>(access::CLIENT_ROTATED),
    kind::<access::ClientRevoked>(access::CLIENT_REVOKED),
    kind::<staff::StaffInvited>(staff::STAFF_INVITED),
    kind::<staff::StaffJoined>(staff::STAFF_JOINED),
    kind::<staff::StaffRolesChanged>(staff::STAFF_ROLES_CHANGED),
    kind::<staff::StaffGrantsChanged>(staff::STAFF_GRANTS_CHANGED),
    kind::<staff::StaffUnitChanged>(staff::STAFF_UNIT_CHANGED),
    kind::<staff::UnitDescribed>(staff::UNIT_CREATED),
    kind::<staff::UnitDescribed>(staff::UNIT_CHANGED),
    kind::<staff::StaffSuspended>(staff::STAFF_SUSPENDED),
    kind::<staff::StaffResumed>(staff::STAFF_RESUMED),
    kind::<staff::StaffFactorChanged>(staff::STAFF_FACTOR_CHANGED),
    kind::<staff::StaffSignedIn>(staff::STAFF_SIGNED_IN),
    kind::<staff::StaffRecoveryCodeUsed>(staff::STAFF_RECOVERY_CODE_USED),
    kind::<staff::StaffSessionEnded>(staff::STAFF_SESSION_ENDED),
    kind::<staff::StaffSignInRefused>(staff::STAFF_SIGN_IN_REFUSED),
    kind::<access::TokensRevoked>(access::TOKENS_REVOKED),
    kind::<keys::KeyRotated>(keys::KEY_ROTATED),
    kind::<ledger::AssetRegistered>(ledger::ASSET_REGISTERED),
    kind::<ledger::AccountOpened>(ledger::ACCOUNT_OPENED),
    kind::<ledger::AccountChanged>(ledger::ACCOUNT_CHANGED),
    kind::<ledger::ReturnsChanged>(ledger::RETURNS_CHANGED),
    kind::<ledger::TransactionPosted>(ledger::TRANSACTION_POSTED),
    kind::<ledger::TransactionReversed>(ledger::TRANSACTION_REVERSED),
    kind::<ledger::HoldPlaced>(ledger::HOLD_PLACED),
    kind::<ledger::HoldCaptured>(ledger::HOLD_CAPTURED),
    kind::<NothingMore>(ledger::HOLD_RELEASED),
    kind::<ledger::HoldExtended>(ledger::HOLD_EXTENDED),
    kind::<NothingMore>(ledger::HOLD_INCREMENTED),
    kind::<NothingMore>(ledger::HOLD_EXPIRED),
    kind::<holders::HolderRegistered>(holders::HOLDER_REGISTERED),
    kind::<holders::HolderContactChanged>(holders::HOLDER_CONTACT_CHANGED),
    kind::<holders::HolderErased>(holders::HOLDER_ERASED),
    kind::<holders::HolderUnmasked>(holders::HOLDER_UNMASKED),
    kind::<citizens::CitizenRegistered>(citizens::CITIZEN_REGISTERED),
    kind::<citizens::CitizenDeviceAdded>(citizens::CITIZEN_DEVICE_ADDED),
    kind::<citizens::CitizenDeviceRemoved>(citizens::CITIZEN_DEVICE_REMOVED),
    kind::<citizens::CitizenRecovered>(citizens::CITIZEN_RECOVERED),
    kind::<citizens::CitizenReset>(citizens::CITIZEN_RESET),
    kind::<citizens::CitizenSecretChanged>(citizens::CITIZEN_SECRET_CHANGED),
    kind::<citizens::CitizenPinLocked>(citizens::CITIZEN_PIN_LOCKED),
    kind::<citizens::CitizenContactChanged>(citizens::CITIZEN_CONTACT_CHANGED),
    kind::<citizens::CitizenSignedIn>(citizens::CITIZEN_SIGNED_IN),
    kind::<citizens::CitizenSessionEnded>(citizens::CITIZEN_SESSION_ENDED),
    kind::<citizens::CitizenSignInRefused>(citizens::CITIZEN_SIGN_IN_REFUSED),
    kind::<aliases::AliasRegistered>(aliases::ALIAS_REGISTERED),
    kind::<aliases::AliasRemoved>(aliases::ALIAS_REMOVED),
    kind::<payments::TransferRequested>(payments::TRANSFER_REQUESTED),
    kind::<payments::TransferConfirmed>(payments::TRANSFER_CONFIRMED),
    kind::<payments::TopUpRequested>(payments::TOPUP_REQUESTED),
    kind::<payments::TopUpCredited>(payments::TOPUP_CREDITED),
    kind::<payments::TopUpUnclaimed>(payments::TOPUP_UNCLAIMED),
    kind::<payments::WithdrawalRequested>(payments::WITHDRAWAL_REQUESTED),
    kind::<payments::WithdrawalApproved>(payments::WITHDRAWAL_APPROVED),
    kind::<payments::WithdrawalPaid>(payments::WITHDRAWAL_PAID),
    kind::<payments::WithdrawalRejected>(payments::WITHDRAWAL_REJECTED),
    kind::<payments::LimitsChanged>(payments::LIMITS_CHANGED),
    kind::<payments::PricesChanged>(payments::PRICES_CHANGED),
    kind::<payments::MoneyMoved>(payments::MONEY_ISSUED),
    kind::<payments::MoneyMoved>(payments::MONEY_REDEEMED),
    kind::<mandates::MandateRequested>(mandates::MANDATE_REQUESTED),
    kind::<mandates::MandateActivated>(mandates::MANDATE_ACTIVATED),
    kind::<mandates::MandateRevoked>(mandates::MANDATE_REVOKED),
    kind::<settlement::ProviderDescribed>(settlement::PROVIDER_REGISTERED),
    kind::<settlement::ProviderDescribed>(settlement::PROVIDER_CHANGED),
    kind::<settlement::ServiceDescribed>(settlement::SERVICE_OPENED),
    kind::<settlement::ServiceDescribed>(settlement::SERVICE_CHANGED),
    kind::<settlement::ServiceDescribed>(settlement::SERVICE_SUSPENDED),
    kind::<settlement::ServiceDescribed>(settlement::SERVICE_RESUMED),
    kind::<charges::ChargeCreated>(charges::CHARGE_CREATED),
    kind::<charges::ChargeAuthorised>(charges::CHARGE_AUTHORISED),
    kind::<charges::ChargeCaptured>(charges::CHARGE_CAPTURED),
    kind::<charges::ChargeCancelled>(charges::CHARGE_CANCELLED),
    kind::<charges::ChargeReversed>(charges::CHARGE_REVERSED),
    kind::<charges::RefundRequested>(charges::REFUND_REQUESTED),
    kind::<charges::RefundSucceeded>(charges::REFUND_SUCCEEDED),
    kind::<charges::RefundFailed>(charges::REFUND_FAILED),
    kind::<charges::BatchClosed>(charges::BATCH_CLOSED),
    kind::<terminals::TerminalRegistered>(terminals::TERMINAL_REGISTERED),
    kind::<terminals::TerminalConfigured>(terminals::TERMINAL_CONFIGURED),
    kind::<terminals::TerminalCodeIssued>(terminals::TERMINAL_CODE_ISSUED),
    kind::<terminals::TerminalEnrolled>(terminals::TERMINAL_ENROLLED),
    kind::<terminals::TerminalRenewed>(terminals::TERMINAL_RENEWED),
    kind::<terminals::TerminalChanged>(terminals::TERMINAL_SUSPENDED),
    kind::<terminals::TerminalChanged>(terminals::TERMINAL_RESUMED),
    kind::<terminals::TerminalChanged>(terminals::TERMINAL_LOST),
    kind::<terminals::TerminalChanged>(terminals::TERMINAL_REVOKED),
    kind::<terminals::TerminalChanged>(terminals::TERMINAL_RETIRED),
    kind::<terminals::TerminalOrdered>(terminals::TERMINAL_ORDERED),
    kind::<terminals::TerminalObeyed>(terminals::TERMINAL_OBEYED),
    kind::<terminals::TerminalChanged>(terminals::TERMINAL_TAMPERED),
    kind::<terminals::ShiftOpened>(terminals::SHIFT_OPENED),
    kind::<terminals::ShiftClosed>(terminals::SHIFT_CLOSED),
];
