//! What a company knows: articles, how they are found, where they come from, and what could be better.

mod articles;
mod found;
mod imported;
pub mod knowledge_killed;
mod proposed;
pub mod vectors;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
};

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use articles as knowledge_articles;
    use found as knowledge_found;
    use imported as knowledge_imported;
    use proposed as knowledge_proposed;
    cases! {
        knowledge_articles::{
            an_article_is_written_changed_brought_back_and_removed,
            of_many_who_change_one_version_one_does,
            what_is_wrong_with_an_article_is_named_and_changes_nothing,
            knowledge_is_for_staff_of_its_company,
            what_is_not_for_others_yet_is_for_who_leads,
        };
        knowledge_found::{
            what_people_ask_finds_what_answers,
            an_article_is_found_by_whom_and_when_it_is_for,
            slips_short_forms_and_the_companys_words_find_it_too,
            what_helped_is_found_sooner_within_bounds,
            a_use_counts_once_for_a_person_and_a_conversation,
            what_a_model_makes_of_an_article_finds_it_too,
        };
        knowledge_imported::{
            a_table_becomes_articles_with_every_wrong_row_named,
            a_workbook_becomes_articles_as_a_table_does,
            a_markdown_text_becomes_articles_by_its_headings,
            a_pdf_becomes_drafts_by_its_questions,
            a_page_becomes_drafts_and_nobody_calls_what_is_inside,
            a_page_is_read_in_its_own_writing,
            files_that_are_none_fail_clearly,
            what_is_there_is_left_or_changed_as_it_was_asked,
            an_import_that_is_undone_leaves_what_people_have_changed,
            an_import_is_undone_once_and_not_while_it_goes,
        };
        knowledge_proposed::{
            what_says_the_same_is_proposed_and_one_stays,
            what_contradicts_is_proposed_with_its_figures,
            what_was_asked_and_not_found_becomes_an_article,
            what_no_longer_holds_goes_to_the_archive,
            of_two_who_decide_at_once_one_does,
            what_has_changed_since_is_not_approved,
            what_was_learned_joins_what_says_the_same,
        };
    }
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 1, ..Wanted::default() }).await
}

async fn write(company: &Company, article: Value) -> Value {
    company.supervisor.api.post("/knowledge/manage", article).await.expect(201)
}

async fn change(person: &Person, id: &Value, version: Option<&str>, changes: Value) -> Answer {
    let api = version.map_or_else(|| person.api.clone(), |version| person.api.with_header("if-match", version));
    api.call(Method::PUT, &format!("/knowledge/manage/{}", text(id)), Some(changes)).await
}

fn encoded(question: &str) -> String {
    url::form_urlencoded::byte_serialize(question.as_bytes()).collect()
}

/// What answers a question, best first.
async fn ask(person: &Person, question: &str, more: &str) -> Vec<Value> {
    let path = format!("/knowledge/search?q={}{more}", encoded(question));
    person.api.get(&path).await.expect(200)["data"].as_array().expect("rows").clone()
}

async fn titles(person: &Person, question: &str, more: &str) -> Vec<String> {
    ask(person, question, more).await.iter().map(|found| text(&found["title"]).to_owned()).collect()
}

fn boleto() -> Value {
    json!({
        "title": "Segunda via do boleto",
        "answer": "A segunda via está no portal do aluno.",
        "questions": ["Como emito a segunda via?"],
        "tags": ["financeiro"],
    })
}
