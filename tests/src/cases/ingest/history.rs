//! What a phone had said before its number was connected: all of it, once, in order, and nobody is called.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually, sandbox::fresh_number};

use super::{
    Dice,
    adapters::{Adapter, Content, Line, Old, Told, WITH_HISTORY, Who},
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// What was said with somebody by turns, a minute apart, the first so many seconds ago.
fn thread(line: &Line, client: &str, (count, ago): (usize, i64)) -> Vec<Old> {
    let began = now() - ago;
    let old = |index: usize| Old {
        with: Who::of(client),
        id: line.fresh_id(),
        is_own: index % 3 == 2,
        words: format!("antes {index}"),
        at: began + 60 * i64::try_from(index).expect("few"),
    };
    (0..count).map(old).collect()
}

async fn history(company: &Company, line: &Line) -> Value {
    let page = company.admin.api.get("/integrations/config").await.expect(200);
    let channels = page["data"].as_array().cloned().unwrap_or_default();
    let channel = channels.into_iter().find(|channel| text(&channel["id"]) == line.channel_account_id.to_string());
    channel.expect("the channel")["history"].clone()
}

/// Once so many messages of it are stored.
async fn stored(company: &Company, line: &Line, count: usize) -> Value {
    eventually("a history that is stored", || async {
        let history = history(company, line).await;
        (history["messages"] == count).then_some(history)
    })
    .await
}

/// Once all that was kept of it is applied.
async fn applied(stack: &Stack, company: &Company) {
    let sql = "select count(*) from inbound_webhooks where company_id = $1 and outcome is null";
    eventually("webhooks that are applied", || async {
        let left: i64 = stack.database().await.query_one(sql, &[&company.id]).await.expect("a count").get(0);
        (left == 0).then_some(())
    })
    .await;
}

async fn conversations(company: &Company, client: &str, category: &str) -> Vec<Value> {
    let page = company.admin.api.get(&format!("/conversations?search={client}&category={category}")).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

fn bodies(thread: &[Value]) -> Vec<String> {
    let said = thread.iter().filter(|message| message["kind"] != "system");
    said.map(|message| text(&message["body"]).to_owned()).collect()
}

fn without_bot(mut thread: Vec<Value>) -> Vec<Value> {
    thread.retain(|message| message["sender_type"] != "bot");
    thread
}

fn words(old: &[Old]) -> Vec<String> {
    old.iter().map(|old| old.words.clone()).collect()
}

/// Types of the events since then.
async fn told(company: &Company, head: &str) -> Vec<String> {
    company.admin.events_after(head).await.iter().map(|event| text(&event["type"]).to_owned()).collect()
}

pub async fn a_history_is_kept_in_order_and_nobody_is_called(stack: Arc<Stack>) {
    for adapter in WITH_HISTORY {
        let company = company(&stack).await;
        let line = Line::open(&stack, &company, adapter).await;
        let client = fresh_number();
        let mut old = thread(&line, &client, (30, 40 * 86_400));
        let head = company.admin.head().await;
        let stats = company.admin.api.get("/conversations/stats").await.expect(200);
        let mut told_of = old.clone();
        told_of.reverse();
        line.tell_history(&stack, &told_of, (1, 100)).await;
        let shown = stored(&company, &line, 30).await;
        applied(&stack, &company).await;
        assert_eq!((&shown["progress"], &shown["declined"]), (&json!(100), &Value::Null), "{adapter:?}");
        let found = conversations(&company, &client, "bot,pending,active,closed").await;
        assert_eq!(found.len(), 1, "{adapter:?}: {found:?}");
        let imported = &found[0];
        assert_eq!(
            (text(&imported["status"]), text(&imported["close_reason"]), &imported["unread"]),
            ("closed", "history", &json!(0))
        );
        assert!(
            imported["imported_at"].is_string() && imported["first_human_at"].is_null() && imported["first_pending_at"].is_null()
        );
        assert!(text(&imported["protocol"]).starts_with("H-"), "{imported}");
        assert_eq!(text(&imported["last_message_preview"]), "antes 29");
        let second = |value: &Value| text(value).parse::<jiff::Timestamp>().expect("a time").as_second();
        assert_eq!([second(&imported["started_at"]), second(&imported["ended_at"])], [old[0].at, old[29].at]);
        let id = text(&imported["id"]);
        let messages = company.admin.thread(id).await;
        assert_eq!(bodies(&messages), words(&old), "{adapter:?}");
        for (message, old) in messages.iter().zip(&old) {
            let (author, status) = if old.is_own { ("agent", "read") } else { ("client", "") };
            assert_eq!((text(&message["sender_type"]), text(&message["status"])), (author, status), "{adapter:?}: {message}");
        }
        // One event for how far it has come, and none of anybody's messages; no bot has spoken.
        assert_eq!(told(&company, &head).await, ["channel.updated"], "{adapter:?}");
        assert_eq!(company.admin.api.get("/conversations/stats").await.expect(200), stats);
        // It is no conversation that goes on.
        let refused = company.agents[0].api.post(&format!("/conversations/{id}/reopen"), json!({})).await.expect(409);
        assert_eq!(text(&refused["code"]), "imported");
        old.truncate(1);
        line.tell(
            &stack,
            &[Told::Said { who: Who::of(&client), id: line.fresh_id(), content: Content::Words("Oi".into()), at: now() }],
        )
        .await;
        let open = conversations(&company, &client, "bot,pending,active").await;
        assert_eq!((open.len(), &open[0]["unread"], open[0]["id"] == imported["id"]), (1, &json!(1), false), "{adapter:?}");
        assert!(!text(&open[0]["protocol"]).starts_with("H-"));
    }
}

pub async fn chunks_come_in_any_order_and_twice_beside_what_is_said_now(stack: Arc<Stack>) {
    for adapter in WITH_HISTORY {
        let company = company(&stack).await;
        let line = Line::open(&stack, &company, adapter).await;
        let mut dice = Dice(7);
        let clients: Vec<String> = (0..10).map(|_| fresh_number()).collect();
        let threads: Vec<Vec<Old>> = clients.iter().map(|client| thread(&line, client, (40, 10 * 86_400))).collect();
        let mut all: Vec<Old> = threads.concat();
        dice.shuffle(&mut all);
        let chunks = dice.parts(all, 60);
        let mut webhooks: Vec<String> = chunks.iter().map(|chunk| line.history(chunk, (1, 50))).collect();
        webhooks.extend(chunks.iter().step_by(2).map(|chunk| line.history(chunk, (1, 80))));
        let said = |client: &String, number: usize| {
            let content = Content::Words(format!("agora {number}"));
            Told::Said {
                who: Who::of(client),
                id: line.fresh_id(),
                content,
                at: now() - 50 + i64::try_from(number).expect("few"),
            }
        };
        for number in 0..20 {
            let live: Vec<Told> = clients.iter().map(|client| said(client, number)).collect();
            webhooks.extend(line.webhooks(&live, &mut dice));
        }
        dice.shuffle(&mut webhooks);
        let statuses = line.post_all(&stack, webhooks).await;
        assert!(statuses.iter().all(|status| *status == 200), "{adapter:?}: {statuses:?}");
        let shown = stored(&company, &line, 400).await;
        assert_eq!(shown["progress"], 80, "{adapter:?}");
        applied(&stack, &company).await;
        for (client, old) in clients.iter().zip(&threads) {
            let closed = conversations(&company, client, "closed").await;
            let open = conversations(&company, client, "bot,pending,active").await;
            assert_eq!((closed.len(), open.len(), &open[0]["unread"]), (1, 1, &json!(20)), "{adapter:?}");
            let [past, present] =
                join_all([&closed[0], &open[0]].map(|one| company.admin.thread(text(&one["id"])))).await.try_into().expect("two");
            assert_eq!(bodies(&past), words(old), "{adapter:?}");
            let live: Vec<Value> = present.into_iter().filter(|message| message["sender_type"] == "client").collect();
            assert_eq!(bodies(&live), (0..20).map(|number| format!("agora {number}")).collect::<Vec<_>>());
        }
    }
}

/// What was written while the conversation was held is of it; what is told live after it was told as history is live.
pub async fn what_overlaps_with_today_is_of_todays_conversation(stack: Arc<Stack>) {
    for adapter in WITH_HISTORY {
        let company = company(&stack).await;
        let line = Line::open(&stack, &company, adapter).await;
        let client = fresh_number();
        let who = Who::of(&client);
        let (live, at) = (line.fresh_id(), now());
        let say = |id: &str, words: &str, at: i64| Told::Said {
            who: who.clone(),
            id: id.into(),
            content: Content::Words(words.into()),
            at,
        };
        line.tell(&stack, &[say(&live, "Oi", at)]).await;
        let open = conversations(&company, &client, "bot,pending,active").await[0].clone();
        let old = |id: &str, is_own: bool, words: &str, at: i64| Old {
            with: who.clone(),
            id: id.into(),
            is_own,
            words: words.into(),
            at,
        };
        let (next, before) = (line.fresh_id(), line.fresh_id());
        let told = [
            old(&live, false, "Oi", at),
            old(&line.fresh_id(), true, "Já respondo", at + 2),
            old(&next, false, "Está aí?", at + 3),
            old(&before, false, "Bem antes", at - 5_000),
        ];
        line.tell_history(&stack, &told, (0, 100)).await;
        stored(&company, &line, 3).await;
        let thread = without_bot(company.admin.thread(text(&open["id"])).await);
        assert_eq!(bodies(&thread), ["Oi", "Já respondo", "Está aí?"], "{adapter:?}");
        let seen = company.admin.conversation(text(&open["id"])).await;
        assert_eq!((&seen["unread"], &seen["mode"]), (&json!(1), &open["mode"]), "{adapter:?}: {seen}");
        assert_eq!(
            bodies(&company.admin.thread(text(&conversations(&company, &client, "closed").await[0]["id"])).await),
            ["Bem antes"]
        );
        // The same message, told as one of now: it is unread, once.
        for _ in 0..2 {
            line.tell(&stack, &[say(&next, "Está aí?", at + 3), say(&before, "Bem antes", at - 5_000)]).await;
        }
        let seen = company.admin.conversation(text(&open["id"])).await;
        assert_eq!(seen["unread"], 3, "{adapter:?}: {seen}");
        let thread = without_bot(company.admin.thread(text(&open["id"])).await);
        assert_eq!(bodies(&thread), ["Bem antes", "Oi", "Já respondo", "Está aí?"], "{adapter:?}");
    }
}

pub async fn ten_thousand_messages_are_stored_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let line = Line::open(&stack, &company, Adapter::Cloud).await;
    let clients: Vec<String> = (0..50).map(|_| fresh_number()).collect();
    let threads = clients.iter().map(|client| thread(&line, client, (200, 90 * 86_400)));
    let all: Vec<Old> = threads.collect::<Vec<_>>().concat();
    let head = company.admin.head().await;
    // In two chunks of five thousand, as WhatsApp may send them.
    for (chunk, progress) in all.chunks(5_000).zip([50, 100]) {
        let began = std::time::Instant::now();
        line.tell_history(&stack, chunk, (1, progress)).await;
        assert!(began.elapsed().as_secs() < 5, "it is kept, and stored by and by");
    }
    let shown = stored(&company, &line, 10_000).await;
    applied(&stack, &company).await;
    assert_eq!(shown["phase"], 1);
    assert_eq!(history(&company, &line).await["progress"], 100);
    let counts = "
        select (select count(*) from messages where company_id = $1), (select count(*) from conversations where company_id = $1),
               (select count(*) from conversations where company_id = $1 and inbound_count > 0)";
    let row = stack.database().await.query_one(counts, &[&company.id]).await.expect("counts");
    assert_eq!([0, 1, 2].map(|index| row.get::<_, i64>(index)), [10_000, 50, 0]);
    assert_eq!(told(&company, &head).await, ["channel.updated", "channel.updated"]);
}

pub async fn files_and_reactions_of_the_past_are_what_they_were(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let line = Line::open(&stack, &company, Adapter::Cloud).await;
    let (client, at) = (fresh_number(), now() - 3 * 86_400);
    let [line_id, picture, reaction] = [(); 3].map(|()| line.fresh_id());
    let message = |id: &str, kind: &str, content: Value| json!({"from": client, "id": id, "timestamp": at.to_string(), "type": kind, kind: content, "history_context": {"status": "READ"}});
    let mut told = [
        message(&reaction, "reaction", json!({"message_id": line_id, "emoji": "👍"})),
        message(&line_id, "text", json!({"body": "Segue a foto"})),
        message(&picture, "media_placeholder", json!({})),
    ];
    told[2]["context"] = json!({"id": line_id});
    let part = json!({"metadata": {"phase": 0, "chunk_order": 1, "progress": 90}, "threads": [{"id": client, "messages": told}]});
    company.phone.change("history", json!({"history": [part]})).await;
    stored(&company, &line, 2).await;
    let id = text(&conversations(&company, &client, "closed").await[0]["id"]).to_owned();
    let thread = company.admin.thread(&id).await;
    let placeholder = thread.iter().find(|message| message["kind"] == "unsupported").expect("a placeholder");
    assert_eq!(text(&placeholder["body"]), "Mídia que o WhatsApp não entregou");
    let said = thread.iter().find(|message| message["body"] == "Segue a foto").expect("the words");
    assert_eq!((&said["reactions"][0]["emoji"], &placeholder["reply_to_id"]), (&json!("👍"), &said["id"]), "{said}");
    // Its file comes by itself, later.
    let image = json!({"id": "900100000000009", "mime_type": "image/png", "caption": "Foto"});
    company.phone.change("history", json!({"messages": [message(&picture, "image", image)]})).await;
    let shown = eventually("a picture in its place", || async {
        let thread = company.admin.thread(&id).await;
        thread.into_iter().find(|message| message["id"] == placeholder["id"] && message["kind"] == "image")
    })
    .await;
    assert_eq!((text(&shown["body"]), text(&shown["file"]["status"]).is_empty()), ("Foto", false), "{shown}");
}

pub async fn people_of_a_history_are_called_as_in_the_address_book(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let line = Line::open(&stack, &company, Adapter::Cloud).await;
    let [old, new, nobody] = [(); 3].map(|()| fresh_number());
    let entry = |number: &str, name: &str, at: i64| {
        json!({"type": "contact", "action": "add", "metadata": {"timestamp": at.to_string()},
            "contact": {"full_name": name, "phone_number": number}})
    };
    let entries = [
        entry(&old, "Maria da Padaria", now() - 20),
        entry(&old, "Antes disso", now() - 30),
        entry(&new, "Zé do Curso", now() - 20),
        entry(&nobody, "Só da agenda", now() - 20),
    ];
    company.phone.change("smb_app_state_sync", json!({"state_sync": entries})).await;
    line.tell_history(&stack, &thread(&line, &old, (3, 86_400)), (1, 100)).await;
    stored(&company, &line, 3).await;
    company.phone.receive(&new, json!({"text": "Oi", "name": "Zezinho"})).await;
    other.phone.receive(&nobody, json!({"text": "Oi", "name": "Perfil"})).await;
    let called = async |company: &Company, number: &str| {
        let found = company.admin.api.get(&format!("/clients?search={number}")).await.expect(200);
        assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{found}");
        [&found["data"][0]["name"], &found["data"][0]["name_source"]].map(|field| text(field).to_owned())
    };
    assert_eq!(called(&company, &old).await, ["Maria da Padaria", "address_book"]);
    assert_eq!(called(&company, &new).await, ["Zé do Curso", "address_book"]);
    assert_eq!(called(&other, &nobody).await, ["Perfil", "profile"]);
    // Later words go on from there, and earlier ones do not.
    company.phone.change("smb_app_state_sync", json!({"state_sync": [entry(&old, "Ainda antes", now() - 25)]})).await;
    assert_eq!(called(&company, &old).await[0], "Maria da Padaria");
    company.phone.change("smb_app_state_sync", json!({"state_sync": [entry(&old, "Maria da Praça", now())]})).await;
    assert_eq!(called(&company, &old).await[0], "Maria da Praça");
    // Of whom nothing is heard, the name is there for so long, and no longer.
    let left = "select array_agg(name) from address_book_names where company_id = $1";
    let database = stack.database().await;
    let names: Vec<String> = database.query_one(left, &[&company.id]).await.expect("names").get(0);
    assert_eq!(names, ["Só da agenda"]);
    let ages = "update address_book_names set received_at = now() - interval '31 days' where company_id = $1";
    database.execute(ages, &[&company.id]).await.expect("a month passes");
    stack.control("POST", "/fire/SweepExpired", None).await;
    let names: Option<Vec<String>> = database.query_one(left, &[&company.id]).await.expect("names").get(0);
    assert_eq!(names, None);
}

pub async fn a_declined_history_is_told_to_admins(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let line = Line::open(&stack, &company, Adapter::Cloud).await;
    let head = company.agents[0].head().await;
    let error = json!({"code": 2_593_109, "title": "History sync is turned off by the business from the WhatsApp Business App",
        "message": "History sharing is turned off", "error_data": {"details": "History sharing is turned off by the business"}});
    company.phone.change("history", json!({"history": [{"errors": [error]}]})).await;
    let shown = eventually("a history that is declined", || async {
        let history = history(&company, &line).await;
        history["declined"].is_object().then_some(history)
    })
    .await;
    let declined = json!({"code": "2593109", "detail": "History sharing is turned off by the business"});
    assert_eq!((&shown["declined"], &shown["messages"]), (&declined, &json!(0)));
    let events = company.agents[0].events_after(&head).await;
    let told: Vec<&Value> = events.iter().filter(|event| event["type"] == "channel.updated").collect();
    assert_eq!((told.len(), &told[0]["data"]["history"]["declined"]), (1, &declined));
    // They shared it after all.
    line.tell_history(&stack, &thread(&line, &fresh_number(), (2, 5_000)), (0, 100)).await;
    assert_eq!(stored(&company, &line, 2).await["declined"], Value::Null);
}

pub async fn a_history_is_its_own_companys(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let lines = [Line::open(&stack, &one, Adapter::Cloud).await, Line::open(&stack, &other, Adapter::Cloud).await];
    let client = fresh_number();
    line_of_nobody(&one, &client).await;
    lines[0].tell_history(&stack, &thread(&lines[0], &client, (5, 5_000)), (0, 100)).await;
    stored(&one, &lines[0], 5).await;
    assert_eq!(history(&other, &lines[1]).await, Value::Null);
    assert!(conversations(&other, &client, "bot,pending,active,closed").await.is_empty());
    let id = text(&conversations(&one, &client, "closed").await[0]["id"]).to_owned();
    other.admin.api.get(&format!("/conversations/{id}")).await.expect(404);
    other.admin.api.get(&format!("/messages?conversation_id={id}")).await.expect(404);
}

/// One of a number that nobody has is nobody's.
async fn line_of_nobody(company: &Company, client: &str) {
    let metadata = json!({"display_phone_number": "551140000000", "phone_number_id": "98000000000009"});
    let messages =
        json!([{"from": client, "id": "wamid.nobody", "timestamp": "1700000000", "type": "text", "text": {"body": "x"}}]);
    let value =
        json!({"metadata": metadata, "history": [{"metadata": {"phase": 0}, "threads": [{"id": client, "messages": messages}]}]});
    let raw = json!({"entry": [{"id": "98000000000001", "changes": [{"field": "history", "value": value}]}]}).to_string();
    assert_eq!(company.phone.post("/whatsapp/webhook", json!({"raw": raw})).await["status"], 200);
}

/// One webhook brings both: what was said before waits, what is said now does not.
pub async fn one_webhook_may_bring_both(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let line = Line::open(&stack, &company, Adapter::Cloud).await;
    let client = fresh_number();
    let old = thread(&line, &client, (3, 86_400));
    let live = Told::Said { who: Who::of(&client), id: line.fresh_id(), content: Content::Words("Oi".into()), at: now() };
    let mut both: Value = serde_json::from_str(&line.history(&old, (0, 100))).expect("JSON");
    let now: Value = serde_json::from_str(&line.webhooks(&[live], &mut Dice(1))[0]).expect("JSON");
    both["entry"].as_array_mut().expect("entries").extend(now["entry"].as_array().cloned().unwrap_or_default());
    assert_eq!(line.post(&stack, &both.to_string()).await, 200);
    let open = conversations(&company, &client, "bot,pending,active").await;
    assert_eq!((open.len(), &open[0]["unread"]), (1, &json!(1)));
    stored(&company, &line, 3).await;
    let sql = "select count(*) filter (where 'history' = any (kinds)),
                      count(*) filter (where position('history_context' in convert_from(body, 'UTF8')) > 0)
                 from inbound_webhooks where company_id = $1";
    let row = stack.database().await.query_one(sql, &[&company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1), "each is kept by itself");
}
