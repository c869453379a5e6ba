//! POST /knowledge/optimize, GET /knowledge/proposals, POST /knowledge/proposals/{id}/approve and reject

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, company::text};
use uuid::Uuid;

use super::{ask, change, company, titles, write};
use crate::cases::jobs::progress_when;

/// What came of looking for what could be better.
async fn optimise(company: &Company) -> Value {
    let job = company.supervisor.api.post("/knowledge/optimize", json!({})).await.expect(202);
    progress_when(company, text(&job["id"]), "done").await["result"].clone()
}

async fn proposals(company: &Company, filter: &str) -> Vec<Value> {
    company.supervisor.api.get(&format!("/knowledge/proposals?{filter}")).await.expect(200)["data"]
        .as_array()
        .expect("rows")
        .clone()
}

fn decide(proposal: &Value, decision: &str) -> String {
    format!("/knowledge/proposals/{}/{decision}", text(&proposal["id"]))
}

async fn twins(company: &Company) -> [Value; 2] {
    let one = json!({"title": "Quanto custa o curso de inglês?", "answer": "O curso custa R$ 389,00 por mês."});
    let other = json!({"title": "Quanto custa o curso de ingles", "answer": "O curso custa R$ 389 por mês.", "questions": ["valor do inglês"]});
    [write(company, one).await, write(company, other).await]
}

pub async fn what_says_the_same_is_proposed_and_one_stays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let [one, other] = twins(&company).await;
    write(&company, json!({"title": "Quanto custa o curso de espanhol?", "answer": "Custa R$ 349,00."})).await;
    assert_eq!(optimise(&company).await["duplicates"], json!(1));
    assert_eq!(optimise(&company).await["proposed"], json!(0), "the same is proposed once");
    let open = proposals(&company, "kind=duplicate").await;
    let proposal = &open[0];
    assert_eq!((&proposal["article_id"], &proposal["other_id"]), (&other["id"], &one["id"]), "what was written later stays");
    assert!(proposal["evidence"]["likeness"].as_f64() > Some(0.7));
    assert_eq!(ask(&company.agents[0], "quanto custa o curso de inglês", "").await.len(), 3, "nothing has come of it");
    let wrong = company.supervisor.api.post(&decide(proposal, "approve"), json!({"keep_id": Uuid::now_v7()})).await.expect(422);
    assert_eq!(wrong["errors"][0]["field"], "keep_id");
    company.agents[0].api.post(&decide(proposal, "approve"), json!({})).await.expect(403);
    let approved = company.supervisor.api.post(&decide(proposal, "approve"), json!({"keep_id": one["id"]})).await.expect(200);
    assert_eq!((&approved["state"], &approved["result_id"]), (&json!("approved"), &one["id"]));
    let kept = company.supervisor.api.get(&format!("/knowledge/{}", text(&one["id"]))).await.expect(200);
    assert_eq!(kept["questions"], json!(["Quanto custa o curso de ingles", "valor do inglês"]));
    let gone = company.supervisor.api.get(&format!("/knowledge/{}", text(&other["id"]))).await.expect(200);
    assert_eq!(gone["status"], "archived");
    assert_eq!(company.supervisor.api.post(&decide(proposal, "reject"), json!({})).await.problem(409), "proposal_decided");
    assert_eq!(proposals(&company, "state=approved").await.len(), 1);
}

pub async fn what_contradicts_is_proposed_with_its_figures(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let one = write(&company, json!({"title": "Valor do curso de inglês", "answer": "Custa R$ 389,00."})).await;
    let other = write(&company, json!({"title": "Valor do curso de inglês", "answer": "Custa R$ 420,00."})).await;
    assert_eq!(optimise(&company).await["contradictions"], json!(1));
    let proposal = proposals(&company, "kind=contradiction").await.remove(0);
    let figures: Vec<&Value> =
        proposal["evidence"]["articles"].as_array().expect("two").iter().map(|row| &row["figures"]).collect();
    assert_eq!(figures, [&json!(["420"]), &json!(["389"])]);
    let rejected = company.admin.api.post(&decide(&proposal, "reject"), json!({})).await.expect(200);
    assert_eq!(rejected["state"], "rejected");
    assert_eq!(optimise(&company).await["proposed"], json!(0), "what was rejected is not proposed again");
    change(&company.supervisor, &one["id"], None, json!({"answer": "Custa R$ 399,00."})).await.expect(200);
    assert_eq!(optimise(&company).await["contradictions"], json!(1), "another version is other evidence");
    assert_ne!(one["id"], other["id"]);
}

pub async fn what_was_asked_and_not_found_becomes_an_article(stack: Arc<Stack>) {
    let company = company(&stack).await;
    write(&company, json!({"title": "Valor do curso de inglês", "answer": "Custa R$ 389,00."})).await;
    for question in
        ["tem piscina aquecida aí?", "vocês têm piscina aquecida", "piscina aquecida de graça", "quanto custa o inglês"]
    {
        ask(&company.agents[0], question, "").await;
    }
    assert_eq!(optimise(&company).await["unanswered"], json!(1));
    let proposal = proposals(&company, "kind=unanswered").await.remove(0);
    assert_eq!(proposal["evidence"]["count"], json!(3));
    let missing = company.supervisor.api.post(&decide(&proposal, "approve"), json!({})).await.expect(422);
    assert_eq!(missing["errors"][0]["field"], "answer");
    let words = json!({"title": "Piscina", "answer": "Não temos piscina."});
    let approved = company.supervisor.api.post(&decide(&proposal, "approve"), words).await.expect(200);
    assert_eq!(titles(&company.agents[0], "tem piscina?", "").await, ["Piscina"]);
    assert!(approved["result_id"].is_string());
    assert_eq!(optimise(&company).await["unanswered"], json!(0), "it is answered by now");
}

