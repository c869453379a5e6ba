//! Flows without code: drawn, published, played, and what came of them.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    desk::PDF,
    eventually,
    sandbox::fresh_number,
    soon,
};
use uuid::Uuid;

use super::ingest::Dice;
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as bot_flows;
    cases! {
        bot_flows::{
            the_starter_flow_plays_as_its_table_says,
            a_played_flow_and_a_real_one_say_the_same,
            a_conversation_goes_on_in_the_version_that_it_began_in,
            an_earlier_version_is_brought_back_as_a_new_one,
            a_flow_with_problems_is_kept_and_not_published,
            what_a_flow_names_has_to_be_there,
            of_many_who_publish_at_once_one_does,
            what_was_published_goes_only_when_no_channel_begins_with_it,
            flows_are_the_supervisors,
            a_flow_begins_by_what_is_said_first,
            who_says_nothing_goes_on_once,
            a_flow_goes_on_by_itself_and_people_are_faster,
            answers_conditions_and_files_are_as_the_flow_says,
            the_companys_words_take_the_place_of_the_built_in,
            figures_say_how_conversations_fared,
        };
    }
}

pub async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await
}

pub fn path(key: &str) -> String {
    format!("/bot/flows/{key}")
}

pub async fn save(person: &Person, key: &str, definition: Value) -> Answer {
    let flow = json!({"name": "Menu", "definition": definition});
    person.api.call(Method::PUT, &path(key), Some(flow)).await
}

pub async fn publish(person: &Person, key: &str, wish: Value) -> Answer {
    person.api.post(&format!("{}/publish", path(key)), wish).await
}

/// A flow that its channel's new conversations begin with.
pub async fn begins(company: &Company, definition: Value) -> Value {
    save(&company.supervisor, "menu", definition).await.expect(200);
    publish(&company.supervisor, "menu", json!({})).await.expect(200)
}

async fn starter(company: &Company) -> Value {
    let templates = company.supervisor.api.get("/bot/templates").await.expect(200);
    templates["data"][0]["definition"].clone()
}

pub fn handover(words: &str) -> Value {
    json!({"type": "handover", "text": words})
}

/// A flow that says these words and hands over.
pub fn says(words: &str) -> Value {
    json!({"start": "main", "nodes": {"main": handover(words)}})
}

/// A flow that asks and waits.
pub fn asks(words: &str) -> Value {
    json!({"start": "main", "nodes": {
        "main": {"type": "question", "text": words, "field": "resposta", "go_to": "human"},
        "human": handover("Obrigado: {{resposta}}."),
    }})
}

fn words_of(sent: &Value) -> String {
    let body = &sent["body"];
    let kind = text(&body["type"]);
    let words = match kind {
        "interactive" => &body["interactive"]["body"]["text"],
        "text" => &body["text"]["body"],
        _ => &body[kind]["caption"],
    };
    text(words).to_owned()
}

/// What WhatsApp was sent for this client.
pub async fn said(company: &Company, client: &str, count: usize) -> Vec<String> {
    eventually("the bot's words", || async {
        let sent = company.phone.sent().await;
        let words: Vec<String> = sent.iter().filter(|sent| sent["body"]["to"] == client).map(words_of).collect();
        (words.len() >= count).then_some(words)
    })
    .await
}

pub async fn status(company: &Company, client: &str) -> String {
    text(&company.admin.conversation_of(client).await["status"]).to_owned()
}

/// Lets what waits for its time begin now.
pub async fn let_time_pass(stack: &Stack, company: &Company) {
    let due = "update jobs set run_at = now() - interval '1 second' where company_id = $1 and kind = 'wake_bot' and finished_at is null";
    stack.database().await.execute(due, &[&company.id]).await.expect("the jobs");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
}

const GREETING: &str = "Olá, Maria Teste! Aqui é a {company}. Como podemos ajudar?";
const MISSED: &str = "Não entendi. Escolha uma das opções, por favor.";
const CALLED: &str = "Um momento, já vou chamar alguém da equipe.";

