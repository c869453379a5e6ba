//! Staff write first: one open conversation for a client and a number, whoever began it.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::Person, company::text, each, sandbox::fresh_number};
use uuid::Uuid;

use super::templates::{self, sync};

const SEND: &str = "/whatsapp/messages/send";

async fn company(stack: &Stack) -> Company {
    let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![3])];
    stack.company(Wanted { students: 0, agents: 3, departments, ..Wanted::default() }).await
}

async fn start(person: &Person, body: Value) -> Answer {
    person.api.post("/conversations", body).await
}

fn welcome() -> Value {
    let values = json!([{"name": "1", "value": "João"}, {"name": "2", "value": "Escola Sol"}]);
    json!({"kind": "template", "template": {"name": "boas_vindas", "parameters": values}})
}

fn field_of(answer: Answer) -> (String, String) {
    let body = answer.expect(422);
    (text(&body["errors"][0]["field"]).to_owned(), text(&body["errors"][0]["code"]).to_owned())
}

/// How many open conversations and clients there are of a phone.
async fn counted(stack: &Stack, company: &Company, phone: &str) -> (i64, i64) {
    let sql = "
        select count(*) filter (where ended_at is null), count(distinct client_identities.client_id)
          from client_identities
          left join conversations using (company_id, client_id)
         where client_identities.company_id = $1 and kind = 'phone' and value = $2";
    let row = stack.database().await.query_one(sql, &[&company.id, &phone]).await.expect("the counts");
    (row.get(0), row.get(1))
}

pub async fn staff_write_first_and_only_a_template_goes_out(stack: Arc<Stack>) {
    let (company, _) = templates::company(&stack).await;
    sync(&company).await;
    let (agent, phone) = (&company.agents[0], fresh_number());
    let text_first = json!({"phone": phone, "name": "João", "message": {"body": "Bom dia"}});
    let refused = start(agent, text_first).await.expect(409);
    assert_eq!(text(&refused["code"]), "window_closed");
    let allowed = refused["current"]["allowed_templates"].as_array().cloned().unwrap_or_default();
    assert!(allowed.iter().any(|template| template["name"] == "boas_vindas"), "{refused}");
    assert_eq!(counted(&stack, &company, &phone).await, (0, 0), "what was refused left nothing");

    let mut socket = company.agents[1].socket().await;
    let body = json!({"phone": phone, "name": "João", "message": welcome()});
    let started = start(agent, body).await.expect(201);
    let id = text(&started["id"]).to_owned();
    assert_eq!(
        (text(&started["status"]), text(&started["mode"]), &started["assignee_id"]),
        ("active", "human", &json!(agent.id)),
        "{started}"
    );
    assert_eq!((text(&started["client_name"]), text(&started["client_phone"])), ("João", phone.as_str()));
    assert_eq!(text(&started["last_message_preview"]), "Olá João, tudo bem? Aqui é da Escola Sol.");
    let told = socket.of_type("conversation.created").await;
    assert_eq!((text(&told["data"]["conversation"]["id"]), &told["data"]["by_user_id"]), (id.as_str(), &json!(agent.id)));
    agent.message_with_status(&started["message"], "read").await;
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!((text(&sent[0]["body"]["to"]), text(&sent[0]["body"]["template"]["name"])), (phone.as_str(), "boas_vindas"));
    let thread = agent.thread(&id).await;
    let lines: Vec<_> = thread.iter().map(|message| (text(&message["kind"]), text(&message["payload"]["act"]))).collect();
    assert_eq!(lines, [("system", "started"), ("template", "")]);
    let history = agent.api.get(&format!("/conversations/{id}/transfers")).await.expect(200);
    assert_eq!(history["data"][0]["to_user_id"], json!(agent.id));

    // What the client answers comes into it, and opens the window for anything.
    company.phone.receive_text(&phone, "Quem fala?").await;
    let words = json!({"phone": phone, "message": {"body": "É da escola"}});
    let found = start(agent, words).await.expect(200);
    assert_eq!((text(&found["id"]), text(&found["message"]["body"])), (id.as_str(), "É da escola"));
    // The window is the client's: another conversation begins within it.
    agent.close(&id).await;
    let client = found["client_id"].clone();
    let again = start(agent, json!({"client_id": client, "message": {"body": "Mais uma coisa"}})).await.expect(201);
    assert_ne!(again["id"], found["id"]);
    assert_eq!(again["window_expires_at"], found["window_expires_at"]);
    agent.message_with_status(&again["message"], "read").await;
}

