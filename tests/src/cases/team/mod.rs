//! Users and departments.

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
