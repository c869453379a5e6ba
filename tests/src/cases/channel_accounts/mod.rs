//! Channels of whatever kind: changed, tested, removed, what their messages cost, and the people on them.

mod channel_accounts_changed;
mod channel_accounts_contacts;
mod channel_accounts_cost;
mod channel_accounts_inside;
pub mod channel_accounts_killed;
mod channel_accounts_removed;
mod channel_accounts_sealed;
mod channel_accounts_tested;
mod channel_accounts_watched;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text};

use crate::Case;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, departments: vec![("Vendas", vec![1])], ..Wanted::default() }).await
}

fn path(id: &str) -> String {
    format!("/integrations/config/{id}")
}

/// The channel that every company of these tests has.
fn own_path(company: &Company) -> String {
    path(&company.channel_account_id.to_string())
}

async fn change(company: &Company, id: &str, changes: Value) -> Answer {
    company.admin.api.call(Method::PUT, &path(id), Some(changes)).await
}

async fn remove(company: &Company, id: &str, how: &str) -> Answer {
    company.admin.api.call(Method::DELETE, &format!("{}{how}", path(id)), None).await
}

/// All channels, as admins see them.
async fn listed(company: &Company) -> Vec<Value> {
    company.admin.api.get("/integrations/config").await.expect(200)["data"].as_array().cloned().unwrap_or_default()
}

/// One of them.
async fn shown(company: &Company, id: &str) -> Value {
    let all = listed(company).await;
    all.into_iter().find(|channel| channel["id"] == id).unwrap_or_else(|| panic!("no channel {id}"))
}

/// Connects a number that nobody else has.
async fn connect_number(company: &Company, name: &str) -> Value {
    let number = format!("36{:012}", uuid::Uuid::new_v4().as_u128() % 1_000_000_000_000);
    let body = json!({"kind": "whatsapp_cloud", "name": name, "phone_number_id": number, "waba_id": "104200000000001",
        "access_token": "EAAG-abcdefgh-1234"});
    company.admin.api.post("/integrations/config", body).await.expect(200)
}

fn fields(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors.map(|error| (text(&error["field"]), text(&error["code"]))).collect()
}

pub fn cases() -> Vec<(&'static str, Case)> {
    cases! {
        channel_accounts_changed::{
            what_is_given_changes_and_the_rest_stays,
            a_change_of_an_old_version_is_refused,
            a_new_token_is_asked_about_first,
            a_channel_that_is_switched_off_neither_sends_nor_receives,
            an_instance_moves_with_its_key_only,
            a_secret_of_webhooks_is_replaced_and_nothing_is_lost,
            another_companys_channel_is_not_there,
        };
        channel_accounts_contacts::{
            people_without_a_name_get_the_best_one_that_is_known,
            a_name_that_somebody_typed_stays,
            profiles_are_asked_of_servers_and_the_cloud_says_that_it_has_none,
            one_job_goes_on_for_a_channel_and_can_be_cancelled,
            a_server_that_is_away_is_asked_again,
        };
        channel_accounts_cost::{
            a_message_is_paid_for_once_however_often_its_status_comes,
            prices_go_by_category_country_and_day,
            sums_are_those_of_the_rows,
        };
        channel_accounts_inside::{
            no_setting_leads_inside,
        };
        channel_accounts_removed::{
            a_number_goes_and_what_was_said_by_it_stays,
            what_becomes_of_open_conversations_has_to_be_said,
            a_number_that_was_removed_is_free,
            nobody_opens_a_conversation_on_a_channel_that_is_being_removed,
            an_instance_goes_at_its_server_too,
            what_comes_while_a_channel_goes_leaves_nothing_open,
        };
        channel_accounts_sealed::{
            secrets_are_sealed_anew_while_they_are_used,
        };
        channel_accounts_tested::{
            a_number_is_asked_about_and_stands_as_its_provider_says,
            silence_says_nothing_of_the_credentials,
            an_instance_is_asked_about,
        };
        channel_accounts_watched::{
            how_a_channel_fares_is_in_the_list,
            a_webhook_that_was_changed_at_the_server_is_set_again,
            an_instance_is_the_same_in_any_writing,
            answers_that_say_nothing_are_not_believed,
            our_own_words_are_in_the_callers_language,
        };
    }
}
