//! Texts that staff answer with again and again.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::Person,
    company::text,
    desk::{PDF, PNG},
    each, eventually,
};
use uuid::Uuid;

use super::contract::sample;
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as quick_replies;
    cases! {
        quick_replies::{
            a_shortcut_means_ones_own_before_the_departments_before_the_companys,
            a_conversations_department_goes_before_the_others,
            of_many_who_take_a_shortcut_at_once_one_gets_it,
            a_shortcut_is_taken_within_its_scope_only,
            only_supervisors_change_what_others_use_too,
            what_is_ones_own_nobody_else_sees_or_is_told_of,
            names_in_braces_are_what_they_stand_for_in_the_conversation,
            a_reply_is_used_once_for_each_message,
            words_find_replies_whatever_the_accents,
            of_many_who_fill_a_scope_at_once_none_goes_over_its_limit,
            the_replies_of_a_department_that_goes_follow_what_it_had,
            nobody_but_staff_gets_a_quick_reply,
            files_go_with_a_reply_and_are_sent_by_who_may_use_it,
            files_of_a_reply_are_own_uploads_each_once,
            files_that_go_while_replies_take_them_are_there_or_refused,
        };
    }
}

async fn make(person: &Person, scope: &str, shortcut: &str, words: &str) -> Value {
    let reply = json!({"scope": scope, "shortcut": shortcut, "title": "Uma", "text": words});
    person.api.post("/quick-replies", reply).await.expect(201)
}

async fn of_department(person: &Person, department: Uuid, shortcut: &str, words: &str) -> Value {
    let reply = json!({"scope": "department", "department_id": department, "shortcut": shortcut, "title": "Uma", "text": words});
    person.api.post("/quick-replies", reply).await.expect(201)
}

async fn list(person: &Person, query: &str) -> Vec<Value> {
    let page = person.api.get(&format!("/quick-replies?{query}")).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

async fn texts(person: &Person, query: &str) -> Vec<String> {
    list(person, query).await.iter().map(|reply| text(&reply["text"]).to_owned()).collect()
}

fn path_of(reply: &Value) -> String {
    format!("/quick-replies/{}", text(&reply["id"]))
}

/// Two departments, the first agent in both, the second in the second.
async fn two_departments(stack: &Stack) -> Company {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![1, 2])];
    stack.company(Wanted { departments, ..Wanted::default() }).await
}

pub async fn a_shortcut_means_ones_own_before_the_departments_before_the_companys(stack: Arc<Stack>) {
    let company = two_departments(&stack).await;
    let [both, one] = &company.agents[..] else { panic!("two agents") };
    let (first, second) = (company.departments[0].1, company.departments[1].1);
    make(&company.supervisor, "company", "/ola", "empresa").await;
    of_department(&company.supervisor, second, "ola", "financeiro").await;
    of_department(&company.supervisor, first, "ola", "atendimento").await;
    let own = make(both, "personal", "ola", "minha").await;
    assert_eq!((&own["scope"], &own["shortcut"], &own["version"]), (&json!("personal"), &json!("ola"), &json!(1)));
    let found = list(both, "shortcut=/ola").await;
    assert_eq!(
        found.iter().map(|reply| text(&reply["text"])).collect::<Vec<_>>(),
        ["minha", "financeiro", "atendimento", "empresa"]
    );
    let are_first: Vec<_> = found.iter().map(|reply| reply["is_first"].as_bool().expect("a boolean")).collect();
    assert_eq!(are_first, [true, false, false, false]);
    assert_eq!(texts(one, "shortcut=ola").await, ["financeiro", "empresa"]);
    // A filter that leaves out the first makes none of the others the first.
    let shared = list(both, "shortcut=ola&scope=company").await;
    assert_eq!((shared.len(), &shared[0]["is_first"]), (1, &json!(false)));
    both.api.call(Method::DELETE, &path_of(&own), None).await.expect(204);
    let left = list(both, "shortcut=ola").await;
    assert_eq!((text(&left[0]["text"]), &left[0]["is_first"]), ("financeiro", &json!(true)));
    both.api.call(Method::DELETE, &path_of(&own), None).await.expect(404);
}

