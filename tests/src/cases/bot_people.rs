//! What a flow does for people: answers that stay with the client, who is handed conversations, and what becomes of whom the bot cannot serve.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack,
    company::{Person, text},
    desk::PDF,
    eventually,
    sandbox::fresh_number,
    soon,
};
use uuid::Uuid;

use super::{
    bot_flows::{asks, begins, company, handover, let_time_pass, path, publish, said, save, says, status},
    faults::until_all_done,
};
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as bot_people;
    cases! {
        bot_people::{
            what_clients_say_of_themselves_stays_with_them,
            what_is_somebody_elses_stays_in_the_conversation,
            of_many_who_say_the_same_one_has_it,
            what_is_kept_fits_the_companys_fields,
            a_conversation_goes_to_the_person_who_is_there,
            what_did_not_arrive_is_peoples_once,
            a_file_that_a_published_flow_sends_stays,
            a_file_is_what_the_flow_says,
            who_leaves_with_their_first_words_is_counted,
            a_conversation_that_is_opened_again_begins_anew,
            what_waited_before_moves_nothing_afterwards,
            a_hundred_conversations_go_on_while_flows_are_published,
            a_node_of_the_future_in_a_published_flow_leads_to_people,
            leads_are_made_and_moved_by_a_flow,
        };
    }
}

async fn hear(company: &Company, client: &str, words: &str, count: usize) -> Vec<String> {
    company.phone.receive_text(client, words).await;
    said(company, client, count).await
}

async fn client_of(company: &Company, number: &str) -> Value {
    let conversation = company.admin.conversation_of(number).await;
    company.admin.api.get(&format!("/clients/{}", text(&conversation["client_id"]))).await.expect(200)
}

fn question(words: &str, field: &str, answer: &str, save_as: &str, go_to: &str) -> Value {
    json!({"type": "question", "text": words, "field": field, "answer": answer, "save_as": save_as, "go_to": go_to})
}

async fn add_fields(person: &Person) {
    let fields = json!({"fields": [
        {"key": "nascimento", "label": "Nascimento", "kind": "date"},
        {"key": "renda", "label": "Renda", "kind": "number"},
        {"key": "turno", "label": "Turno", "kind": "choice", "options": ["Manhã", "Tarde"]},
        {"key": "aluno", "label": "É aluno", "kind": "boolean"},
    ]});
    person.api.call(Method::PUT, "/client-fields", Some(fields)).await.expect(200);
}

fn interview() -> Value {
    let mut turno = question("Turno?", "turno", "choice", "custom_fields.turno", "aluno");
    turno["choices"] = json!(["Manhã", "Tarde"]);
    let mut aluno = question("É aluno?", "aluno", "choice", "custom_fields.aluno", "human");
    aluno["choices"] = json!(["Sim", "Não"]);
    json!({"start": "nome", "nodes": {
        "nome": question("Nome?", "nome", "text", "name", "mail"),
        "mail": question("E-mail?", "mail", "email", "email", "cpf"),
        "cpf": question("CPF?", "cpf", "cpf", "document", "nascimento"),
        "nascimento": question("Nascimento?", "nascimento", "date", "custom_fields.nascimento", "renda"),
        "renda": question("Renda?", "renda", "number", "custom_fields.renda", "turno"),
        "turno": turno,
        "aluno": aluno,
        "human": handover("Obrigado, {{nome}}."),
    }})
}

pub async fn what_clients_say_of_themselves_stays_with_them(stack: Arc<Stack>) {
    let company = company(&stack).await;
    add_fields(&company.supervisor).await;
    let drawn = save(&company.supervisor, "menu", interview()).await.expect(200);
    assert_eq!(drawn["problems"], json!([]));
    begins(&company, interview()).await;
    let (client, head) = (fresh_number(), company.admin.head().await);
    let mail = format!("{}@escola.test", Uuid::now_v7().simple());
    let inputs = ["Oi", "Ana da Silva", &mail, "529.982.247-25", "15/03/1998", "R$ 1.500,50", "tarde", "2"];
    for (place, input) in inputs.iter().enumerate() {
        hear(&company, &client, input, place + 1).await;
    }
    let kept = client_of(&company, &client).await;
    assert_eq!(
        (text(&kept["name"]), text(&kept["name_source"]), text(&kept["email"]), text(&kept["document"])),
        ("Ana da Silva", "staff", mail.as_str(), "52998224725")
    );
    let fields = json!({"nascimento": "1998-03-15", "renda": 1500.5, "turno": "Tarde", "aluno": false});
    assert_eq!(kept["custom_fields"], fields);
    assert!(kept["identities"].as_array().expect("identities").contains(&json!({"kind": "email", "value": mail})));
    let told = company.admin.told_after(&head).await;
    assert!(told.iter().filter(|event| event["type"] == "client.updated").count() >= 7, "staff see each of them");
    let audit = "select count(*) from audit_log where company_id = $1 and action = 'run_bot_turn'";
    assert_eq!(stack.database().await.query_one(audit, &[&company.id]).await.expect("a count").get::<_, i64>(0), 7);
}