pub async fn what_no_longer_holds_goes_to_the_archive(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let over = write(&company, json!({"title": "Promoção", "answer": "Só hoje.", "valid_until": "2025-01-01T00:00:00Z"})).await;
    let useless = write(&company, json!({"title": "Inútil", "answer": "Nada."})).await;
    for person in [&company.agents[0], &company.agents[1], &company.admin] {
        person.api.post(&format!("/knowledge/{}/use", text(&useless["id"])), json!({"helped": false})).await.expect(200);
    }
    let unused = write(&company, json!({"title": "Esquecido", "answer": "Velho."})).await;
    let long_ago = "update knowledge_articles set updated_at = now() - interval '200 days' where id = $1::text::uuid";
    stack.database().await.execute(long_ago, &[&text(&unused["id"])]).await.expect("time passes");
    write(&company, json!({"title": "Novo", "answer": "Bom."})).await;
    assert_eq!(optimise(&company).await["stale"], json!(3));
    let open = proposals(&company, "kind=stale").await;
    let reason =
        |article: &Value| open.iter().find(|row| row["article_id"] == article["id"]).expect("it")["evidence"]["reason"].clone();
    assert_eq!([reason(&over), reason(&useless), reason(&unused)], ["expired", "not_helpful", "unused"]);
    let proposal = open.iter().find(|row| row["article_id"] == over["id"]).expect("it");
    company.supervisor.api.post(&decide(proposal, "approve"), json!({})).await.expect(200);
    let archived = company.supervisor.api.get("/knowledge?status=archived").await.expect(200);
    assert_eq!((archived["data"].as_array().map(Vec::len), &archived["data"][0]["id"]), (Some(1), &over["id"]));
}

pub async fn of_two_who_decide_at_once_one_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let articles = twins(&company).await;
    optimise(&company).await;
    let proposal = proposals(&company, "").await.remove(0);
    let decisions = (0..8).map(|number| {
        let person = [&company.supervisor, &company.admin][number % 2];
        let path = decide(&proposal, ["approve", "reject"][number / 2 % 2]);
        async move { person.api.post(&path, json!({})).await }
    });
    let answers = join_all(decisions).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((done, answers.iter().filter(|answer| answer.status == 409).count()), (1, 7));
    let state = proposals(&company, "state=approved").await.len();
    let mut active = 0;
    for article in &articles {
        let now = company.supervisor.api.get(&format!("/knowledge/{}", text(&article["id"]))).await.expect(200);
        active += usize::from(now["status"] == "active");
    }
    assert_eq!(active, 2 - state, "all of it, or nothing");
}

pub async fn what_has_changed_since_is_not_approved(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let [one, _] = twins(&company).await;
    optimise(&company).await;
    let proposal = proposals(&company, "").await.remove(0);
    change(&company.supervisor, &one["id"], None, json!({"answer": "Outra coisa."})).await.expect(200);
    let refused = company.supervisor.api.post(&decide(&proposal, "approve"), json!({})).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["state"]), ("article_changed", &json!("open")));
    assert_eq!(company.supervisor.api.get("/knowledge?status=archived").await.expect(200)["data"], json!([]));
    company.supervisor.api.post(&decide(&proposal, "reject"), json!({})).await.expect(200);
}

/// As `knowledge::propose` adds them.
pub async fn what_was_learned_joins_what_says_the_same(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let propose = "
        select app.propose_knowledge(gen_random_uuid(), 'learned', $1, null, null, null, null, $2, $3)
          from (select set_config('app.company_id', $4::uuid::text, true)) company";
    let draft = |question: &str| json!({"title": "Wi-Fi", "answer": "A senha está na recepção.", "questions": [question]});
    let mut ids = Vec::new();
    for (key, question) in [("wi-fi", "tem wifi?"), ("wi-fi", "qual a senha do wifi?"), ("outro", "tem wifi?")] {
        let evidence = json!({"conversation_ids": [Uuid::now_v7()]});
        let row = database.query_one(propose, &[&key, &draft(question), &evidence, &company.id]).await.expect("a proposal");
        ids.push(row.get::<_, Option<Uuid>>(0));
    }
    assert!(ids[0].is_some() && ids[0] == ids[1] && ids[0] != ids[2]);
    let open = proposals(&company, "kind=learned").await;
    let joined = open.iter().find(|row| row["id"] == json!(ids[0])).expect("it");
    assert_eq!(joined["draft"]["questions"], json!(["tem wifi?", "qual a senha do wifi?"]));
    assert_eq!(joined["evidence"]["conversation_ids"].as_array().map(Vec::len), Some(2));
    assert!(titles(&company.agents[0], "senha do wifi", "").await.is_empty(), "nothing is live without a person");
    let approved = company.supervisor.api.post(&decide(joined, "approve"), json!({"audience": "agents"})).await.expect(200);
    let made = company.supervisor.api.get(&format!("/knowledge/{}", text(&approved["result_id"]))).await.expect(200);
    assert_eq!((&made["source"]["kind"], &made["audience"]), (&json!("conversation"), &json!("agents")));
    let again = database.query_one(propose, &[&"wi-fi", &draft("?"), &json!({}), &company.id]).await.expect("an answer");
    assert_eq!(again.get::<_, Option<Uuid>>(0), None, "it was decided");
}
