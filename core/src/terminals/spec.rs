//! What a terminal's stream says and what may become of it: every state and every command, and the rest in one line each.

use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

use super::event::{self, Command, ShiftOpened, TerminalCertificate, TerminalConfigured, TerminalRegistered};
use super::serial::Serial;
use super::status::Status;
use super::terminal::{Issued, Terminal, register};
use crate::event_store::{Decision, Recorded};
use crate::kernel::{Instant, Metadata, RefusalCode};

const TENANT: Uuid = Uuid::from_u128(1);
const CODE: Uuid = Uuid::from_u128(2);
const NOW: Instant = DateTime::UNIX_EPOCH;

type Step = fn(&Terminal) -> Decision;

fn says() -> TerminalRegistered {
    let (service, unit) = (Uuid::from_u128(3), None);
    TerminalRegistered { serial: "PX-1".to_owned(), model: "Pax".to_owned(), service, unit }
}

fn certificate(number: u8) -> TerminalCertificate {
    TerminalCertificate {
        number: format!("{number:02x}"),
        fingerprint: format!("print {number}"),
        key: format!("key {number}"),
        not_before: NOW,
        not_after: NOW + TimeDelta::days(30),
    }
}

fn configured() -> TerminalConfigured {
    TerminalConfigured {
        service: Uuid::from_u128(4),
        unit: None,
        label: Some("Stall 7".to_owned()),
        heartbeat_seconds: 30,
        settings: Metadata::default(),
    }
}

const REGISTER: Step = |terminal| terminal.register_anew(&says());
const ISSUE: Step = |terminal| terminal.issue_code(Issued { code: CODE, expires_at: NOW + TimeDelta::minutes(15) });
const ENROL: Step = |terminal| terminal.enrol(CODE, &certificate(1));
const RENEW: Step = |terminal| terminal.renew(&certificate(2));
const SUSPEND: Step = Terminal::suspend;
const RESUME: Step = Terminal::resume;
const LOSE: Step = |terminal| terminal.lose(TENANT);
const REVOKE: Step = |terminal| terminal.revoke(TENANT);
const RETIRE: Step = Terminal::retire;
const CONFIGURE: Step = |terminal| terminal.configure(&configured());
const ORDER: Step = |terminal| terminal.order(Uuid::from_u128(9), Command::Lock);

fn record(history: &mut Vec<Recorded>, decision: Decision) {
    let Decision::Propose(proposal) = decision else { panic!("{decision:?}") };
    for event in proposal.events {
        assert_eq!(usize::try_from(event.expected).unwrap(), history.len());
        history.push(event.recorded(TENANT, NOW));
    }
}

/// The stream of a terminal after some steps, and the terminal.
fn given(steps: &[Step]) -> (Vec<Recorded>, Terminal) {
    let serial: Serial = "PX-1".parse().unwrap();
    let mut history = Vec::new();
    record(&mut history, register(TENANT, &serial, &says()));
    for step in steps {
        let decision = step(&Terminal::fold(&history).unwrap());
        record(&mut history, decision);
    }
    let terminal = Terminal::fold(&history).unwrap();
    (history, terminal)
}

/// How each state is come to.
fn way(status: Status) -> &'static [Step] {
    match status {
        Status::Provisioned => &[],
        Status::CodeIssued => &[ISSUE],
        Status::Active => &[ISSUE, ENROL],
        Status::Suspended => &[ISSUE, ENROL, SUSPEND],
        Status::Lost => &[ISSUE, ENROL, LOSE],
        Status::Revoked => &[ISSUE, ENROL, REVOKE],
        Status::Retired => &[ISSUE, ENROL, REVOKE, RETIRE],
    }
}

/// A command in each state, in the order of [`Status::ALL`]: `+` is done, `=` was done before, `.` is refused.
const TABLE: [(&str, Step, &str); 11] = [
    ("register", REGISTER, "......+"),
    ("issue a code", ISSUE, "++....."),
    ("enrol", ENROL, ".+==..."),
    ("renew", RENEW, "..+...."),
    ("suspend", SUSPEND, "..+=..."),
    ("resume", RESUME, "...+..."),
    ("lose", LOSE, "..++=.."),
    ("revoke", REVOKE, "..+++=."),
    ("retire", RETIRE, "++...+="),
    ("configure", CONFIGURE, "++++++."),
    ("order", ORDER, "..++..."),
];

#[test]
fn every_command_in_every_state_is_allowed_or_refused() {
    for (name, command, row) in TABLE {
        let found: String = Status::ALL
            .into_iter()
            .map(|status| match command(&given(way(status)).1) {
                Decision::Propose(_) => '+',
                Decision::Already(_) => '=',
                Decision::Refuse(refusal, expects) => {
                    let code = if name == "register" { RefusalCode::NameTaken } else { RefusalCode::InvalidState };
                    assert_eq!((refusal.code, expects.len()), (code, 1), "{name} {status:?}");
                    '.'
                }
            })
            .collect();
        assert_eq!(found, row, "{name}: {:?}", Status::ALL);
    }
}

#[test]
fn each_state_is_the_one_that_the_way_leads_to() {
    for status in Status::ALL {
        assert_eq!(given(way(status)).1.status(NOW), status);
        assert_eq!(Status::from_stored(status.as_str()), Some(status));
    }
    assert_eq!(given(&[ISSUE, ENROL, SUSPEND, RESUME]).1.status(NOW), Status::Active);
}

