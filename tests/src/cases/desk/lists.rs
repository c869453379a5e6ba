//! The inbox: every filter, search, counts, and pages that lose nothing.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

/// The conversations' ids in the order of the answer.
async fn ids(company: &Company, query: &str) -> Vec<String> {
    let list = company.agents[0].api.get(&format!("/conversations?{query}")).await.expect(200);
    list["data"].as_array().expect("rows").iter().map(|row| text(&row["id"]).to_owned()).collect()
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 0, agent_visibility: "company", ..Wanted::default() }).await
}

/// A client's conversation that began with these words.
async fn opened(company: &Company, name: &str, words: &str) -> (String, String) {
    let client = fresh_number();
    company.phone.receive(&client, json!({"text": words, "name": name})).await;
    let id = company.admin.conversation_id_of(&client).await;
    (client, id)
}

pub async fn categories_and_assignees_are_filtered_and_counted(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, waiting) = opened(&company, "Ana", "espera").await;
    let (_, mine) = opened(&company, "Bia", "minha").await;
    let (_, theirs) = opened(&company, "Caio", "dela").await;
    let (_, closed) = opened(&company, "Duda", "fechada").await;
    company.agents[0].take_over(&mine).await;
    company.agents[1].take_over(&theirs).await;
    company.agents[1].take_over(&closed).await;
    company.agents[1].close(&closed).await;
    assert_eq!(ids(&company, "category=pending").await, [waiting.as_str()]);
    assert_eq!(ids(&company, "category=closed").await, [closed.as_str()]);
    assert_eq!(ids(&company, "category=bot").await, [""; 0]);
    assert_eq!(ids(&company, "category=active,closed").await, [closed.as_str(), theirs.as_str(), mine.as_str()]);
    assert_eq!(ids(&company, "assignee=me").await, [mine.as_str()]);
    assert_eq!(ids(&company, "assignee=none").await, [waiting.as_str()]);
    assert_eq!(ids(&company, &format!("assignee={}&category=active", company.agents[1].id)).await, [theirs.as_str()]);
    let list = company.agents[0].api.get("/chats?category=pending").await.expect(200);
    assert_eq!(list["counts"], json!({"bot": 0, "pending": 1, "active": 2, "closed": 1}));
}

pub async fn other_fields_are_filtered(stack: Arc<Stack>) {
    let wanted = Wanted { departments: vec![("Vendas", vec![1])], agent_visibility: "company", ..Wanted::default() };
    let company = stack.company(Wanted { students: 0, ..wanted }).await;
    let (_, plain) = opened(&company, "Ana", "comum").await;
    let (_, marked) = opened(&company, "Bia", "marcada").await;
    let id: uuid::Uuid = marked.parse().expect("an id");
    let database = stack.database().await;
    let sql = "update conversations set tags = '{vip,matrícula}', priority = 'urgent', department_id = null, read_count = 1,
                                        last_message_at = now() - interval '2 days' where id = $1";
    database.execute(sql, &[&id]).await.expect("it is marked");
    assert_eq!(ids(&company, "tag=matr%C3%ADcula").await, [marked.as_str()]);
    assert_eq!(ids(&company, "tag=matr").await, [""; 0]);
    assert_eq!(ids(&company, "priority=high,urgent").await, [marked.as_str()]);
    assert_eq!(ids(&company, "priority=normal").await, [plain.as_str()]);
    assert_eq!(ids(&company, "unread=true").await, [plain.as_str()]);
    assert_eq!(ids(&company, "unread=false").await, [marked.as_str()]);
    assert_eq!(ids(&company, "tag=outra,vip").await, [marked.as_str()]);
    let (department, channel, nothing) = (company.departments[0].1, company.channel_account_id, company.id);
    for name in ["department", "department_id"] {
        assert_eq!(ids(&company, &format!("{name}={department}")).await, [plain.as_str()]);
        assert_eq!(ids(&company, &format!("{name}={nothing},{department}")).await, [plain.as_str()]);
        assert_eq!(ids(&company, &format!("{name}={nothing}")).await, [""; 0]);
    }
    for name in ["channel", "channel_account_id"] {
        assert_eq!(ids(&company, &format!("{name}={channel}")).await, [plain.clone(), marked.clone()]);
        assert_eq!(ids(&company, &format!("{name}={nothing}")).await, [""; 0]);
    }
    assert_eq!(ids(&company, "status=pending&priority=urgent").await, [marked.as_str()]);
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    assert_eq!(ids(&company, &format!("from={yesterday}")).await, [plain.as_str()]);
    assert_eq!(ids(&company, &format!("to={yesterday}")).await, [marked.as_str()]);
}

pub async fn nonsense_in_filters_is_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for query in [
        "category=resolved",
        "status=active&category=closed",
        "handled_by=none",
        "order=newest",
        "priority=high,hot",
        "assignee=you",
        "department=x",
        "channel=x",
        "limit=0",
        "limit=101",
        "from=yesterday",
        "from=-004800-01-01T00:00:00Z",
        "to=-009999-01-02T01:59:59Z",
        "cursor=nonsense",
    ] {
        let refused = company.agents[0].api.get(&format!("/conversations?{query}")).await.expect(422);
        assert_eq!(Some(text(&refused["errors"][0]["field"])), query.split('=').next(), "{refused}");
    }
}