pub async fn the_starter_flow_plays_as_its_table_says(stack: Arc<Stack>) {
    let departments = vec![("Matrículas", vec![1]), ("Financeiro", vec![])];
    let company = stack.company(Wanted { agents: 1, students: 0, bot: true, departments, ..Wanted::default() }).await;
    let definition = starter(&company).await;
    begins(&company, definition).await;
    let name = text(&company.admin.api.get("/companies").await.expect(200)["data"][0]["name"]).to_owned();
    let greeting = GREETING.replace("{company}", &name);
    let talk = async |inputs: &[&str], count: usize| {
        let client = fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        let mut heard = said(&company, &client, 1).await.len();
        for input in inputs {
            company.phone.receive_text(&client, input).await;
            heard = said(&company, &client, heard + 1).await.len();
        }
        (said(&company, &client, count).await, client)
    };
    let (words, _) = talk(&[], 1).await;
    assert_eq!(words[0], greeting);
    let (words, _) = talk(&["1"], 3).await;
    assert_eq!(words, [greeting.as_str(), "Temos inglês, espanhol e mentoria de carreira.", greeting.as_str()]);
    let (words, _) = talk(&["Mensalidades"], 3).await;
    assert_eq!(words[1], "As mensalidades vencem no dia 10. A segunda via está no portal do aluno.");
    for input in ["3", " 3 ", "FALAR COM ATENDENTE"] {
        let (words, client) = talk(&[input], 2).await;
        assert_eq!(words[1], "Com qual setor você quer falar?", "{input}");
        assert_eq!(status(&company, &client).await, "bot");
    }
    let (words, client) = talk(&["3", "Financeiro"], 3).await;
    assert_eq!(words[2], CALLED);
    let conversation = company.admin.conversation_of(&client).await;
    let department = company.departments.iter().find(|(name, _)| name == "Financeiro").map(|(_, id)| id.to_string());
    assert_eq!((text(&conversation["status"]), conversation["department_id"].as_str()), ("pending", department.as_deref()));
    let (words, _) = talk(&["3", "Voltar ao menu"], 3).await;
    assert_eq!(words[2], greeting);
    let (words, client) = talk(&["9", "banana"], 4).await;
    assert_eq!(words, [greeting.as_str(), MISSED, greeting.as_str(), CALLED]);
    assert_eq!(status(&company, &client).await, "pending");
    for input in ["atendente", "Humano"] {
        let (words, client) = talk(&[input], 2).await;
        assert_eq!((words[1].as_str(), status(&company, &client).await.as_str()), (CALLED, "pending"), "{input}");
    }
    let (words, _) = talk(&["3", "menu"], 3).await;
    assert_eq!(words[2], greeting);
    let (words, client) = talk(&["sair"], 2).await;
    assert_eq!(
        (words[1].as_str(), status(&company, &client).await.as_str()),
        ("Atendimento encerrado. Quando precisar, é só chamar!", "closed")
    );
    // Outside the hours other words are said.
    company.admin.api.call(Method::PUT, "/calendar", Some(json!({"week": {}}))).await.expect(200);
    let (words, _) = talk(&["atendente"], 2).await;
    assert_eq!(
        words,
        [
            "Olá, Maria Teste! Estamos fora do horário, mas você já pode deixar sua mensagem.",
            "Nossa equipe responde assim que abrirmos."
        ]
    );
}

/// The same inputs by both ways, in any order.
pub async fn a_played_flow_and_a_real_one_say_the_same(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let templates = company.supervisor.api.get("/bot/templates").await.expect(200);
    let mut dice = Dice(u64::from_le_bytes(Uuid::new_v4().as_bytes()[..8].try_into().expect("eight bytes")));
    let inputs =
        ["1", "2", "3", "Ana da Silva", "529.982.247-25", "15/03", "Tarde", "menu", "banana", "1234", "pular", "Ver ofertas"];
    for template in templates["data"].as_array().expect("templates") {
        begins(&company, template["definition"].clone()).await;
        let client = fresh_number();
        let (mut run, mut expected) = (json!({}), Vec::new());
        for number in 0..8 {
            let input = if number == 0 { "Oi" } else { inputs[dice.below(inputs.len())] };
            let world = json!({"client_name": "Maria Teste"});
            let turn = json!({"key": "menu", "run": run, "event": {"kind": "text", "text": input}, "world": world});
            let played = company.supervisor.api.post("/bot/simulate", turn).await.expect(200);
            expected.extend(played["says"].as_array().expect("sayings").iter().map(|saying| text(&saying["text"]).to_owned()));
            company.phone.receive_text(&client, input).await;
            assert_eq!(said(&company, &client, expected.len()).await, expected, "{} after {input}", text(&template["key"]));
            run = played["run"].clone();
            if ["handover", "close"].contains(&text(&played["next"])) {
                let ended = if played["next"] == "close" { "closed" } else { "pending" };
                assert_eq!(status(&company, &client).await, ended);
                break;
            }
        }
        soon().await;
        assert_eq!(said(&company, &client, expected.len()).await, expected);
    }
}