pub async fn what_is_somebody_elses_stays_in_the_conversation(stack: Arc<Stack>) {
    let company = company(&stack).await;
    add_fields(&company.supervisor).await;
    let mail = format!("{}@escola.test", Uuid::now_v7().simple());
    let theirs = json!({"name": "Bia", "email": mail, "document": "529.982.247-25"});
    company.admin.api.post("/clients", theirs).await.expect(201);
    begins(&company, interview()).await;
    let client = fresh_number();
    let inputs = ["Oi", "Ana\u{202e}", &mail.to_uppercase(), "52998224725", "hoje"];
    for (place, input) in inputs.iter().enumerate() {
        hear(&company, &client, input, place + 1).await;
    }
    let kept = client_of(&company, &client).await;
    assert_eq!((text(&kept["name"]), &kept["email"], &kept["document"]), ("Maria Teste", &Value::Null, &Value::Null));
    assert!(kept["custom_fields"]["nascimento"].is_string(), "what can be kept is");
    let fields = "select bot_fields from conversations where id = $1::text::uuid";
    let conversation = company.admin.conversation_id_of(&client).await;
    let run: Value = stack.database().await.query_one(fields, &[&conversation]).await.expect("a run").get(0);
    assert_eq!((text(&run["mail"]), text(&run["cpf"])), (mail.as_str(), "52998224725"));
    // A field that has gone since takes nothing, and stops nobody.
    company.supervisor.api.call(Method::PUT, "/client-fields", Some(json!({"fields": []}))).await.expect(200);
    hear(&company, &client, "1500", 6).await;
    assert_eq!(client_of(&company, &client).await["custom_fields"]["renda"], Value::Null);
}

pub async fn of_many_who_say_the_same_one_has_it(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let flow = json!({"start": "mail", "nodes": {
        "mail": question("E-mail?", "mail", "email", "email", "cpf"),
        "cpf": question("CPF?", "cpf", "cpf", "document", "human"),
        "human": handover("Obrigado."),
    }});
    begins(&company, flow).await;
    let mail = format!("{}@escola.test", Uuid::now_v7().simple());
    let clients: Vec<String> = (0..8).map(|_| fresh_number()).collect();
    for (words, count) in [("Oi", 1), (mail.as_str(), 2), ("529.982.247-25", 3)] {
        join_all(clients.iter().map(|client| company.phone.receive_text(client, words))).await;
        for client in &clients {
            said(&company, client, count).await;
        }
    }
    let count = "select count(*) filter (where email = $2), count(*) filter (where document = '52998224725') from clients where company_id = $1";
    let row = stack.database().await.query_one(count, &[&company.id, &mail]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1));
    for client in &clients {
        assert_eq!(status(&company, client).await, "pending");
    }
}