pub async fn a_conversations_department_goes_before_the_others(stack: Arc<Stack>) {
    let company = two_departments(&stack).await;
    let both = &company.agents[0];
    let (first, second) = (company.departments[0].1, company.departments[1].1);
    of_department(&company.supervisor, second, "pix", "financeiro").await;
    of_department(&company.supervisor, first, "pix", "atendimento").await;
    let conversation = sample::conversation(&stack, &company).await;
    for (department, order) in [(first, ["atendimento", "financeiro"]), (second, ["financeiro", "atendimento"])] {
        company.supervisor.transfer(&conversation, json!({"to_department_id": department})).await;
        assert_eq!(texts(both, &format!("shortcut=pix&conversation_id={conversation}")).await, order);
    }
    both.api.get(&format!("/quick-replies?conversation_id={}", Uuid::now_v7())).await.expect(404);
    // In a conversation that the other agent does not see, nothing is rendered.
    company.supervisor.transfer(&conversation, json!({"to_department_id": first})).await;
    company.agents[1].api.get(&format!("/quick-replies?conversation_id={conversation}")).await.expect(404);
}

pub async fn of_many_who_take_a_shortcut_at_once_one_gets_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let takers = [&company.admin, &company.supervisor];
    let tries = (0..24).map(|number| {
        let reply = json!({"scope": "company", "shortcut": "oi", "title": "Uma", "text": format!("Oi {number}")});
        takers[number % 2].api.post("/quick-replies", reply)
    });
    let answers = join_all(tries).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    let [won] = &won[..] else { panic!("{won:?}") };
    for answer in lost {
        let lost = answer.expect(409);
        assert_eq!((text(&lost["code"]), &lost["current"]["id"]), ("shortcut_taken", &won.body["id"]));
    }
    // As many rename theirs to it, of whom again one gets it.
    let mut others = Vec::new();
    for number in 0..8 {
        others.push(make(&company.admin, "company", &format!("r{number}"), "Oi").await);
    }
    let renames = others
        .iter()
        .map(async |other| company.admin.api.call(Method::PATCH, &path_of(other), Some(json!({"shortcut": "/tchau"}))).await);
    let answers = join_all(renames).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.body["code"] == "shortcut_taken"), "{answers:?}");
    assert_eq!(texts(&company.admin, "shortcut=tchau").await, ["Oi"]);
}

pub async fn a_shortcut_is_taken_within_its_scope_only(stack: Arc<Stack>) {
    let company = two_departments(&stack).await;
    let [one, other] = &company.agents[..] else { panic!("two agents") };
    let mine = make(one, "personal", "oi", "Oi").await;
    make(other, "personal", "oi", "Olá").await;
    let taken = one.api.post("/quick-replies", json!({"scope": "personal", "shortcut": "/oi", "title": "x", "text": "x"})).await;
    let taken = taken.expect(409);
    assert_eq!((text(&taken["code"]), &taken["current"]["id"]), ("shortcut_taken", &mine["id"]));
    for (reply, field, code) in [
        (json!({"scope": "personal", "shortcut": "Olá", "title": "x", "text": "x"}), "shortcut", "invalid_shortcut"),
        (json!({"scope": "personal", "shortcut": "//", "title": "x", "text": "x"}), "shortcut", "invalid_shortcut"),
        (json!({"scope": "personal", "shortcut": "x", "title": "x", "text": "x".repeat(4097)}), "text", "too_long"),
        (json!({"scope": "todos", "shortcut": "x", "title": "x", "text": "x"}), "scope", "unknown_value"),
        (
            json!({"scope": "personal", "department_id": company.departments[0].1, "shortcut": "x", "title": "x", "text": "x"}),
            "department_id",
            "not_together",
        ),
    ] {
        let refused = one.api.post("/quick-replies", reply).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), (field, code));
    }
    for (department, code) in [(Value::Null, "required"), (json!(Uuid::now_v7()), "not_found")] {
        let reply = json!({"scope": "department", "department_id": department, "shortcut": "x", "title": "x", "text": "x"});
        let refused = company.supervisor.api.post("/quick-replies", reply).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("department_id", code));
    }
    assert_eq!(list(one, "").await.len(), 1);
}

