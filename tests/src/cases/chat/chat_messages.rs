//! What is said, changed and taken away.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text};
use uuid::Uuid;

use super::{bodies, channel, path_of, said, say};
use crate::cases::upload::ready_file;

pub async fn a_message_said_again_is_the_same(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "eco", "public", &[two]).await;
    let path = format!("/channels/{id}/messages");
    let message = json!({"body": "uma vez", "client_message_id": "meu-1"});
    let answers = join_all((0..8).map(|_| one.api.post(&path, message.clone()))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    assert!(answers.iter().all(|answer| answer.body["place"] == 1 && answer.body["id"] == answers[0].body["id"]));
    // The same name is another's too, and no place was lost.
    let other = two.api.post(&path, message).await.expect(201);
    assert_eq!(other["place"], 2);
    let channel = one.api.get(&format!("/channels/{id}")).await.expect(200);
    assert_eq!((&channel["last_place"], &channel["membership"]["unread"]), (&json!(2), &json!(1)));
}

pub async fn a_message_is_edited_and_taken_away(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "palavras", "public", &[two]).await;
    let message = said(two, &id, "Bom dua").await;
    let path = path_of(&message);
    let other = json!({"body": "Bom dia"});
    assert_eq!(one.api.call(Method::PUT, &path, Some(other.clone())).await.problem(403), "not_author");
    let edited = two.api.call(Method::PUT, &path, Some(other.clone())).await.expect(200);
    assert_eq!((text(&edited["body"]), edited["edited_at"].is_string()), ("Bom dia", true));
    assert!(edited["revision"].as_i64() > message["revision"].as_i64());
    let again = two.api.call(Method::PUT, &path, Some(other)).await.expect(200);
    assert_eq!(again["revision"], edited["revision"], "the same words are no change");
    let revisions = one.api.get(&format!("{path}/revisions")).await.expect(200);
    assert_eq!(bodies(&revisions), ["Bom dua"]);
    two.api.call(Method::PUT, &path, Some(json!({"body": " "}))).await.expect(422);
    // Its place stays.
    two.api.call(Method::DELETE, &path, None).await.expect(204);
    two.api.call(Method::DELETE, &path, None).await.expect(404);
    let gone = one.api.get(&path).await.expect(200);
    assert_eq!((text(&gone["body"]), gone["deleted_at"].is_string(), &gone["place"]), ("", true, &json!(1)));
    assert_eq!(two.api.call(Method::PUT, &path, Some(json!({"body": "de novo"}))).await.problem(409), "message_deleted");
    assert_eq!(two.api.post(&format!("{path}/reactions"), json!({"emoji": "👍"})).await.problem(409), "message_deleted");
    assert_eq!(two.api.post(&format!("{path}/pin"), json!({})).await.problem(409), "message_deleted");
    one.api.get(&format!("{path}/revisions")).await.expect(404);
    // Another's goes by who manages the channel.
    let (mine, theirs) = (said(one, &id, "minha").await, said(two, &id, "tua").await);
    assert_eq!(two.api.call(Method::DELETE, &path_of(&mine), None).await.problem(403), "not_author");
    one.api.call(Method::DELETE, &path_of(&theirs), None).await.expect(204);
    assert_eq!(one.api.get(&path_of(&theirs)).await.expect(200)["deleted_by_id"], json!(one.id));
}

pub async fn reactions_are_one_for_an_emoji_and_a_person(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "emoções", "public", &[two]).await;
    let message = said(one, &id, "Batemos a meta!").await;
    let path = format!("{}/reactions", path_of(&message));
    // From two tabs at once.
    let answers = join_all((0..4).map(|_| two.api.post(&path, json!({"emoji": "👍🏽"})))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    one.api.post(&path, json!({"emoji": "👍🏽"})).await.expect(200);
    let shown = one.api.post(&path, json!({"emoji": "❤️"})).await.expect(200);
    let expected = json!([{"emoji": "👍🏽", "user_ids": [two.id, one.id]}, {"emoji": "❤️", "user_ids": [one.id]}]);
    assert_eq!(shown["reactions"], expected);
    for emoji in ["a", "👍👍", "", "+1", ":x:"] {
        one.api.post(&path, json!({"emoji": emoji})).await.expect(422);
    }
    let unknown = one.api.post(&path, json!({"emoji": ":parabens:"})).await.expect(422);
    assert_eq!(text(&unknown["errors"][0]["code"]), "unknown_emoji");
    let left = one.api.call(Method::DELETE, &format!("{path}?emoji=%E2%9D%A4%EF%B8%8F"), None).await.expect(200);
    assert_eq!(left["reactions"].as_array().map(Vec::len), Some(1));
    let same = one.api.call(Method::DELETE, &format!("{path}?emoji=%E2%9D%A4%EF%B8%8F"), None).await.expect(200);
    assert_eq!(same["revision"], left["revision"], "what is not there is no change");
    company.admin.api.post(&path, json!({"emoji": "👍"})).await.expect(404);
}