pub async fn a_conversation_goes_on_in_the_version_that_it_began_in(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let first = begins(&company, asks("Um?")).await;
    let number = first["published_number"].as_i64().expect("a number");
    let early: Vec<String> = (0..6).map(|_| fresh_number()).collect();
    for client in &early {
        company.phone.receive_text(client, "Oi").await;
        said(&company, client, 1).await;
    }
    let mut changed = asks("Dois?");
    changed["nodes"]["human"]["text"] = json!("Segunda versão.");
    let second = begins(&company, changed).await;
    assert_eq!(second["published_number"], number + 1);
    assert_eq!((second["has_draft"].as_bool(), &second["problems"]), (Some(false), &json!([])));
    let versions = company.supervisor.api.get(&format!("{}/versions", path("menu"))).await.expect(200);
    assert_eq!((&versions["data"][0]["number"], &versions["data"][0]["open_conversations"]), (&json!(number + 1), &json!(0)));
    assert_eq!((&versions["data"][1]["number"], &versions["data"][1]["open_conversations"]), (&json!(number), &json!(6)));
    join_all(early.iter().map(|client| company.phone.receive_text(client, "sim"))).await;
    for client in &early {
        assert_eq!(said(&company, client, 2).await, ["Um?", "Obrigado: sim."]);
    }
    let late = fresh_number();
    company.phone.receive_text(&late, "Oi").await;
    assert_eq!(said(&company, &late, 1).await, ["Dois?"]);
}

pub async fn an_earlier_version_is_brought_back_as_a_new_one(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let first = begins(&company, says("Um.")).await["published_number"].as_i64().expect("a number");
    begins(&company, says("Dois.")).await;
    save(&company.supervisor, "menu", says("Rascunho.")).await.expect(200);
    let back = publish(&company.supervisor, "menu", json!({"number": first})).await.expect(200);
    assert_eq!((&back["published_number"], &back["has_draft"]), (&json!(first + 2), &json!(true)));
    assert_eq!(back["definition"], says("Rascunho."), "what is drawn stays");
    let versions = company.supervisor.api.get(&format!("{}/versions", path("menu"))).await.expect(200);
    assert_eq!(versions["data"][0]["restored_from"], first);
    let again = publish(&company.supervisor, "menu", json!({"number": first})).await.expect(200);
    assert_eq!(again, back, "it is what is published");
    assert_eq!(versions["data"][0]["author_id"], company.supervisor.id.to_string());
    let old = company.supervisor.api.get(&format!("{}?number={first}", path("menu"))).await.expect(200);
    assert_eq!(old["definition"], says("Um."));
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    assert_eq!(said(&company, &client, 1).await, ["Um."]);
    assert_eq!(publish(&company.supervisor, "menu", json!({"number": 99})).await.problem(404), "not_found");
}

