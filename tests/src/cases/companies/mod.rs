//! Companies: their settings, each where it acts, and further companies of one person.

mod founding;
mod settings;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        founding::{
            a_further_company_is_its_founders_and_empty,
            names_may_be_alike_and_slugs_are_not,
            a_person_founds_only_so_many,
            another_company_is_not_shown_from_this_one,
        };
        settings::{
            only_what_is_given_changes,
            what_agents_see_follows_at_once,
            a_client_who_writes_too_late_begins_anew,
            words_at_a_takeover_are_the_companys,
            clients_are_told_who_writes_where_the_company_wants_it,
            without_the_bot_clients_wait_for_people,
            new_people_begin_with_the_companys_language_and_zone,
            of_two_who_save_at_once_one_is_told,
            settings_are_the_admins,
            logins_are_as_strict_as_the_company_says,
        };
    }
}
