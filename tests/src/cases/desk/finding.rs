//! The inbox as front ends ask for it: other words of categories, kinds of channels, one's own history, either order.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tests::{Company, Stack, Wanted, company::Person, company::text, sandbox::fresh_number};

async fn company(stack: &Stack, bot: bool) -> Company {
    stack.company(Wanted { agents: 2, students: 0, agent_visibility: "company", bot, ..Wanted::default() }).await
}

/// The ids in the order of the answer.
async fn ids(person: &Person, query: &str) -> Vec<String> {
    let list = person.api.get(&format!("/conversations?{query}")).await.expect(200);
    list["data"].as_array().expect("rows").iter().map(|row| text(&row["id"]).to_owned()).collect()
}

async fn opened(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.admin.conversation_id_of(&client).await
}

pub async fn status_has_other_words_in_any_case(stack: Arc<Stack>) {
    let company = company(&stack, true).await;
    let (bot, active, closed, pending) =
        (opened(&company).await, opened(&company).await, opened(&company).await, opened(&company).await);
    let agent = &company.agents[0];
    for id in [&active, &closed, &pending] {
        agent.take_over(id).await;
    }
    agent.close(&closed).await;
    let row: uuid::Uuid = pending.parse().expect("an id");
    let wait = "update conversations set assignee_id = null where id = $1";
    stack.database().await.execute(wait, &[&row]).await.expect("it waits");
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    for (asked, expected) in [
        ("open", vec![&bot, &active]),
        ("OPEN", vec![&bot, &active]),
        ("waiting", vec![&pending]),
        ("Waiting,closed", vec![&pending, &closed]),
        ("BOT", vec![&bot]),
        ("Pending", vec![&pending]),
        ("Active", vec![&active]),
        ("Closed", vec![&closed]),
        ("open,waiting,closed", vec![&bot, &active, &pending, &closed]),
    ] {
        let expected = sorted(expected.into_iter().cloned().collect());
        for name in ["status", "category"] {
            assert_eq!(sorted(ids(agent, &format!("{name}={asked}")).await), expected, "{name}={asked}");
        }
    }
    assert_eq!(ids(agent, "status=waiting&category=PENDING").await, [pending.as_str()]);
    let refused = agent.api.get("/conversations?category=active&status=open").await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("status", "different_values"));
}

pub async fn channels_are_filtered_by_id_and_kind(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let (on_whatsapp, on_widget) = (opened(&company).await, opened(&company).await);
    let widget = uuid::Uuid::now_v7();
    let database = stack.database().await;
    let channel = "insert into channel_accounts (id, company_id, kind, name, external_key) values ($1, $2, 'widget', 'Site', $1::uuid::text)";
    database.execute(channel, &[&widget, &company.id]).await.expect("a channel");
    let row: uuid::Uuid = on_widget.parse().expect("an id");
    database.execute("update conversations set channel_account_id = $2 where id = $1", &[&row, &widget]).await.expect("it moves");
    let agent = &company.agents[0];
    for asked in ["whatsapp", "WhatsApp", "whatsapp_cloud", "evolution,whatsapp_cloud", &company.channel_account_id.to_string()] {
        assert_eq!(ids(agent, &format!("channel={asked}")).await, [on_whatsapp.as_str()], "{asked}");
    }
    for asked in ["widget", &widget.to_string(), &format!("botconversa,{widget}")] {
        assert_eq!(ids(agent, &format!("channel={asked}")).await, [on_widget.as_str()], "{asked}");
    }
    assert_eq!(ids(agent, &format!("channel=whatsapp,{widget}")).await.len(), 2);
    assert_eq!(ids(agent, "channel=evolution").await, [""; 0]);
}

