//! Instances at Evolution API servers, each test with a server of its own in the sandbox.

mod evolution_checked;
mod evolution_connected;
mod evolution_kept_apart;
pub mod evolution_killed;
mod evolution_made;
mod evolution_messages;
mod evolution_removed;
mod evolution_saved;
mod evolution_sending;
mod evolution_served;
mod evolution_together;
mod line;

use reqwest::Method;
use serde_json::{Value, json};
pub use tests::evolution::Server;
use tests::{Answer, Company, Stack, Wanted, company::text};

use crate::Case;

const INSTANCES: &str = "/whatsapp/instances";

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, ..Wanted::default() }).await
}

async fn create(company: &Company, server: &Server, name: &str) -> Value {
    company.admin.api.post(INSTANCES, server.body(name)).await.expect(201)
}

pub(super) async fn act(company: &Company, instance: &Value, what: &str) -> Answer {
    company.admin.api.post(&format!("{INSTANCES}/{}/{what}", text(&instance["id"])), json!({})).await
}

async fn remove(company: &Company, instance: &Value, how: &str) -> Answer {
    let path = format!("{INSTANCES}/{}?{how}", text(&instance["id"]));
    company.admin.api.call(Method::DELETE, &path, None).await
}

/// An instance whose code somebody has scanned, as we know it then.
pub async fn open(stack: &Stack, company: &Company, server: &Server, (name, number): (&str, &str)) -> Value {
    let made = create(company, server, name).await;
    server.scan(stack, &made, number).await;
    act(company, &made, "test").await.expect(200)["instance"].clone()
}

/// The schedule runs, as if nobody had asked after this company's instances for a while.
pub(super) async fn check(stack: &Stack, company: &Company) {
    let long_ago = "update evolution_instances set told_at = now() - interval '1 day' where company_id = $1";
    stack.database().await.execute(long_ago, &[&company.id]).await.expect("time passes");
    let fired = stack.control("POST", "/fire/CheckChannels", None).await;
    assert!(fired["error"].is_null(), "{fired}");
}

async fn listed(company: &Company) -> Vec<Value> {
    let page = company.admin.api.get(INSTANCES).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        evolution_checked::{
            an_instance_that_goes_down_is_told_to_admins_once,
            a_server_that_is_dead_is_noticed_and_comes_back,
            a_moment_of_silence_is_no_news,
            all_instances_are_asked_at_once,
            an_instance_that_was_not_made_is_made_by_the_next_check,
        };
        evolution_connected::{
            a_code_is_shown_until_somebody_scans_it,
            a_number_is_paired_by_a_code_to_type,
            a_number_is_connected_once,
            restarting_needs_a_phone,
            logging_out_twice_is_fine,
            what_the_server_answers_is_told,
        };
        evolution_kept_apart::{
            keys_are_kept_where_nobody_finds_them,
            another_companys_instances_are_not_there,
            a_server_that_redirects_is_not_followed,
            addresses_that_lead_inside_are_not_called,
            agents_see_instances_and_no_codes,
        };
        evolution_made::{
            an_instance_is_made_with_its_webhooks,
            a_request_sent_again_makes_one_instance,
            the_server_is_remembered,
            what_the_server_refuses_makes_nothing,
            an_instance_whose_answer_was_lost_is_ours_after_all,
            a_name_that_somebody_took_meanwhile_is_refused,
        };
        evolution_messages::{
            a_message_comes_in_once_however_often_it_is_told,
            secrets_open_their_own_channel_only,
            an_answer_goes_out_once_and_its_echo_is_itself,
            files_places_and_reactions_go_both_ways,
            who_writes_by_two_providers_and_two_ids_is_one_client,
            the_phones_state_is_told_by_the_server_itself,
            what_is_longer_than_anybody_writes_is_kept_in_part_and_pages_have_room,
            codes_and_names_that_are_none_are_not_kept,
        };
        evolution_removed::{
            an_instance_goes_and_what_was_said_stays,
            its_conversations_are_closed_if_that_is_wanted,
            a_dead_server_keeps_an_instance_unless_it_is_forced,
        };
        evolution_saved::{
            an_instance_that_is_there_is_connected_with_either_key,
            an_instance_belongs_to_one_channel,
            an_instance_that_is_saved_again_keeps_its_webhooks,
        };
        evolution_sending::{
            words_of_staff_are_changed_at_the_clients,
            what_staff_delete_goes_from_the_clients_phone,
            a_number_is_asked_after_once_and_its_ids_are_one_client,
            who_has_no_whatsapp_is_sent_nothing,
            who_has_only_an_id_of_the_channel_is_written_to_by_it,
            a_burst_waits_its_turn_and_keeps_its_order,
            a_minute_has_room_for_so_many,
            a_removed_instance_sends_nothing_and_says_so,
            a_new_code_is_told_to_admins_and_shown_where_they_ask,
        };
        evolution_served::{
            the_sandbox_guards_its_instances,
            codes_are_renewed_until_there_were_too_many,
            webhooks_bring_their_header_and_are_tried_again,
            webhooks_come_twice_and_in_another_order,
            messages_go_out_as_the_server_takes_them,
            webhooks_are_configured_as_the_server_wants_it,
        };
        evolution_together::{
            two_who_make_the_same_name_make_one,
            an_instance_removed_while_it_is_connected_stays_away,
        };
    }
}
