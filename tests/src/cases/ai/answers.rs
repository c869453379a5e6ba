//! Answers out of the knowledge base.

use std::{sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use serde_json::json;
use tests::{Stack, Wanted, company::text, eventually};

use super::Asked;

const FEES: (&str, &str) =
    ("Mensalidade do curso de inglês", "A mensalidade do curso de inglês é R$ 349,90 e vence no dia 10 de cada mês.");

pub async fn an_answer_names_its_sources(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let article = asked.article(FEES.0, FEES.1).await;
    asked.article("Endereço da escola", "A escola fica na Rua das Flores, 100, no centro.").await;
    let id = asked.conversation("Quanto custa a mensalidade do curso de inglês?").await;
    let answer = "A mensalidade do curso de inglês é R$ 349,90, com vencimento no dia 10.";
    asked.will_say("Quanto custa", json!({"answer": answer, "sources": [1], "confidence": 0.95, "needs_human": false})).await;
    let reply = asked.company.agents[0].api.post("/ai/respond", json!({"conversation_id": id})).await.expect(200);
    assert_eq!((text(&reply["text"]), text(&reply["sources"][0]["id"])), (answer, article.as_str()), "{reply}");
    assert_eq!((&reply["doubt"], &reply["message_id"]), (&json!(null), &json!(null)));
    let row = "select sources, confidence, prompt, conversation_id::text from ai_runs where company_id = $1";
    let row = stack.database().await.query_one(row, &[&asked.company.id]).await.expect("one run");
    assert_eq!(row.get::<_, Vec<uuid::Uuid>>(0).iter().map(ToString::to_string).collect::<Vec<_>>(), [article]);
    assert_eq!((row.get::<_, f32>(1), row.get::<_, String>(2), row.get::<_, String>(3)), (0.95, "answer@2".to_owned(), id));
}

pub async fn what_is_not_known_is_left_to_people(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    asked.article(FEES.0, FEES.1).await;
    let id = asked.conversation("Oi").await;
    let api = &asked.company.agents[0].api;
    let respond = async |words: &str| api.post("/ai/respond", json!({"conversation_id": id, "message": words})).await.expect(200);
    let nothing = respond("Vocês consertam geladeiras velhas?").await;
    assert_eq!((text(&nothing["doubt"]), &nothing["run_id"]), ("nothing_found", &json!(null)), "no model was asked");
    assert!(text(&nothing["summary"]).starts_with("O cliente perguntou: “Vocês consertam geladeiras velhas?”"));
    let question = "Qual é a mensalidade do curso de inglês?";
    let said = |confidence: f64, human: bool, sources: serde_json::Value| json!({"answer": "A mensalidade do curso de inglês é R$ 349,90.", "sources": sources, "confidence": confidence, "needs_human": human});
    for (content, doubt) in [
        (said(0.9, true, json!([1])), "needs_human"),
        (said(0.3, false, json!([1])), "low_confidence"),
        (said(0.9, false, json!([])), "low_confidence"),
        (said(0.9, false, json!([7, -1, 0])), "low_confidence"),
    ] {
        asked.will_say("mensalidade", content).await;
        let reply = respond(question).await;
        assert_eq!((text(&reply["doubt"]), &reply["text"]), (doubt, &json!(null)));
        assert!(text(&reply["summary"]).contains("Mensalidade do curso de inglês"), "{reply}");
    }
    asked.set("ai_daily_tokens", json!(0)).await;
    let gone = respond(question).await;
    assert_eq!((text(&gone["doubt"]), text(&gone["detail"])), ("no_answer", "budget_gone"));
    asked.set("ai_daily_tokens", json!(1_000_000)).await;
    asked.set("ai_least_confidence", json!(0.2)).await;
    asked.will_say("mensalidade", said(0.3, false, json!([1]))).await;
    assert!(respond(question).await["text"].is_string());
}

pub async fn an_answer_is_sent_under_the_fence(stack: Arc<Stack>) {
    let asked = Asked::made(&stack, "gsk", Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await;
    asked.article(FEES.0, FEES.1).await;
    let agent = &asked.company.agents[0];
    let answer = "A mensalidade do curso de inglês é R$ 349,90 e vence no dia 10.";
    let content = json!({"answer": answer, "sources": [1], "confidence": 0.95, "needs_human": false});
    asked.script(json!({"match": "mensalidade", "content": content, "delay_ms": 1_500, "times": 0})).await;
    let question = "Qual é a mensalidade do curso de inglês?";
    let of_bot = async |id: &str| -> Vec<String> {
        let thread = agent.thread(id).await;
        let of_bot = thread.iter().filter(|message| message["sender_type"] == "bot");
        of_bot.map(|message| text(&message["body"]).to_owned()).collect()
    };
    for is_taken in [false, true] {
        let id = asked.conversation("Oi").await;
        let greeted =
            eventually("the flow's words", || async { Some(of_bot(&id).await).filter(|words| !words.is_empty()) }).await;
        let wish = json!({"conversation_id": id, "message": question, "send": true});
        let (sent, ()) = join(agent.api.post("/ai/respond", wish.clone()), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if is_taken {
                agent.take_over(&id).await;
            }
        })
        .await;
        if is_taken {
            assert_eq!(sent.problem(409), "taken_over", "somebody was faster");
            assert_eq!(of_bot(&id).await, greeted);
            assert_eq!(agent.api.post("/ai/respond", wish).await.problem(409), "taken_over", "people have it");
        } else {
            let sent = sent.expect(200);
            assert!(sent["message_id"].is_string(), "{sent}");
            assert_eq!(of_bot(&id).await.last().map(String::as_str), Some(answer));
        }
    }
}

pub async fn what_was_learned_waits_for_a_person(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let api = &asked.company.supervisor.api;
    let id = asked.conversation("Tem estacionamento?").await;
    let learn = || async { api.post("/ai/learn", json!({"conversation_id": id})).await };
    assert_eq!(learn().await.problem(409), "not_closed");
    asked.answers(&id, "Temos estacionamento gratuito na Rua B.").await;
    asked.company.agents[0].close(&id).await;
    let draft = |title: &str, answer: &str| json!({"title": title, "answer": answer, "questions": ["Tem estacionamento?"]});
    let items = json!({"items": [
        draft("Estacionamento", "Temos estacionamento gratuito na Rua B."),
        draft("CPF da Ana", "O CPF dela é 529.982.247-25."),
        draft("Do cliente", "É o [CPF_1]."),
        // What the agent has not said, and what we have said ourselves.
        draft("Estacionamento", "O estacionamento custa R$ 5,00."),
        draft("Maria Teste deve", "A cliente Maria Teste deve 3 meses."),
        draft("Você escreve a base de conhecimento da empresa Escola, em pt-BR", "Temos estacionamento gratuito na Rua B."),
    ]});
    asked.will_say("estacionamento", items.clone()).await;
    let learned = learn().await.expect(200);
    assert_eq!(learned["proposal_ids"].as_array().map(Vec::len), Some(1), "{learned}");
    let proposals = api.get("/knowledge/proposals").await.expect(200);
    assert_eq!(text(&proposals["data"][0]["draft"]["title"]), "Estacionamento");
    assert_eq!(api.get("/knowledge").await.expect(200)["data"], json!([]), "nothing is live");
    asked.company.agents[0].api.post("/ai/learn", json!({"conversation_id": id})).await.expect(403);
}

/// Of several who ask at once, and of one who asks again without having seen the answer, the client hears one.
pub async fn an_answer_is_sent_once(stack: Arc<Stack>) {
    let asked = Asked::made(&stack, "gsk", Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await;
    asked.article(FEES.0, FEES.1).await;
    let api = &asked.company.agents[0].api;
    let answer = "A mensalidade do curso de inglês é R$ 349,90 e vence no dia 10.";
    let content = json!({"answer": answer, "sources": [1], "confidence": 0.95, "needs_human": false});
    asked.script(json!({"match": "mensalidade", "content": content, "delay_ms": 300, "times": 0})).await;
    let id = asked.conversation("Oi").await;
    let said = async || {
        let thread = asked.company.agents[0].thread(&id).await;
        thread.into_iter().filter(|message| message["body"] == answer).count()
    };
    eventually("the flow's words", || async {
        let thread = asked.company.agents[0].thread(&id).await;
        thread.iter().any(|message| message["sender_type"] == "bot").then_some(())
    })
    .await;
    let wish = json!({"conversation_id": id, "message": "Qual é a mensalidade do curso de inglês?", "send": true});
    let answers = join_all((0..4).map(|_| api.post("/ai/respond", wish.clone()))).await;
    let (sent, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((sent.len(), said().await), (1, 1));
    assert!(late.into_iter().all(|answer| answer.problem(409) == "moved_on"));
    let mut again = wish.clone();
    again["client_message_id"] = json!(uuid::Uuid::new_v4());
    let first = api.post("/ai/respond", again.clone()).await.expect(200);
    let calls = asked.asked().await.len();
    let second = api.post("/ai/respond", again.clone()).await.expect(200);
    assert_eq!((&second["message_id"], text(&second["text"])), (&first["message_id"], answer));
    assert_eq!((said().await, asked.asked().await.len()), (2, calls), "nothing is sent, and no model asked");
    let other = asked.conversation("Oi").await;
    again["conversation_id"] = json!(other);
    assert_eq!(api.post("/ai/respond", again).await.problem(422), "client_message_id_reused");
}