pub async fn a_flow_with_problems_is_kept_and_not_published(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let wrong = json!({"start": "nada", "nodes": {
        "a": {"type": "menu", "text": "?", "options": []},
        "b": {"type": "hologram"},
    }});
    let kept = save(&company.supervisor, "novo", wrong.clone()).await.expect(200);
    assert_eq!((&kept["definition"], kept["has_draft"].as_bool()), (&wrong, Some(true)));
    let problems: Vec<(Option<&str>, &str)> = kept["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|problem| (problem["node"].as_str(), text(&problem["code"])))
        .collect();
    for expected in [(None, "unknown_node"), (Some("a"), "required"), (Some("b"), "unknown_value"), (Some("a"), "unreachable")] {
        assert!(problems.contains(&expected), "{expected:?}: {problems:?}");
    }
    let refused = publish(&company.supervisor, "novo", json!({})).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["problems"]), ("flow_has_problems", &kept["problems"]));
    let english = company.supervisor.api.with_header("accept-language", "en");
    let told = english.get(&path("novo")).await.expect(200);
    let messages: Vec<&str> =
        told["problems"].as_array().expect("problems").iter().map(|problem| text(&problem["message"])).collect();
    assert!(messages.contains(&"The menu has no option."), "{messages:?}");
    for nobodys in ["%00", "a%00b", "Novo", "-", "%F0%9F%92%A5"] {
        assert_eq!(company.supervisor.api.get(&path(nobodys)).await.problem(404), "not_found");
        assert_eq!(publish(&company.supervisor, nobodys, json!({})).await.problem(404), "not_found");
    }
    for (key, body, field) in [
        ("Novo", json!({"name": "x", "definition": {}}), "key"),
        ("novo", json!({"name": "", "definition": {}}), "name"),
        ("novo", json!({"name": "x", "definition": []}), "definition"),
        ("novo", json!({"name": "x", "definition": {"start": "a".repeat(270_000)}}), "definition"),
    ] {
        let refused = company.supervisor.api.call(Method::PUT, &path(key), Some(body)).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field);
    }
    let nodes: serde_json::Map<String, Value> = (0..5_000).map(|number| (format!("n{number}"), json!({"type": "end"}))).collect();
    let many = save(&company.supervisor, "novo", json!({"start": "n0", "nodes": nodes})).await.expect(200);
    assert_eq!(many["problems"].as_array().map(Vec::len), Some(1));
    assert_eq!(text(&many["problems"][0]["code"]), "too_many");
    // A flow of nobody's.
    for what in ["", "/versions"] {
        assert_eq!(company.supervisor.api.get(&format!("/bot/flows/outro{what}")).await.problem(404), "not_found");
    }
    assert_eq!(publish(&company.supervisor, "menu", json!({})).await.problem(409), "nothing_to_publish");
}

pub async fn what_a_flow_names_has_to_be_there(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let theirs = other.admin.upload("a.pdf", "application/pdf", PDF).await;
    let own = company.supervisor.upload("a.pdf", "application/pdf", PDF).await;
    let flow = |department: &str, file: &str, channel: &str| {
        json!({"start": "m", "triggers": [{"channel_account_id": channel}], "nodes": {
            "m": {"type": "message", "text": "A tabela", "media": {"kind": "document", "file_id": file}, "go_to": "h"},
            "h": {"type": "handover", "text": "Um momento.", "department_id": department},
        }})
    };
    let nobodys = flow(&Uuid::now_v7().to_string(), &theirs, &other.channel_account_id.to_string());
    save(&company.supervisor, "tabela", nobodys).await.expect(200);
    let refused = publish(&company.supervisor, "tabela", json!({})).await.expect(409);
    let problems = refused["current"]["problems"].as_array().expect("problems");
    let problems: Vec<_> =
        problems.iter().map(|problem| (problem["node"].as_str(), text(&problem["field"]), text(&problem["code"]))).collect();
    for expected in [
        (Some("h"), "department_id", "not_found"),
        (Some("m"), "media.file_id", "not_found"),
        (None, "triggers[0].channel_account_id", "not_found"),
    ] {
        assert!(problems.contains(&expected), "{expected:?}: {problems:?}");
    }
    let made = company.admin.api.post("/departments", json!({"name": "Vendas"})).await.expect(201);
    let right = flow(text(&made["id"]), &own, &company.channel_account_id.to_string());
    save(&company.supervisor, "tabela", right).await.expect(200);
    publish(&company.supervisor, "tabela", json!({})).await.expect(200);
}