pub async fn what_is_kept_fits_the_companys_fields(stack: Arc<Stack>) {
    let company = company(&stack).await;
    add_fields(&company.supervisor).await;
    let mut some = question("Turno?", "turno", "choice", "custom_fields.turno", "human");
    some["choices"] = json!(["Manhã", "Noite"]);
    let flow = json!({"start": "a", "nodes": {
        "a": question("?", "a", "text", "custom_fields.renda", "b"),
        "b": question("?", "b", "date", "custom_fields.nada", "c"),
        "c": question("?", "c", "email", "document", "d"),
        "d": some,
        "human": handover("Obrigado."),
    }});
    let drawn = save(&company.supervisor, "novo", flow).await.expect(200);
    let problems = drawn["problems"].as_array().expect("problems");
    let problems: Vec<_> = problems.iter().map(|problem| (text(&problem["node"]), text(&problem["code"]))).collect();
    assert_eq!(problems, [("c", "wrong_kind"), ("a", "wrong_kind"), ("b", "unknown_custom_field"), ("d", "wrong_kind")]);
    assert_eq!(company.supervisor.api.get(&path("novo")).await.expect(200)["problems"], drawn["problems"]);
    assert_eq!(publish(&company.supervisor, "novo", json!({})).await.problem(409), "flow_has_problems");
}

pub async fn a_conversation_goes_to_the_person_who_is_there(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let flow = |user: &str| {
        json!({"start": "human", "nodes": {
            "human": {"type": "handover", "text": "Um momento.", "user_id": user, "priority": "high", "summary": "{{first_name}} quer falar"},
        }})
    };
    for nobody in [Uuid::now_v7().to_string(), text(&json!(company.admin.id)).to_owned()] {
        save(&company.supervisor, "novo", flow(&nobody)).await.expect(200);
        let answer = publish(&company.supervisor, "novo", json!({})).await;
        if nobody == company.admin.id.to_string() {
            answer.expect(200);
        } else {
            let problem = &answer.expect(409)["current"]["problems"][0];
            assert_eq!((text(&problem["field"]), text(&problem["code"])), ("user_id", "not_found"));
        }
    }
    begins(&company, flow(&agent.id.to_string())).await;
    // Nobody is there: it waits for whoever comes.
    let early = fresh_number();
    hear(&company, &early, "Oi", 1).await;
    assert_eq!(status(&company, &early).await, "pending");
    let mut socket = agent.socket().await;
    let client = fresh_number();
    hear(&company, &client, "Oi", 1).await;
    let conversation = company.admin.conversation_of(&client).await;
    assert_eq!(
        (
            text(&conversation["status"]),
            text(&conversation["assignee_id"]),
            text(&conversation["priority"]),
            text(&conversation["subject"])
        ),
        ("active", agent.id.to_string().as_str(), "high", "Maria quer falar")
    );
    let told = socket.of_type("conversation.assigned").await;
    assert_eq!(told["data"]["conversation"]["id"], conversation["id"]);
    let thread = agent.thread(text(&conversation["id"])).await;
    assert!(thread.iter().any(|message| message["payload"]["act"] == "assigned"));
    // Who has left is given nothing.
    let gone = "update memberships set status = 'inactive' where company_id = $1 and user_id = $2";
    stack.database().await.execute(gone, &[&company.id, &agent.id]).await.expect("she leaves");
    let late = fresh_number();
    hear(&company, &late, "Oi", 1).await;
    assert_eq!(status(&company, &late).await, "pending");
}

pub async fn what_did_not_arrive_is_peoples_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    begins(&company, asks("Nome?")).await;
    // Refused at once, and told later.
    let (refused, told_late, fine) = (fresh_number(), fresh_number(), fresh_number());
    company.phone.fault(json!({"target": "whatsapp.messages", "kind": "error", "code": 131_026, "times": 1})).await;
    company.phone.receive_text(&refused, "Oi").await;
    let head = company.admin.head().await;
    eventually("people", || async { (status(&company, &refused).await == "pending").then_some(()) }).await;
    company.phone.fault(json!({"target": "whatsapp.webhooks", "kind": "failed_status", "code": 131_047, "times": 1})).await;
    company.phone.receive_text(&told_late, "Oi").await;
    eventually("people", || async { (status(&company, &told_late).await == "pending").then_some(()) }).await;
    for client in [&refused, &told_late] {
        let conversation = company.admin.conversation_id_of(client).await;
        let thread = company.admin.thread(&conversation).await;
        let lines: Vec<&Value> = thread.iter().filter(|message| message["payload"]["act"] == "bot_unheard").collect();
        assert_eq!(lines.len(), 1);
        assert!(text(&lines[0]["body"]).starts_with("O robô parou: uma mensagem dele não chegou ao cliente."), "{}", lines[0]);
    }
    let events = company.admin.told_after(&head).await;
    assert!(
        events
            .iter()
            .any(|event| event["type"] == "message.created" && event["data"]["message"]["payload"]["act"] == "bot_unheard")
    );
    // Who has written since has heard enough, and who is with people already is nobody's news.
    hear(&company, &fine, "Oi", 1).await;
    hear(&company, &fine, "Ana", 2).await;
    until_all_done(&stack, &company).await;
    for client in [&fine, &refused] {
        let conversation = company.admin.conversation_id_of(client).await;
        let late = "
            with failed as (
                update messages set status = 'failed' where conversation_id = $1::text::uuid and sender_type = 'bot' returning id, company_id
            )
            insert into jobs (id, company_id, kind, queue, lane, payload)
            select gen_random_uuid(), company_id, 'bot_unheard', 'bot', $1, jsonb_build_object('conversation_id', $1, 'message_id', id) from failed";
        stack.database().await.execute(late, &[&conversation]).await.expect("jobs");
    }
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    until_all_done(&stack, &company).await;
    for (client, stops) in [(&fine, 0), (&refused, 1)] {
        let thread = company.admin.thread(&company.admin.conversation_id_of(client).await).await;
        assert_eq!(thread.iter().filter(|message| message["payload"]["act"] == "bot_unheard").count(), stops);
    }
}

