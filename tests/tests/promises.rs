//! What is promised to apps and to whoever writes them, and the tests that hold us to it: each promise names some, and each of them is there.

use std::collections::BTreeSet;
use std::path::Path;

/// A promise in our own words, and the tests of it: `part::name` of the flows, or `file::name`.
type Promise = (&'static str, &'static [&'static str]);

/// How every request behaves.
const REQUESTS: &[Promise] = &[
    (
        "money is a decimal string, and never a number",
        &[
            "core/src/kernel/amount.rs::plain_decimals_are_amounts",
            "core/src/kernel/amount.rs::everything_else_is_refused",
            "bad_input::every_wrong_value_is_refused_with_its_pointer",
        ],
    ),
    (
        "lists go on by a cursor that says nothing and is good for its own list, a hundred rows at a time",
        &[
            "http_events::pages_hold_every_event_once_and_in_order",
            "api/src/cursor.rs::a_cursor_opens_only_its_own_list",
            "bad_input::every_parameter_is_checked",
        ],
    ),
    (
        "a change can be made on the condition that nobody else has made one",
        &[
            "core/src/ledger/spec/accounts.rs::settings_can_be_changed_conditionally",
            "http_ledger::accounts_are_limited_frozen_and_closed",
        ],
    ),
    (
        "a person moves money in two steps: asked for, then confirmed",
        &[
            "transfers::somebody_pays_what_they_were_shown_once",
            "funding::a_withdrawal_takes_signature_and_pin_and_puts_the_amount_aside_at_once",
        ],
    ),
    (
        "the contract is published, and what answers is held to it",
        &[
            "http_access::the_contract_names_every_route_and_no_other",
            "typescript::the_client_says_what_the_contract_says_and_repeats_safely",
        ],
    ),
    (
        "refusals are read in Portuguese and in English",
        &[
            "http_access::what_is_open_is_open_and_the_rest_does_not_exist",
            "api/src/lang.rs::the_heaviest_language_wins",
        ],
    ),
    (
        "every way in which a payment is declined can be tried in a sandbox",
        &[
            "sandbox::an_amount_says_how_a_confirmation_ends_in_a_sandbox",
            "sandbox::nowhere_else_does_an_amount_say_anything",
            "funding::money_is_played_with_in_sandboxes_only_and_asked_for_in_words_that_make_sense",
            "core/src/payments/funding/simulator.rs::the_hundredths_of_an_amount_say_what_happens",
        ],
    ),
];

/// What a citizen can do.
const CITIZENS: &[Promise] = &[
    (
        "register, and be answered alike whoever is registered",
        &[
            "citizens::a_person_registers_and_has_an_account_a_device_and_a_session",
            "citizens::whoever_is_registered_is_told_only_with_the_code",
            "contacts::whom_the_back_office_knows_comes_by_the_contact_on_record_and_is_the_same_person",
            "contacts::whoever_has_another_contact_is_answered_as_if_the_number_were_a_citizens",
        ],
    ),
    (
        "prove a contact by a code: once, for ten minutes, five tries",
        &[
            "citizen_attacks::a_code_is_tried_five_times_and_counts_once",
            "citizen_attacks::a_code_that_comes_often_at_once_lets_in_once",
            "citizen_attacks::a_code_is_the_devices_that_asked_and_ends_after_ten_minutes",
        ],
    ),
    (
        "be paid by a key, and give it up",
        &[
            "aliases::a_key_is_one_persons_until_they_give_it_up",
            "aliases::five_at_once_of_ten_that_are_asked_for_at_once",
        ],
    ),
    (
        "find somebody by a key, see a masked name, and wait when too many are nobody",
        &[
            "aliases::somebody_is_found_by_each_of_their_keys_and_seen_masked",
            "aliases::nobody_somebody_erased_and_somebody_frozen_are_one_answer",
            "aliases::who_finds_nobody_again_and_again_has_to_wait",
        ],
    ),
    (
        "sign in on a device that is known, and with a code on another one",
        &[
            "citizens::the_own_device_signs_in_at_once_and_another_one_with_a_code",
            "citizen_attacks::nobody_gets_in_without_a_proof_or_with_anothers",
            "citizen_attacks::a_stranger_learns_nothing_and_locks_nobody_out",
            "alike::a_citizen_who_stands_in_for_nobody_lets_nobody_in_and_loses_nothing",
        ],
    ),
    (
        "go on with a session whose tokens rotate, and lose it when one is used again",
        &[
            "citizens::a_session_goes_on_by_its_refresh_tokens_and_ends_when_it_is_told_to",
            "citizen_attacks::a_refresh_token_that_was_stolen_is_worth_nothing_and_one_that_was_copied_ends_its_session_alone",
            "citizen_attacks::the_token_before_is_good_for_ten_seconds_whatever_the_clocks_say",
            "citizen_attacks::twenty_at_once_with_one_refresh_token_get_one_successor",
        ],
    ),
    (
        "see sessions and devices and end them; a device that came later pays less for a day",
        &[
            "citizens::the_own_device_signs_in_at_once_and_another_one_with_a_code",
            "citizens::there_are_five_devices_at_most_and_a_tenant_may_have_no_citizens",
            "payments::a_new_device_pays_less_and_every_window_binds",
        ],
    ),
    (
        "start again without the telephone or the PIN; the back office begins that and chooses no secret",
        &[
            "citizens::who_has_lost_everything_recovers_and_what_was_is_over",
            "citizens::the_back_office_takes_devices_away_and_chooses_no_secret",
            "citizen_attacks::a_recovery_asks_alike_for_somebody_and_nobody",
        ],
    ),
    ("be reached elsewhere", &["contacts::a_citizen_has_another_contact_by_code_signature_and_pin"]),
    (
        "confirm by the device's signature over what was shown, and a PIN that counts only with it and locks at five",
        &[
            "transfers::a_wrong_pin_or_signature_moves_nothing_and_can_be_put_right_under_the_same_key",
            "confirming::the_fifth_wrong_pin_locks_it_and_only_the_device_can_do_that",
            "core/src/citizens/pin.rs::six_digits_that_are_not_tried_first",
        ],
    ),
    ("see the account and its balance", &["account::citizens_see_their_own_account_and_nobody_elses"]),
    (
        "see what moved, filtered, and take it along as a file",
        &[
            "statements::the_list_is_picked_by_type_direction_and_amount",
            "statements::a_csv_adds_up_and_runs_nothing",
            "statements::finance_programs_read_an_ofx",
            "statements::a_pdf_is_read_by_people",
        ],
    ),
    (
        "hand on a receipt that anybody verifies, and that names nobody else",
        &[
            "receipts::a_receipt_is_true_without_the_server_and_checked_by_anybody",
            "account::a_receipt_is_for_those_whom_it_names_and_names_no_others",
        ],
    ),
    (
        "freeze the account at once, and close it when nothing is left or under way",
        &[
            "account::stopping_is_easy_and_starting_is_hard",
            "leaving::nobody_leaves_while_a_withdrawal_is_on_its_way",
            "leaving::of_an_approval_and_a_closing_at_once_never_both_pass",
        ],
    ),
    (
        "pay somebody: be told fee and total, confirm, and be over in time if not; the payee is not told what it cost",
        &[
            "transfers::somebody_pays_what_they_were_shown_once",
            "transfers::a_transfer_that_nobody_confirms_in_time_is_over",
            "transfers::a_look_up_is_its_askers_and_a_transfer_says_to_whom_and_how_much",
            "payments::a_payer_is_told_the_price_and_pays_it_whatever_becomes_of_the_list",
        ],
    ),
    (
        "bring money in and take it out at par, whatever the bank says",
        &[
            "funding::a_top_up_is_credited_once_against_what_backs_it",
            "funding::what_is_not_funded_in_time_is_never_credited",
            "funding::what_the_bank_rejects_comes_back_and_waits_for_an_account_that_is_frozen",
            "leaving::money_that_comes_for_a_closed_account_is_said_to_be_nobodys_and_followed_no_more",
        ],
    ),
    (
        "lower limits at once and raise them after a day; nights have their own; two that race do not both pass",
        &[
            "transfers::limits_are_lowered_at_once_and_bind_a_confirmation",
            "core/src/payments/limits.rs::a_limit_goes_down_at_once_and_up_after_a_day",
            "payments::a_new_device_pays_less_and_every_window_binds",
            "payments::sixteen_devices_race_one_daily_limit_and_exactly_what_fits_passes",
        ],
    ),
    (
        "pay at a terminal what its code leads to, and nothing that the code only says",
        &[
            "charge_paying::somebody_pays_what_a_code_leads_to_once",
            "charge_paying::a_location_answers_what_is_signed_to_anybody",
            "charge_paying::codes_of_others_and_guesses_lead_nowhere",
        ],
    ),
    (
        "consent once, up to a cap, and take it back",
        &[
            "mandates::a_mandate_is_asked_for_consented_to_and_taken_back",
            "charge_paying::a_mandate_pays_without_a_pin_up_to_its_cap_and_not_after_it_was_revoked",
        ],
    ),
    (
        "hear what happens as it happens, and go on where one was cut off",
        &[
            "account::what_touches_an_account_is_pushed_to_its_owner_and_listed",
            "account::a_stream_ends_with_its_session_and_with_the_next_one",
        ],
    ),
    (
        "take along what is known, and be forgotten: what stays is said, and the log still verifies",
        &[
            "account::people_take_along_what_is_known_of_them_and_have_it_forgotten",
            "citizens::an_erased_person_is_no_citizen",
            "backups::a_base_backup_from_before_an_erasure_holds_nothing_that_can_be_read_of_who_was_erased",
        ],
    ),
];

/// What a terminal can rely on.
const TERMINALS: &[Promise] = &[
    (
        "come in by a code that is short-lived and its own, and lose no certificate to a lost answer",
        &[
            "terminals::a_device_comes_in_and_a_lost_answer_costs_nothing",
            "terminals::a_code_is_shown_once_and_one_devices_and_tried_a_few_times",
            "terminals::a_code_is_over_after_a_quarter_of_an_hour",
            "terminals::a_certificate_is_renewed_and_the_one_before_asks_for_that_one_only",
        ],
    ),
    (
        "nobody else is taken for it, and it is nobody any more once it is stopped",
        &[
            "terminals::nobody_comes_in_with_a_certificate_that_is_not_good",
            "terminals::a_certificate_in_a_header_is_worth_nothing_without_its_connection",
            "terminals::what_is_suspended_lost_or_revoked_is_refused_from_the_next_request_on",
        ],
    ),
    (
        "say that it is there, and hear what to do",
        &["terminals::a_terminal_says_that_it_is_there_and_hears_what_to_do"],
    ),
    (
        "ask for a charge by a name of its own, as often as it must, and hear when it is paid",
        &[
            "taking::a_charge_is_asked_for_once_and_paid_by_its_code_while_its_till_waits",
            "taking::messages_have_numbers_and_clocks_and_are_of_one_terminal_alone",
            "taking_nonsense::what_makes_no_sense_is_told_so_and_breaks_nothing",
        ],
    ),
    (
        "capture what is held in parts, or give it up",
        &[
            "taking::what_is_held_is_captured_in_part_or_given_up_and_the_rest_is_free",
            "charges::capture_expiry_and_cancellation_race_and_exactly_one_wins",
        ],
    ),
    (
        "take back what it is not sure of, before or after it came",
        &[
            "taking::a_reversal_is_believed_whether_or_not_the_charge_ever_came",
            "charges::a_reversal_may_come_first_and_a_late_original_finds_it",
        ],
    ),
    (
        "give back what was captured, and never more",
        &[
            "taking::what_was_captured_goes_back_in_parts_and_never_more_of_it",
            "charges::refunds_at_the_same_moment_never_exceed_the_capture",
            "charges::a_refund_waits_for_the_services_money_and_fails_in_the_end",
        ],
    ),
    ("end its day with a report that stays as it is", &["taking::a_day_ends_with_a_report_that_stays_as_it_is"]),
    (
        "never believe otherwise than the ledger, whatever the network does",
        &["tests/tests/simulation.rs::no_device_believes_otherwise_than_the_ledger"],
    ),
];

/// What a key stands for.
const KEYS: &[Promise] = &[
    (
        "a write without a key is refused, and another body under a key too",
        &["bad_input::what_is_no_request_at_all_is_refused", "http_ledger::a_key_has_one_answer_byte_for_byte"],
    ),
    (
        "a request under way is said to be so, which is not final",
        &["idempotency::a_request_under_way_is_said_to_be_so_which_is_not_final"],
    ),
    (
        "a key is its caller's, and stands for the canonical body without what proves the caller",
        &[
            "idempotency::a_key_is_its_callers_own_and_tells_nobody_who_may_not_ask_any_more",
            "transfers::a_wrong_pin_or_signature_moves_nothing_and_can_be_put_right_under_the_same_key",
            "api/src/canonical.rs::the_form_is_that_of_the_reference_implementation",
        ],
    ),
    (
        "the answer is kept in the commit of what it answers, whatever dies in between",
        &[
            "faults::the_api_killed_twenty_times_under_load_loses_and_doubles_nothing",
            "faults::connections_cut_in_the_middle_leave_every_key_definite",
            "writer::one_key_sent_through_two_processes_has_one_effect",
        ],
    ),
    (
        "a key is known for ever, and answered alike when the bytes of its answer are gone",
        &[
            "http_ledger::an_answer_outlives_the_bytes_that_were_kept_of_it",
            "http_ledger::an_answer_too_large_to_keep_is_rendered_again_the_same",
        ],
    ),
    (
        "what depends on state is kept, declines too; what was wrong with the request is not",
        &[
            "writer::a_refusal_is_frozen_under_its_key",
            "api/src/problem/catalogue.rs::only_refusals_that_depend_on_state_are_frozen",
            "http_ledger::a_key_has_one_answer_byte_for_byte",
        ],
    ),
    (
        "a lost answer is found by its key",
        &[
            "http_ledger::a_key_has_one_answer_byte_for_byte",
            "typescript::two_people_pay_each_other_with_the_client_and_a_lost_answer_moves_nothing_twice",
        ],
    ),
    (
        "an answer that is given again says so, and only to who may still ask",
        &[
            "idempotency::a_key_is_its_callers_own_and_tells_nobody_who_may_not_ask_any_more",
            "tenants::what_was_decided_binds_and_is_told",
        ],
    ),
    (
        "what is told again has the id that it had",
        &[
            "webhooks::what_a_dead_worker_had_claimed_is_delivered_and_its_late_word_does_not_count",
            "integrators::a_broker_killed_under_load_loses_no_event",
        ],
    ),
];

/// Whether a file has a test of this name.
fn has(file: &Path, name: &str) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.windows(3).any(|some| {
        let is_test = some[..2].iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
        is_test && some[1..].iter().any(|line| line.contains(&format!("fn {name}(")))
    })
}

#[test]
fn every_promise_has_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut said = BTreeSet::new();
    for (promise, tests) in [REQUESTS, CITIZENS, TERMINALS, KEYS].concat() {
        assert!(said.insert(promise), "{promise}: it stands twice");
        assert!(!tests.is_empty(), "{promise}: nothing holds us to it");
        for test in tests {
            let (place, name) = test.rsplit_once("::").unwrap();
            let file = match place.strip_suffix(".rs") {
                Some(_) => root.join(place),
                None => root.join("tests/tests/flows").join(place).with_extension("rs"),
            };
            assert!(has(&file, name), "{promise}: there is no test {test}");
        }
    }
}
