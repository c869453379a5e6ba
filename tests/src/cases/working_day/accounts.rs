//! The accounts at the end of the day: what was promised against the database, the providers, the feed and the inboxes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use tests::{Stack, company::text, eventually};
use uuid::Uuid;

use super::{
    Day, id_of,
    lines::Taken,
    people::Worker,
    rows,
    screen::{self, show},
};

/// Every message that a webhook was answered for is there, and no other, each once.
pub async fn of_what_clients_wrote(stack: &Stack, day: &Day) {
    let sql = "select case when provider_id like 'flow:%' then body else provider_id end, count(*)
                 from messages where company_id = $1 and sender_type = 'client' group by 1";
    let rows = stack.database().await.query(sql, &[&day.company.id]).await.expect("the messages");
    let stored: BTreeMap<String, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(stored.values().all(|count| *count == 1), "something is there twice");
    assert_eq!(stored.into_keys().collect::<BTreeSet<_>>(), day.ledger.received());
    // The server outside goes on telling how messages fare.
    let left = "select count(*) from inbound_webhooks
                 where company_id = $1 and (outcome is null or outcome @> '[{\"outcome\": \"failed\"}]')";
    let database = stack.database().await;
    eventually("all webhooks applied", || async {
        let left: i64 = database.query_one(left, &[&day.company.id]).await.expect("a count").get(0);
        (left == 0).then_some(())
    })
    .await;
}

/// Every message that was answered with 201 is there once, and nothing that was refused; what was planned went out once or says why not.
pub async fn of_what_staff_wrote(stack: &Stack, day: &Day) {
    let database = stack.database().await;
    let sql = "select client_message_id, body from messages where company_id = $1 and client_message_id like '%:%'";
    let rows = database.query(sql, &[&day.company.id]).await.expect("the messages");
    let (sent, refused) = (day.ledger.sent(), day.ledger.refused());
    assert_eq!(rows.len(), sent.len());
    assert_eq!(rows.iter().map(|row| (row.get(0), row.get(1))).collect::<BTreeMap<String, String>>(), sent);
    let sql =
        "select count(*) from messages where company_id = $1 and kind = 'template' and status in ('sent', 'delivered', 'read')";
    let templates: i64 = database.query_one(sql, &[&day.company.id]).await.expect("a count").get(0);
    assert!(templates >= 6, "{templates} templates went out");
    assert!(refused.iter().all(|id| !sent.contains_key(id)));
    assert!(sent.len() > 100, "{} messages were sent and {} refused", sent.len(), refused.len());
    let sql = "select id::text, state, (select count(*) from messages where messages.id = message_id) from scheduled_messages
                where company_id = $1";
    let planned = database.query(sql, &[&day.company.id]).await.expect("what was planned");
    assert_eq!(planned.iter().map(|row| row.get(0)).collect::<BTreeSet<String>>(), day.ledger.scheduled());
    for row in &planned {
        let (state, messages): (&str, i64) = (row.get(1), row.get(2));
        assert_eq!(messages, i64::from(state == "sent"), "{state}");
        assert!(["sent", "failed"].contains(&state), "{state}");
    }
    let notes = "select text from notes where company_id = $1";
    let notes = database.query(notes, &[&day.company.id]).await.expect("the notes");
    let notes: Vec<String> = notes.iter().map(|row| row.get(0)).collect();
    // One that the kill met may be there without an answer.
    assert!(day.ledger.notes().iter().all(|note| notes.iter().filter(|found| *found == note).count() == 1));
    assert!(notes.len() <= day.ledger.notes().len() + day.workers.len());
}