fn shows(kind: &str, file: &str) -> Value {
    json!({"start": "m", "nodes": {
        "m": {"type": "message", "text": "Veja.", "media": {"kind": kind, "file_id": file}, "go_to": "human"},
        "human": handover("Um momento."),
    }})
}

pub async fn a_file_that_a_published_flow_sends_stays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let file = company.supervisor.upload("tabela.pdf", "application/pdf", PDF).await;
    let delete = async |file: &str| company.supervisor.api.call(Method::DELETE, &format!("/storage/{file}"), None).await;
    save(&company.supervisor, "tabela", shows("document", &file)).await.expect(200);
    publish(&company.supervisor, "tabela", json!({})).await.expect(200);
    let refused = delete(&file).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]), ("file_in_flow", &json!({"key": "tabela", "name": "Menu"})));
    // Without it in what is published it may go, whatever was published before; a draft holds nothing, and is told of.
    save(&company.supervisor, "tabela", says("Nada.")).await.expect(200);
    publish(&company.supervisor, "tabela", json!({})).await.expect(200);
    save(&company.supervisor, "tabela", shows("document", &file)).await.expect(200);
    delete(&file).await.expect(204);
    let refused = publish(&company.supervisor, "tabela", json!({})).await.expect(409);
    let problem = &refused["current"]["problems"][0];
    assert_eq!((text(&problem["node"]), text(&problem["field"]), text(&problem["code"])), ("m", "media.file_id", "not_found"));
    assert_eq!(publish(&company.supervisor, "tabela", json!({"number": 1})).await.problem(409), "flow_has_problems");
    // At once: either it is published and stays, or it goes and is not.
    for _ in 0..5 {
        let file = company.supervisor.upload("tabela.pdf", "application/pdf", PDF).await;
        save(&company.supervisor, "tabela", shows("document", &file)).await.expect(200);
        let (published, deleted) = join(publish(&company.supervisor, "tabela", json!({})), delete(&file)).await;
        let outcome = (published.status, deleted.status);
        assert!([(200, 409), (409, 204)].contains(&outcome), "{outcome:?} {published:?} {deleted:?}");
    }
}

pub async fn a_file_is_what_the_flow_says(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let file = company.supervisor.upload("tabela.pdf", "application/pdf", PDF).await;
    let drawn = save(&company.supervisor, "menu", shows("image", &file)).await.expect(200);
    let problem = &drawn["problems"][0];
    assert_eq!((text(&problem["field"]), text(&problem["code"])), ("media.file_id", "wrong_kind"));
    assert_eq!(publish(&company.supervisor, "menu", json!({})).await.problem(409), "flow_has_problems");
    // Published before anybody asked: it is sent as what it is.
    begins(&company, shows("document", &file)).await;
    let database = stack.database().await;
    let otherwise = "update bot_flows set definition = jsonb_set(definition, '{nodes,m,media,kind}', '\"image\"')
                      where company_id = $1 and key = 'menu' and number > 0";
    database.execute(otherwise, &[&company.id]).await.expect("an older flow");
    let client = fresh_number();
    assert_eq!(hear(&company, &client, "Oi", 2).await, ["Veja.", "Um momento."]);
    let sent = company.phone.sent().await;
    let first = sent.iter().find(|sent| sent["body"]["to"] == client.as_str()).expect("the file");
    assert_eq!(text(&first["body"]["type"]), "document");
}

