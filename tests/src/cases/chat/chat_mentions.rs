//! Who is meant.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tests::{Stack, Wanted, company::Person, company::text};
use uuid::Uuid;

use super::{bodies, channel, own, path_of, said, say};

async fn mentioned(person: &Person) -> Vec<String> {
    let list = person.api.get("/chat/mentions").await.expect(200);
    bodies(&list).into_iter().map(str::to_owned).collect()
}

pub async fn who_is_mentioned_is_told_if_and_only_if_they_are_in_the_channel(stack: Arc<Stack>) {
    let departments = vec![("Vendas", vec![1, 2]), ("Apoio", vec![3])];
    let company = stack.company(Wanted { agents: 3, departments, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let id = channel(one, "chamada", "public", &[two, &company.supervisor]).await;
    let message = json!({"body": "@dois @três", "mentions": {"user_ids": [two.id, three.id, two.id]}});
    let posted = say(one, &id, message).await;
    assert_eq!(posted["not_told_ids"], json!([three.id]), "the author learns who is not in it");
    assert_eq!(mentioned(two).await, ["@dois @três"]);
    assert_eq!(mentioned(three).await, [""; 0]);
    // A department: those of it who are in the channel, but not the author.
    let sales = company.departments[0].1;
    say(one, &id, json!({"body": "@vendas", "mentions": {"department_ids": [sales]}})).await;
    assert_eq!((mentioned(two).await.len(), mentioned(one).await.len(), mentioned(&company.supervisor).await.len()), (2, 0, 0));
    say(one, &id, json!({"body": "@canal", "mentions": {"channel": true}})).await;
    assert_eq!((mentioned(two).await.len(), mentioned(&company.supervisor).await.len()), (3, 1));
    // Who is online, as their sockets say.
    let _socket = two.socket().await;
    say(one, &id, json!({"body": "@aqui", "mentions": {"here": true}})).await;
    assert_eq!((mentioned(two).await.len(), mentioned(&company.supervisor).await.len()), (4, 1));
    assert_eq!(own(two, &id).await["mentions"], 4);
    // Another company's is nobody here.
    let stranger = stack.company(Wanted::default()).await;
    for (wrong, field) in [
        (json!({"user_ids": [two.id, stranger.agents[0].id]}), "mentions.user_ids[1]"),
        (json!({"user_ids": [company.students[0].id]}), "mentions.user_ids[0]"),
    ] {
        let refused =
            one.api.post(&format!("/channels/{id}/messages"), json!({"body": "x", "mentions": wrong})).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), (field, "not_active_staff"));
    }
    // Whoever leaves the channel reads nothing of it there any more.
    two.api.post(&format!("/channels/{id}/leave"), json!({})).await.expect(204);
    assert_eq!(mentioned(two).await, [""; 0]);
}

pub async fn an_edit_mentions_whom_it_newly_names(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let id = channel(one, "emenda", "public", &[two, three]).await;
    let message = say(one, &id, json!({"body": "@dois", "mentions": {"user_ids": [two.id]}})).await;
    super::read(two, &id, json!({})).await;
    let both = json!({"body": "@dois @três", "mentions": {"user_ids": [two.id, three.id]}});
    one.api.call(Method::PUT, &path_of(&message), Some(both)).await.expect(200);
    let database = stack.database().await;
    let id_of: Uuid = text(&message["id"]).parse().expect("an id");
    let rows =
        database.query("select user_id from chat_mentions where message_id = $1 order by at", &[&id_of]).await.expect("rows");
    assert_eq!(rows.iter().map(|row| row.get::<_, Uuid>(0)).collect::<Vec<_>>(), [two.id, three.id], "once each");
    assert_eq!((own(two, &id).await["mentions"].clone(), own(three, &id).await["mentions"].clone()), (json!(0), json!(1)));
    let only_words = json!({"body": "@dois @três!"});
    let edited = one.api.call(Method::PUT, &path_of(&message), Some(only_words)).await.expect(200);
    assert_eq!(edited["mentions"]["user_ids"].as_array().map(Vec::len), Some(2), "who is not named anew stays");
    let nobody = json!({"body": "ninguém", "mentions": {}});
    one.api.call(Method::PUT, &path_of(&message), Some(nobody)).await.expect(200);
    assert_eq!((mentioned(three).await.len(), own(three, &id).await["mentions"].clone()), (0, json!(0)), "no badge sticks");
}

pub async fn many_are_told_only_when_it_is_confirmed(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let admin = &company.admin;
    let list = admin.api.get("/channels").await.expect(200);
    let id = text(&list["data"][0]["id"]).to_owned();
    let sql = "with people as (
            insert into users (id, email, name, password_hash)
            select gen_random_uuid(), gen_random_uuid() || '@exemplo.com.br', 'Pessoa ' || number, '!' from generate_series(1, 40) number
            returning id
        ) insert into memberships (company_id, user_id, role) select $1, id, 'agent' from people";
    stack.database().await.execute(sql, &[&company.id]).await.expect("many people");
    let path = format!("/channels/{id}/messages");
    let message = json!({"body": "@canal reunião", "mentions": {"channel": true}, "client_message_id": "m"});
    let asked = admin.api.post(&path, message.clone()).await;
    assert_eq!(asked.body["current"]["people"], 43);
    assert_eq!(asked.problem(409), "many_mentioned");
    assert_eq!(admin.api.get(&format!("/channels/{id}")).await.expect(200)["last_place"], 0);
    let mut confirmed = message;
    confirmed["confirmed"] = json!(true);
    let posted = admin.api.post(&path, confirmed).await.expect(201);
    assert_eq!((mentioned(&company.agents[0]).await.len(), &posted["place"]), (1, &json!(1)));
    said(admin, &id, "@canal em palavras só").await;
    assert_eq!(own(&company.agents[0], &id).await["mentions"], 1, "words alone mention nobody");
}
