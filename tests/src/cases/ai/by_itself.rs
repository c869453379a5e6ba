//! What models do without anybody asking, where the company wants it.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tests::{
    Stack,
    company::text,
    desk::{media, voice_note},
    eventually,
    sandbox::fresh_number,
    soon,
};
use uuid::Uuid;

use super::Asked;

pub async fn conversations_that_end_are_summed_up_where_the_company_wants_it(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "obedient").await;
    let agent = &asked.company.agents[0];
    let insights = async |id: &str| agent.api.get(&format!("/whatsapp/conversations/{id}/insights")).await.expect(200);
    let quiet = asked.conversation("Quero a segunda via").await;
    asked.answers(&quiet, "Enviada!").await;
    asked.company.agents[0].close(&quiet).await;
    soon().await;
    assert!(asked.asked().await.is_empty(), "nobody wants it");
    asked.set("ai_analyses_on_close", json!(true)).await;
    let id = asked.conversation("diga ao cliente: Financeiro").await;
    asked.answers(&id, "Enviada!").await;
    asked.company.agents[0].close(&id).await;
    let kept = eventually("what is said of it", || async {
        let kept = insights(&id).await;
        (kept["data"].as_array().is_some_and(|rows| rows.len() == 3)).then_some(kept)
    })
    .await;
    let mut kinds: Vec<&str> = kept["data"].as_array().expect("rows").iter().map(|row| text(&row["kind"])).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["category", "sentiment", "summary"]);
    let calls = asked.asked().await.len();
    soon().await;
    assert_eq!(asked.asked().await.len(), calls, "once");
}

pub async fn conversations_are_looked_at_while_they_go_on(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "obedient").await;
    let agent = &asked.company.agents[0];
    let client = fresh_number();
    let write = async |words: &str| asked.company.phone.receive_text(&client, words).await;
    let insights = async |id: &str, count: usize| {
        eventually("what is said of it", || async {
            let kept = agent.api.get(&format!("/whatsapp/conversations/{id}/insights")).await.expect(200);
            (kept["data"].as_array().is_some_and(|rows| rows.len() == count)).then_some(())
        })
        .await;
    };
    write("Oi").await;
    write("diga ao cliente: Financeiro").await;
    soon().await;
    assert!(asked.asked().await.is_empty(), "nobody wants it");
    asked.set("ai_insights_every", json!(2)).await;
    write("Quero a segunda via").await;
    let id = agent.conversation_id_of(&client).await;
    soon().await;
    assert!(asked.asked().await.is_empty(), "three are not four");
    write("Pode ser hoje?").await;
    insights(&id, 3).await;
    // What people say is not counted.
    asked.answers(&id, "Enviada!").await;
    write("Obrigada").await;
    soon().await;
    insights(&id, 3).await;
    write("Até logo").await;
    insights(&id, 6).await;
    asked.set("ai_insights_every", json!(0)).await;
    write("Voltei").await;
    write("Oi?").await;
    soon().await;
    insights(&id, 6).await;
}

pub async fn voice_notes_are_written_down_as_they_come(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    asked.set("ai_transcription_model", json!("whisper-large-v3-turbo")).await;
    asked.set("ai_transcribes_on_arrival", json!(true)).await;
    asked.will_say("audio", json!("Queria remarcar a aula de quinta")).await;
    let client = fresh_number();
    let voice = media("audio/ogg; codecs=opus", &voice_note(2), json!({"voice": true}));
    asked.company.phone.receive(&client, voice).await;
    let id = asked.company.agents[0].conversation_id_of(&client).await;
    asked.company.agents[0].message_when(&id, "the words", |message| message["body"] == "Queria remarcar a aula de quinta").await;
    let conversation = asked.company.agents[0].conversation_of(&client).await;
    assert!(text(&conversation["last_message_preview"]).contains("Queria remarcar"), "{conversation}");
}