/// Each message went out once, the clients have all that are said to be with them, and nobody outside has a word of a note.
pub async fn of_what_clients_have(stack: &Stack, day: &Day) {
    let (mut taken, mut by_flow) = (BTreeMap::<String, usize>::new(), Vec::new());
    for line in &day.lines {
        let of_line = line.taken().await;
        let subscribers_have = line.subscribers_have().await;
        assert!(of_line.len() + subscribers_have.len() > 20, "{} messages went out by a line", of_line.len());
        assert!(!subscribers_have.iter().any(|words| words.contains("segredo")), "{subscribers_have:?}");
        by_flow.extend(subscribers_have);
        for Taken { key, message } in of_line {
            assert!(!message.to_string().contains("segredo"), "{message}");
            *taken.entry(key).or_default() += 1;
        }
    }
    assert!(taken.values().all(|times| *times == 1), "something went out twice");
    let sql = "select messages.id::text, provider_id, messages.status, error_code, channel_accounts.kind = 'botconversa', body, file_id is not null
                 from messages
                 join channel_accounts on channel_accounts.id = channel_account_id
                where messages.company_id = $1 and sender_type in ('agent', 'bot') and messages.status is not null";
    let messages = stack.database().await.query(sql, &[&day.company.id]).await.expect("the messages");
    // A bot says the same to many: of equal words the ones that are said to be sent are found first.
    let (of_unknown, known): (Vec<_>, Vec<_>) =
        messages.iter().partition(|row| row.get::<_, Option<&str>>(3) == Some("outcome_unknown"));
    let mut unknown = 0;
    for row in known.into_iter().chain(of_unknown) {
        let (id, of_provider): (&str, Option<&str>) = (row.get(0), row.get(1));
        let is_by_flow: bool = row.get(4);
        match (row.get(2), row.get::<_, Option<&str>>(3)) {
            ("sent", _) if is_by_flow => {
                assert!(take_words(&mut by_flow, row.get(5), row.get(6)), "{id} is said to be sent and no subscriber has it");
            }
            ("sent" | "delivered" | "read", _) => {
                let found = taken.remove(id).or_else(|| taken.remove(of_provider?));
                assert!(found.is_some(), "{id} is said to be sent and nobody has it");
            }
            // Its worker was killed before it called.
            ("failed", Some("outcome_unknown")) => {
                unknown += 1;
                if is_by_flow {
                    take_words(&mut by_flow, row.get(5), row.get(6));
                }
            }
            other => panic!("{id} is {other:?}"),
        }
    }
    assert!(taken.is_empty() && by_flow.is_empty(), "sent, and nothing says so: {taken:?} {by_flow:?}");
    assert!(unknown <= 10, "{unknown} messages that nobody knows of");
}

/// Whether somebody had these words, with options behind them or not, and the file before them. Nobody has them twice of one message.
fn take_words(all: &mut Vec<String>, words: &str, has_file: bool) -> bool {
    let mut take = |is_it: &dyn Fn(&str) -> bool| {
        let place = all.iter().position(|one| is_it(one));
        place.map(|place| all.swap_remove(place)).is_some()
    };
    let file = !has_file || take(&|one| one == "file");
    file && (take(&|one| one == words) || take(&|one| one.strip_prefix(words).is_some_and(|rest| rest.starts_with("\n\n"))))
}

/// What a conversation says of itself follows from its messages.
pub async fn of_conversations(stack: &Stack, day: &Day) {
    let wrong = "
        select jsonb_agg(jsonb_build_object('id', conversations.id, 'inbound', inbound_count, 'counted', counted.inbound,
                                            'last', last_message_at, 'newest', counted.newest, 'status', status))
          from conversations
          join lateral (select count(*) filter (where sender_type = 'client' and kind <> 'reaction') as inbound, max(sent_at) filter (where kind not in ('system', 'reaction')) as newest
                          from messages where messages.company_id = conversations.company_id and conversation_id = conversations.id) counted on true
         where company_id = $1 and merged_into_id is null
           and (inbound_count <> counted.inbound or last_message_at < counted.newest
                or snoozed_until < now() or read_count > inbound_count)";
    let database = stack.database().await;
    let wrong: Option<Value> = database.query_one(wrong, &[&day.company.id]).await.expect("the conversations").get(0);
    assert_eq!(wrong, None);
    let twice = "select count(*) from (select from conversations where company_id = $1 and ended_at is null
                  group by client_id, channel_account_id having count(*) > 1) twice";
    let twice: i64 = database.query_one(twice, &[&day.company.id]).await.expect("a count").get(0);
    assert_eq!(twice, 0);
    let identities =
        "select count(distinct client_id) from client_identities where company_id = $1 and kind = 'phone' and value = any ($2)";
    let clients: Vec<&str> = day.clients.iter().map(String::as_str).collect();
    let known: i64 = database.query_one(identities, &[&day.company.id, &clients]).await.expect("a count").get(0);
    // Two of them were joined.
    assert_eq!(usize::try_from(known).ok(), Some(day.clients.len() - 1));
}

