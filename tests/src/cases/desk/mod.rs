//! The service desk: what comes in, what goes out, who sees it and who has the word.

mod account;
mod afterwards;
mod authors;
mod bot;
mod bulk;
mod changes;
mod checked_files;
mod countries;
mod crowds;
mod direct_uploads;
mod early;
mod echoes;
mod finding;
mod groups;
mod holding;
mod identity;
mod joining;
mod joining_rows;
mod kinds;
mod later;
mod lists;
mod main_job;
mod media;
mod minimum;
mod notices;
mod openings;
mod outbox;
mod outgoing_files;
mod participants;
mod people;
mod preferences;
pub mod prepared;
mod protocols;
mod ratings;
mod reading;
mod resuming;
mod searching;
mod sending;
mod shared_objects;
mod sight;
mod sockets;
mod starting;
mod statuses;
mod takeovers;
pub mod templates;
mod timed;
mod transfers;
mod upkeep;
mod visibility;
mod waiting;
mod webhooks;
mod words;

use super::{Case, cases};

#[expect(clippy::too_many_lines, reason = "a list")]
pub fn together() -> Vec<(&'static str, Case)> {
    cases! {
        afterwards::{
            hidden_message_is_blank_for_staff_and_stays_with_the_client,
            what_a_client_said_is_a_supervisors_to_hide,
            failed_message_is_mended_before_it_is_sent_again,
            message_hidden_before_it_is_sent_never_goes_out,
            words_changed_while_they_are_sent_are_what_the_client_has,
            words_that_were_not_sent_yet_are_changed_and_others_are_not,
            failed_message_is_sent_again_once,
            reaction_goes_out_and_is_shown_on_its_message,
            reaction_is_one_emoji_to_what_the_client_has,
            message_is_sent_on_to_whom_the_caller_may_write,
            message_is_read_with_all_before_it_and_shows_what_it_said_before,
        };
        later::{
            planned_message_goes_out_at_its_time_and_once,
            what_may_not_be_sent_when_it_is_due_says_why,
            planned_message_is_changed_and_called_off,
            templates_and_files_are_planned_and_go_out,
            what_is_planned_is_judged_when_it_is_planned,
            what_is_planned_is_judged_again_when_it_is_due,
            planned_message_becomes_one_of_another_kind,
        };
        starting::{
            staff_write_first_and_only_a_template_goes_out,
            open_conversation_is_found_and_its_rules_hold,
            who_cannot_be_written_to_is_refused,
            those_who_begin_at_once_find_one_conversation,
            message_to_a_phone_goes_out_once,
        };
        bulk::{
            each_is_judged_by_itself_and_told_as_if_alone,
            tags_priority_and_reading_of_many,
            crowds_change_the_same_in_any_order,
            five_hundred_are_changed_in_one_request,
        };
        participants::{
            a_merge_brings_them_and_its_undoing_takes_them_back,
            only_active_staff_of_the_company_follow,
            who_follows_sees_and_hears_it_wherever_it_is,
        };
        preferences::{
            conversation_is_muted_for_one_person_alone,
            muting_at_once_and_out_of_sight,
            muted_conversation_stays_so_with_whom_it_becomes_part_of,
        };
        templates::{
            templates_are_fetched_from_every_page_and_followed,
            template_goes_out_when_nothing_else_may,
            what_whatsapp_would_refuse_is_refused_before,
            same_template_is_sent_once,
            whatsapp_tells_what_becomes_of_a_template,
            without_whatsapp_templates_stay_as_they_are,
        };
        words::{
            words_are_found_without_accents_by_their_stems_and_shown,
            filters_are_decided_before_the_page_is_cut,
            nobody_finds_what_they_do_not_see,
            every_density_is_found_whole,
        };
        main_job::{ a_message_reaches_an_agent_and_is_answered };
        kinds::{
            text_opens_a_waiting_conversation_with_its_window,
            image_keeps_its_caption,
            voice_note_is_told_from_an_audio_file,
            video_is_stored,
            document_keeps_its_name,
            sticker_is_stored,
            location_has_coordinates_whether_numbers_or_text,
            contacts_keep_the_whole_card,
            tapped_buttons_and_rows_keep_their_ids,
            button_of_a_template_and_of_a_flow_are_stored,
            order_keeps_its_items,
            unsupported_and_unknown_types_are_kept_whole,
            first_contact_without_words_is_stored,
            changed_number_stays_the_same_client,
            reply_and_advertisement_travel_with_the_message,
        };
        changes::{
            reaction_is_added_replaced_and_removed,
            late_older_reaction_changes_nothing,
            reaction_to_the_agents_message_is_shown_on_it,
            edit_replaces_the_text_and_keeps_the_old_one,
            message_taken_back_is_marked_told_and_blank,
            file_of_a_message_taken_back_is_not_shown,
            preview_follows_changes_of_the_message_it_shows_only,
            older_edit_after_a_newer_one_does_not_win,
        };
        early::{
            edits_wait_for_their_message,
            early_and_late_edits_stand_in_whatsapps_order,
            message_taken_back_early_is_never_shown,
            reactions_wait_for_their_message_and_are_no_words,
            reaction_to_an_unknown_message_starts_no_turn,
            early_change_sent_twice_is_made_once,
            change_at_the_moment_of_its_message_is_not_lost,
            changes_nobody_waits_for_are_swept,
        };
        authors::{
            another_client_changes_nothing,
            change_of_another_client_that_waits_changes_nothing,
            words_of_the_other_side_stand,
            client_of_several_ids_changes_their_own,
            answer_to_another_clients_message_names_none,
        };
        notices::{
            notice_is_shown_and_is_no_word_of_the_client,
            notice_opens_and_reopens_nothing_and_is_still_heeded,
        };
        echoes::{
            file_sent_on_the_phone_arrives_as_the_agents,
            reactions_of_both_sides_stand_beside_each_other,
            reaction_on_the_phone_waits_for_its_message,
            edit_and_revocation_on_the_phone_are_followed,
            statuses_before_the_echo_are_merged,
            status_at_the_moment_of_its_echo_is_not_lost,
        };
        identity::{
            mobile_with_and_without_the_ninth_digit_is_one_client,
            answer_goes_to_the_number_as_whatsapp_gave_it,
            landlines_get_no_ninth_digit,
            person_without_a_visible_number_is_served_and_linked_later,
            changed_user_id_stays_the_same_client,
            same_number_in_two_companies_is_two_clients,
        };
        countries::{
            argentine_with_and_without_the_nine_is_one_client,
            mexican_with_and_without_the_one_is_one_client,
            both_writings_at_once_are_one_client,
            different_numbers_of_a_country_stay_apart,
            answer_goes_to_the_writing_that_wrote_last,
            every_writing_finds_the_client,
        };
        groups::{
            nothing_of_a_group_is_stored_told_or_answered,
            statuses_of_groups_are_left_alone,
        };
        people::{
            marketing_stopped_and_resumed_is_the_clients_consent,
            refusal_is_known_before_anybody_writes,
            address_book_names_clients_whom_staff_have_not_named,
            address_book_makes_no_clients,
        };
        account::{
            admins_alone_are_told_where_a_person_must_act,
            what_nobody_must_act_on_is_kept_by_its_name,
            account_of_two_companies_is_told_to_the_number_it_names_only,
            typed_account_of_another_company_tells_nothing,
            number_just_connected_is_told_before_its_first_message,
            notice_for_an_account_of_nobody_is_kept,
            what_is_of_a_number_is_not_guessed_from_its_account,
            changed_user_id_is_followed_by_the_account_alone,
        };
        joining::{
            message_of_two_clients_makes_them_one_with_all_messages_in_order,
            older_client_stays_whichever_id_it_has,
            conversation_that_people_hold_goes_on,
            client_with_one_open_conversation_keeps_it,
            repeated_proof_changes_nothing,
            many_proofs_at_once_join_once,
            echo_and_changed_ids_prove_it_too,
            answer_goes_where_the_client_was_last_heard_of,
            what_waits_to_be_delivered_is_sent_in_order,
            message_sent_again_after_the_join_is_the_same,
            bot_answers_what_came_with_the_other_conversation,
        };
        joining_rows::{
            everything_that_names_a_client_follows,
            what_a_join_changes_is_kept_as_it_was,
            metadata_that_is_too_long_together_stays_apart,
            open_socket_of_a_joined_student_hears_on,
            socket_that_opens_while_its_student_is_joined_hears_on,
        };
        media::{
            picture_arrives_measured_and_is_downloaded,
            voice_note_arrives_with_its_duration,
            video_sticker_and_document_arrive,
            name_that_climbs_folders_is_only_a_name,
            program_in_disguise_is_only_ever_saved,
            file_is_fetched_again_after_whatsapp_was_down,
            nobody_completes_a_file_that_a_client_sends,
            file_whatsapp_has_no_more_is_marked_failed,
            file_that_could_not_be_fetched_is_given_up_and_told,
            replayed_media_is_fetched_once,
            files_are_out_of_sight_with_their_conversation,
        };
        statuses::{
            every_step_is_told_once_and_in_order,
            status_never_goes_backward,
            played_voice_note_counts_as_read,
            failure_says_why_and_a_later_delivery_wins,
            statuses_faster_than_the_answer_are_kept,
            statuses_before_the_message_is_known_are_merged,
            proof_of_arrival_wins_over_a_failure_told_as_early,
            lost_answer_is_recovered_by_its_status,
            status_of_a_message_nobody_knows_is_answered,
            reordered_by_whatsapp_they_end_as_read,
        };
        webhooks::{
            address_is_verified_with_the_token_only,
            unsigned_and_wrongly_signed_are_refused_and_nothing_is_stored,
            one_broken_item_of_ten_spoils_no_other,
            item_the_database_refuses_spoils_no_other,
            replay_five_times_at_once_is_one_message,
            late_message_stands_where_it_belongs,
            three_megabytes_are_accepted_and_more_than_four_refused,
            webhook_for_an_unknown_number_is_kept,
            one_webhook_may_name_two_companies,
            webhook_of_a_thousand_messages_is_stored_in_parts,
            nul_characters_in_texts_are_replaced,
            what_nobody_can_read_is_kept_and_answered,
            element_that_cannot_be_read_spoils_no_other,
            bytes_that_are_no_text_are_not_what_was_signed,
            unreadable_part_of_one_company_is_kept_with_it,
            strange_but_readable_webhooks_are_answered,
            wild_times_count_as_now,
            row_that_cannot_be_read_spoils_no_other,
        };
        openings::{
            client_who_writes_soon_after_the_end_reopens,
            client_who_writes_long_after_the_end_opens_a_new_one,
            twenty_webhooks_of_a_new_client_open_one_conversation,
            message_typed_on_the_phone_pauses_the_bot_and_counts_as_a_human_reply,
            message_typed_on_the_phone_may_begin_a_conversation,
        };
        lists::{
            categories_and_assignees_are_filtered_and_counted,
            other_fields_are_filtered,
            nonsense_in_filters_is_refused,
            cursors_at_the_edges_of_time_are_no_mistake_of_ours,
            search_finds_names_phones_and_words,
            pages_lose_and_repeat_nothing,
            messages_are_paged_and_shown_around_one,
        };
        finding::{
            status_has_other_words_in_any_case,
            channels_are_filtered_by_id_and_kind,
            handled_by_finds_what_somebody_ever_held_or_wrote_in,
            oldest_first_is_the_same_list_the_other_way_round,
            several_values_are_any_of_them,
        };
        ratings::{
            all_else_is_a_message_like_any_other,
            client_is_asked_where_the_company_or_the_closing_wants_it,
            crowds_rate_at_once_each_once,
            figure_rates_a_closed_conversation_and_wakes_nobody,
            merged_client_rates_what_was_theirs,
            question_that_has_not_gone_out_is_not_answered,
        };
        reading::{
            messages_go_on_in_both_directions,
            window_is_shown_in_either_order,
            window_around_a_message_elsewhere_is_not_found,
            reading_up_to_a_message_elsewhere_is_not_found,
            messages_tell_whether_they_were_read,
            metadata_is_answered_and_has_a_limit,
        };
        minimum::{
            shortest_message_is_a_text,
            same_key_never_sends_twice,
            key_is_its_senders_own,
            media_url_names_files_of_ours_only,
        };
        takeovers::{
            client_is_told_who_goes_on,
            takeover_from_the_bot_stops_it_and_greets,
            companies_word_it_themselves_or_say_nothing,
            automatic_words_are_no_reply,
            nothing_is_said_after_the_window,
        };
        transfers::{
            history_has_every_change_of_hands,
            handover_of_the_bot_to_a_department_leaves_a_row,
            history_is_paged_in_either_order,
            history_is_out_of_sight_with_its_conversation,
        };
        upkeep::{
            people_change_what_a_conversation_is_about,
            one_of_ten_changes_of_the_same_version_counts,
            another_tag_does_not_silence_the_bot,
            supervisors_give_what_anybody_holds,
            what_is_closed_is_opened_again_once,
            a_client_has_one_open_conversation_whoever_opens_another,
            what_is_marked_unread_is_unread_for_staff_only,
            stats_count_what_the_caller_sees,
        };
        protocols::{
            each_conversation_has_a_number_of_its_day,
            nobody_waits_for_a_number,
            clients_are_told_the_number_where_the_company_says_it,
        };
        timed::{
            the_bot_comes_back_at_its_time_and_answers,
            people_and_the_bot_take_turns,
            without_a_bot_nothing_goes_to_it,
            the_bot_does_not_take_what_was_given_to_somebody_else,
            a_snooze_ends_at_its_time_once,
            a_snooze_ends_when_the_client_writes_or_somebody_says_so,
        };
        waiting::{
            waiting_times_are_kept_whoever_moves_it,
            waiting_begins_with_the_bots_handover,
            node_of_the_bot_is_shown_while_it_waits,
        };
        searching::{
            search_reaches_the_last_match_of_what_the_caller_sees,
            search_reads_no_more_messages_than_it_must,
            anything_typed_is_a_search,
            signs_within_words_hide_nothing,
        };
        sight::{
            no_type_of_frame_reaches_who_lost_sight,
            typing_is_not_taken_from_who_lost_sight,
        };
        crowds::{
            many_listeners_are_told_everything_once,
            many_listeners_are_told_in_order,
            the_greatest_revision_is_the_row_as_it_is,
            who_loses_sight_in_a_crowd_is_told_nothing_from_then_on,
            handover_that_fails_holds_up_its_own_group_only,
        };
        visibility::{
            company_shows_everything_to_every_agent,
            department_shows_its_own,
            own_shows_what_waits_and_what_one_holds,
            students_see_no_conversations_of_others,
            another_company_sees_nothing,
            sockets_hear_only_what_their_person_sees,
            department_change_moves_sight_at_once,
        };
        sending::{
            nobody_talks_over_the_bot,
            only_the_holder_and_supervisors_answer,
            nothing_goes_out_after_the_end_or_outside_the_window,
            same_client_message_id_is_sent_once,
            message_sent_again_is_answered_whatever_became_of_its_conversation,
            client_message_id_is_for_one_message_only,
            answer_quotes_a_message_of_its_conversation_only,
            texts_have_their_limits,
            location_goes_out,
            cards_choices_and_stickers_go_out,
            files_must_be_of_their_kind,
        };
        outgoing_files::{
            picture_goes_out_with_its_caption,
            voice_note_goes_out_as_one,
            document_goes_out_with_its_name,
            names_lose_folders_and_tricks,
            names_end_as_their_type_does,
            forbidden_types_and_sizes_are_not_announced,
            bucket_takes_only_what_was_announced,
            content_of_another_type_is_refused_and_removed,
            file_sent_again_elsewhere_is_seen_there_too,
            uploads_are_their_owners_until_sent,
            upload_is_taken_away_by_its_owner_until_it_is_sent,
        };
        direct_uploads::{
            file_comes_as_a_form_or_as_bytes,
            direct_upload_is_what_its_bytes_are,
            unreadable_forms_and_other_companies_are_refused,
            files_over_four_megabytes_go_another_way,
            many_direct_uploads_at_once_are_files_of_their_own,
        };
        prepared::{
            picture_of_a_client_is_shown_smaller_to_who_sees_it,
            files_without_smaller_pictures_say_so,
            voice_note_of_a_client_gets_its_waveform,
            videos_say_how_long_and_how_large_they_are,
            recording_of_a_browser_goes_out_as_a_voice_note,
            many_files_of_many_people_are_each_prepared_once,
        };
        checked_files::{
            replaced_upload_is_neither_served_nor_sent,
            form_writes_nothing_but_its_upload,
            completed_many_times_at_once_is_completed_once,
            replacement_at_the_moment_of_the_check_is_never_served_unchecked,
            documents_are_looked_into,
            unsafe_files_of_clients_are_kept_and_only_ever_saved,
            names_with_characters_that_nobody_sees_are_refused_or_cleaned,
            file_of_a_message_taken_back_is_nobodys,
            file_stays_while_another_message_with_it_stands,
            file_of_a_message_taken_back_early_is_never_fetched,
            file_on_its_way_when_its_message_is_taken_back_never_becomes_readable,
        };
        shared_objects::{
            same_content_is_one_object_until_its_last_file_goes,
            same_content_from_everywhere_at_once_is_one_object,
            content_that_goes_while_it_comes_again_is_there,
            content_taken_back_by_a_client_stays_where_staff_have_it,
        };
        outbox::{
            ten_quick_messages_arrive_in_their_order,
            concurrent_messages_are_each_sent_once_in_the_threads_order,
            busy_whatsapp_is_asked_again_in_order,
            busy_recipient_is_written_again_in_order,
            too_many_requests_without_a_code_are_asked_again,
            refused_message_fails_with_its_reason_and_the_next_goes_out,
            failure_told_later_by_status_is_shown,
            refused_token_breaks_the_channel_until_it_is_renewed,
            unknown_outcome_is_never_sent_again,
            passing_error_is_tried_again,
            one_clients_pause_holds_up_nobody_else,
            read_marks_reach_whatsapp,
            read_up_to_one_message_leaves_the_later_ones,
        };
        holding::{
            one_of_twenty_agents_wins,
            loser_who_may_not_see_it_any_more_is_told_so,
            greeting_after_the_window_takes_nothing_over,
            greeting_of_the_takeover_reaches_the_client,
            takeover_during_a_turn_silences_the_bot,
            takeover_at_the_moment_of_a_message_leaves_one_voice,
            transfer_to_a_person_is_told_to_them,
            transfer_to_a_department_waits_there,
            only_the_holder_moves_it_and_only_to_somebody,
            closed_is_closed_for_everybody,
            every_act_moves_the_fence,
        };
        bot::{
            menu_greets_by_name_and_answers_taps,
            numbers_and_titles_are_understood_too,
            global_words_work_anywhere,
            twice_not_understood_is_handed_over,
            outside_the_hours_it_says_so,
            more_than_three_options_become_a_list,
            more_than_ten_options_become_numbered_text,
            several_quick_messages_are_answered_together,
            replayed_message_is_answered_once,
            what_is_no_answer_leaves_the_bot_waiting,
            voice_note_is_no_answer_to_a_question,
            first_contact_without_words_is_greeted,
            questions_keep_answers_and_the_end_closes,
            flow_that_cannot_be_read_hands_over,
            handover_to_a_department_that_is_gone_waits_for_everybody,
        };
        sockets::{
            ticket_opens_one_socket_only,
            front_ends_that_add_the_ticket_to_the_url_are_let_in,
            ticket_of_an_ended_session_opens_nothing,
            socket_that_opens_while_logging_out_is_refused,
            what_is_not_understood_is_answered_with_an_error,
            frames_over_the_gateways_limit_end_the_socket,
            topics_that_are_not_ones_own_are_refused,
            after_unsubscribing_nothing_comes,
            typing_is_told_to_those_who_follow_and_not_stored,
            presence_is_seen_by_colleagues_only,
            presence_set_in_many_tabs_at_once_is_set,
            presence_renewed_during_the_sweep_goes_on,
            too_many_messages_are_limited,
            large_event_comes_without_data_and_with_its_path,
            ended_session_loses_its_sockets,
            socket_hears_of_its_sessions_company_only,
        };
        resuming::{
            who_was_away_gets_exactly_what_the_feed_has,
            who_missed_much_gets_a_part_and_reads_on,
            live_frames_and_the_feed_are_the_same_events,
            feed_is_paged_without_loss,
            cursors_that_mean_nothing_ask_for_a_fresh_load,
            screens_carry_the_cursor_to_continue_from,
        };
    }
}