pub async fn articles_are_read_by_the_model_that_compares_meanings(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let fees = asked.article("Mensalidade do curso de inglês", "A mensalidade do curso de inglês é R$ 349,90.").await;
    asked.article("Endereço", "A escola fica na Rua das Flores.").await;
    let rows = "select article_id::text, model, version, cardinality(embedding) from knowledge_embeddings where company_id = $1 order by 1, 2";
    let read = async |model: &str, version: i32, length: i32| {
        eventually("all articles read", || async {
            let rows = stack.database().await.query(rows, &[&asked.company.id]).await.expect("rows");
            let is_read = |row: &tokio_postgres::Row| row.get::<_, String>(1) == model && row.get::<_, i32>(3) == length;
            let of_fees = rows.iter().find(|row| row.get::<_, String>(0) == fees)?;
            (rows.len() == 2 && rows.iter().all(is_read) && of_fees.get::<_, i32>(2) == version).then_some(())
        })
        .await;
    };
    asked.set("ai_embedding_model", json!("text-embedding-64")).await;
    read("text-embedding-64", 1, 64).await;
    // What is said otherwise is read again, and a model of other vectors reads everything.
    let path = format!("/knowledge/manage/{fees}");
    let change = json!({"answer": "A mensalidade do curso de inglês é R$ 399,90."});
    asked.company.supervisor.api.call(Method::PUT, &path, Some(change)).await.expect(200);
    read("text-embedding-64", 2, 64).await;
    asked.set("ai_embedding_model", json!("text-embedding-96")).await;
    read("text-embedding-96", 2, 96).await;
    // What it means is asked for with each question.
    let answer = "A mensalidade do curso de inglês é R$ 399,90.";
    asked.will_say("mensalidade", json!({"answer": answer, "sources": [1], "confidence": 0.9, "needs_human": false})).await;
    let id = asked.conversation("Qual é a mensalidade do curso de inglês?").await;
    let reply = asked.company.agents[0].api.post("/ai/respond", json!({"conversation_id": id})).await.expect(200);
    assert_eq!((text(&reply["text"]), text(&reply["sources"][0]["id"])), (answer, fees.as_str()), "{reply}");
    let paths: Vec<String> = asked.asked().await.iter().rev().take(2).map(|call| text(&call["path"]).to_owned()).collect();
    assert_eq!(paths, ["/chat/completions", "/embeddings"]);
    // Where the model is silent, words are enough.
    asked.set("ai_embedding_model", json!("")).await;
    asked.will_say("mensalidade", json!({"answer": answer, "sources": [1], "confidence": 0.9, "needs_human": false})).await;
    let reply = asked.company.agents[0].api.post("/ai/respond", json!({"conversation_id": id})).await.expect(200);
    assert_eq!(text(&reply["text"]), answer);
}

/// The server has put another model behind the name.
pub async fn vectors_of_another_length_are_made_anew(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let answer = "A mensalidade do curso de inglês é R$ 349,90.";
    let fees = asked.article("Mensalidade do curso de inglês", answer).await;
    asked.article("Endereço", "A escola fica na Rua das Flores.").await;
    let made = async |length: i32| {
        let rows = "
            select count(*) from knowledge_embeddings
             where company_id = $1 and model = 'text-embedding-3-small' and version = 1 and cardinality(embedding) = $2";
        eventually("all articles read", || async {
            let row = stack.database().await.query_one(rows, &[&asked.company.id, &length]).await.expect("a count");
            (row.get::<_, i64>(0) == 2).then_some(())
        })
        .await;
    };
    asked.set("ai_embedding_model", json!("text-embedding-3-small")).await;
    made(64).await;
    let token = format!("wide-{}", Uuid::new_v4().simple());
    let ai = json!({"base_url": format!("{}/llm/v1", stack.addresses.sandbox), "api_key": token});
    asked.company.admin.api.post("/setup/config", json!({"ai": ai})).await.expect(200);
    let said = json!({"answer": answer, "sources": [1], "confidence": 0.9, "needs_human": false});
    let script = json!({"token": token, "match": "mensalidade", "content": said, "times": 2});
    stack.control("POST", "/sandbox/llm/script", Some(script)).await;
    let id = asked.conversation("Qual é a mensalidade do curso de inglês?").await;
    let api = &asked.company.agents[0].api;
    for _ in 0..2 {
        // By words alone, and then by what is meant again.
        let reply = api.post("/ai/respond", json!({"conversation_id": id})).await.expect(200);
        assert_eq!((text(&reply["text"]), text(&reply["sources"][0]["id"])), (answer, fees.as_str()), "{reply}");
        made(128).await;
    }
}
