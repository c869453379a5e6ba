//! POST, GET, PUT and DELETE /clients

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    sandbox::fresh_number,
};

use super::as_changed;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 0, ..Wanted::default() }).await
}

async fn make(person: &Person, client: Value) -> Value {
    person.api.post("/clients", client).await.expect(201)
}

async fn change(person: &Person, client: &Value, change: Value) -> Answer {
    person.api.call(Method::PUT, &path(client), Some(change)).await
}

async fn delete(person: &Person, client: &Value) -> Answer {
    person.api.call(Method::DELETE, &path(client), None).await
}

fn path(client: &Value) -> String {
    format!("/clients/{}", text(&client["id"]))
}

/// How many rows of clients who are nobody else the company has.
async fn count(stack: &Stack, company: &Company) -> i64 {
    let count = "select count(*) from clients where company_id = $1 and merged_into_id is null";
    stack.database().await.query_one(count, &[&company.id]).await.expect("a count").get(0)
}

fn fields(refused: &Value) -> BTreeSet<(String, String)> {
    let problems = refused["errors"].as_array().expect("problems").iter();
    problems.map(|problem| (text(&problem["field"]).to_owned(), text(&problem["code"]).to_owned())).collect()
}

pub async fn a_client_is_what_was_said_of_them_in_one_writing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let input = json!({
        "name": "Maria da Silva", "document": "12.abc.345/01de-35", "email": "Maria@Exemplo.com.br",
        "phones": ["(11) 8765-4321", "+55 11 98765-4321", "+54 9 11 2345-6789"], "tags": ["vip", "2026", "vip"],
        "metadata": {"origin": "feira"},
    });
    let made = make(agent, input).await;
    assert_eq!((text(&made["document"]), text(&made["email"])), ("12ABC34501DE35", "maria@exemplo.com.br"));
    assert_eq!(made["phones"], json!(["541123456789", "5511987654321"]));
    assert_eq!((&made["tags"], &made["metadata"]), (&json!(["vip", "2026"]), &json!({"origin": "feira"})));
    let kinds: Vec<&str> = made["identities"].as_array().into_iter().flatten().map(|known| text(&known["kind"])).collect();
    assert_eq!(kinds, ["email", "phone", "phone"]);
    assert_eq!((&made["name_source"], &made["version"], &made["archived_at"]), (&json!("staff"), &json!(1), &Value::Null));
    assert_eq!(as_changed(company.agents[1].api.get(&path(&made)).await.expect(200)), made);
}

pub async fn one_person_is_one_client(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let known = json!({
        "name": "Maria", "document": "529.982.247-25", "email": "maria@exemplo.com.br", "phones": ["11 98765-4321"],
    });
    let made = make(&company.admin, known.clone()).await;
    for same in [
        json!({"name": "Ana", "document": "52998224725"}),
        json!({"name": "Ana", "email": "MARIA@exemplo.com.br"}),
        json!({"name": "Ana", "phones": ["11 3456-7890", "+55 (11) 8765-4321"]}),
    ] {
        let refused = company.agents[0].api.post("/clients", same.clone()).await.expect(409);
        assert_eq!((text(&refused["code"]), &refused["current"]), ("client_exists", &made), "{same}");
    }
    assert_eq!(count(&stack, &company).await, 1);
    make(&company.admin, json!({"name": "Maria"})).await;
    make(&other.admin, known).await;
    // A landline has no ninth digit: it is another number.
    make(&company.admin, json!({"name": "Loja", "phones": ["11 3456-7890"]})).await;
}

pub async fn of_many_who_make_the_same_client_at_once_one_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for round in 0..4 {
        let bodies = [
            json!({"name": "Ana", "phones": [format!("11 98765-432{round}")], "email": format!("a{round}@exemplo.com.br")}),
            json!({"name": "Ana", "email": format!("a{round}@exemplo.com.br"), "phones": [format!("11 8765-432{round}")]}),
        ];
        let answers = join_all((0..8).map(|at| company.agents[at % 2].api.post("/clients", bodies[at % 2].clone()))).await;
        let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1, "round {round}");
        for lost in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!((lost.status, text(&lost.body["code"])), (409, "client_exists"), "{}", lost.body);
            assert_eq!(lost.body["current"]["id"], made[0].body["id"]);
        }
    }
    assert_eq!(count(&stack, &company).await, 4);
    let documents =
        join_all((0..6).map(|_| company.admin.api.post("/clients", json!({"name": "Bia", "document": "39053344705"}))));
    let mut statuses: Vec<u16> = documents.await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}

pub async fn a_webhook_and_staff_who_meet_a_number_at_once_make_one_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for _ in 0..6 {
        let number = fresh_number();
        let body = json!({"name": "Ana", "phones": [format!("+{number}")]});
        let (_, answer) = join(company.phone.receive_text(&number, "Oi"), company.admin.api.post("/clients", body)).await;
        assert!([201, 409].contains(&answer.status), "{} {}", answer.status, answer.body);
        let conversation = company.admin.conversation_of(&number).await;
        let client = if answer.status == 201 { &answer.body["id"] } else { &answer.body["current"]["id"] };
        assert_eq!(client, &conversation["client_id"]);
    }
    assert_eq!(count(&stack, &company).await, 6);
}

