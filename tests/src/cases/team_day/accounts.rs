//! The day's end, held against the account.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};

use super::{colleague::Colleague, diary::Diary};

fn rows(list: &Value) -> Vec<Value> {
    list["data"].as_array().cloned().unwrap_or_default()
}

/// What is unread, and what of it is for them by name, in each room.
pub async fn of_rooms(diary: &Diary, colleague: &Colleague) {
    for (number, room) in diary.rooms.iter().enumerate().filter(|(_, room)| room.people.contains(&colleague.number)) {
        let shown = colleague.person.api.get(&format!("/channels/{}", room.id)).await.expect(200);
        let read = diary.read_place(number, colleague.number);
        let last = diary.all().iter().filter(|said| said.room == number).filter_map(|said| said.place).max().unwrap_or_default();
        let named = |said: &super::diary::Said| said.place > Some(read) && said.mentions.contains(&colleague.number);
        let mentions = diary.by_others(number, colleague.number).iter().filter(|said| named(said)).count();
        let own = &shown["membership"];
        assert_eq!(
            (&shown["last_place"], &own["read_place"], &own["unread"], &own["mentions"]),
            (&json!(last), &json!(read), &json!(last - read), &json!(mentions)),
            "{} in room {number}",
            colleague.name()
        );
    }
}

/// How often they were told, and what of it they have not read.
pub async fn of_notifications(diary: &Diary, colleague: &Colleague) {
    let me = colleague.number;
    let list = colleague.person.api.get("/notifications?type=mention,chat_message&limit=100").await.expect(200);
    assert_eq!(list["next_cursor"], Value::Null, "all of them");
    let told = rows(&list);
    let count = |kind: &str| told.iter().filter(|row| row["type"] == kind).filter_map(|row| row["count"].as_u64()).sum::<u64>();
    let all = diary.all();
    let mentions = all.iter().filter(|said| said.mentions.contains(&me)).count();
    let direct = |said: &&super::diary::Said| {
        let room = &diary.rooms[said.room];
        room.is_direct && room.people.contains(&me) && said.author != me && said.root.is_none() && !said.mentions.contains(&me)
    };
    let messages = all.iter().filter(direct).count() + diary.answers_for(me);
    assert_eq!((count("mention"), count("chat_message")), (mentions as u64, messages as u64), "{}: {told:?}", colleague.name());
    // Unread is what lies beyond what they have read, in each room.
    for (number, room) in diary.rooms.iter().enumerate() {
        let read = diary.read_place(number, me);
        let others = diary.by_others(number, me);
        let latest = others.iter().rfind(|said| said.mentions.contains(&me)).and_then(|said| said.place);
        let is_unread =
            told.iter().any(|row| row["type"] == "mention" && row["channel_id"] == room.id.as_str() && row["is_read"] == false);
        assert_eq!(is_unread, latest.is_some_and(|place| place > read), "{} in room {number}: {told:?}", colleague.name());
    }
    let unread = told.iter().filter(|row| row["is_read"] == false).count();
    let listed = colleague.person.api.get("/notifications?unread=true&limit=100").await.expect(200);
    let of_these = rows(&listed).iter().filter(|row| ["mention", "chat_message"].contains(&text(&row["type"]))).count();
    assert_eq!((unread, &listed["unread"]), (of_these, &json!(rows(&listed).len())), "{}", colleague.name());
    // All of it read: no badge sticks.
    let none = colleague.person.api.post("/notifications/read-all", json!({})).await.expect(200);
    assert_eq!(none["unread"], 0);
}

/// Every message is there once, in a row without gaps; a card shows to each what they may see.
pub async fn of_what_was_said(diary: &Diary, admin: &Colleague) {
    let mut said: Vec<_> = diary.all().into_iter().filter(|said| said.room == 0).filter_map(|said| said.place).collect();
    said.sort_unstable();
    assert_eq!(
        said,
        (1..=i64::try_from(said.len()).expect("a number")).collect::<Vec<_>>(),
        "no place is missing, none is there twice"
    );
    let mut found = 0;
    let mut after = 0;
    loop {
        let page =
            admin.person.api.get(&format!("/channels/{}/messages?after={after}&limit=100", diary.rooms[0].id)).await.expect(200);
        found += rows(&page).len();
        after = rows(&page).last().and_then(|message| message["place"].as_i64()).unwrap_or(after);
        if page["has_more"] != true {
            break;
        }
    }
    assert_eq!(found, said.len(), "nothing else was said there");
}

/// From when they came until they left, without a gap; breaks as long as they were.
pub async fn of_hours(stack: &Stack, colleague: &Colleague) {
    let sql = "
        select extract(epoch from sum(ended_at - started_at))::bigint as there, extract(epoch from max(ended_at) - min(started_at))::bigint as whole
          from presence_intervals where user_id = $1";
    let database = stack.database().await;
    // Of the connection that the kill has cut nobody says that it is over; of the other one its end does.
    let connections = "select count(*) from presence_leases where user_id = $1";
    eventually("their last connection is over", || async {
        let row = database.query_one(connections, &[&colleague.person.id]).await.expect("a count");
        (row.get::<_, i64>(0) <= 1).then_some(())
    })
    .await;
    let row = database.query_one(sql, &[&colleague.person.id]).await.expect("their intervals");
    let (there, whole): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(there, whole, "{}: away for a moment is not away", colleague.name());
    let near = |told: i64, was: Duration| (told - i64::try_from(was.as_secs()).expect("seconds")).abs() <= 3;
    assert!(near(there, colleague.stay()), "{}: {there} s, and was there for {:?}", colleague.name(), colleague.stay());
    // It may have been midnight in between.
    let today = jiff::Timestamp::now().in_tz("America/Sao_Paulo").expect("a zone").date();
    let yesterday = today.yesterday().expect("a day before");
    let mine = colleague.person.api.get(&format!("/productivity/me?by=total&from={yesterday}&to={today}")).await.expect(200);
    let rest = &mine["data"][0]["breaks"][0];
    assert_eq!((text(&rest["reason"]), &rest["count"]), ("rest", &json!(2)), "{}: {rest}", colleague.name());
    let told = rest["seconds"].as_i64().expect("seconds");
    assert!(near(told, colleague.breaks), "{}: {told} s of breaks, and they were {:?}", colleague.name(), colleague.breaks);
}