pub async fn cursors_at_the_edges_of_time_are_no_mistake_of_ours(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = opened(&company, "Ana", "Oi").await;
    for at in [i64::MIN, -377_705_023_201_000_000, -210_866_803_200_000_001, 0, 253_402_207_200_999_999, i64::MAX] {
        for id_bytes in [[0; 16], [255; 16]] {
            let cursor = URL_SAFE_NO_PAD.encode([&at.to_be_bytes()[..], &id_bytes].concat());
            for path in ["/conversations?", &format!("/messages?conversation_id={id}&")] {
                let answer = company.agents[0].api.get(&format!("{path}cursor={cursor}")).await;
                assert!(matches!(answer.status, 200 | 422), "{path}{at}: {} {}", answer.status, answer.body);
            }
        }
    }
}

pub async fn search_finds_names_phones_and_words(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, wanted) = opened(&company, "João D'Ávila Conceição", "Quero renovar a matrícula das crianças").await;
    opened(&company, "Pedro 100%", "Bom dia").await;
    let tail = &client[5..];
    let formatted = format!("%2B55%20(11)%209{}-{}", &tail[..4], &tail[4..]);
    let searches = [
        "joao",
        "JO%C3%83O",
        "d'avila",
        "concei%C3%A7",
        "conceicao",
        client.as_str(),
        tail,
        formatted.as_str(),
        &client[2..],
        "matricula",
        "MATR%C3%8DCULA",
        "crian%C3%A7a",
        "renovar%20crian%C3%A7as",
    ];
    for search in searches {
        assert_eq!(ids(&company, &format!("search={search}")).await, [wanted.as_str()], "searching {search}");
    }
    for search in ["%25%25", "__", "\\\\", "zzz", "'%3B--"] {
        assert_eq!(ids(&company, &format!("search={search}")).await, [""; 0], "searching {search}");
    }
    assert_eq!(ids(&company, "search=100%25").await.len(), 1);
}

pub async fn pages_lose_and_repeat_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let at = jiff::Timestamp::now().as_second() - 100;
    // Several with the same time: the id decides then.
    let receive = |index: i64| {
        let (phone, order) = (&company.phone, json!({"text": "Oi", "timestamp": at + index / 5}));
        async move { phone.receive(&fresh_number(), order).await }
    };
    join_all((0..23).map(receive)).await;
    let whole = ids(&company, "limit=100").await;
    assert_eq!(whole.len(), 23);
    let (mut paged, mut query) = (Vec::new(), "limit=4".to_owned());
    loop {
        let page = company.agents[0].api.get(&format!("/conversations?{query}")).await.expect(200);
        let rows = page["data"].as_array().expect("rows");
        assert!(rows.len() <= 4);
        paged.extend(rows.iter().map(|row| text(&row["id"]).to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=4&cursor={cursor}");
    }
    assert_eq!(paged, whole);
    assert_eq!(paged.iter().collect::<BTreeSet<_>>().len(), 23);
}

pub async fn messages_are_paged_and_shown_around_one(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, id) = opened(&company, "Ana", "0").await;
    let now = jiff::Timestamp::now().as_second();
    for index in 1..12 {
        company.phone.receive(&client, json!({"text": index.to_string(), "timestamp": now + index / 4})).await;
    }
    let whole = company.agents[0].thread(&id).await;
    let (mut paged, mut query) = (Vec::new(), String::new());
    loop {
        let page = company.agents[0].api.get(&format!("/messages?conversation_id={id}&limit=5{query}")).await.expect(200);
        paged.extend(page["data"].as_array().expect("rows").iter().map(|message| message["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("&cursor={cursor}");
    }
    paged.reverse();
    assert_eq!(paged, whole.iter().map(|message| message["id"].clone()).collect::<Vec<Value>>());
    let middle = text(&whole[6]["id"]);
    let around = company.agents[0].api.get(&format!("/messages?conversation_id={id}&around={middle}&limit=4")).await.expect(200);
    let around: Vec<&str> = around["data"].as_array().expect("rows").iter().map(|message| text(&message["id"])).collect();
    assert!(around.len() == 4 && around.contains(&middle) && around.contains(&text(&whole[7]["id"])), "{around:?}");
    // Around the newest there is nothing newer: the page is filled with older ones and can be gone on from.
    let newest = text(&whole[11]["id"]);
    let end = company.agents[0].api.get(&format!("/messages?conversation_id={id}&around={newest}&limit=4")).await.expect(200);
    let ids: Vec<&str> = end["data"].as_array().expect("rows").iter().map(|message| text(&message["id"])).collect();
    assert_eq!(ids, whole[8..].iter().rev().map(|message| text(&message["id"])).collect::<Vec<_>>());
    assert!(end["next_cursor"].is_string(), "{end}");
    let oldest = text(&whole[0]["id"]);
    let start = company.agents[0].api.get(&format!("/messages?conversation_id={id}&around={oldest}&limit=4")).await.expect(200);
    assert_eq!(start["next_cursor"], Value::Null, "{start}");
}
