//! Tasks whose time is over, and who is told.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    each, eventually,
};
use uuid::Uuid;

use super::{change, client, complete, make, minutes, path_of};

async fn told(person: &Person, query: &str) -> Vec<Value> {
    let list = person.api.get(&format!("/notifications?type=task_overdue&limit=100&{query}")).await.expect(200);
    list["data"].as_array().cloned().unwrap_or_default()
}

/// Until nothing of the company's is untold: another run may be at it.
async fn run(stack: &Stack, company: &Company) {
    let untold = "
        select count(*) from tasks
         where company_id = $1 and completed_at is null and due_at <= now() and told_due_at is distinct from due_at";
    let database = stack.database().await;
    eventually("all are told", || async {
        stack.control("POST", "/fire/TellOverdueTasks", None).await;
        let row = database.query_one(untold, &[&company.id]).await.expect("a count");
        (row.get::<_, i64>(0) == 0).then_some(())
    })
    .await;
}

pub async fn its_owner_is_told_once_for_each_time(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let [agent, owner] = [&company.agents[0], &company.agents[1]];
    let mut screen = owner.socket().await;
    let ana = client(agent).await;
    let task = make(agent, json!({"title": "Ligar", "owner_id": owner.id, "due_at": minutes(-1), "client_id": ana})).await;
    let later = make(agent, json!({"title": "Depois", "owner_id": owner.id, "due_at": minutes(60)})).await;
    make(agent, json!({"title": "Sem data", "owner_id": owner.id})).await;
    for _ in 0..3 {
        run(&stack, &company).await;
    }
    let [notice] = &told(owner, "unread=true").await[..] else { panic!("one: {:?}", told(owner, "").await) };
    assert_eq!((text(&notice["title"]), text(&notice["body"])), ("Tarefa atrasada: Ligar", "Ana"));
    assert_eq!((&notice["source_id"], &notice["client_id"], &notice["count"]), (&task["id"], &json!(ana), &json!(1)));
    assert_eq!(screen.of_type("task.overdue").await["data"]["task"]["id"], task["id"]);
    assert_eq!(screen.of_type("notification.created").await["data"]["notification"]["id"], notice["id"]);
    assert_eq!((told(agent, "").await.len(), told(&company.admin, "").await.len()), (0, 0));
    // Put off, it is over for now; once that time is over too, it is told again.
    change(owner, &task, json!({"due_at": minutes(30)})).await.expect(200);
    run(&stack, &company).await;
    assert_eq!(told(owner, "unread=true").await, [Value::Null; 0]);
    change(owner, &task, json!({"due_at": minutes(-2)})).await.expect(200);
    change(owner, &later, json!({"due_at": minutes(-3)})).await.expect(200);
    run(&stack, &company).await;
    run(&stack, &company).await;
    assert_eq!(told(owner, "unread=true").await.len(), 2);
    // Done or gone, nobody has to be told of it.
    complete(owner, &task, json!({})).await.expect(200);
    assert_eq!(told(owner, "unread=true").await.len(), 1);
    agent.api.call(Method::DELETE, &path_of(&later), None).await.expect(204);
    assert_eq!(told(owner, "unread=true").await, [Value::Null; 0]);
    let done = make(agent, json!({"title": "Feita", "owner_id": owner.id, "due_at": minutes(-1)})).await;
    complete(owner, &done, json!({})).await.expect(200);
    run(&stack, &company).await;
    assert_eq!(told(owner, "unread=true").await, [Value::Null; 0]);
}

pub async fn of_many_that_are_over_at_once_each_is_told_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, students: 0, ..Wanted::default() }).await;
    // More than one page of the worker's.
    let many = "
        insert into tasks (id, company_id, kind, title, owner_id, created_by, due_at, series_id)
        select id, $1, 'call', 'Ligar ' || number, $2, $2, now() - interval '1 minute' * number, id
          from (select gen_random_uuid() as id, number from generate_series(1, 130) number) made";
    let owner = &company.agents[0];
    stack.database().await.execute(many, &[&company.id, &owner.id]).await.expect("many tasks");
    each(0..8, async |_: i32| run(&stack, &company).await).await;
    let counts = "
        select count(*), count(distinct source_id), sum(count)::bigint from notifications where company_id = $1 and type = 'task_overdue'";
    let database = stack.database().await;
    for _ in 0..2 {
        let row = database.query_one(counts, &[&company.id]).await.expect("counts");
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)), (130, 130, 130));
        run(&stack, &company).await;
    }
}

pub async fn where_its_owner_has_left_whoever_leads_is_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let owner = &company.agents[1];
    let task = make(owner, json!({"title": "Ligar", "due_at": minutes(60)})).await;
    let leaves = Some(json!({"is_active": false}));
    company.admin.api.call(Method::PATCH, &format!("/users/{}", owner.id), leaves).await.expect(200);
    change(&company.supervisor, &task, json!({"due_at": minutes(-1)})).await.expect(200);
    run(&stack, &company).await;
    for leader in [&company.admin, &company.supervisor] {
        assert_eq!(told(leader, "").await.len(), 1);
    }
    assert_eq!(told(&company.agents[0], "").await, [Value::Null; 0]);
}

/// Its database connections die while it waits for a row that somebody else holds.
pub async fn a_killed_run_tells_all_and_nobody_twice(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let owner = &company.agents[0];
    // What its commit writes is held: it has written everything else, and waits.
    let mut database = stack.database().await;
    let head = "insert into notification_heads (company_id, user_id) values ($1, $2) on conflict do nothing";
    database.execute(head, &[&company.id, &owner.id]).await.expect("a head");
    let held = database.transaction().await.expect("begins");
    let hold = "select from notification_heads where company_id = $1 for update";
    held.query(hold, &[&company.id]).await.expect("it is held");
    for number in 0..3 {
        make(owner, json!({"title": format!("Ligar {number}"), "due_at": minutes(-1 - number)})).await;
    }
    let end = async {
        let waiting = "
            select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = 'balcao' and wait_event_type = 'Lock' and cardinality(pg_blocking_pids(pid)) > 0
               and pg_blocking_pids(pid) @> array[$1::integer]";
        let own: i32 = held.query_one("select pg_backend_pid()", &[]).await.expect("a pid").get(0);
        let others = stack.database().await;
        eventually("a run that waits", || async {
            (!others.query(waiting, &[&own]).await.expect("pids").is_empty()).then_some(())
        })
        .await;
        let untold = "select count(*) from tasks where company_id = $1 and told_due_at is not null";
        let row = others.query_one(untold, &[&company.id]).await.expect("a count");
        assert_eq!(row.get::<_, i64>(0), 0, "nothing of it has happened");
        held.rollback().await.expect("let go");
    };
    futures_util::future::join(run(&stack, &company), end).await;
    run(&stack, &company).await;
    let all = told(owner, "").await;
    let ids: std::collections::BTreeSet<Uuid> = all.iter().filter_map(|row| text(&row["source_id"]).parse().ok()).collect();
    assert_eq!((all.len(), ids.len()), (3, 3));
    assert!(all.iter().all(|row| row["count"] == 1), "{all:?}");
}
