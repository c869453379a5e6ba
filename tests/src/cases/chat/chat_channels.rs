//! Channels and who is in them.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person, company::text};
use uuid::Uuid;

use super::{channel, own, said};

async fn names(person: &Person, query: &str) -> Vec<String> {
    let list = person.api.get(&format!("/channels?{query}")).await.expect(200);
    let names = list["data"].as_array().into_iter().flatten().map(|channel| text(&channel["name"]).to_owned());
    names.filter(|name| name != "geral").collect()
}

pub async fn a_channel_is_made_joined_left_and_put_away(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (maker, other) = (&company.agents[0], &company.agents[1]);
    let asked = json!({"name": "#vendas ", "topic": "O que se vende"});
    let made = maker.api.post("/channels", asked).await.expect(201);
    let id = text(&made["id"]).to_owned();
    assert_eq!((text(&made["name"]), text(&made["kind"]), &made["member_count"]), ("vendas", "public", &json!(1)));
    assert_eq!(made["membership"]["is_manager"], true);
    said(maker, &id, "antes").await;
    assert_eq!((names(other, "").await.len(), names(other, "scope=others").await), (0, vec!["vendas".to_owned()]));
    let path = format!("/channels/{id}");
    assert_eq!(other.api.get(&format!("{path}/messages")).await.problem(403), "not_member");
    assert_eq!(other.api.post(&format!("{path}/messages"), json!({"body": "oi"})).await.problem(403), "not_member");
    let joined = other.api.post(&format!("{path}/join"), json!({})).await.expect(200);
    assert_eq!((&joined["member_count"], &joined["membership"]["unread"]), (&json!(2), &json!(0)), "what was before is read");
    other.api.post(&format!("{path}/join"), json!({})).await.expect(200);
    said(other, &id, "oi").await;
    let members = other.api.get(&format!("{path}/members")).await.expect(200);
    assert_eq!(members["data"].as_array().map(Vec::len), Some(2));
    other.api.post(&format!("{path}/leave"), json!({})).await.expect(204);
    other.api.post(&format!("{path}/leave"), json!({})).await.expect(204);
    assert_eq!(other.api.get(&path).await.expect(200)["membership"], Value::Null);
    // Put away: read, not written.
    assert_eq!(other.api.call(Method::DELETE, &path, None).await.problem(403), "not_manager");
    maker.api.call(Method::DELETE, &path, None).await.expect(204);
    maker.api.call(Method::DELETE, &path, None).await.expect(404);
    assert_eq!(maker.api.post(&format!("{path}/messages"), json!({"body": "oi"})).await.problem(409), "channel_archived");
    assert_eq!(other.api.post(&format!("{path}/join"), json!({})).await.problem(409), "channel_archived");
    assert_eq!(maker.api.get(&format!("{path}/messages")).await.expect(200)["data"].as_array().map(Vec::len), Some(2));
    assert_eq!((names(maker, "").await.len(), names(maker, "archived=true").await.len()), (0, 1));
    // Its name is free, and then it is not.
    channel(other, "vendas", "public", &[]).await;
    let back = json!({"is_archived": false});
    assert_eq!(maker.api.call(Method::PUT, &path, Some(back.clone())).await.problem(409), "name_taken");
    let renamed = json!({"is_archived": false, "name": "vendas antigas"});
    let renamed = maker.api.call(Method::PUT, &path, Some(renamed)).await.expect(200);
    assert_eq!((&renamed["archived_at"], &renamed["version"]), (&Value::Null, &json!(3)));
    let unchanged = maker.api.call(Method::PUT, &path, Some(back)).await.expect(200);
    assert_eq!(unchanged["version"], 3);
}

pub async fn no_two_names_are_alike_to_the_eye(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    channel(agent, "Vendas São Paulo", "private", &[]).await;
    for name in ["vendas são paulo", "#VENDAS SAO PAULO", "Vendas  São Paulo", "V\u{435}nd\u{430}s S\u{e3}o P\u{430}ulo"] {
        assert_eq!(agent.api.post("/channels", json!({"name": name})).await.problem(409), "name_taken", "{name}");
    }
    for (name, code) in [
        ("", "required"),
        ("   ", "required"),
        ("#", "required"),
        ("ven\u{200b}das", "invisible_characters"),
        ("a\nb", "invisible_characters"),
    ] {
        let refused = company.agents[1].api.post("/channels", json!({"name": name})).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), "name", "{name:?}: {refused} wants {code}");
    }
    let long = agent.api.post("/channels", json!({"name": "x".repeat(10_000)})).await.expect(422);
    assert_eq!(text(&long["errors"][0]["code"]), "too_long");
    let taken = agent.api.post("/channels", json!({"name": "geral"})).await;
    assert_eq!(taken.problem(409), "name_taken");
    // Of many at once one has it.
    let made = join_all((0..8).map(|number| {
        let person = if number % 2 == 0 { agent } else { &company.agents[1] };
        person.api.post("/channels", json!({"name": "Corrida"}))
    }))
    .await;
    let made: Vec<u16> = made.into_iter().map(|answer| answer.status).collect();
    assert_eq!(
        (made.iter().filter(|status| **status == 201).count(), made.iter().filter(|status| **status == 409).count()),
        (1, 7)
    );
}