pub async fn only_supervisors_change_what_others_use_too(stack: Arc<Stack>) {
    let company = two_departments(&stack).await;
    let agent = &company.agents[0];
    let department = company.departments[0].1;
    let for_all = make(&company.supervisor, "company", "oi", "Oi").await;
    let for_some = of_department(&company.supervisor, department, "oi", "Oi").await;
    for reply in [
        json!({"scope": "company", "shortcut": "x", "title": "x", "text": "x"}),
        json!({"scope": "department", "department_id": department, "shortcut": "x", "title": "x", "text": "x"}),
    ] {
        assert_eq!(agent.api.post("/quick-replies", reply).await.problem(403), "supervisors_only");
    }
    for reply in [&for_all, &for_some] {
        let changed = agent.api.call(Method::PUT, &path_of(reply), Some(json!({"text": "Outra"}))).await;
        assert_eq!(changed.problem(403), "supervisors_only");
        assert_eq!(agent.api.call(Method::DELETE, &path_of(reply), None).await.problem(403), "supervisors_only");
        let changed = company.admin.api.call(Method::PUT, &path_of(reply), Some(json!({"text": "Outra"}))).await.expect(200);
        assert_eq!((&changed["version"], &changed["text"]), (&json!(2), &json!("Outra")));
        company.admin.api.call(Method::DELETE, &path_of(reply), None).await.expect(204);
    }
}

pub async fn what_is_ones_own_nobody_else_sees_or_is_told_of(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let owner = &company.agents[0];
    let (heads, mine) = (join_all([owner.head(), company.admin.head(), company.supervisor.head()]).await, "Só minha");
    let reply = make(owner, "personal", "oi", mine).await;
    owner.api.call(Method::PUT, &path_of(&reply), Some(json!({"title": mine}))).await.expect(200);
    let is_told = |events: &[Value]| events.iter().any(|event| text(&event["type"]) == "quick_reply.updated");
    eventually("its owner is told", || async { is_told(&owner.events_after(&heads[0]).await).then_some(()) }).await;
    for (other, head) in [(&company.admin, &heads[1]), (&company.supervisor, &heads[2])] {
        assert!(!json!(other.events_after(head).await).to_string().contains(mine));
        assert_eq!(list(other, "").await, [] as [Value; 0]);
        other.api.call(Method::PUT, &path_of(&reply), Some(json!({"text": "x"}))).await.expect(404);
        other.api.call(Method::DELETE, &path_of(&reply), None).await.expect(404);
    }
}

pub async fn names_in_braces_are_what_they_stand_for_in_the_conversation(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let words = "Oi, {{client.name}}! Aqui é {{ agent.name }}. {{outra}} {{{client.name}}}";
    make(&company.supervisor, "company", "oi", words).await;
    let conversation = sample::conversation(&stack, &company).await;
    let row = agent.conversation(&conversation).await;
    let client_id: Uuid = text(&row["client_id"]).parse().expect("an id");
    // A client may be called anything.
    let name = "{{agent.name}} $1 \\1";
    let rename = "update clients set name = $2 where id = $1";
    stack.database().await.execute(rename, &[&client_id, &name]).await.expect("a name");
    let own_name = text(&agent.api.get("/users/me").await.expect(200)["name"]).to_owned();
    let found = list(agent, &format!("conversation_id={conversation}")).await;
    assert_eq!(text(&found[0]["rendered"]), format!("Oi, {name}! Aqui é {own_name}. {{{{outra}}}} {{{name}}}"));
    assert_eq!(text(&found[0]["text"]), words);
    assert_eq!(list(agent, "").await[0]["rendered"], Value::Null);
}

