//! A day of twelve people in the team's channels: they talk, mention one another, answer in threads, show cards, read, take breaks and lose their
//! connection, and the cloud is killed in the middle of it. At its end unread, notifications and hours are what an account kept apart says.

mod accounts;
mod colleague;
mod diary;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use tests::{Company, Stack, Wanted, company::text, eventually};

use self::{
    colleague::Colleague,
    diary::{Diary, Room},
};

const HOURS: usize = 3;
/// In whose middle the cloud is killed.
const HOUR_OF_THE_KILL: usize = 1;
/// What each does in an hour.
const ACTS: usize = 14;
/// What is said in that hour before it is.
const UNTIL_THE_KILL: usize = 40;

pub async fn unread_notifications_and_hours_are_as_the_account_says(_: Arc<Stack>) {
    let directory = std::env::current_dir().expect("a folder").join(".local/tests-team-day");
    let _ = std::fs::remove_dir_all(&directory);
    let stack = start(&directory).await;
    let company = stack.company(Wanted { agents: 10, agent_visibility: "own", ..Wanted::default() }).await;
    let diary = Arc::new(rooms(&company).await);
    let people = [&company.admin, &company.supervisor].into_iter().chain(&company.agents);
    let mut colleagues = join_all(people.enumerate().map(|(number, person)| Colleague::come(person, number, &diary))).await;
    assert_eq!(colleagues.len(), 12);
    for hour in 0..HOUR_OF_THE_KILL {
        join_all(colleagues.iter_mut().map(|colleague| colleague.work(hour))).await;
    }
    let killer = async {
        let before = diary.said();
        eventually("the middle of the hour", || async { (diary.said() >= before + UNTIL_THE_KILL).then_some(()) }).await;
        stack.kill().await;
    };
    tokio::join!(join_all(colleagues.iter_mut().map(|colleague| colleague.work(HOUR_OF_THE_KILL))), killer);

    let stack = start(&directory).await;
    join_all(colleagues.iter_mut().map(|colleague| colleague.come_back(&stack, &company.password))).await;
    for hour in HOUR_OF_THE_KILL + 1..HOURS {
        join_all(colleagues.iter_mut().map(|colleague| colleague.work(hour))).await;
    }
    for colleague in &colleagues {
        accounts::of_rooms(&diary, colleague).await;
        accounts::of_notifications(&diary, colleague).await;
    }
    accounts::of_what_was_said(&diary, &colleagues[0]).await;
    join_all(colleagues.iter_mut().map(Colleague::leave)).await;
    for colleague in &colleagues {
        accounts::of_hours(&stack, colleague).await;
    }
    stack.stop().await;
}

async fn start(directory: &Path) -> Stack {
    let binaries = std::env::current_exe().expect("a path").parent().map(PathBuf::from).expect("a folder");
    let options = ["--max-processes", "120", "--no-throttle"];
    Stack::start_kept(directory, &binaries, &options).await.expect("a stack starts")
}

/// All kinds of rooms, of few and of many.
async fn rooms(company: &Company) -> Diary {
    let all: Vec<_> = [&company.admin, &company.supervisor].into_iter().chain(&company.agents).collect();
    let mut rooms = Vec::new();
    let general = company.admin.api.get("/channels").await.expect(200);
    rooms.push(Room::new(text(&general["data"][0]["id"]), false, (0..12).collect()));
    for (name, kind, people) in [("vendas", "public", (1..8).collect::<Vec<_>>()), ("sigilo", "private", vec![0, 2, 3, 4])] {
        let ids: Vec<_> = people.iter().map(|number: &usize| all[*number].id).collect();
        let made = json!({"name": name, "kind": kind, "member_ids": ids[1..]});
        let made = all[people[0]].api.post("/channels", made).await.expect(201);
        rooms.push(Room::new(text(&made["id"]), false, people));
    }
    for people in [vec![2, 3], vec![4, 5], vec![6, 7, 8], vec![0, 1, 9, 10, 11]] {
        let ids: Vec<_> = people.iter().skip(1).map(|number: &usize| all[*number].id).collect();
        let made = all[people[0]].api.post("/direct-messages", json!({"user_ids": ids})).await.expect(201);
        rooms.push(Room::new(text(&made["id"]), true, people));
    }
    // A conversation that most of them do not see, for its card.
    let (_, conversation) = company.served().await;
    Diary::new(rooms, all.iter().map(|person| person.id).collect(), conversation)
}

/// A moment between two acts.
async fn breathe() {
    tokio::time::sleep(Duration::from_millis(120)).await;
}