pub async fn of_many_who_publish_at_once_one_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let drawn = save(&company.supervisor, "menu", says("Agora.")).await.expect(200);
    let people = [&company.supervisor, &company.admin];
    let answers = join_all((0..8).map(|number| publish(people[number % 2], "menu", json!({"version": drawn["version"]})))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    let versions = company.supervisor.api.get(&format!("{}/versions", path("menu"))).await.expect(200);
    assert_eq!(versions["data"].as_array().map(Vec::len), Some(2));
    // Many who draw at once: all are kept, one after the other.
    let before = company.supervisor.api.get(&path("menu")).await.expect(200)["version"].as_i64().expect("a version");
    let answers = join_all((0..8).map(|number| save(people[number % 2], "menu", says(&format!("{number}."))))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let after = company.supervisor.api.get(&path("menu")).await.expect(200)["version"].as_i64().expect("a version");
    assert_eq!(after, before + 8);
    let late = company.supervisor.api.with_header("if-match", &before.to_string());
    let body = json!({"name": "Menu", "definition": says("Tarde.")});
    assert_eq!(late.call(Method::PUT, &path("menu"), Some(body)).await.problem(409), "stale_version");
}

pub async fn what_was_published_goes_only_when_no_channel_begins_with_it(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.supervisor.api;
    let used = api.call(Method::DELETE, &path("menu"), None).await.expect(409);
    assert_eq!((text(&used["code"]), used["current"]["channels"].as_array().map(Vec::len)), ("flow_in_use", Some(1)));
    save(&company.supervisor, "outro", says("Um.")).await.expect(200);
    publish(&company.supervisor, "outro", json!({})).await.expect(200);
    save(&company.supervisor, "outro", says("Dois.")).await.expect(200);
    api.call(Method::DELETE, &format!("{}?draft_only=true", path("outro")), None).await.expect(204);
    let left = api.get(&path("outro")).await.expect(200);
    assert_eq!((&left["definition"], left["has_draft"].as_bool()), (&says("Um."), Some(false)));
    assert_eq!(api.call(Method::DELETE, &format!("{}?draft_only=true", path("outro")), None).await.problem(404), "not_found");
    let listed = |page: Value| -> Vec<String> {
        page["data"].as_array().into_iter().flatten().map(|flow| text(&flow["key"]).to_owned()).collect()
    };
    assert_eq!(listed(api.get("/bot/flows").await.expect(200)), ["menu", "outro"]);
    api.call(Method::DELETE, &path("outro"), None).await.expect(204);
    assert_eq!(api.get(&path("outro")).await.problem(404), "not_found");
    assert_eq!(listed(api.get("/bot/flows").await.expect(200)), ["menu"]);
    // Another one may be called the same.
    save(&company.supervisor, "outro", says("Três.")).await.expect(200);
    let again = publish(&company.supervisor, "outro", json!({})).await.expect(200);
    assert_eq!((&again["published_number"], &again["definition"]), (&json!(2), &says("Três.")));
    assert_eq!(publish(&company.supervisor, "outro", json!({"number": 1})).await.problem(404), "not_found");
}

pub async fn flows_are_the_supervisors(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    save(agent, "menu", says("Meu.")).await.expect(403);
    publish(agent, "menu", json!({"number": 1})).await.expect(403);
    for what in ["flows", "config", "templates", "analytics"] {
        agent.api.get(&format!("/bot/{what}")).await.expect(403);
    }
    let head = company.admin.head().await;
    let mut socket = agent.socket().await;
    begins(&company, says("Do supervisor.")).await;
    let told = company.admin.told_after(&head).await;
    let told = told.iter().filter(|event| event["type"] == "bot_flow.updated");
    let changes: Vec<&str> = told.map(|event| text(&event["data"]["change"])).collect();
    assert_eq!(changes, ["saved", "published"]);
    assert_eq!(socket.of_type("bot_flow.updated").await["data"]["key"], "menu");
}

pub async fn a_flow_begins_by_what_is_said_first(stack: Arc<Stack>) {
    let company = company(&stack).await;
    begins(&company, asks("Do canal?")).await;
    let mut enrolment = says("Da matrícula.");
    enrolment["triggers"] = json!([{"keywords": ["matrícula"]}]);
    save(&company.supervisor, "matricula", enrolment).await.expect(200);
    let mut known = says("Que bom ver você de novo.");
    known["triggers"] = json!([{"keywords": ["voltei"], "channel_account_id": Uuid::now_v7()}]);
    save(&company.supervisor, "volta", known).await.expect(200);
    let hear = async |client: &str, words: &str| {
        let before = company.phone.sent().await.iter().filter(|sent| sent["body"]["to"] == client).count();
        company.phone.receive_text(client, words).await;
        said(&company, client, before + 1).await.pop().unwrap_or_default()
    };
    // What is only drawn begins nothing.
    assert_eq!(hear(&fresh_number(), "Quero fazer a matricula").await, "Do canal?");
    publish(&company.supervisor, "matricula", json!({})).await.expect(200);
    assert_eq!(hear(&fresh_number(), "Quero fazer a matricula!").await, "Da matrícula.");
    assert_eq!(hear(&fresh_number(), "Matriculado").await, "Do canal?");
    // Within a conversation it is only an answer.
    let client = fresh_number();
    assert_eq!(hear(&client, "Oi").await, "Do canal?");
    assert_eq!(hear(&client, "matrícula").await, "Obrigado: matrícula.");
    company.supervisor.api.call(Method::DELETE, &path("matricula"), None).await.expect(204);
    assert_eq!(hear(&fresh_number(), "matrícula").await, "Do canal?");
}

pub async fn who_says_nothing_goes_on_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut flow = asks("Seu nome?");
    flow["nodes"]["main"]["on_timeout"] = json!({"minutes": 5, "go_to": "again"});
    flow["nodes"]["again"] = json!({"type": "message", "text": "Ainda está aí?", "go_to": "wait"});
    flow["nodes"]["wait"] = json!({"type": "question", "text": "Pode escrever.", "field": "resposta", "go_to": "human"});
    begins(&company, flow).await;
    let (silent, quick) = (fresh_number(), fresh_number());
    for client in [&silent, &quick] {
        company.phone.receive_text(client, "Oi").await;
        said(&company, client, 1).await;
    }
    company.phone.receive_text(&quick, "Ana").await;
    assert_eq!(said(&company, &quick, 2).await[1], "Obrigado: Ana.");
    let_time_pass(&stack, &company).await;
    assert_eq!(said(&company, &silent, 3).await, ["Seu nome?", "Ainda está aí?", "Pode escrever."]);
    let_time_pass(&stack, &company).await;
    soon().await;
    assert_eq!((said(&company, &silent, 3).await.len(), said(&company, &quick, 2).await.len()), (3, 2));
    company.phone.receive_text(&silent, "Bia").await;
    assert_eq!(said(&company, &silent, 4).await[3], "Obrigado: Bia.");
}