/// The feed has told the admin of every message that is shown.
pub async fn of_what_the_admin_was_told(stack: &Stack, day: &Day) {
    let admin = &day.workers[0];
    let told: BTreeSet<String> = admin
        .person
        .events_after(&admin.head)
        .await
        .iter()
        .filter(|event| event["type"] == "message.created")
        .map(|event| id_of(&event["data"]["message"]))
        .collect();
    let sql = "select id::text from messages where company_id = $1 and kind <> 'reaction'";
    let rows = stack.database().await.query(sql, &[&day.company.id]).await.expect("the messages");
    let stored: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let untold: Vec<&String> = stored.difference(&told).collect();
    // What a blocked client wrote is told to nobody; it was an hour or two.
    let held = "select coalesce(sum(blocked_count), 0)::bigint from clients where company_id = $1";
    let held: i64 = stack.database().await.query_one(held, &[&day.company.id]).await.expect("a count").get(0);
    assert!(i64::try_from(untold.len()).is_ok_and(|untold| untold <= held + 9), "{held} were held: {untold:?}");
    assert_eq!(told.difference(&stored).count(), 0, "told and not there");
}

/// Who sees what, written as the rule is: leaders everything, agents what waits or is held in their departments, and what they hold.
const SEEN: &str = "
    select id, status, assignee_id, inbound_count - read_count
      from conversations
     where company_id = $1
       and ($3 or assignee_id = $2 or department_id is null
            or department_id in (select department_id from department_members where company_id = $1 and user_id = $2))";

/// Their inbox, page by page, is what they may see; and so is a screen that began empty and heard of nothing but events.
pub async fn of_an_inbox(stack: &Stack, day: &Day, worker: &Worker) {
    let person = &worker.person;
    let is_leader = [day.company.admin.id, day.company.supervisor.id].contains(&person.id);
    let seen = stack.database().await.query(SEEN, &[&day.company.id, &person.id, &is_leader]).await.expect("the conversations");
    let mut shown = BTreeMap::new();
    let mut path = "/conversations?limit=40".to_owned();
    loop {
        let page = person.api.get(&path).await.expect(200);
        for row in rows(&page) {
            assert!(shown.insert(id_of(&row), row).is_none(), "a row twice");
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/conversations?limit=40&cursor={cursor}");
    }
    let mut feed = BTreeMap::<String, Value>::new();
    person.events_after(&worker.head).await.iter().for_each(|event| show(&mut feed, event));
    let mut screen = quiet(&worker.screen, &feed).await;
    for (id, row) in feed.iter_mut().chain(&mut screen).filter(|(id, row)| row.is_null() && shown.contains_key(*id)) {
        *row = person.conversation(id).await;
        // A conversation by itself says more.
        row.as_object_mut().expect("a conversation").retain(|field, _| shown[id].get(field).is_some());
    }
    assert_eq!(seen.len(), shown.len(), "{} sees {} of {}", person.email, shown.len(), seen.len());
    for row in &seen {
        let id = row.get::<_, Uuid>(0).to_string();
        let (status, assignee, unread): (&str, Option<Uuid>, i32) = (row.get(1), row.get(2), row.get(3));
        let told = |rows: &BTreeMap<String, Value>| rows.get(&id).cloned().unwrap_or_default();
        for (place, told) in [("the inbox", told(&shown)), ("the feed", told(&feed)), ("the screen", told(&screen))] {
            assert_eq!(text(&told["status"]), status, "{place} of {}: {told}", person.email);
            assert_eq!(told["assignee_id"].as_str().map(str::to_owned), assignee.map(|id| id.to_string()), "{place}: {told}");
            assert_eq!(told["unread"], unread, "{place} of {}: {told}", person.email);
        }
        let unnumbered = |row: &Value| {
            let mut row = row.clone();
            row["revision"].take();
            // Windows were closed behind everybody's back.
            row["window_expires_at"].take();
            row
        };
        assert_eq!(unnumbered(&feed[&id]), unnumbered(&shown[&id]), "the feed of {}", person.email);
        assert_eq!(unnumbered(&screen[&id]), unnumbered(&shown[&id]), "the screen of {}", person.email);
    }
}

/// What the screen shows once its socket has nothing more to say.
async fn quiet(screen: &screen::Shared, feed: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let rows = || screen.lock().expect("the screen").rows();
    for _ in 0..200 {
        if rows() == *feed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let pushed = screen.lock().expect("the screen").pushed();
    assert!(pushed > 200, "{pushed} frames came");
    rows()
}