pub async fn handled_by_finds_what_somebody_ever_held_or_wrote_in(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (held, given_away, written, never) =
        (opened(&company).await, opened(&company).await, opened(&company).await, opened(&company).await);
    let (mine, theirs) = (&company.agents[0], &company.agents[1]);
    mine.take_over(&held).await;
    mine.take_over(&given_away).await;
    mine.transfer(&given_away, json!({"to_user_id": theirs.id})).await;
    theirs.close(&given_away).await;
    theirs.take_over(&written).await;
    company.supervisor.say(&written, "Com licença").await;
    theirs.take_over(&never).await;
    let expected = [given_away.as_str(), held.as_str()];
    for query in ["handled_by=me".to_owned(), format!("handled_by={}", mine.id)] {
        let mut found = ids(mine, &query).await;
        found.sort();
        let mut expected = expected.map(str::to_owned);
        expected.sort();
        assert_eq!(found, expected, "{query}");
    }
    assert_eq!(ids(mine, "handled_by=me&category=closed").await, [given_away.as_str()]);
    assert_eq!(ids(mine, &format!("handled_by={}", company.supervisor.id)).await, [written.as_str()]);
    assert_eq!(ids(theirs, "handled_by=me").await.len(), 3);
    assert_eq!(ids(&company.admin, "handled_by=me").await, [""; 0]);
    assert_eq!(ids(&other.admin, &format!("handled_by={}", mine.id)).await, [""; 0]);
    // What somebody handled is shown to those who see it, and to them no longer than that.
    let database = stack.database().await;
    let own = "update companies set agent_visibility = 'own' where id = $1";
    database.execute(own, &[&company.id]).await.expect("the visibility changes");
    assert_eq!(ids(mine, "handled_by=me").await, [held.as_str()]);
}

pub async fn oldest_first_is_the_same_list_the_other_way_round(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let at = jiff::Timestamp::now().as_second() - 100;
    // Several with the same time: the id decides then.
    join_all((0..11).map(|index| {
        let (phone, order) = (&company.phone, json!({"text": "Oi", "timestamp": at + index / 4}));
        async move { phone.receive(&fresh_number(), order).await }
    }))
    .await;
    let agent = &company.agents[0];
    let mut whole = ids(agent, "limit=100").await;
    whole.reverse();
    assert_eq!(ids(agent, "order=asc").await, whole);
    for filter in ["", "category=pending&"] {
        let (mut paged, mut query) = (Vec::new(), format!("{filter}order=ASC&limit=4"));
        loop {
            let page = agent.api.get(&format!("/conversations?{query}")).await.expect(200);
            paged.extend(page["data"].as_array().expect("rows").iter().map(|row| text(&row["id"]).to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("{filter}order=ASC&limit=4&cursor={cursor}");
        }
        assert_eq!(paged, whole, "{filter}");
    }
}

pub async fn several_values_are_any_of_them(stack: Arc<Stack>) {
    let company = company(&stack, false).await;
    let (mine, theirs, supervisors, nobodys) =
        (opened(&company).await, opened(&company).await, opened(&company).await, opened(&company).await);
    let [first, second] = &company.agents[..] else { panic!("two agents") };
    first.take_over(&mine).await;
    second.take_over(&theirs).await;
    company.supervisor.take_over(&supervisors).await;
    let (one, other, nobody) = (first.id, second.id, uuid::Uuid::now_v7());
    for (query, expected) in [
        (format!("assignee={one},{other}"), vec![&mine, &theirs]),
        (format!("assignee={one}&assignee={other}"), vec![&mine, &theirs]),
        (format!("attendantId={one}&attendantId={other}"), vec![&mine, &theirs]),
        (format!("assigned_user_id={one},{nobody}"), vec![&mine]),
        ("assignee=me,none".to_owned(), vec![&mine, &nobodys]),
        (format!("assignee=none&assignee={other},,&assignee="), vec![&theirs, &nobodys]),
        ("assignee=none,none".to_owned(), vec![&nobodys]),
        ("assignee=,".to_owned(), vec![&mine, &theirs, &supervisors, &nobodys]),
        (format!("handled_by=me,{other}"), vec![&mine, &theirs]),
        (format!("handled_by={other}&handled_by={nobody}"), vec![&theirs]),
        ("category=pending&category=closed".to_owned(), vec![&nobodys]),
        (format!("assignee={one},{other}&category=active&order=asc"), vec![&mine, &theirs]),
    ] {
        let mut found = ids(first, &query).await;
        found.sort();
        let mut expected: Vec<String> = expected.into_iter().cloned().collect();
        expected.sort();
        assert_eq!(found, expected, "{query}");
    }
    for query in [format!("assignee={one},you"), format!("assignee={one}&assignee=you"), "handled_by=me,none".to_owned()] {
        let refused = first.api.get(&format!("/conversations?{query}")).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["code"]), "unknown_user", "{query}");
    }
    let refused = first.api.get(&format!("/conversations?assignee={one}&attendantId={other}")).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["code"]), "two_values");
    assert_eq!(first.api.get("/conversations?limit=1&limit=2").await.status, 422);
}