pub async fn a_flow_goes_on_by_itself_and_people_are_faster(stack: Arc<Stack>) {
    let company = company(&stack).await;
    begins(
        &company,
        json!({"start": "a", "nodes": {
            "a": {"type": "message", "text": "Um instante.", "go_to": "w"},
            "w": {"type": "wait", "seconds": 3600, "go_to": "b"},
            "b": {"type": "handover", "text": "Aqui estou."},
        }}),
    )
    .await;
    let clients: Vec<String> = (0..4).map(|_| fresh_number()).collect();
    let [waits, writes, taken, calls] = [0, 1, 2, 3].map(|index| clients[index].as_str());
    for client in &clients {
        company.phone.receive_text(client, "Oi").await;
        assert_eq!(said(&company, client, 1).await, ["Um instante."]);
    }
    company.phone.receive_text(writes, "Alguém?").await;
    company.phone.receive_text(calls, "atendente").await;
    assert_eq!(said(&company, calls, 2).await[1], "Aqui estou.");
    let conversation = company.agents[0].conversation_id_of(taken).await;
    company.agents[0].take_over(&conversation).await;
    soon().await;
    assert_eq!(said(&company, writes, 1).await.len(), 1, "it is heard when the flow goes on");
    let_time_pass(&stack, &company).await;
    for client in [waits, writes] {
        assert_eq!(said(&company, client, 2).await[1], "Aqui estou.");
        assert_eq!(status(&company, client).await, "pending");
    }
    soon().await;
    assert_eq!((said(&company, taken, 1).await.len(), said(&company, calls, 2).await.len()), (1, 2));
}