pub async fn a_channel_has_a_hundred_pins(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let id = channel(one, "mural", "public", &[two]).await;
    let message = said(one, &id, "Regras da casa").await;
    let pinned = two.api.post(&format!("{}/pin", path_of(&message)), json!({})).await.expect(200);
    assert_eq!(pinned["pinned_by_id"], json!(two.id));
    let pins = one.api.get(&format!("/channels/{id}/pins")).await.expect(200);
    assert_eq!(bodies(&pins), ["Regras da casa"]);
    let unpinned = one.api.call(Method::DELETE, &format!("{}/pin", path_of(&message)), None).await.expect(200);
    assert_eq!(unpinned["pinned_at"], Value::Null);
    // A hundred, and of many at the last place one.
    let sql = "with said as (
            insert into chat_messages (id, company_id, channel_id, is_in_channel, author_id, body)
            select gen_random_uuid(), $1, $2, true, $3, 'fixa ' || number from generate_series(1, 99) number returning id
        ) insert into chat_pins (company_id, channel_id, message_id, pinned_by_id) select $1, $2, id, $3 from said";
    let channel_id: Uuid = id.parse().expect("an id");
    stack.database().await.execute(sql, &[&company.id, &channel_id, &one.id]).await.expect("pins");
    let more = join_all((0..4).map(|number| said(one, &id, if number % 2 == 0 { "mais" } else { "outra" }))).await;
    let answers = join_all(more.iter().map(|message| {
        let path = format!("{}/pin", path_of(message));
        async move { two.api.post(&path, json!({})).await.status }
    }))
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert_eq!(one.api.get(&format!("/channels/{id}/pins")).await.expect(200)["data"].as_array().map(Vec::len), Some(100));
    // One that is deleted is pinned no more.
    one.api.call(Method::DELETE, &path_of(&more[0]), None).await.expect(204);
    let left = one.api.get(&format!("/channels/{id}/pins")).await.expect(200);
    assert!(left["data"].as_array().is_some_and(|pins| pins.iter().all(|pin| pin["deleted_at"].is_null())));
}

pub async fn what_is_quoted_and_forwarded_is_what_the_sender_reads(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let here = channel(one, "aqui", "public", &[two, three]).await;
    let there = channel(one, "lá", "private", &[two]).await;
    let secret = said(two, &there, "a senha do cofre").await;
    let public = said(two, &here, "bom dia").await;
    let quoting = say(one, &here, json!({"body": "bom dia!", "quote_id": public["id"]})).await;
    assert_eq!((text(&quoting["quote"]["body"]), &quoting["quote"]["author_id"]), ("bom dia", &json!(two.id)));
    let path = format!("/channels/{here}/messages");
    for (message, field) in [
        (json!({"body": "x", "quote_id": secret["id"]}), "quote_id"),
        (json!({"body": "x", "root_id": secret["id"]}), "root_id"),
        (json!({"body": "x", "quote_id": Uuid::now_v7()}), "quote_id"),
    ] {
        let refused = one.api.post(&path, message).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field);
    }
    let refused = three.api.post(&path, json!({"body": "", "forward_id": secret["id"]})).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["field"]), "forward_id");
    let forwarded = say(one, &here, json!({"body": "vejam", "forward_id": secret["id"]})).await;
    assert_eq!((text(&forwarded["body"]), &forwarded["forwarded_author_id"]), ("vejam\n\na senha do cofre", &json!(two.id)));
    // What was quoted is shown as it is now.
    two.api.call(Method::DELETE, &path_of(&public), None).await.expect(204);
    let now = three.api.get(&path_of(&quoting)).await.expect(200);
    assert_eq!((text(&now["quote"]["body"]), &now["quote"]["is_deleted"]), ("", &json!(true)));
}

pub async fn files_are_read_where_they_were_said(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let [one, two, three] = [&company.agents[0], &company.agents[1], &company.agents[2]];
    let id = channel(one, "fotos", "private", &[two]).await;
    let file = ready_file(&stack, one).await;
    let download = format!("/storage/download/{file}");
    let status = async |person: &tests::company::Person| person.api.get(&download).await.status;
    assert_eq!(status(two).await, 404, "before it is said it is the sender's");
    let path = format!("/channels/{id}/messages");
    let foreign = two.api.post(&path, json!({"body": "", "file_ids": [file]})).await.expect(422);
    assert_eq!(text(&foreign["errors"][0]["field"]), "file_ids");
    let twice = one.api.post(&path, json!({"body": "", "file_ids": [file, file]})).await.expect(422);
    assert_eq!(text(&twice["errors"][0]["code"]), "duplicate");
    let message = say(one, &id, json!({"body": "", "file_ids": [file]})).await;
    assert_eq!(text(&message["files"][0]["mime_type"]), "image/png");
    assert!(status(two).await < 400, "who is in the channel has it");
    for person in [three, &company.supervisor, &company.admin] {
        assert_eq!(status(person).await, 404, "nobody else has, whoever leads");
    }
    assert_eq!(one.api.call(Method::DELETE, &format!("/storage/{file}"), None).await.problem(409), "file_in_use");
    // It goes along with what is forwarded.
    let public = channel(two, "mural de fotos", "public", &[three]).await;
    let forwarded = say(two, &public, json!({"body": "", "forward_id": message["id"]})).await;
    assert_eq!(forwarded["files"].as_array().map(Vec::len), Some(1));
    assert!(status(three).await < 400);
    one.api.call(Method::DELETE, &path_of(&message), None).await.expect(204);
    assert!(status(three).await < 400, "it is in the other message still");
    two.api.call(Method::DELETE, &path_of(&forwarded), None).await.expect(204);
    for person in [two, three, &company.supervisor] {
        assert_eq!(status(person).await, 404, "what was deleted is nobody's");
    }
}