pub async fn all_staff_are_in_the_general_channel(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let list = company.admin.api.get("/channels").await.expect(200);
    let general = list["data"][0].clone();
    assert_eq!((text(&general["name"]), &general["is_general"], &general["member_count"]), ("geral", &json!(true), &json!(4)));
    let path = format!("/channels/{}", text(&general["id"]));
    assert_eq!(company.agents[0].api.post(&format!("{path}/leave"), json!({})).await.problem(409), "general_channel");
    assert_eq!(company.admin.api.call(Method::DELETE, &path, None).await.problem(409), "general_channel");
    assert_eq!(
        company.admin.api.call(Method::PUT, &path, Some(json!({"is_archived": true}))).await.problem(409),
        "general_channel"
    );
    let out = format!("{path}/members/{}", company.agents[0].id);
    assert_eq!(company.admin.api.call(Method::DELETE, &out, None).await.problem(409), "general_channel");
    // Who comes is in it at once.
    said(&company.admin, text(&general["id"]), "bem-vindos").await;
    let email = format!("nova-{}@exemplo.com.br", Uuid::now_v7().simple());
    let person = json!({"name": "Nova Pessoa", "email": email, "role": "agent", "password": company.password});
    company.admin.api.post("/users", person).await.expect(201);
    let new = Person::sign_in(&stack, &email, &company.password).await.expect("a login");
    assert_eq!(own(&new, text(&general["id"])).await["unread"], 0, "what was before is read");
    said(&new, text(&general["id"]), "obrigada").await;
}

pub async fn direct_messages_are_one_for_a_set_of_people(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let opened = join_all((0..8).map(|number| {
        let (person, other) = if number % 2 == 0 { (one, two) } else { (two, one) };
        person.api.post("/direct-messages", json!({"user_ids": [other.id]}))
    }))
    .await;
    let statuses: Vec<u16> = opened.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    let ids: HashSet<String> = opened.into_iter().map(|answer| text(&answer.body["id"]).to_owned()).collect();
    assert_eq!(ids.len(), 1, "one channel");
    let id = ids.into_iter().next().unwrap_or_default();
    said(one, &id, "só nós").await;
    assert_eq!(own(two, &id).await["unread"], 1);
    for other in [three, &company.supervisor, &company.admin] {
        other.api.get(&format!("/channels/{id}")).await.expect(404);
        other.api.get(&format!("/channels/{id}/messages")).await.expect(404);
    }
    let shown = one.api.get(&format!("/channels/{id}")).await.expect(200);
    assert_eq!((shown["people"].as_array().map(Vec::len), &shown["name"]), (Some(2), &Value::Null));
    for (path, body) in [("members", json!({"user_ids": [three.id]})), ("leave", json!({}))] {
        assert_eq!(one.api.post(&format!("/channels/{id}/{path}"), body).await.problem(409), "direct_channel", "{path}");
    }
    assert_eq!(
        one.api.call(Method::PUT, &format!("/channels/{id}"), Some(json!({"topic": "x"}))).await.problem(409),
        "direct_channel"
    );
    // With oneself, and with others of the company only.
    let alone = one.api.post("/direct-messages", json!({})).await.expect(201);
    said(one, text(&alone["id"]), "nota para mim").await;
    assert_eq!(one.api.post("/direct-messages", json!({"user_ids": [one.id]})).await.expect(200)["id"], alone["id"]);
    let stranger = stack.company(Wanted::default()).await;
    for wrong in [stranger.agents[0].id, company.students[0].id, Uuid::now_v7()] {
        let refused = one.api.post("/direct-messages", json!({"user_ids": [wrong]})).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["code"]), "not_active_staff");
    }
    let nine = vec![two.id; 8];
    one.api.post("/direct-messages", json!({"user_ids": nine})).await.expect(422);
    // Put away until somebody writes.
    let preferences = format!("/channels/{id}/preferences");
    one.api.call(Method::PUT, &preferences, Some(json!({"is_hidden": true}))).await.expect(200);
    said(two, &id, "de novo").await;
    assert_eq!(own(one, &id).await["is_hidden"], false);
}

