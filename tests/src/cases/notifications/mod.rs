//! What people are told of while they look elsewhere.

pub mod web_push;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use web_push as notifications_web_push;
    cases! {
        notifications_web_push::{
            web_push_is_opened_by_the_browser_alone,
            web_push_of_one_browser_again_is_kept_anew,
            web_push_is_whose_who_subscribed_last,
            web_push_of_two_people_at_once_is_one_persons,
            web_push_of_one_person_in_two_companies_is_both,
            web_push_is_for_twenty_browsers_of_a_person,
            web_push_ends_with_its_session,
            web_push_ends_however_late_it_was_asked_for,
            web_push_is_for_browsers_only,
            web_push_services_are_believed,
            web_push_leads_out_of_our_networks,
            web_push_addresses_are_shown_to_nobody,
        };
    }
}