pub async fn open_conversation_is_found_and_its_rules_hold(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let [agent, colleague, elsewhere] = &company.agents[..] else { panic!("three agents") };
    let phone = fresh_number();
    company.phone.receive_text(&phone, "Oi").await;
    let id = company.admin.conversation_id_of(&phone).await;
    let written = format!("+55 ({}) {}", &phone[2..4], &phone[4..]);
    let words =
        |body: &str| json!({"phone": written, "name": "Outro nome", "message": {"body": body, "client_message_id": body}});
    let found = start(agent, json!({"phone": written})).await.expect(200);
    assert_eq!((text(&found["id"]), text(&found["status"])), (id.as_str(), "pending"), "found as it is");
    let refused = start(agent, words("cedo")).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("not_taken", &json!(id)));
    colleague.take_over(&id).await;
    assert_eq!(start(agent, words("cedo")).await.problem(409), "not_holder");
    for _ in 0..2 {
        let sent = start(colleague, words("certo")).await.expect(200);
        assert_eq!((text(&sent["id"]), text(&sent["message"]["body"])), (id.as_str(), "certo"));
    }
    assert_eq!(colleague.thread(&id).await.iter().filter(|message| message["body"] == "certo").count(), 1);
    assert_eq!(
        start(colleague, json!({"phone": fresh_number(), "message": {"body": "certo", "client_message_id": "certo"}}))
            .await
            .problem(422),
        "client_message_id_reused"
    );
    // Of what somebody may not see nothing is named.
    company.supervisor.transfer(&id, json!({"to_user_id": elsewhere.id})).await;
    company.supervisor.transfer(&id, json!({"to_department_id": company.departments[1].1})).await;
    elsewhere.take_over(&id).await;
    for person in [agent, colleague] {
        for body in [json!({"phone": written}), words("longe"), json!({"client_id": found["client_id"]})] {
            let refused = start(person, body).await.expect(409);
            assert_eq!((text(&refused["code"]), &refused["current"]), ("already_open", &Value::Null), "{refused}");
            assert!(!refused.to_string().contains(&id), "{refused}");
        }
    }
    assert_eq!(start(&company.supervisor, json!({"phone": written})).await.expect(200)["assignee_id"], json!(elsewhere.id));
    assert_eq!(counted(&stack, &company, &phone).await, (1, 1));
}