pub async fn answers_conditions_and_files_are_as_the_flow_says(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let file = company.supervisor.upload("tabela.pdf", "application/pdf", PDF).await;
    begins(&company, json!({"start": "mail", "nodes": {
        "mail": {"type": "question", "text": "E-mail?", "field": "email", "answer": "email", "error": "Isto não é um e-mail.", "retries": 2, "go_to": "tag"},
        "tag": {"type": "tag", "add": ["Lead do robô"], "go_to": "set"},
        "set": {"type": "set_field", "field": "destino", "value": "{{first_name}} <{{email}}>", "go_to": "if"},
        "if": {"type": "condition", "cases": [{"when": {"test": "tag", "name": "VIP"}, "go_to": "human"}], "else_go_to": "file"},
        "file": {"type": "message", "text": "Para {{destino}}", "media": {"kind": "document", "file_id": file}, "go_to": "human"},
        "human": {"type": "handover", "text": "Um momento.", "priority": "urgent", "summary": "Enviar tabela a {{email}}"},
    }})).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    said(&company, &client, 1).await;
    company.phone.receive_text(&client, "não tenho").await;
    assert_eq!(said(&company, &client, 3).await[1], "Isto não é um e-mail.");
    company.phone.receive_text(&client, "Ana@Escola.com.br").await;
    assert_eq!(said(&company, &client, 5).await[3..], ["Para Maria <ana@escola.com.br>", "Um momento."]);
    let conversation = company.admin.conversation_of(&client).await;
    assert_eq!(
        (text(&conversation["priority"]), text(&conversation["subject"]), &conversation["tags"]),
        ("urgent", "Enviar tabela a ana@escola.com.br", &json!(["Lead do robô"]))
    );
    let id = text(&conversation["id"]).to_owned();
    let thread = company.agents[0].thread(&id).await;
    let document = thread.iter().find(|message| message["kind"] == "document").expect("the file");
    assert_eq!((document["file"]["id"].as_str(), text(&document["sender_type"])), (Some(file.as_str()), "bot"));
    // Of a file that is gone the words are said.
    let late = fresh_number();
    company.phone.receive_text(&late, "Oi").await;
    said(&company, &late, 1).await;
    let gone = "update files set status = 'failed' where id = $1::text::uuid";
    stack.database().await.execute(gone, &[&file]).await.expect("the file goes");
    company.phone.receive_text(&late, "bia@escola.com.br").await;
    assert_eq!(said(&company, &late, 3).await[1..], ["Para Maria <bia@escola.com.br>", "Um momento."]);
    stack
        .database()
        .await
        .execute("update files set status = 'ready' where id = $1::text::uuid", &[&file])
        .await
        .expect("the file");
    // Whoever sees the conversation sees its file.
    assert_eq!(company.agents[0].download(&file).await.0, PDF);
}

