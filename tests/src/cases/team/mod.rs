//! Users and departments.

pub mod assigning;
pub mod assigning_crowds;
mod department_changes;
mod departments;
mod invites;
mod leaving;
mod members;
mod roles;
mod scenario;
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
            what_somebody_held_who_leaves_is_given_to_another,
            what_is_reopened_goes_to_nobody_who_has_left,
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
        invites::{
            the_link_in_the_mail_opens_the_invite,
            admins_are_told_of_who_waits_and_who_waited_of_being_let_in,
            a_new_person_comes_with_a_name_and_a_password,
            somebody_of_elsewhere_comes_with_their_own_password,
            of_many_who_come_by_one_link_one_does,
            a_link_that_is_altered_opens_nothing,
            an_invite_ends_by_time_and_by_being_revoked,
            members_are_not_invited_and_removed_ones_come_back_by_an_invite,
            a_user_without_a_password_is_invited,
            pages_hold_every_invite_once_while_others_come_and_go,
        };
        leaving::{
            five_hundred_conversations_go_back_in_one_transaction,
            what_is_open_ends_at_once_and_does_not_come_back,
            who_is_out_counts_in_no_department_and_who_is_removed_belongs_to_none,
            what_somebody_did_keeps_their_name,
            another_company_of_theirs_notices_nothing,
            nobody_is_given_anything_while_they_leave,
        };
        members::{
            a_person_with_a_password_is_in_at_once,
            who_is_brought_in_is_told_what_is_wrong,
            a_student_is_a_client_with_a_login,
            who_awaits_approval_is_let_in_with_a_role,
            only_what_is_given_changes,
            a_picture_is_ones_own_and_seen_by_all_staff,
            companies_know_of_a_person_what_was_said_in_them,
        };
        roles::{
            of_two_admins_who_demote_each_other_one_stays,
            whatever_two_admins_do_to_each_other_one_stays,
            the_last_admin_stays,
            a_new_role_holds_from_this_moment,
            students_become_no_staff_and_staff_no_students,
            supervisors_decide_about_agents_and_students,
        };
        scenario::{
            somebody_comes_works_and_is_let_go,
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