pub async fn who_cannot_be_written_to_is_refused(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let agent = &company.agents[0];
    let field = |field: &str, code: &str| (field.to_owned(), code.to_owned());
    let make = async |body: Value| text(&agent.api.post("/clients", body).await.expect(201)["id"]).to_owned();
    let nowhere = make(json!({"name": "Sem telefone", "email": format!("{}@example.com", Uuid::new_v4())})).await;
    assert_eq!(field_of(start(agent, json!({"client_id": nowhere})).await), field("client_id", "no_phone"));
    assert_eq!(field_of(start(agent, json!({"client_id": Uuid::new_v4()})).await), field("client_id", "unknown_client"));
    let theirs = text(&other.agents[0].api.post("/clients", json!({"name": "Ana"})).await.expect(201)["id"]).to_owned();
    assert_eq!(field_of(start(agent, json!({"client_id": theirs})).await), field("client_id", "unknown_client"));
    let phone = fresh_number();
    let with_channel = |id: Uuid| json!({"phone": phone, "channel_account_id": id});
    assert_eq!(
        field_of(start(agent, with_channel(other.channel_account_id)).await),
        field("channel_account_id", "unknown_channel")
    );
    for body in [
        json!({}),
        json!({"phone": phone, "client_id": nowhere}),
        json!({"client_id": nowhere, "name": "x"}),
        json!({"phone": "190"}),
    ] {
        start(agent, body).await.expect(422);
    }
    // A blocked client is written to by nobody, one that was put away comes back.
    let client = make(json!({"name": "Ana", "phones": [phone]})).await;
    agent.api.post(&format!("/clients/{client}/block"), json!({})).await.expect(200);
    assert_eq!(start(agent, json!({"phone": phone})).await.problem(409), "client_blocked");
    agent.api.post(&format!("/clients/{client}/unblock"), json!({})).await.expect(200);
    company.admin.api.call(reqwest::Method::DELETE, &format!("/clients/{client}"), None).await.expect(204);
    assert_eq!(start(agent, json!({"phone": phone})).await.expect(201)["client_id"], json!(client));
    assert_eq!(agent.api.get(&format!("/clients/{client}")).await.expect(200)["archived_at"], Value::Null);
    // With two numbers one has to be named, and not one that is off.
    let second = Uuid::new_v4();
    let sql = "insert into channel_accounts (id, company_id, kind, name, external_key, status)
               values ($1, $2, 'whatsapp_cloud', 'Segundo', $1::uuid::text, $3)";
    let database = stack.database().await;
    database.execute(sql, &[&second, &company.id, &"disabled"]).await.expect("another number");
    let phone = fresh_number();
    assert_eq!(
        field_of(start(agent, json!({"phone": phone, "channel_account_id": second})).await),
        field("channel_account_id", "channel_disabled")
    );
    start(agent, json!({"phone": phone})).await.expect(201);
    database.execute("update channel_accounts set status = 'active' where id = $1", &[&second]).await.expect("it is on");
    assert_eq!(field_of(start(agent, json!({"phone": phone})).await), field("channel_account_id", "channel_required"));
    // A client has one open conversation on each, and a request that is sent again is answered as the first one was.
    let keyed = agent.api.with_header("idempotency-key", "de novo");
    let body = json!({"phone": fresh_number(), "channel_account_id": second});
    let first = keyed.post("/chats", body.clone()).await.expect(201);
    assert_eq!(keyed.post("/chats", body).await.expect(201)["id"], first["id"]);
    start(agent, json!({"phone": phone, "channel_account_id": second})).await.expect(201);
    start(agent, json!({"phone": phone, "channel_account_id": company.channel_account_id})).await.expect(200);
}

pub async fn those_who_begin_at_once_find_one_conversation(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let phones: Vec<String> = (0..5).map(|_| fresh_number()).collect();
    let (company, phones) = (&company, &phones);
    // Agents of one department begin with all, in different orders, while the clients write, some of them twice.
    let begins = each(0..20, |index| async move {
        let phone = &phones[index % phones.len()];
        let answer = start(&company.agents[(index / phones.len()) % 2], json!({"phone": phone})).await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
        (phone, answer.status, text(&answer.body["id"]).to_owned())
    });
    let writes =
        join_all(phones.iter().rev().flat_map(|phone| [phone, phone]).map(|phone| company.phone.receive_text(phone, "Oi")));
    let (begun, _) = join(begins, writes).await;
    for phone in phones {
        assert_eq!(counted(&stack, company, phone).await, (1, 1), "{phone}");
        let of_phone: Vec<_> = begun.iter().filter(|(of, _, _)| *of == phone).collect();
        let ids: BTreeSet<&String> = of_phone.iter().map(|(_, _, id)| id).collect();
        assert_eq!(ids.len(), 1, "{of_phone:?}");
        assert!(of_phone.iter().filter(|(_, status, _)| *status == 201).count() <= 1, "one begins it");
        let id = ids.first().expect("one");
        let thread = company.admin.thread(id).await;
        assert_eq!(thread.iter().filter(|message| message["body"] == "Oi").count(), 2, "{thread:?}");
        let started = thread.iter().filter(|message| message["payload"]["act"] == "started").count();
        assert_eq!(started, of_phone.iter().filter(|(_, status, _)| *status == 201).count());
    }
}

