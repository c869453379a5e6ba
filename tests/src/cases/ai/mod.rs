//! AI: help for who answers, answers out of the knowledge base, what they take, and what never leaves.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};
use uuid::Uuid;

use crate::Case;

pub mod ai_killed;
pub mod answers;
pub mod bot;
pub mod budgets;
pub mod by_itself;
pub mod guard_rails;
pub mod helps;
pub mod models;
pub mod qualified;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self::{
        answers as ai_answers, bot as ai_bot, budgets as ai_budgets, by_itself as ai_by_itself, guard_rails as ai_guard_rails,
        helps as ai_helps, models as ai_models, qualified as leads_qualified,
    };
    cases! {
        ai_helps::{
            messages_are_written_said_better_and_suggested,
            what_is_said_of_a_conversation_is_kept_and_told,
            a_voice_note_is_written_down_once,
            what_is_asked_of_a_conversation_at_once_is_asked_once,
            an_agent_says_what_an_answer_was_worth,
            nobody_asks_about_what_they_do_not_see,
        };
        ai_budgets::{
            what_is_used_up_is_refused_and_renewed_by_a_supervisor,
            calls_at_once_take_no_more_than_there_is,
            calls_at_once_cost_no_more_than_there_is,
            usage_tells_what_was_taken,
        };
        ai_models::{
            answers_that_are_none_change_nothing,
            a_busy_model_is_asked_again_and_then_the_second_one,
            servers_that_cannot_do_everything_are_asked_for_less,
            a_silent_model_is_waited_for_no_longer_than_people_wait,
            personal_data_does_not_leave,
        };
        ai_answers::{
            an_answer_names_its_sources,
            what_is_not_known_is_left_to_people,
            an_answer_is_sent_under_the_fence,
            an_answer_is_sent_once,
            what_was_learned_waits_for_a_person,
        };
        ai_bot::{
            a_flow_answers_until_it_is_in_doubt,
            a_person_who_is_faster_has_the_word,
            what_is_said_while_it_thinks_is_answered_too,
            a_played_flow_asks_no_model,
            what_no_text_may_have_keeps_no_client_waiting,
            what_a_model_writes_is_said_as_it_is,
            what_is_said_into_a_phone_is_heard,
            who_is_unblocked_is_answered_at_once,
        };
        ai_by_itself::{
            conversations_that_end_are_summed_up_where_the_company_wants_it,
            conversations_are_looked_at_while_they_go_on,
            voice_notes_are_written_down_as_they_come,
            articles_are_read_by_the_model_that_compares_meanings,
            vectors_of_another_length_are_made_anew,
        };
        leads_qualified::{
            what_was_said_is_proposed_with_its_words_and_confirmed_by_a_person,
            what_nobody_of_theirs_has_said_is_dropped,
            without_a_usable_answer_nothing_is_kept,
            only_what_the_caller_may_read_is_read,
            a_message_that_gives_orders_is_a_message,
        };
        ai_guard_rails::{
            whatever_the_model_obeys_nothing_foreign_leaves,
            what_is_planted_in_a_conversation_or_an_article_does_not_leave,
        };
    }
}

/// A company with a model of its own.
struct Asked {
    company: Company,
    stack: Arc<Stack>,
    token: String,
}

impl Asked {
    async fn new(stack: &Arc<Stack>, kind: &str) -> Self {
        Self::made(stack, kind, Wanted { agents: 2, students: 0, ..Wanted::default() }).await
    }

    async fn made(stack: &Arc<Stack>, kind: &str, wanted: Wanted) -> Self {
        let company = stack.company(wanted).await;
        let token = format!("{kind}-{}", Uuid::new_v4().simple());
        let base_url = format!("{}/llm/v1", stack.addresses.sandbox);
        let ai = json!({"base_url": base_url, "api_key": token});
        company.admin.api.post("/setup/config", json!({"ai": ai})).await.expect(200);
        Self { company, stack: Arc::clone(stack), token }
    }

    /// A conversation in which the client has written this.
    async fn conversation(&self, words: &str) -> String {
        let client = fresh_number();
        self.company.phone.receive_text(&client, words).await;
        self.company.agents[0].conversation_id_of(&client).await
    }

    /// What an agent answers, once the conversation is theirs.
    async fn answers(&self, id: &str, words: &str) -> Value {
        self.company.agents[0].take_over(id).await;
        self.company.agents[0].say(id, words).await
    }

    /// Orders an answer to a question that has this in it.
    async fn will_say(&self, matching: &str, content: Value) {
        self.script(json!({"match": matching, "content": content})).await;
    }

    async fn script(&self, mut script: Value) {
        script["token"] = json!(self.token);
        self.stack.control("POST", "/sandbox/llm/script", Some(script)).await;
    }

    async fn set(&self, key: &str, value: Value) {
        let path = format!("/bot/config/{key}");
        self.company.supervisor.api.call(Method::PUT, &path, Some(json!({"value": value}))).await.expect(200);
    }

    /// What was asked of the model, the oldest first.
    async fn asked(&self) -> Vec<Value> {
        let calls = self.stack.control("GET", "/sandbox/calls?target=llm", None).await;
        let all = calls.as_array().expect("calls").iter();
        all.filter(|call| call["token"] == self.token.as_str()).cloned().collect()
    }

    /// An article that the bot and agents may use.
    async fn article(&self, title: &str, answer: &str) -> String {
        let article = self.company.supervisor.api.post("/knowledge/manage", json!({"title": title, "answer": answer})).await;
        text(&article.expect(201)["id"]).to_owned()
    }

    async fn runs(&self) -> Vec<(String, String, Option<String>)> {
        let rows = "select purpose, status, reason from ai_runs where company_id = $1 order by created_at, id";
        let rows = self.stack.database().await.query(rows, &[&self.company.id]).await.expect("the runs");
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }
}
