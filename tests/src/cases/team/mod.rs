//! Users and departments.

mod departments;
mod users;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        departments::{
            a_department_has_its_members,
            names_are_unique_whatever_their_case,
            a_new_department_is_told_to_staff,
            waiting_conversations_are_counted,
            strangers_and_students_cannot_be_members,
        };
        users::{
            people_are_listed_by_name,
            filters_narrow_the_list,
            search_ignores_case_and_accents,
            pages_hold_everybody_once,
            open_sockets_make_people_online,
            a_chosen_status_is_for_all_connections,
            hashes_are_never_shown,
        };
    }
}
