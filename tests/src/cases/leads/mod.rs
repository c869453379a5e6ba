//! Sales: the board, leads, what is done with them, and how they are scored.

pub mod automations;
pub mod automations_killed;
mod board;
mod cards;
pub mod imported;
mod joined;
mod many;
pub mod quarter;
mod quarter_mentees;
pub mod sample;
mod scored;
mod stages;
mod whose;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Stack, Wanted,
    company::{Company, Person, text},
};

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use automations as leads_automations;
    use board as leads_board;
    use cards as leads_cards;
    use imported as leads_imported;
    use joined as leads_joined;
    use many as leads_many;
    use scored as leads_scored;
    use stages as leads_stages;
    use whose as leads_whose;
    cases! {
        leads_automations::{
            who_enters_is_given_tasked_told_of_and_taken_in,
            every_way_into_a_stage_sets_it_off_and_undoing_does_not,
            messages_go_out_as_they_may_and_become_tasks_where_they_may_not,
            what_is_gone_when_it_runs_is_told_and_the_rest_goes_on,
            automations_that_name_what_is_not_there_are_refused,
            fifty_cards_by_eight_people_set_it_off_once_each,
        };
        leads_board::{
            a_company_begins_with_a_board,
            a_card_goes_where_it_is_dropped,
            of_many_who_move_many_cards_each_card_is_once_and_all_see_the_same,
            a_column_without_room_is_spread_in_its_order,
            what_a_stage_asks_for_is_asked,
            a_card_that_moved_meanwhile_is_shown,
            columns_are_read_to_their_foot,
        };
        leads_cards::{
            a_lead_is_made_found_changed_deleted_and_brought_back,
            of_many_who_change_one_version_one_does,
            lists_are_filtered_and_summed,
            what_is_wrong_with_a_lead_is_named,
            agents_see_what_is_theirs_and_their_departments,
            a_conversation_becomes_a_lead_once,
            a_next_step_is_a_task,
            everything_that_happened_is_in_the_history,
        };
        leads_imported::{
            a_table_becomes_leads_with_every_wrong_row_named,
            a_dry_run_of_leads_says_what_would_be_and_writes_nothing,
            what_columns_are_is_remembered,
            leads_who_are_there_stay_change_or_come_once_more,
            an_import_of_leads_that_is_undone_leaves_what_people_use,
            what_is_wrong_with_an_import_of_leads_is_named,
            whoever_gets_many_leads_at_once_is_told_once,
            imports_staff_and_movers_meet_in_one_column,
            thousands_of_leads_come_in_go_out_and_go_again,
            leads_that_are_exported_come_in_again,
        };
        leads_joined::{
            twins_are_shown_and_joined_and_parted,
            of_many_merges_at_once_one_wins,
            a_lead_follows_its_client,
        };
        leads_many::{
            one_thing_is_done_to_many_leads,
            a_quarter_is_counted_as_it_was,
        };
        leads_scored::{
            a_lead_of_the_book_scores_as_the_book_says,
            a_sale_closes_its_lead_once,
            what_clients_write_counts,
            other_rules_score_all_leads_anew,
            a_rule_that_divides_by_nothing_stops_nobody,
            fields_of_the_companys_own_are_checked,
        };
        leads_stages::{
            stages_are_drawn_anew_and_their_leads_move,
            pipelines_are_made_changed_and_removed,
            of_two_who_draw_stages_one_does,
        };
        leads_whose::{
            a_lead_that_was_there_first_is_its_clients,
            who_sees_their_own_gives_leads_away,
            a_sale_is_of_the_day_on_which_it_was_made,
            an_open_lead_has_no_end,
            no_lead_is_in_a_pipeline_that_is_no_more,
            a_lead_of_a_client_who_becomes_another_is_the_others,
            what_a_merge_joins_was_done_by_one_person,
        };
    }
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 3, ..Wanted::default() }).await
}

async fn pipeline(person: &Person) -> Value {
    person.api.get("/pipelines").await.expect(200)["data"][0].clone()
}

/// The id of the stage with this key.
fn stage(pipeline: &Value, key: &str) -> String {
    let stages = pipeline["stages"].as_array().into_iter().flatten();
    text(&stages.clone().find(|stage| stage["key"] == key).expect("a stage")["id"]).to_owned()
}

async fn lead(person: &Person, name: &str) -> Value {
    lead_with(person, json!({"name": name})).await
}

async fn lead_with(person: &Person, fields: Value) -> Value {
    person.api.post("/leads", fields).await.expect(201)
}

fn path(lead: &Value) -> String {
    format!("/leads/{}", text(&lead["id"]))
}

async fn fresh(person: &Person, lead: &Value) -> Value {
    person.api.get(&path(lead)).await.expect(200)
}

async fn change(person: &Person, lead: &Value, fields: Value) -> Answer {
    let version = lead["version"].to_string();
    person.api.with_header("if-match", &version).call(Method::PUT, &path(lead), Some(fields)).await
}

async fn mov(person: &Person, lead: &Value, to: Value) -> Answer {
    person.api.post(&format!("{}/move", path(lead)), to).await
}

async fn did(person: &Person, lead: &Value, what: Value) -> Value {
    person.api.post(&format!("{}/interactions", path(lead)), what).await.expect(201)
}

/// Names of the cards of a column, from the top.
async fn column(person: &Person, pipeline: &Value, stage_id: &str) -> Vec<String> {
    let board = person.api.get(&format!("/pipelines/{}/board?limit=50", text(&pipeline["id"]))).await.expect(200);
    let columns = board["columns"].as_array().cloned().unwrap_or_default();
    let column = columns.into_iter().find(|column| column["stage_id"] == stage_id).expect("a column");
    column["leads"].as_array().into_iter().flatten().map(|lead| text(&lead["name"]).to_owned()).collect()
}

fn names(page: &Value) -> Vec<String> {
    page["data"].as_array().into_iter().flatten().map(|lead| text(&lead["name"]).to_owned()).collect()
}