pub async fn what_is_given_changes_and_the_rest_stays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let input = json!({"name": "Maria", "document": "52998224725", "email": "m@exemplo.com.br", "phones": ["11 98765-4321"]});
    let made = make(agent, input).await;
    let tagged = change(agent, &made, json!({"tags": ["vip"], "name": "Maria Souza"})).await.expect(200);
    assert_eq!((&tagged["document"], &tagged["phones"]), (&made["document"], &made["phones"]));
    assert_eq!((text(&tagged["name"]), &tagged["version"]), ("Maria Souza", &json!(2)));
    let other_phones = json!({"phones": ["(21) 98765-4321"], "email": null});
    let moved = change(agent, &made, other_phones).await.expect(200);
    assert_eq!((&moved["phones"], &moved["email"]), (&json!(["5521987654321"]), &Value::Null));
    assert_eq!(moved["identities"], json!([{"kind": "phone", "value": "5521987654321"}]));
    // What they are known by no more is anybody's.
    make(agent, json!({"name": "Ana", "email": "m@exemplo.com.br", "phones": ["11 98765-4321"]})).await;
    let refused = change(agent, &made, json!({"email": "m@exemplo.com.br"})).await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["name"])), ("client_exists", "Ana"));
    let same = json!({"phones": ["+55 21 8765-4321"], "tags": ["vip", "vip"], "document": "529.982.247-25"});
    assert_eq!(change(agent, &made, same).await.expect(200), moved);
    let without = change(agent, &made, json!({"document": null, "phones": [], "tags": []})).await.expect(200);
    assert_eq!((&without["document"], &without["identities"]), (&Value::Null, &json!([])));
}

pub async fn two_clients_who_ask_for_one_number_at_once_do_not_both_get_it(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for round in 0..5 {
        let one = make(&company.admin, json!({"name": "Ana"})).await;
        let other = make(&company.admin, json!({"name": "Bia"})).await;
        let number = json!({"phones": [format!("(31) 98765-432{round}")]});
        let answers = join(change(&company.agents[0], &one, number.clone()), change(&company.agents[1], &other, number)).await;
        let mut statuses = [answers.0.status, answers.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", answers.0.body, answers.1.body);
    }
}

pub async fn a_message_from_a_typed_number_is_that_clients(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = format!("551198{}", &fresh_number()[6..]);
    let made = make(&company.agents[0], json!({"name": "Dona Maria", "phones": [format!("+{number}")]})).await;
    // As WhatsApp writes numbers of old accounts, without the ninth digit.
    let old = format!("{}{}", &number[..4], &number[5..]);
    company.phone.receive_text(&old, "Oi").await;
    let conversation = company.admin.conversation_of(&number).await;
    assert_eq!((&conversation["client_id"], text(&conversation["client_name"])), (&made["id"], "Dona Maria"));
    let id = text(&conversation["id"]).to_owned();
    company.admin.take_over(&id).await;
    let message = company.admin.say(&id, "Bom dia").await;
    company.admin.message_with_status(&message, "sent").await;
    assert_eq!(count(&stack, &company).await, 1);
}

pub async fn a_number_stays_while_a_conversation_is_open(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = fresh_number();
    company.phone.receive_text(&number, "Oi").await;
    let conversation = company.admin.conversation_of(&number).await;
    let id = text(&conversation["id"]).to_owned();
    let client = json!({"id": conversation["client_id"]});
    let refused = change(&company.admin, &client, json!({"phones": ["11 3456-7890"]})).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["phones"]), ("client_in_use", &json!([number])));
    let more = change(&company.admin, &client, json!({"phones": [format!("+{number}"), "11 3456-7890"]})).await.expect(200);
    assert_eq!(more["phones"], json!([number, "551134567890"]));
    company.admin.take_over(&id).await;
    company.admin.close(&id).await;
    let without = change(&company.admin, &client, json!({"phones": ["11 3456-7890"]})).await.expect(200);
    assert_eq!(without["phones"], json!(["551134567890"]));
    // WhatsApp knows them by an id of its own, too, and says that the number is theirs.
    company.phone.receive_text(&number, "Ainda sou eu").await;
    let again = company.admin.api.get(&path(&client)).await.expect(200);
    assert_eq!((&again["phones"], count(&stack, &company).await), (&json!(["551134567890", number]), 1));
}