#[test]
fn a_code_whose_time_is_over_brings_nobody_in() {
    let (_, terminal) = given(&[ISSUE]);
    assert_eq!(terminal.status(NOW + TimeDelta::minutes(14)), Status::CodeIssued);
    assert_eq!(terminal.status(NOW + TimeDelta::minutes(15)), Status::Provisioned);
    assert!(matches!(terminal.enrol(Uuid::from_u128(77), &certificate(1)), Decision::Refuse(..)), "another code");
}

#[test]
fn a_renewal_leaves_the_one_before_known_and_repeats_itself() {
    let (_, terminal) = given(&[ISSUE, ENROL, RENEW]);
    assert_eq!(
        (terminal.certificate.as_ref(), terminal.previous.as_ref()),
        (Some(&certificate(2)), Some(&certificate(1)))
    );
    assert!(matches!(terminal.renew(&certificate(2)), Decision::Already(_)));
}

#[test]
fn a_certificate_is_renewed_at_two_thirds_or_when_told() {
    const ROTATE: Step = |terminal| terminal.order(Uuid::from_u128(8), Command::RotateCert);
    let (_, terminal) = given(&[ISSUE, ENROL]);
    assert!(!terminal.may_renew(NOW + TimeDelta::days(19)) && terminal.may_renew(NOW + TimeDelta::days(20)));
    assert!(given(&[ISSUE, ENROL, ROTATE]).1.may_renew(NOW));
    let (_, renewed) = given(&[ISSUE, ENROL, ROTATE, ORDER, RENEW]);
    let left: Vec<Command> = renewed.orders.iter().map(|order| order.command).collect();
    assert!(left == [Command::Lock] && !renewed.may_renew(NOW), "a renewal is what it was told");
}

#[test]
fn what_is_lost_or_revoked_is_revoked_in_vault_with_the_same_commit() {
    for step in [LOSE, REVOKE] {
        let Decision::Propose(proposal) = step(&given(&[ISSUE, ENROL, RENEW]).1) else { panic!("refused") };
        let asks = proposal.personal.unwrap().asks;
        assert_eq!(asks.iter().map(|ask| ask.key.as_str()).collect::<Vec<_>>(), ["02", "01"]);
    }
}

#[test]
fn an_order_is_told_until_it_is_carried_out() {
    let order = Uuid::from_u128(9);
    let (_, told) = given(&[ISSUE, ENROL, ORDER]);
    assert_eq!(told.orders.len(), 1);
    assert!(matches!(told.obey(&[Uuid::from_u128(10)]), Decision::Already(_)));
    let (mut history, _) = given(&[ISSUE, ENROL, ORDER]);
    record(&mut history, told.obey(&[order]));
    assert!(Terminal::fold(&history).unwrap().orders.is_empty());
}

#[test]
fn a_device_that_comes_back_begins_anew_and_its_shifts_go_on() {
    const OPEN: Step = |terminal| terminal.open_shift("A07");
    let (_, back) = given(&[ISSUE, ENROL, OPEN, CONFIGURE, REVOKE, RETIRE, REGISTER]);
    assert_eq!((back.status(NOW), back.certificate.as_ref(), back.code), (Status::Provisioned, None, None));
    assert_eq!((back.shifts.last, back.shifts.operator.as_deref(), back.config.says.label.as_deref()), (1, None, None));
}

#[test]
fn shifts_follow_each_other() {
    const OPEN: Step = |terminal| terminal.open_shift("A07");
    const CLOSE: Step = |terminal| terminal.close_shift(1);
    let refused = |decision| match decision {
        Decision::Refuse(refusal, _) => refusal.code,
        other => panic!("{other:?}"),
    };
    let (history, one) = given(&[ISSUE, ENROL, OPEN]);
    let says: ShiftOpened = history.last().unwrap().says().unwrap();
    assert_eq!((says.shift, one.shifts.operator.as_deref()), (1, Some("A07")));
    assert_eq!(refused(one.open_shift("B01")), RefusalCode::InvalidState);
    assert_eq!(refused(one.close_shift(2)), RefusalCode::NotFound);
    let (_, none) = given(&[ISSUE, ENROL, OPEN, CLOSE]);
    assert_eq!(refused(none.close_shift(1)), RefusalCode::InvalidState);
    let (_, next) = given(&[ISSUE, ENROL, OPEN, CLOSE, OPEN]);
    assert_eq!((next.shifts.last, refused(next.close_shift(1))), (2, RefusalCode::InvalidState));
    assert_eq!(next.status(NOW), Status::Active, "shifts change nothing else");
}

#[test]
fn what_is_no_terminals_stream_is_none() {
    let (mut history, _) = given(&[]);
    assert!(Terminal::fold(&[]).is_none());
    history[0].kind = event::TERMINAL_LOST.into();
    assert!(Terminal::fold(&history).is_none());
}

#[test]
fn a_serial_is_one_terminal_of_its_tenant() {
    let serial: Serial = "PX-200431".parse().unwrap();
    assert_eq!(serial.terminal(TENANT), "PX-200431".parse::<Serial>().unwrap().terminal(TENANT));
    assert_ne!(serial.terminal(TENANT), serial.terminal(Uuid::from_u128(2)));
    for bad in ["", "PX 1", "PX\n", "é", &"x".repeat(65)] {
        assert_eq!(bad.parse::<Serial>().unwrap_err().code, RefusalCode::ValidationFailed, "{bad:?}");
    }
}
