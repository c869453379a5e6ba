//! GET /knowledge/search, PUT /knowledge/synonyms, POST /knowledge/{id}/use

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, sandbox::fresh_number};
use uuid::Uuid;

use super::{ask, boleto, change, company, titles, write};

/// Articles, and questions with the articles that answer them; the benchmark measures the same.
const SET: &str = include_str!("../../../../bench/knowledge.json");

pub async fn what_people_ask_finds_what_answers(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let set: Value = serde_json::from_str(SET).expect("a set");
    let articles = set["articles"].as_array().expect("articles");
    for article in articles {
        let mut article = article.clone();
        article.as_object_mut().expect("an object").remove("key");
        write(&company, article).await;
    }
    let title_of = |key: &Value| &articles.iter().find(|article| article["key"] == *key).expect("an article")["title"];
    let (mut asked, mut found, mut missed) = (0, 0, Vec::new());
    for question in set["questions"].as_array().expect("questions") {
        let answers = question["answers"].as_array().expect("answers");
        if answers.is_empty() {
            continue;
        }
        asked += 1;
        let titles = titles(&company.supervisor, text(&question["question"]), "&limit=3").await;
        let is_found = answers.iter().any(|key| titles.iter().any(|title| title_of(key) == title));
        found += i32::from(is_found);
        if !is_found {
            missed.push(question["question"].clone());
        }
    }
    assert!(asked >= 120 && articles.len() >= 60);
    assert!(f64::from(found) / f64::from(asked) >= 0.9, "{found} of {asked}; not {missed:?}");
}

pub async fn an_article_is_found_by_whom_and_when_it_is_for(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let at = |days: i64| (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days)).to_string();
    for (title, more) in [
        ("Boleto para todos", json!({})),
        ("Boleto do robô", json!({"audience": "bot"})),
        ("Boleto da equipe", json!({"audience": "agents"})),
        ("Boleto de ontem", json!({"valid_until": at(-1)})),
        ("Boleto de amanhã", json!({"valid_from": at(1)})),
        ("Boleto de agora", json!({"valid_from": at(-1), "valid_until": at(1)})),
    ] {
        let mut article = json!({"title": title, "answer": "O boleto."});
        article.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        write(&company, article).await;
    }
    let sorted = |mut titles: Vec<String>| {
        titles.sort_unstable();
        titles
    };
    let agents = sorted(titles(&company.agents[0], "boleto", "").await);
    assert_eq!(agents, ["Boleto da equipe", "Boleto de agora", "Boleto para todos"]);
    let bot = sorted(titles(&company.agents[0], "boleto", "&audience=bot").await);
    assert_eq!(bot, ["Boleto de agora", "Boleto do robô", "Boleto para todos"]);
    let yesterday = &company.supervisor.api.get("/knowledge?valid=false").await.expect(200)["data"];
    assert_eq!(yesterday.as_array().map(Vec::len), Some(2));
    let over = yesterday.as_array().expect("rows").iter().find(|row| row["title"] == "Boleto de ontem").expect("it").clone();
    // For agents there are only those that hold.
    let agent = &company.agents[0].api;
    assert_eq!(agent.get("/knowledge?valid=false").await.expect(200)["data"], json!([]));
    let path = format!("/knowledge/{}", text(&over["id"]));
    agent.get(&path).await.expect(404);
    change(&company.supervisor, &over["id"], None, json!({"valid_until": null})).await.expect(200);
    agent.get(&path).await.expect(200);
    assert_eq!(titles(&company.agents[0], "boleto", "").await.len(), 4, "it holds again");
}

pub async fn slips_short_forms_and_the_companys_words_find_it_too(stack: Arc<Stack>) {
    let company = company(&stack).await;
    write(&company, boleto()).await;
    write(&company, json!({"title": "Certificado de conclusão", "answer": "Sai no portal em 15 dias."})).await;
    write(&company, json!({"title": "Valor do curso de inglês", "answer": "Custa R$ 389,00."})).await;
    write(&company, json!({"title": "Estacionamento", "answer": "Há vagas na unidade."})).await;
    for (question, title) in [
        ("segunda via do bolteo", "Segunda via do boleto"),
        ("SEGUNDA VIA", "Segunda via do boleto"),
        ("2a via pfv", "Segunda via do boleto"),
        ("sertificado", "Certificado de conclusão"),
        ("certificados", "Certificado de conclusão"),
        ("qto custa o ingles", "Valor do curso de inglês"),
        ("preço do inglês", "Valor do curso de inglês"),
        ("estasionamento", "Estacionamento"),
    ] {
        let found = titles(&company.agents[0], question, "").await;
        assert_eq!(found.first().map(String::as_str), Some(title), "{question}");
    }
    for nothing in ["xyzzy plugh", "!!!", "de a o", "cotação do dólar"] {
        let found = ask(&company.agents[0], nothing, "").await;
        assert!(found.iter().all(|row| row["score"].as_f64() < Some(0.35)), "{nothing}: {found:?}");
    }
    assert!(titles(&company.agents[0], "canudo", "").await.is_empty());
    let synonyms = json!({"groups": [["canudo", "certificado"], ["garagem coberta", "estacionamento"]]});
    let put = |person: &tests::company::Person, version: &str, body: Value| {
        let api = person.api.with_header("if-match", version);
        async move { api.call(Method::PUT, "/knowledge/synonyms", Some(body)).await }
    };
    put(&company.agents[0], "0", synonyms.clone()).await.expect(403);
    assert_eq!(put(&company.supervisor, "0", synonyms.clone()).await.expect(200)["version"], json!(1));
    assert_eq!(put(&company.supervisor, "0", json!({"groups": []})).await.problem(409), "stale_version");
    assert_eq!(put(&company.supervisor, "1", synonyms).await.expect(200)["version"], json!(1), "nothing has changed");
    for group in [json!(["a"]), json!(["boleto", "Boleto"]), json!(["!!", "??"]), json!(["boleto", "!!"]), json!([])] {
        let refused = put(&company.supervisor, "1", json!({"groups": [group]})).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["code"]), "too_few_words", "{refused}");
    }
    assert_eq!(put(&company.supervisor, "1", json!({"groups": [["um"]]})).await.expect(422)["errors"][0]["field"], "groups[0]");
    assert_eq!(titles(&company.agents[0], "cadê meu canudo", "").await, ["Certificado de conclusão"]);
    assert_eq!(titles(&company.agents[0], "garagem coberta", "").await, ["Estacionamento"]);
    assert_eq!(company.agents[0].api.get("/knowledge/synonyms").await.expect(200)["groups"][0], json!(["canudo", "certificado"]));
}