pub async fn a_channel_is_never_without_who_manages_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let id = channel(one, "projeto", "private", &[two]).await;
    let path = format!("/channels/{id}");
    assert_eq!(two.api.call(Method::PUT, &path, Some(json!({"topic": "x"}))).await.problem(403), "not_manager");
    let out = format!("{path}/members/{}", one.id);
    assert_eq!(two.api.call(Method::DELETE, &out, None).await.problem(403), "not_manager");
    // Whoever is in it lets others in.
    two.api.post(&format!("{path}/members"), json!({"user_ids": [three.id, one.id]})).await.expect(201);
    one.api.post(&format!("{path}/leave"), json!({})).await.expect(204);
    one.api.get(&path).await.expect(404);
    two.api.call(Method::PUT, &path, Some(json!({"topic": "agora eu"}))).await.expect(200);
    two.api.call(Method::DELETE, &format!("{path}/members/{}", three.id), None).await.expect(204);
    two.api.call(Method::DELETE, &format!("{path}/members/{}", three.id), None).await.expect(404);
    // A stale version is told.
    let stale = two.api.with_header("if-match", "1").call(Method::PUT, &path, Some(json!({"topic": "outro"}))).await;
    assert_eq!(stale.problem(409), "stale_version");
    // A public one is also changed by who leads, in it or not.
    let public = channel(two, "aberto", "public", &[]).await;
    company.supervisor.api.call(Method::PUT, &format!("/channels/{public}"), Some(json!({"topic": "regras"}))).await.expect(200);
    company.supervisor.api.post(&format!("/channels/{public}/members"), json!({"user_ids": [three.id]})).await.expect(201);
    assert_eq!(
        one.api.post(&format!("/channels/{public}/members"), json!({"user_ids": [three.id]})).await.problem(403),
        "not_member"
    );
}

pub async fn announcements_are_made_by_who_leads(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (admin, agent) = (&company.admin, &company.agents[0]);
    let asked = json!({"name": "avisos", "is_announcement": true, "member_ids": [agent.id]});
    let id = text(&admin.api.post("/channels", asked).await.expect(201)["id"]).to_owned();
    let notice = said(admin, &id, "Amanhã não abrimos").await;
    let path = format!("/channels/{id}/messages");
    assert_eq!(agent.api.post(&path, json!({"body": "oi"})).await.problem(403), "not_manager");
    let answer = json!({"body": "Certo!", "root_id": notice["id"]});
    agent.api.post(&path, answer.clone()).await.expect(201);
    let mut loud = answer;
    loud["is_in_channel"] = json!(true);
    assert_eq!(agent.api.post(&path, loud).await.problem(403), "not_manager");
    assert_eq!(
        agent.api.post(&format!("/channels/{id}/members"), json!({"user_ids": [company.agents[1].id]})).await.problem(403),
        "not_manager"
    );
}

pub async fn of_many_who_join_and_leave_at_once_each_is_in_or_out(stack: Arc<Stack>) {
    let company: Company = stack.company(Wanted { agents: 4, ..Wanted::default() }).await;
    let id = channel(&company.admin, "porta", "public", &[]).await;
    let (admin, path) = (&company.admin, format!("/channels/{id}"));
    let acts = company.agents.iter().flat_map(|agent| {
        let path = path.clone();
        (0..6).map(move |turn| {
            let path = path.clone();
            async move {
                let answer = match turn % 3 {
                    0 => agent.api.post(&format!("{path}/join"), json!({})).await,
                    1 => admin.api.post(&format!("{path}/members"), json!({"user_ids": [agent.id]})).await,
                    _ => agent.api.post(&format!("{path}/leave"), json!({})).await,
                };
                assert!(answer.status < 300, "{}", answer.body);
            }
        })
    });
    join_all(acts).await;
    for agent in &company.agents {
        let is_in = !own(agent, &id).await.is_null();
        let status = agent.api.post(&format!("{path}/messages"), json!({"body": "oi"})).await.status;
        assert_eq!(status == 201, is_in);
    }
}

pub async fn what_somebody_wants_of_a_channel_is_theirs_alone(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "gostos", "public", &[two]).await;
    let path = format!("/channels/{id}/preferences");
    let wanted = json!({"level": "mentions", "is_favorite": true, "muted_until": "2027-01-01T12:00:00Z"});
    let saved = one.api.call(Method::PUT, &path, Some(wanted)).await.expect(200);
    assert_eq!((&saved["is_muted"], text(&saved["level"]), &saved["is_favorite"]), (&json!(true), "mentions", &json!(true)));
    let loud = one.api.call(Method::PUT, &path, Some(json!({"is_muted": false}))).await.expect(200);
    assert_eq!((&loud["is_muted"], &loud["muted_until"], text(&loud["level"])), (&json!(false), &Value::Null, "mentions"));
    let past = one.api.call(Method::PUT, &path, Some(json!({"muted_until": "2020-01-01T12:00:00Z"}))).await.expect(422);
    assert_eq!(text(&past["errors"][0]["code"]), "in_the_past");
    assert_eq!((text(&own(two, &id).await["level"]), &own(two, &id).await["is_favorite"]), ("all", &json!(false)));
    // A draft is on all devices, and gone with what is said.
    one.api.call(Method::PUT, &format!("/channels/{id}/draft"), Some(json!({"text": "Pensando em"}))).await.expect(200);
    assert_eq!(text(&own(one, &id).await["draft"]), "Pensando em");
    assert_eq!(text(&own(two, &id).await["draft"]), "");
    said(one, &id, "Pensando em férias").await;
    assert_eq!(text(&own(one, &id).await["draft"]), "");
    assert_eq!(
        company.admin.api.call(Method::PUT, &format!("/channels/{id}/draft"), Some(json!({"text": "x"}))).await.problem(403),
        "not_member"
    );
}