pub async fn message_to_a_phone_goes_out_once(stack: Arc<Stack>) {
    let (company, _) = templates::company(&stack).await;
    sync(&company).await;
    let (agent, phone) = (&company.agents[0], fresh_number());
    let mut template = welcome();
    template["to"] = json!(format!("+{phone}"));
    template["client_message_id"] = json!("primeira");
    let same = each(0..6, |_| agent.api.post(SEND, template.clone())).await;
    let ids: BTreeSet<String> = same.into_iter().map(|answer| text(&answer.expect(201)["id"]).to_owned()).collect();
    assert_eq!(ids.len(), 1, "of six at once one was sent");
    assert_eq!(counted(&stack, &company, &phone).await, (1, 1));
    let conversation = agent.conversation_of(&phone).await;
    // Sent again after it was closed, it is the same message, and begins nothing.
    agent.close(text(&conversation["id"])).await;
    let again = agent.api.post(SEND, template.clone()).await.expect(201);
    assert_eq!(again["conversation_id"], conversation["id"]);
    assert_eq!(counted(&stack, &company, &phone).await, (0, 1));
    template["to"] = json!(fresh_number());
    assert_eq!(agent.api.post(SEND, template.clone()).await.problem(422), "client_message_id_reused");
    assert_eq!(agent.api.post(SEND, json!({"phone": phone, "body": "Oi"})).await.problem(409), "window_closed");
    assert_eq!(agent.api.post(SEND, json!({"phone": phone, "body": "Oi", "colour": "red"})).await.problem(422), "invalid");
    // By a key of the request's it is sent once too.
    company.phone.receive_text(&phone, "Oi").await;
    let id = agent.conversation_id_of(&phone).await;
    let keyed = agent.api.with_header("idempotency-key", "segunda");
    let first = keyed.post("/api/v1/whatsapp/messages/send", json!({"to": phone, "message": "Olá!"})).await.expect(201);
    assert_eq!((text(&first["body"]), text(&first["conversation_id"])), ("Olá!", id.as_str()));
    let second = keyed.post("/api/v1/whatsapp/messages/send", json!({"to": phone, "message": "Olá!"})).await.expect(201);
    assert_eq!(first["id"], second["id"]);
    agent.message_with_status(&first, "read").await;
    assert_eq!(company.phone.sent().await.len(), 2);
    // Nor does it matter what has come between: who is blocked since, and a second number to choose from.
    let client = company.admin.conversation(&id).await["client_id"].clone();
    agent.close(&id).await;
    agent.api.post(&format!("/clients/{}/block", text(&client)), json!({})).await.expect(200);
    let sql = "insert into channel_accounts (id, company_id, kind, name, external_key, status)
               values ($1, $2, 'whatsapp_cloud', 'Segundo', $1::uuid::text, 'active')";
    for has_another in [false, true] {
        if has_another {
            stack.database().await.execute(sql, &[&Uuid::new_v4(), &company.id]).await.expect("another number");
        }
        let third = keyed.post("/api/v1/whatsapp/messages/send", json!({"to": phone, "message": "Olá!"})).await.expect(201);
        assert_eq!(first["id"], third["id"]);
        let other = json!({"to": phone, "message": "Outra"});
        assert_eq!(keyed.post(SEND, other).await.problem(422), "idempotency_key_reused");
        template["to"] = json!(fresh_number());
        let refused = agent.api.post(SEND, template.clone()).await;
        assert_eq!(refused.problem(422), if has_another { "invalid" } else { "client_message_id_reused" });
    }
    assert_eq!(company.phone.sent().await.len(), 2);
}