pub async fn pages_go_both_ways_and_around_a_place(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let one = &company.agents[0];
    let id = channel(one, "páginas", "public", &[]).await;
    for number in 1..=9 {
        said(one, &id, &format!("{number}")).await;
    }
    let path = format!("/channels/{id}/messages");
    let page = async |query: &str| one.api.get(&format!("{path}?{query}")).await.expect(200);
    let first = page("limit=4").await;
    assert_eq!((bodies(&first), &first["has_more"]), (vec!["9", "8", "7", "6"], &json!(true)));
    assert_eq!(bodies(&page("limit=4&before=6").await), ["5", "4", "3", "2"]);
    let last = page("limit=4&before=2").await;
    assert_eq!((bodies(&last), &last["has_more"]), (vec!["1"], &json!(false)));
    assert_eq!(bodies(&page("after=0&limit=3").await), ["1", "2", "3"]);
    assert_eq!(bodies(&page("after=3&limit=3").await), ["4", "5", "6"]);
    assert_eq!(bodies(&page("around=5&limit=4").await), ["7", "6", "5", "4"]);
    for wrong in ["limit=0", "limit=101", "before=x", "before=0", "after=-1", "around=0", "before=3&after=1"] {
        one.api.get(&format!("{path}?{wrong}")).await.expect(422);
    }
}

pub async fn bad_messages_are_refused(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let one = &company.agents[0];
    let id = channel(one, "rigor", "public", &[]).await;
    let path = format!("/channels/{id}/messages");
    let many: Vec<Uuid> = (0..51).map(|_| Uuid::now_v7()).collect();
    for (message, field) in [
        (json!({}), "body"),
        (json!({"body": ""}), "body"),
        (json!({"body": "   "}), "body"),
        (json!({"body": "x".repeat(8001)}), "body"),
        (json!({"body": "a\u{0}b"}), "body"),
        (json!({"body": "x", "client_message_id": ""}), "client_message_id"),
        (json!({"body": "x", "mentions": {"user_ids": many}}), "mentions.user_ids"),
        (json!({"body": "x", "mentions": {"user_ids": [Uuid::now_v7()]}}), "mentions.user_ids[0]"),
        (json!({"body": "x", "mentions": {"department_ids": [Uuid::now_v7()]}}), "mentions.department_ids[0]"),
        (json!({"body": "x", "cards": [{"kind": "client", "id": Uuid::now_v7()}]}), "cards[0].id"),
        (json!({"body": "x", "cards": [{"kind": "planet", "id": Uuid::now_v7()}]}), "cards[0].kind"),
        (json!({"body": "x", "forward_id": Uuid::now_v7()}), "forward_id"),
        (json!({"body": "x", "surprise": true}), "surprise"),
    ] {
        let refused = one.api.post(&path, message.clone()).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field, "{message}: {refused}");
    }
    assert_eq!(one.api.get(&format!("/channels/{id}")).await.expect(200)["last_place"], 0, "nothing has happened");
}

pub async fn the_company_has_emoji_of_its_own(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (one, two) = (&company.agents[0], &company.agents[1]);
    let file = ready_file(&stack, one).await;
    let wanted = json!({"name": "parabens", "file_id": file});
    let foreign = two.api.post("/chat/emoji", wanted.clone()).await.expect(422);
    assert_eq!(text(&foreign["errors"][0]["code"]), "no_picture");
    one.api.post("/chat/emoji", json!({"name": "Parabéns", "file_id": file})).await.expect(422);
    let emoji = one.api.post("/chat/emoji", wanted.clone()).await.expect(201);
    assert_eq!(one.api.post("/chat/emoji", wanted).await.problem(409), "name_taken");
    assert!(two.api.get(&format!("/storage/download/{file}")).await.status < 400, "all staff see it");
    assert_eq!(two.api.get("/chat/emoji").await.expect(200)["data"][0]["name"], "parabens");
    let id = channel(one, "festa", "public", &[two]).await;
    let message = said(one, &id, "Viva!").await;
    let reacted = two.api.post(&format!("{}/reactions", path_of(&message)), json!({"emoji": ":parabens:"})).await.expect(200);
    assert_eq!(reacted["reactions"][0]["emoji"], ":parabens:");
    let path = format!("/chat/emoji/{}", text(&emoji["id"]));
    assert_eq!(two.api.call(Method::DELETE, &path, None).await.problem(403), "not_author");
    company.supervisor.api.call(Method::DELETE, &path, None).await.expect(204);
    company.supervisor.api.call(Method::DELETE, &path, None).await.expect(404);
}