pub async fn a_reply_is_used_once_for_each_message(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (_, conversation) = company.served().await;
    let agent = &company.agents[0];
    let reply = make(&company.supervisor, "company", "oi", "Oi").await;
    let count = async || list(agent, "shortcut=oi").await[0]["usage_count"].as_i64().expect("a count");
    let message = |own: &str| json!({"conversation_id": conversation, "body": "Oi", "client_message_id": own, "quick_reply_id": reply["id"]});
    // One message, by a crowd of repeats and once more after them.
    let answers = join_all((0..8).map(|_| agent.api.post("/messages", message("um")))).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    agent.api.post("/messages", message("um")).await.expect(201);
    assert_eq!(count().await, 1);
    let answers = join_all((0..8).map(|number| agent.api.post("/messages", message(&format!("outra {number}"))))).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert_eq!(count().await, 9);
    assert!(list(agent, "").await[0]["last_used_at"].is_string());
    // What is gone, or another's, holds nothing up.
    let others = make(&company.supervisor, "personal", "oi", "Oi").await;
    for (own, id) in [("de outra pessoa", others["id"].clone()), ("sumiu", json!(Uuid::now_v7()))] {
        let mut message = message(own);
        message["quick_reply_id"] = id;
        agent.api.post("/messages", message).await.expect(201);
    }
    assert_eq!((count().await, &list(&company.supervisor, "scope=personal").await[0]["usage_count"]), (9, &json!(0)));
    company.supervisor.api.call(Method::DELETE, &path_of(&reply), None).await.expect(204);
    assert_eq!(agent.thread(&conversation).await.iter().filter(|message| message["body"] == "Oi").count(), 12);
}

pub async fn words_find_replies_whatever_the_accents(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let reply = json!({"scope": "personal", "shortcut": "promo", "title": "Promoção", "text": "Só hoje, de boas-vindas: 100% de bônus_extra"});
    agent.api.post("/quick-replies", reply).await.expect(201);
    for (words, hits) in [
        ("promocao", 1),
        ("BONUS", 1),
        ("prom", 1),
        ("100%25", 1),
        ("boas-vindas", 1),
        ("1%250", 0),
        ("p_omo", 0),
        ("%5C", 0),
        ("", 1),
    ] {
        assert_eq!(list(agent, &format!("search={words}")).await.len(), hits, "{words}");
    }
}

pub async fn of_many_who_fill_a_scope_at_once_none_goes_over_its_limit(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let fill = "
        insert into quick_replies (id, company_id, owner_id, shortcut, title, text, created_by_id)
        select gen_random_uuid(), $1, $2, 'cheia' || number, 'Uma', 'Uma', $2 from generate_series(1, 195) number";
    stack.database().await.execute(fill, &[&company.id, &agent.id]).await.expect("many");
    let tries = (0..12).map(|number| {
        let reply = json!({"scope": "personal", "shortcut": format!("mais-{number}"), "title": "Uma", "text": "Uma"});
        agent.api.post("/quick-replies", reply)
    });
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 5, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.body["code"] == "too_many"), "{answers:?}");
    assert_eq!(list(agent, "").await.len(), 200);
    // Others have room of their own.
    make(&company.agents[1], "personal", "oi", "Oi").await;
}

