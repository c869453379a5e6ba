//! Sign-up, login, sessions, companies of a person.

mod companies;
mod login;
mod logins;
mod passwords;
pub mod refreshing;
mod register;
mod resets;
mod sessions;
mod two_factor;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        companies::{
            a_person_of_two_companies_chooses_one,
            a_login_enters_the_primary_company_else_the_oldest,
            of_many_who_choose_at_once_the_last_one_holds,
            only_ones_own_active_companies_can_be_chosen,
            the_session_chosen_from_goes_on,
            logging_out_ends_every_session_of_the_login,
            a_reused_token_ends_every_session_of_the_login,
            a_session_chosen_ends_when_its_login_does,
            a_company_chosen_while_logging_out_is_left_too,
        };
        login::{
            a_login_says_who_and_where,
            wrong_unknown_and_inactive_are_told_alike,
            five_failures_lock_the_account_for_that_address,
            successes_do_not_count_as_failures,
            many_tries_at_once_are_counted,
            an_inactive_member_cannot_enter,
            what_a_request_says_of_its_way_does_not_evade_the_guard,
        };
        logins::{
            devices_are_seen_with_their_place,
            one_of_them_is_ended_at_once_everywhere,
            all_others_are_ended_and_this_one_goes_on,
            what_nobody_uses_is_over_when_the_company_says,
            a_login_ends_after_thirty_days,
        };
        passwords::{
            who_knows_the_old_one_chooses_another,
            the_old_one_is_asked_for_and_counted,
            it_is_changed_with_the_rest_of_a_person_too,
            of_many_changes_from_one_password_one_is_made,
            what_is_beyond_the_first_bytes_of_a_password_counts,
            a_new_one_is_hard_to_guess,
            links_are_for_members_and_asked_for_by_admins,
        };
        refreshing::{
            refreshing_gives_another_token_of_the_session,
            an_older_token_is_usable_until_its_successor_is_used,
            twenty_at_once_are_answered_alike,
            a_front_end_that_keeps_its_first_token_lives_on,
            a_token_before_the_last_one_is_refused_at_once,
            a_token_rotated_before_successors_were_derived_keeps_its_grace,
            tokens_and_sessions_have_their_ends,
            unknown_and_expired_tokens_are_refused,
            a_token_refreshed_while_logging_out_is_worth_nothing,
        };
        register::{
            a_new_company_has_its_first_admin,
            a_member_to_be_waits_for_approval,
            a_known_email_changes_nothing_and_is_not_told,
            guessable_passwords_are_refused,
            an_address_that_mail_cannot_reach_is_refused,
            who_names_no_company_joins_the_default_one,
            two_who_found_the_default_company_at_once_are_one_admin,
            an_unknown_company_is_named,
            company_names_may_repeat,
            passwords_are_kept_as_hashes_only,
        };
        resets::{
            a_forgotten_password_is_set_by_the_link,
            a_link_is_good_once_for_half_an_hour,
            who_has_an_account_is_not_told_by_asking,
            nobody_fills_a_mailbox,
            a_new_device_is_told_of,
            what_opens_one_thing_opens_no_other,
            an_address_is_one_however_it_is_written,
        };
        sessions::{
            me_is_who_signed_in,
            logout_ends_the_session_at_once,
            logout_ends_one_session_only,
            a_changed_role_ends_the_old_claims,
        };
        two_factor::{
            an_app_is_set_up_with_its_first_code,
            codes_are_taken_a_step_early_or_late_and_never_again,
            of_twenty_who_come_with_one_code_one_is_let_in,
            a_recovery_code_opens_once,
            five_wrong_codes_are_followed_by_a_pause,
            a_challenge_is_its_logins_and_short_lived,
            who_must_have_one_reaches_nothing_but_its_set_up,
            a_company_asks_for_itself_only,
            secrets_ask_for_a_fresh_code_of_who_has_one,
            without_a_second_factor_logins_are_as_before,
            nothing_of_a_second_factor_is_kept_in_the_clear,
            its_owner_is_told_what_becomes_of_it,
        };
    }
}