pub async fn what_helped_is_found_sooner_within_bounds(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 6, students: 0, ..Wanted::default() }).await;
    let same = json!({"title": "Boleto em atraso", "answer": "Com multa."});
    let [first, second] = [write(&company, same.clone()).await, write(&company, same).await];
    let exact = write(&company, json!({"title": "Boleto em atraso: desconto na multa", "answer": "Não há."})).await;
    for person in &company.agents {
        for (article, helped) in [(&first, false), (&second, true), (&exact, false)] {
            let path = format!("/knowledge/{}/use", text(&article["id"]));
            person.api.post(&path, json!({"helped": helped, "query": "boleto atrasado"})).await.expect(200);
        }
    }
    let found = ask(&company.agents[0], "boleto atrasado", "").await;
    assert_eq!((&found[0]["id"], &found[1]["id"]), (&second["id"], &first["id"]), "{found:?}");
    let [best, next] = [0, 1].map(|place| found[place]["score"].as_f64().unwrap_or_default());
    assert!(best > next && best - next < 0.15, "{best} {next}");
    let found = ask(&company.agents[0], "desconto na multa do boleto em atraso", "").await;
    assert_eq!(found[0]["id"], exact["id"], "use does not go before what was asked: {found:?}");
}

pub async fn a_use_counts_once_for_a_person_and_a_conversation(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let made = write(&company, boleto()).await;
    let path = format!("/knowledge/{}/use", text(&made["id"]));
    let number = fresh_number();
    company.phone.receive(&number, json!({"text": "Oi"})).await;
    let conversation = company.admin.conversation_of(&number).await["id"].clone();
    let say = |helped: Option<bool>| json!({"helped": helped, "conversation_id": conversation});
    let uses = join_all((0..8).map(|_| company.supervisor.api.post(&path, say(Some(true))))).await;
    assert!(uses.into_iter().all(|answer| answer.status == 200));
    let counts = |answer: Value| [answer["helped"].clone(), answer["not_helped"].clone()];
    assert_eq!(counts(company.supervisor.api.post(&path, say(None)).await.expect(200)), [json!(1), json!(0)]);
    assert_eq!(counts(company.supervisor.api.post(&path, say(Some(false))).await.expect(200)), [json!(0), json!(1)]);
    assert_eq!(counts(company.admin.api.post(&path, say(Some(true))).await.expect(200)), [json!(1), json!(1)]);
    assert_eq!(counts(company.admin.api.post(&path, json!({"helped": true})).await.expect(200)), [json!(2), json!(1)]);
    company.admin.api.post(&path, json!({"conversation_id": Uuid::now_v7()})).await.expect(404);
    company.admin.api.post(&path, json!({"query": "a".repeat(501)})).await.expect(422);
    let article = company.admin.api.get(&format!("/knowledge/{}", text(&made["id"]))).await.expect(200);
    assert_eq!((&article["version"], article["last_used_at"].is_string()), (&json!(1), true), "use makes no version");
}

/// By signs alone, among others and with those that cannot be compared; what is spelled alike is judged by words.
pub async fn what_a_model_makes_of_an_article_finds_it_too(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut made = Vec::new();
    for title in ["Perto", "Longe", "Estranho"] {
        made.push(write(&company, json!({"title": title, "answer": "Sem palavras em comum."})).await);
    }
    let [near, far, strange] = made.try_into().expect("three");
    let mut database = stack.database().await;
    for (article, model, embedding) in [
        (&near, "um", vec![0.9_f32, 0.1, 0.8]),
        (&far, "um", vec![-0.9, -0.1, -0.8]),
        (&strange, "outro", vec![0.9, 0.1, 0.8, 0.7]),
    ] {
        let store = "
            insert into knowledge_embeddings (company_id, article_id, model, version, signs, embedding)
            select $1, $2::text::uuid, $3, 1, string_agg(case when part > 0 then '1' else '0' end, '' order by place)::bit varying, $4
              from unnest($4::real[]) with ordinality parts (part, place)";
        database.execute(store, &[&company.id, &text(&article["id"]), &model, &embedding]).await.expect("an embedding");
    }
    let transaction = database.transaction().await.expect("a transaction");
    transaction.execute("select set_config('app.company_id', $1::uuid::text, true)", &[&company.id]).await.expect("a company");
    let find = "select app.find_knowledge('{}', '{}', '{}', 'agents', 1, '101', 'um')";
    let found: Value = transaction.query_one(find, &[]).await.expect("an answer").get(0);
    let found: Vec<&Value> = found["articles"].as_array().expect("articles").iter().map(|article| &article["id"]).collect();
    assert_eq!(found, [&near["id"]]);
}