pub async fn who_leaves_with_their_first_words_is_counted(stack: Arc<Stack>) {
    let company = company(&stack).await;
    begins(&company, asks("Nome?")).await;
    let client = fresh_number();
    hear(&company, &client, "sair", 1).await;
    assert_eq!(status(&company, &client).await, "closed");
    let figures = company.supervisor.api.get("/bot/analytics?key=menu").await.expect(200);
    assert_eq!((figures["entries"].as_i64(), figures["resolved_by_bot"].as_i64()), (Some(1), Some(1)));
}

pub async fn a_conversation_that_is_opened_again_begins_anew(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut first = asks("Nome?");
    first["nodes"]["human"] = json!({"type": "end", "text": "Tchau, {{resposta}}."});
    first["nodes"]["more"] = handover("x");
    first["on_timeout"] = json!({"minutes": 5, "go_to": "more"});
    begins(&company, first).await;
    let mut enrolment = says("Da matrícula.");
    enrolment["triggers"] = json!([{"keywords": ["matrícula"]}]);
    save(&company.supervisor, "matricula", enrolment).await.expect(200);
    publish(&company.supervisor, "matricula", json!({})).await.expect(200);
    let clients: Vec<String> = (0..2).map(|_| fresh_number()).collect();
    for client in &clients {
        hear(&company, client, "Oi", 1).await;
        assert_eq!(hear(&company, client, "Ana", 2).await[1], "Tchau, Ana.");
        assert_eq!(status(&company, client).await, "closed");
    }
    // With the flow as it is by now, or the one that their first words begin; what was said before is forgotten.
    let mut second = asks("E agora?");
    second["nodes"]["main"]["text"] = json!("E agora? {{resposta}}");
    begins(&company, second).await;
    let before = company.admin.conversation_id_of(&clients[0]).await;
    assert_eq!(hear(&company, &clients[0], "Oi de novo", 3).await[2], "E agora? ");
    assert_eq!(company.admin.conversation_id_of(&clients[0]).await, before, "the same conversation");
    assert_eq!(hear(&company, &clients[1], "matrícula", 3).await[2], "Da matrícula.");
    let turns = "select bot_turns, bot_fields from conversations where id = $1::text::uuid";
    let row = stack.database().await.query_one(turns, &[&before]).await.expect("a run");
    assert_eq!((row.get::<_, i32>(0), row.get::<_, Value>(1)), (1, json!({})));
}

pub async fn what_waited_before_moves_nothing_afterwards(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut flow = asks("Nome?");
    flow["nodes"]["main"]["on_timeout"] = json!({"minutes": 5, "go_to": "late"});
    flow["nodes"]["late"] = handover("Tarde demais.");
    begins(&company, flow).await;
    let client = fresh_number();
    hear(&company, &client, "Oi", 1).await;
    let conversation = company.agents[0].conversation_id_of(&client).await;
    // People take it and give it back: the flow begins anew, at the same turn, and the first one's time is not this one's.
    company.agents[0].take_over(&conversation).await;
    let back = json!({"mode": "bot"});
    company.agents[0].api.post(&format!("/conversations/{conversation}/mode"), back).await.expect(200);
    let count = said(&company, &client, 1).await.len();
    hear(&company, &client, "Oi", count + 1).await;
    let first = "
        update jobs set run_at = now() - interval '1 second'
         where id = (select id from jobs where company_id = $1 and kind = 'wake_bot' and finished_at is null order by number limit 1)";
    stack.database().await.execute(first, &[&company.id]).await.expect("the job");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    soon().await;
    let words = said(&company, &client, count + 1).await;
    assert!(!words.contains(&"Tarde demais.".to_owned()), "{words:?}");
    let_time_pass(&stack, &company).await;
    assert_eq!(said(&company, &client, count + 2).await.pop().as_deref(), Some("Tarde demais."));
}