pub async fn who_was_deleted_is_kept_and_comes_back_by_writing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = fresh_number();
    let made = make(&company.agents[0], json!({"name": "Maria", "phones": [format!("+{number}")], "tags": ["vip"]})).await;
    assert_eq!(delete(&company.agents[0], &made).await.problem(403), "forbidden");
    delete(&company.supervisor, &made).await.expect(204);
    let names = async |path: &str| {
        let list = company.admin.api.get(path).await.expect(200);
        list["data"].as_array().into_iter().flatten().map(|row| text(&row["name"]).to_owned()).collect::<Vec<_>>()
    };
    for path in ["/clients", "/clients?search=maria", "/clients?tag=vip"] {
        assert_eq!(names(path).await, [""; 0], "{path}");
    }
    assert_eq!(names("/clients?archived=true").await, ["Maria"]);
    let kept = as_changed(company.admin.api.get(&path(&made)).await.expect(200));
    assert_eq!((kept["archived_at"].is_string(), &kept["identities"], &kept["tags"]), (true, &made["identities"], &made["tags"]));
    let refused = company.admin.api.post("/clients", json!({"name": "Maria", "phones": [format!("+{number}")]})).await;
    assert_eq!(refused.expect(409)["current"], kept);
    let back = change(&company.agents[0], &made, json!({"is_archived": false})).await.expect(200);
    assert_eq!((&back["archived_at"], names("/clients").await.len()), (&Value::Null, 1));
    delete(&company.supervisor, &made).await.expect(204);
    company.phone.receive_text(&number, "Oi de novo").await;
    let conversation = company.admin.conversation_of(&number).await;
    assert_eq!(conversation["client_id"], made["id"]);
    assert_eq!(names("/clients").await, ["Maria"]);
}

pub async fn who_has_an_open_conversation_is_not_deleted_whoever_sees_it(stack: Arc<Stack>) {
    let wanted = Wanted { agents: 2, agent_visibility: "own", ..Wanted::default() };
    let company = stack.company(wanted).await;
    let number = fresh_number();
    company.phone.receive_text(&number, "Oi").await;
    let conversation = company.admin.conversation_of(&number).await;
    company.agents[0].take_over(text(&conversation["id"])).await;
    let client = json!({"id": conversation["client_id"]});
    // Who does not see the conversation does not take the number from it either.
    assert_eq!(change(&company.agents[1], &client, json!({"phones": []})).await.problem(409), "client_in_use");
    assert_eq!(delete(&company.supervisor, &client).await.problem(409), "client_in_use");
    company.agents[0].close(text(&conversation["id"])).await;
    delete(&company.supervisor, &client).await.expect(204);
}

pub async fn nobody_is_deleted_while_they_write(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for _ in 0..6 {
        let number = fresh_number();
        let made = make(&company.admin, json!({"name": "Ana", "phones": [format!("+{number}")]})).await;
        let (answer, _) = join(delete(&company.supervisor, &made), company.phone.receive_text(&number, "Oi")).await;
        assert!([204, 409].contains(&answer.status), "{}", answer.body);
        company.admin.conversation_of(&number).await;
        let after = company.admin.api.get(&path(&made)).await.expect(200);
        assert_eq!(after["archived_at"], Value::Null, "{} {after}", answer.status);
    }
}

pub async fn what_is_wrong_is_named_and_changes_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let wrong = json!({
        "name": "Ma\u{200b}ria", "document": "529.982.247-24", "email": "m@@x", "phones": ["11 98765-4321", "20 98765-4321"],
        "tags": [""],
    });
    let refused = company.admin.api.post("/clients", wrong.clone()).await.expect(422);
    let found = fields(&refused);
    for (field, code) in [("document", "invalid_document"), ("email", "invalid_email"), ("phones[1]", "invalid_phone")] {
        assert!(found.contains(&(field.to_owned(), code.to_owned())), "{found:?}");
    }
    assert!(["name", "tags[0]"].iter().all(|name| found.iter().any(|(field, _)| field == name)), "{found:?}");
    let made = make(&company.admin, json!({"name": "Maria"})).await;
    assert!(fields(&change(&company.admin, &made, wrong).await.expect(422)).len() >= 5);
    let long = json!({"metadata": {"text": "x".repeat(17_000)}});
    assert_eq!(change(&company.admin, &made, long).await.problem(422), "metadata_too_long");
    let many: Vec<String> = (0..11).map(|at| format!("11 98765-43{at:02}")).collect();
    assert!(
        fields(&change(&company.admin, &made, json!({"phones": many})).await.expect(422))
            .iter()
            .any(|(field, _)| field == "phones")
    );
    assert_eq!(change(&company.admin, &made, json!({"is_archived": true})).await.status, 422);
    assert_eq!(as_changed(company.admin.api.get(&path(&made)).await.expect(200)), made);
    assert_eq!(count(&stack, &company).await, 1);
}

pub async fn changes_are_told_to_staff_alone(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mut agent = company.agents[1].socket().await;
    let mut student = company.students[0].socket().await;
    let made = make(&company.agents[0], json!({"name": "Maria"})).await;
    assert_eq!(agent.of_type("client.created").await["data"]["client"], made);
    change(&company.agents[0], &made, json!({"name": "Maria Souza"})).await.expect(200);
    let told = agent.of_type("client.updated").await;
    assert_eq!((&told["data"]["client_id"], text(&told["data"]["name"])), (&made["id"], "Maria Souza"));
    delete(&company.supervisor, &made).await.expect(204);
    assert_eq!(agent.of_type("client.deleted").await["data"]["client_id"], made["id"]);
    let heard = student.drain().await;
    assert!(heard.iter().all(|frame| !text(&frame["type"]).starts_with("client.")), "{heard:?}");
}
