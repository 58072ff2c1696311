//! The state machine as one table: every command in every state, with the status that it leads to or the code of its refusal.

use super::*;

/// `=` is what was done before, `-` what the clock finds nothing to do about.
const TABLE: &str = "
state               | same             other                 confirm              capture          cancel          expire        reverse  refund
unknown             | created          created               not-found            not-found        not-found       -             reversed not-found
created             | =                idempotency-mismatch  authorised           invalid-state    cancelled       -             reversed invalid-state
created, over       | =                idempotency-mismatch  charge-expired       invalid-state    charge-expired  -             reversed invalid-state
authorised          | =                idempotency-mismatch  charge-already-paid  captured         cancelled       invalid-state reversed invalid-state
authorised, over    | =                idempotency-mismatch  charge-already-paid  charge-expired   charge-expired  expired       reversed invalid-state
expired             | =                idempotency-mismatch  charge-expired       charge-expired   charge-expired  -             reversed invalid-state
partly captured     | =                idempotency-mismatch  charge-already-paid  captured         captured        invalid-state reversed authorised
captured            | =                idempotency-mismatch  charge-already-paid  invalid-state    invalid-state   -             reversed partially_refunded
captured, closed    | =                idempotency-mismatch  charge-already-paid  invalid-state    invalid-state   -             refunded partially_refunded
partly, then over   | =                idempotency-mismatch  charge-already-paid  charge-expired   charge-expired  -             reversed partially_refunded
partly, cancelled   | =                idempotency-mismatch  charge-already-paid  invalid-state    =               -             reversed partially_refunded
partially_refunded  | =                idempotency-mismatch  charge-already-paid  invalid-state    invalid-state   -             refunded partially_refunded
refunded            | =                idempotency-mismatch  charge-already-paid  invalid-state    invalid-state   -             refunded refund-exceeds-captured
cancelled           | =                idempotency-mismatch  invalid-state        invalid-state    =               -             reversed invalid-state
reversed            | charge-reversed  charge-reversed       charge-reversed      charge-reversed  charge-reversed -             =        charge-reversed
tombstone           | charge-reversed  charge-reversed       charge-reversed      charge-reversed  charge-reversed -             =        charge-reversed
";

fn state(name: &str) -> World {
    let mut world = match name {
        "unknown" | "tombstone" => given(),
        "created" | "created, over" | "cancelled" | "reversed" => created(CaptureMode::Manual),
        _ => authorised(),
    };
    match name {
        "unknown" | "created" | "authorised" => {}
        "created, over" => world = world.later(TimeDelta::seconds(300)),
        "authorised, over" => world = world.later(day()),
        "expired" => {
            world = world.later(day());
            world.expires().unwrap();
        }
        "cancelled" => _ = world.cancels().unwrap(),
        "reversed" | "tombstone" => _ = world.reverses().unwrap(),
        _ => captured_somehow(&mut world, name),
    }
    if name == "partly, then over" {
        world = world.later(day());
        world.expires().unwrap();
    }
    world
}

fn captured_somehow(world: &mut World, name: &str) {
    let is_part = name.starts_with("partly");
    // What the platform got of it the service refunds out of what it has besides.
    world.moves("bank", "service", 10);
    world.captures(Some(if is_part { "4.00" } else { "10.00" }), !is_part).unwrap();
    match name {
        "captured, closed" => _ = world.closes().unwrap(),
        "partly, cancelled" => _ = world.cancels().unwrap(),
        "partially_refunded" => _ = world.refunds(1, "3.00").unwrap(),
        "refunded" => _ = world.refunds(1, "10.00").unwrap(),
        _ => {}
    }
}

fn does(world: &mut World, command: &str) -> Verdict {
    match command {
        "same" => world.asks("10.00", CaptureMode::Manual),
        "other" => world.asks("11.00", CaptureMode::Manual),
        "confirm" => world.confirms(),
        "capture" => world.captures(None, true),
        "cancel" => world.cancels(),
        "expire" => world.expires(),
        "reverse" => world.reverses(),
        "refund" => world.refunds(2, "1.00"),
        other => panic!("{other}"),
    }
}

#[test]
fn every_command_in_every_state() {
    let mut lines = TABLE.trim().lines().map(|line| line.split_once('|').unwrap());
    let commands: Vec<&str> = lines.next().unwrap().1.split_whitespace().collect();
    assert_eq!(commands.len(), 8);
    for (name, expected) in lines {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(expected.len(), commands.len(), "{name}");
        for (command, expected) in commands.iter().zip(expected) {
            let mut world = state(name.trim());
            let before = world.status();
            let (found, is_refused) = match does(&mut world, command) {
                Ok(true) => (world.status(), false),
                Ok(false) => ("=", true),
                Err(RefusalCode::NotFound | RefusalCode::HoldEnded) if *command == "expire" => ("-", true),
                Err(code) => (code.as_str(), true),
            };
            assert_eq!(found, expected, "{command} in {}", name.trim());
            assert!(!is_refused || world.status() == before, "what is refused changes nothing");
        }
    }
}

#[test]
fn what_is_captured_at_once_goes_from_created_to_captured() {
    let mut world = captured();
    assert_eq!(world.status(), "captured");
    assert_eq!(world.confirms(), Err(RefusalCode::ChargeAlreadyPaid));
    assert_eq!(world.captures(None, true), Err(RefusalCode::InvalidState));
    assert_eq!(world.expires(), Err(RefusalCode::NotFound), "nothing is held");
}