pub async fn a_hundred_conversations_go_on_while_flows_are_published(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let version = |number: usize| {
        let mut flow = asks(&format!("Versão {number}?"));
        flow["nodes"]["human"]["text"] = json!(format!("Versão {number}: {{{{resposta}}}}."));
        flow
    };
    begins(&company, version(0)).await;
    let clients: Vec<String> = (0..100).map(|_| fresh_number()).collect();
    let publishing = async |numbers: std::ops::Range<usize>| {
        for number in numbers {
            begins(&company, version(number)).await;
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    };
    // Ten of them write at a time.
    let talk = async |words: &str, count: usize| {
        let mut heard = Vec::new();
        for some in clients.chunks(10) {
            heard.extend(join_all(some.iter().map(|client| hear(&company, client, words, count))).await);
        }
        heard
    };
    let (asked, ()) = join(talk("Oi", 1), publishing(1..4)).await;
    let (answered, ()) = join(talk("sim", 2), publishing(4..7)).await;
    let numbers: Vec<&str> = asked.iter().map(|words| words[0].trim_start_matches("Versão ").trim_end_matches('?')).collect();
    for (number, words) in numbers.iter().zip(&answered) {
        assert_eq!(words[1], format!("Versão {number}: sim."));
    }
    let mut seen = numbers.clone();
    seen.sort_unstable();
    seen.dedup();
    assert!(numbers.len() == 100 && seen.len() > 1, "{seen:?}");
}

pub async fn a_node_of_the_future_in_a_published_flow_leads_to_people(stack: Arc<Stack>) {
    let company = company(&stack).await;
    begins(&company, asks("Nome?")).await;
    let future = "update bot_flows set definition = jsonb_set(definition, '{nodes,extra}', '{\"type\": \"hologram\"}')
                    || '{\"start\": \"extra\"}' where company_id = $1 and key = 'menu' and number > 0";
    stack.database().await.execute(future, &[&company.id]).await.expect("a flow of tomorrow");
    let client = fresh_number();
    assert_eq!(hear(&company, &client, "Oi", 1).await, ["Obrigado: ."]);
    assert_eq!(status(&company, &client).await, "pending");
}

pub async fn leads_are_made_and_moved_by_a_flow(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let pipeline = boss.api.get("/pipelines").await.expect(200)["data"][0].clone();
    let stage = |key: &str| {
        let stages = pipeline["stages"].as_array().into_iter().flatten();
        stages.clone().find(|stage| stage["key"] == key).expect("a stage")["id"].clone()
    };
    let flow = |to: Value| {
        json!({"start": "lead", "nodes": {
            "lead": {"type": "create_lead", "origin": "robô", "go_to": "ask"},
            "ask": {"type": "question", "text": "Qual curso?", "field": "curso", "go_to": "move"},
            "move": {"type": "move_lead", "stage_id": to, "go_to": "again"},
            "again": {"type": "create_lead", "go_to": "lost"},
            // It asks for a reason, which a flow has not: nothing moves.
            "lost": {"type": "move_lead", "stage_id": stage("lost"), "go_to": "human"},
            "human": handover("Já vem alguém."),
        }})
    };
    let drawn = save(boss, "menu", flow(json!(Uuid::now_v7()))).await.expect(200);
    let problem = &drawn["problems"][0];
    assert_eq!((text(&problem["node"]), text(&problem["field"]), text(&problem["code"])), ("move", "stage_id", "not_found"));
    begins(&company, flow(stage("qualified"))).await;
    let (client, mut socket) = (fresh_number(), boss.socket().await);
    hear(&company, &client, "Oi", 1).await;
    let made = socket.of_type("lead.created").await["data"]["lead"].clone();
    assert_eq!((text(&made["origin"]), text(&made["phone"]), text(&made["stage"]["key"])), ("robô", &*client, "new"));
    hear(&company, &client, "Inglês", 2).await;
    assert_eq!(socket.of_type("lead.updated").await["data"]["lead"]["stage"]["key"], "qualified");
    let page = boss.api.get("/leads").await.expect(200);
    let stages: Vec<&str> = page["data"].as_array().into_iter().flatten().map(|lead| text(&lead["stage"]["key"])).collect();
    // Who has one gets no other.
    assert_eq!(stages, ["qualified"]);
}
