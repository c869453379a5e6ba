//! Users and departments.

pub mod assigning;
pub mod assigning_crowds;
mod department_changes;
mod departments;
mod users;

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        assigning::{
            what_waits_is_given_to_who_is_online,
            client_hears_nothing_until_somebody_answers,
            what_came_before_anybody_was_online_is_given_to_who_comes,
            who_was_unheard_for_a_while_comes_back_with_a_ping,
            nobody_is_given_more_than_their_capacity,
            round_robin_goes_to_whom_was_given_one_the_longest_ago,
            many_at_once_are_dealt_out_evenly,
            least_busy_goes_to_who_holds_the_fewest,
            every_way_to_wait_leads_to_somebody,
            who_joins_a_department_is_given_what_waits_in_it,
        };
        assigning_crowds::{
            none_is_given_twice_and_none_forgotten,
            a_crowd_that_waits_is_given_to_a_crowd_that_comes,
        };
        department_changes::{
            what_is_given_changes_and_the_rest_stays,
            a_name_is_taken_whatever_its_case_and_accents,
            members_see_what_waits_from_the_moment_they_join_and_no_longer,
            what_a_member_holds_stays_theirs,
            only_active_staff_become_members,
            a_department_in_use_is_deleted_only_with_somewhere_to_go,
            nothing_is_left_in_a_department_that_is_gone,
            two_departments_do_not_both_go_to_the_other,
            a_flow_that_hands_over_to_it_goes_with_it,
        };
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