pub async fn the_companys_words_take_the_place_of_the_built_in(stack: Arc<Stack>) {
    let company = company(&stack).await;
    begins(&company, asks("Nome?")).await;
    let api = &company.supervisor.api;
    let put = async |key: &str, body: Value| api.call(Method::PUT, &format!("/bot/config/{key}"), Some(body)).await;
    let rows = api.get("/bot/config").await.expect(200);
    let keys: Vec<&str> = rows["data"].as_array().expect("rows").iter().map(|row| text(&row["key"])).collect();
    assert_eq!(keys[..5], ["not_understood", "goodbye", "human_words", "menu_words", "leave_words"]);
    assert!(keys[5..].iter().all(|key| key.starts_with("ai_")), "{keys:?}");
    let saved = put("goodbye", json!({"value": "Tchau, {{first_name}}!", "description": "Ao sair"})).await.expect(200);
    assert_eq!(
        (text(&saved["value"]), text(&saved["description"]), saved["is_active"].as_bool()),
        ("Tchau, {{first_name}}!", "Ao sair", Some(true))
    );
    put("leave_words", json!({"value": ["Fui", "sair"]})).await.expect(200);
    let leave = async |words: &str| {
        let client = fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        said(&company, &client, 1).await;
        company.phone.receive_text(&client, words).await;
        said(&company, &client, 2).await[1].clone()
    };
    assert_eq!(leave("fui").await, "Tchau, Maria!");
    let inactive = put("goodbye", json!({"is_active": false})).await.expect(200);
    assert_eq!((text(&inactive["value"]), inactive["is_active"].as_bool()), ("Tchau, {{first_name}}!", Some(false)));
    assert_eq!(leave("sair").await, "Atendimento encerrado. Quando precisar, é só chamar!");
    // By the body alone, too.
    let named = json!({"key": "goodbye", "value": "Até!", "is_active": true});
    api.call(Method::PUT, "/bot/config", Some(named)).await.expect(200);
    assert_eq!(leave("sair").await, "Até!");
    for (key, body, status, field) in [
        ("nothing", json!({"value": "x"}), 404, ""),
        ("goodbye", json!({"value": ["x"]}), 422, "value"),
        ("menu_words", json!({"value": "menu"}), 422, "value"),
        ("ai_daily_tokens", json!({"value": -1}), 422, "value"),
        ("ai_enabled", json!({"value": "sim"}), 422, "value"),
        ("goodbye", json!({"value": "x".repeat(1_025)}), 422, "value"),
        ("goodbye", json!({"value": "Tchau, {{nome_da_mae}}!"}), 422, "value"),
        ("menu_words", json!({"value": ["início", "Atendente"]}), 422, "value"),
        ("human_words", json!({"value": ["fui"]}), 422, "value"),
        ("ai_languages", json!({"value": ["klingon"]}), 422, "value"),
        ("goodbye", json!({"key": "ai_tone", "value": "x"}), 422, "key"),
    ] {
        let refused = put(key, body).await;
        assert_eq!(refused.status, status, "{key}");
        assert_eq!(refused.body["errors"][0]["field"].as_str().unwrap_or_default(), field);
    }
    let categories = json!({"value": ["Financeiro", "financeiro", "Matrículas"]});
    assert_eq!(put("ai_categories", categories).await.expect(200)["value"], json!(["Financeiro", "Matrículas"]));
    let unnamed = api.call(Method::PUT, "/bot/config", Some(json!({"value": "x"}))).await;
    assert_eq!(unnamed.problem(404), "not_found");
}

async fn turns_are_over(stack: &Stack, company: &Company) {
    let going = "select from jobs where company_id = $1 and queue = 'bot' and finished_at is null and run_at <= now()";
    let database = stack.database().await;
    eventually("the end of all turns", || async {
        let going = database.query(going, &[&company.id]).await.expect("the jobs");
        going.is_empty().then_some(())
    })
    .await;
}

pub async fn figures_say_how_conversations_fared(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let definition = starter(&company).await;
    begins(&company, definition).await;
    let talk = async |inputs: &[&str]| {
        let client = fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        let mut heard = said(&company, &client, 1).await.len();
        for input in inputs {
            // What is written while a turn goes on is part of the next one's input.
            turns_are_over(&stack, &company).await;
            company.phone.receive_text(&client, input).await;
            heard = said(&company, &client, heard + 1).await.len();
        }
    };
    talk(&["sair"]).await;
    talk(&["Banana"]).await;
    talk(&["banana ", "menu", "BANANÁ", "3"]).await;
    talk(&["atendente"]).await;
    let figures = company.supervisor.api.get("/bot/analytics?key=menu").await.expect(200);
    let totals = ["entries", "handed_over", "resolved_by_bot", "in_progress"].map(|name| figures[name].as_i64().unwrap_or(-1));
    assert_eq!(totals, [4, 2, 1, 1], "{figures}");
    assert_eq!((text(&figures["not_understood"][0]["node"]), figures["not_understood"][0]["count"].as_i64()), ("main", Some(3)));
    let main = figures["nodes"].as_array().expect("nodes").iter().find(|row| row["node"] == "main").expect("the menu");
    assert_eq!((main["entries"].as_i64(), main["missed"].as_i64(), main["answered"].as_i64()), (Some(4), Some(3), Some(1)));
    let empty = company.supervisor.api.get("/bot/analytics?key=outro").await.expect(200);
    assert_eq!((empty["entries"].as_i64(), &empty["median_seconds"], &empty["nodes"]), (Some(0), &Value::Null, &json!([])));
    for wrong in ["from=2026-02-01&to=2026-01-01", "from=2020-01-01&to=2026-01-01", "from=ontem"] {
        company.supervisor.api.get(&format!("/bot/analytics?{wrong}")).await.expect(422);
    }
}
