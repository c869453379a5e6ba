//! Questions as people ask them, and whether the articles that answer them are found: alone, and among thousands of others.

use std::{fmt::Write as _, time::Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text};

use crate::{
    lists::Caller,
    report::{Figure, Report, Times},
};

const AIM: f64 = 30.0;

/// Articles beside those of the set.
const OTHERS: usize = 5_000;

const SET: &str = include_str!("../knowledge.json");

#[derive(Deserialize)]
struct Set {
    articles: Vec<Value>,
    questions: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    question: String,
    /// Keys of the articles that answer it; none of what nothing answers.
    answers: Vec<String>,
}

pub async fn run(stack: &Stack, report: &mut Report) -> Result<()> {
    let set: Set = serde_json::from_str(SET)?;
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    for article in &set.articles {
        let mut article = article.clone();
        article.as_object_mut().context("an article")?.remove("key");
        company.supervisor.api.post("/knowledge/manage", article).await.expect(201);
    }
    report.add(ask(stack, &company, &set, "the set").await?);
    let start = Instant::now();
    let made = fill(&company).await?;
    eprintln!("({made} articles came in within {} s)", start.elapsed().as_secs());
    let analyze = "vacuum analyze knowledge_articles, knowledge_terms, knowledge_vocabulary";
    stack.database().await.batch_execute(analyze).await?;
    report.add(ask(stack, &company, &set, &format!("the set among {OTHERS} others")).await?);
    Ok(())
}

/// Asks everything twice; the first time is not measured.
async fn ask(stack: &Stack, company: &Company, set: &Set, what: &str) -> Result<Figure> {
    let caller = Caller::of(stack, &company.agents[0]);
    let title_of = |key: &String| set.articles.iter().find(|article| article["key"] == **key).map(|article| &article["title"]);
    let mut times = Times::default();
    let (mut asked, mut first, mut third, mut reciprocal) = (0.0, 0.0, 0.0, 0.0);
    let (mut right, mut nothing) = (Vec::new(), Vec::new());
    for is_measured in [false, true] {
        for Question { question, answers } in &set.questions {
            let encoded: String = url::form_urlencoded::byte_serialize(question.as_bytes()).collect();
            let start = Instant::now();
            let found = caller.get(&format!("/knowledge/search?q={encoded}&limit=10")).await?;
            if !is_measured {
                continue;
            }
            times.add(start.elapsed());
            let rows = found["data"].as_array().context("rows")?;
            let best = rows.first().and_then(|row| row["score"].as_f64()).unwrap_or_default();
            if answers.is_empty() {
                nothing.push((best, question.as_str()));
                continue;
            }
            let place = rows.iter().position(|row| answers.iter().any(|key| title_of(key) == Some(&row["title"])));
            asked += 1.0;
            if let Some(place) = place {
                first += f64::from(u8::from(place < 1));
                third += f64::from(u8::from(place < 3));
                reciprocal += 1.0 / f64::from(u32::try_from(place + 1)?);
            }
            if place == Some(0) {
                right.push(best);
            }
            if place.is_none_or(|place| place >= 3) {
                eprintln!("  not found: {question}");
            }
        }
    }
    nothing.sort_by(|one, other| other.0.total_cmp(&one.0));
    eprintln!("  nothing answers: {:?}", nothing.iter().take(5).collect::<Vec<_>>());
    right.sort_by(f64::total_cmp);
    let share = |part: f64| (part / asked * 1000.0).round() / 1000.0;
    let at = |scores: &[f64], share: usize| scores.get(scores.len() * share / 100).map(|score| (score * 100.0).round() / 100.0);
    let unanswered: Vec<f64> = nothing.iter().map(|(score, _)| *score).collect();
    Ok(Figure::new("knowledge", what, &times)
        .aim(AIM)
        .with("recall@1", share(first))
        .with("recall@3", share(third))
        .with("mrr", share(reciprocal))
        .with("right_p10", at(&right, 10))
        .with("unanswered_max", at(&unanswered, 0))
        .with("unanswered_p50", at(&unanswered, 50)))
}

/// Articles of a school of everything, which share the words of the set; answers how many came in.
async fn fill(company: &Company) -> Result<u64> {
    let subjects =
        ["inglês", "espanhol", "francês", "mentoria", "redação", "informática", "música", "culinária", "desenho", "libras"];
    let matters = [
        "valor",
        "horário",
        "matrícula",
        "material",
        "prova",
        "certificado",
        "reposição",
        "cancelamento",
        "desconto",
        "contrato",
    ];
    let mut rows = "titulo;resposta;perguntas\n".to_owned();
    for number in 0..OTHERS {
        let (subject, matter) = (subjects[number % 10], matters[number / 10 % 10]);
        let (room, level) = (number / 100, number % 7);
        writeln!(
            rows,
            "Regra interna {number}: {matter} de {subject} no polo {room};No polo {room} o {matter} da turma {level} de {subject} segue o \
             regimento {number}, que a coordenação regional publica todo ano no mural.;regimento {number} polo {room}"
        )?;
    }
    let file = company.supervisor.upload("regras.csv", "text/csv", rows.as_bytes()).await;
    let job = company.supervisor.api.post("/knowledge/import", json!({"file_id": file})).await.expect(202);
    let path = format!("/jobs/{}", text(&job["id"]));
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        let progress = company.supervisor.api.get(&path).await.expect(200);
        ensure!(progress["state"] != "failed", "{progress}");
        if progress["state"] == "done" {
            return Ok(progress["result"]["made"].as_u64().unwrap_or_default());
        }
    }
}
