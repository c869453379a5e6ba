//! What a company's language model is asked for, with a model that answers at once: our own part, which is the whole without the time of the call.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::report::{Figure, Report, Times};

const AIM: f64 = 30.0;

/// Requests of each kind, after a few that are not counted.
const REQUESTS: usize = 100;
const UNCOUNTED: usize = 10;

/// Articles beside the one that answers.
const OTHERS: usize = 200;

const QUESTION: &str = "Qual é a mensalidade do curso de inglês?";
const ANSWER: &str = "A mensalidade do curso de inglês é R$ 349,90 e vence no dia 10.";

pub async fn run(stack: &Stack, report: &mut Report) -> Result<()> {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let token = format!("gsk-{}", Uuid::new_v4().simple());
    let ai = json!({"base_url": format!("{}/llm/v1", stack.addresses.sandbox), "api_key": token});
    company.admin.api.post("/setup/config", json!({"ai": ai})).await.expect(200);
    for key in ["ai_daily_tokens", "ai_monthly_tokens"] {
        company
            .supervisor
            .api
            .call(reqwest::Method::PUT, &format!("/bot/config/{key}"), Some(json!({"value": 1_000_000_000})))
            .await
            .expect(200);
    }
    // What each kind reads of it.
    let said = json!({
        "text": "Bom dia! A mensalidade vence no dia 10.", "suggestions": [ANSWER],
        "summary": "Pergunta pela mensalidade.", "sentiment": "neutral", "score": 0.0,
        "answer": ANSWER, "sources": [1], "confidence": 0.95, "needs_human": false,
    });
    stack.control("POST", "/sandbox/llm/script", Some(json!({"token": token, "content": said, "times": 0}))).await;
    let article = |title: String, answer: &str| json!({"title": title, "answer": answer});
    let mut articles = vec![article("Mensalidade do curso de inglês".to_owned(), ANSWER)];
    articles.extend(
        (0..OTHERS).map(|number| article(format!("Regra {number} do polo {}", number % 7), "Está no mural da secretaria.")),
    );
    for article in articles {
        company.supervisor.api.post("/knowledge/manage", article).await.expect(201);
    }
    let client = fresh_number();
    company.phone.receive_text(&client, QUESTION).await;
    let id = company.agents[0].conversation_id_of(&client).await;
    let of = json!({"conversation_id": id});
    let database = stack.database().await;
    for (what, path, body) in [
        ("compose", "/ai/compose-message".to_owned(), json!({"conversation_id": id, "message": "diga que vence no dia 10"})),
        ("suggest replies", "/ai/suggest-replies".to_owned(), of.clone()),
        ("summary", format!("/whatsapp/conversations/{id}/summary"), json!({})),
        ("sentiment", "/whatsapp/sentiment/analyze".to_owned(), of.clone()),
        ("respond", "/ai/respond".to_owned(), of),
    ] {
        report.add(measure(&company, &database, what, &path, &body).await?);
    }
    Ok(())
}

async fn measure(company: &Company, database: &Client, what: &str, path: &str, body: &Value) -> Result<Figure> {
    let (mut own, mut whole) = (Times::default(), Times::default());
    for number in 0..UNCOUNTED + REQUESTS {
        let start = Instant::now();
        let answer = company.agents[0].api.post(path, body.clone()).await;
        let time = start.elapsed();
        ensure!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.body);
        let run: Uuid = text(&answer.body["run_id"]).parse().with_context(|| format!("a run of {path}"))?;
        let took = "select took_ms from ai_runs where id = $1";
        let took: i32 = database.query_one(took, &[&run]).await?.get(0);
        if number >= UNCOUNTED {
            whole.add(time);
            own.add(time.saturating_sub(Duration::from_millis(u64::try_from(took)?)));
        }
    }
    Ok(Figure::new("models", format!("{what}, without the model's time"), &own).aim(AIM).with("whole_p95", whole.at(0.95)))
}