pub async fn the_replies_of_a_department_that_goes_follow_what_it_had(stack: Arc<Stack>) {
    let company = two_departments(&stack).await;
    let (first, second) = (company.departments[0].1, company.departments[1].1);
    of_department(&company.supervisor, first, "oi", "atendimento").await;
    of_department(&company.supervisor, first, "pix", "atendimento").await;
    of_department(&company.supervisor, second, "pix", "financeiro").await;
    let path = format!("/departments/{first}?move_to={second}");
    company.admin.api.call(Method::DELETE, &path, None).await.expect(204);
    // The second agent is of the second department only.
    assert_eq!(texts(&company.agents[1], "").await, ["atendimento", "financeiro"]);
    assert_eq!(texts(&company.supervisor, "").await, ["atendimento", "atendimento", "financeiro"]);
    let reply = json!({"scope": "department", "department_id": first, "shortcut": "x", "title": "x", "text": "x"});
    let refused = company.supervisor.api.post("/quick-replies", reply).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["code"]), "not_found");
}

pub async fn nobody_but_staff_gets_a_quick_reply(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let reply = make(&company.supervisor, "company", "oi", "Oi").await;
    let student = &company.students[0].api;
    student.get("/quick-replies").await.expect(403);
    student.call(Method::PUT, &path_of(&reply), Some(json!({"text": "x"}))).await.expect(403);
    student.call(Method::DELETE, &path_of(&reply), None).await.expect(403);
    let database = stack.database().await;
    for table in ["quick_replies", "quick_reply_uses"] {
        let may = "select has_any_column_privilege('app_student', $1, 'select')";
        assert!(!database.query_one(may, &[&table]).await.expect("an answer").get::<_, bool>(0), "{table}");
    }
    let other = stack.company(Wanted::default()).await;
    assert_eq!(list(&other.admin, "").await, [] as [Value; 0]);
    other.admin.api.call(Method::PUT, &path_of(&reply), Some(json!({"text": "x"}))).await.expect(404);
    make(&other.admin, "company", "oi", "Oi").await;
}

async fn with_files(person: &Person, shortcut: &str, file_ids: Value) -> Answer {
    let reply = json!({"scope": "personal", "shortcut": shortcut, "title": "Uma", "text": "Segue", "file_ids": file_ids});
    person.api.post("/quick-replies", reply).await
}

async fn delete_file(person: &Person, id: &str) -> Answer {
    person.api.call(Method::DELETE, &format!("/storage/{id}"), None).await
}

pub async fn files_go_with_a_reply_and_are_sent_by_who_may_use_it(stack: Arc<Stack>) {
    let company = two_departments(&stack).await;
    let (supervisor, agent, elsewhere) = (&company.supervisor, &company.agents[0], &company.agents[1]);
    let (prices, picture) =
        (supervisor.upload("preços.pdf", "application/pdf", PDF).await, supervisor.upload("fachada.png", "image/png", PNG).await);
    let reply = json!({"scope": "department", "department_id": company.departments[0].1, "shortcut": "precos", "title": "Preços",
        "text": "Segue a tabela", "file_ids": [prices, picture]});
    let made = supervisor.api.post("/quick-replies", reply).await.expect(201);
    let names = |reply: &Value| -> Vec<String> {
        reply["files"].as_array().into_iter().flatten().map(|file| text(&file["name"]).to_owned()).collect()
    };
    assert_eq!(names(&made), ["preços.pdf", "fachada.png"]);
    assert_eq!(made["files"][0], json!({"id": prices, "name": "preços.pdf", "mime_type": "application/pdf", "size": PDF.len()}));
    let listed = list(agent, "shortcut=precos").await;
    assert_eq!(names(&listed[0]), ["preços.pdf", "fachada.png"]);
    // Who may use it reads them, and nobody else.
    let path = format!("/storage/download/{prices}");
    agent.api.get(&path).await.expect(302);
    for outsider in [elsewhere, &company.students[0]] {
        outsider.api.get(&path).await.expect(404);
    }
    // It is sent as often as it is wanted, also after it was taken back once.
    let (_, id) = company.served().await;
    for number in 0..2 {
        let message = json!({"conversation_id": id, "client_message_id": format!("{id}:{number}"), "kind": "document",
            "file_id": prices, "body": "Segue a tabela", "quick_reply_id": made["id"]});
        let sent = agent.api.post("/messages", message).await.expect(201);
        agent.message_with_status(&sent, "read").await;
        agent.api.call(Method::DELETE, &format!("/messages/{}", text(&sent["id"])), None).await.expect(200);
    }
    assert_eq!(company.phone.sent().await.len(), 2);
    assert_eq!(names(&list(agent, "shortcut=precos").await[0]), ["preços.pdf", "fachada.png"]);
    // What it has stays; what it has no more may go.
    for file in [&prices, &picture] {
        assert_eq!(delete_file(supervisor, file).await.problem(409), "file_in_use");
    }
    let other = company.admin.upload("mapa.png", "image/png", PNG).await;
    let change = |file_ids: Value, version: i64| {
        let api = company.admin.api.with_header("if-match", &version.to_string());
        let path = path_of(&made);
        async move { api.call(Method::PUT, &path, Some(json!({"file_ids": file_ids}))).await }
    };
    let changed = change(json!([other, prices]), 1).await.expect(200);
    assert_eq!((names(&changed), &changed["version"]), (vec!["mapa.png".to_owned(), "preços.pdf".to_owned()], &json!(2)));
    assert_eq!(change(json!([other, prices]), 2).await.expect(200)["version"], 2, "the same again is no change");
    assert_eq!(change(json!([prices, picture]), 2).await.problem(422), "invalid");
    delete_file(supervisor, &picture).await.expect(204);
    assert_eq!(names(&change(json!([]), 2).await.expect(200)), [""; 0]);
}

pub async fn files_of_a_reply_are_own_uploads_each_once(stack: Arc<Stack>) {
    let (company, other) = (two_departments(&stack).await, two_departments(&stack).await);
    let agent = &company.agents[0];
    let own = agent.upload("a.png", "image/png", PNG).await;
    let colleagues = company.agents[1].upload("b.png", "image/png", PNG).await;
    let theirs = other.agents[0].upload("c.png", "image/png", PNG).await;
    let pending = text(&agent.announce("d.png", "image/png", PNG.len()).await.expect(201)["file"]["id"]).to_owned();
    for (file_ids, code) in [
        (json!([own, colleagues]), "unknown_file"),
        (json!([theirs]), "unknown_file"),
        (json!([pending]), "unknown_file"),
        (json!([Uuid::new_v4()]), "unknown_file"),
        (json!([own, own]), "duplicate"),
        (json!([own, own, own, own, own, own]), "too_long"),
    ] {
        let refused = with_files(agent, "x", file_ids.clone()).await.expect(422);
        let codes: Vec<&str> = refused["errors"].as_array().into_iter().flatten().map(|error| text(&error["code"])).collect();
        assert!(codes.contains(&code), "{file_ids}: {refused}");
        assert_eq!(refused["errors"][0]["field"], "file_ids");
    }
    assert!(list(agent, "").await.is_empty());
    with_files(agent, "x", json!([own])).await.expect(201);
    // Nobody reads what goes with one's own.
    company.agents[1].api.get(&format!("/storage/download/{own}")).await.expect(404);
}

pub async fn files_that_go_while_replies_take_them_are_there_or_refused(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    each(0..12, |number| async move {
        let file = agent.upload(&format!("{number}.png"), "image/png", PNG).await;
        let shortcut = format!("a{number}");
        let (made, gone) =
            futures_util::future::join(with_files(agent, &shortcut, json!([file])), delete_file(agent, &file)).await;
        let has = list(agent, &format!("shortcut={shortcut}")).await.first().map(|reply| reply["files"][0]["id"].clone());
        match (made.status, gone.status) {
            (201, 409) => assert_eq!(has, Some(json!(file))),
            (422, 204) => assert_eq!(has, None),
            other => panic!("{other:?}: {} {}", made.body, gone.body),
        }
    })
    .await;
}
