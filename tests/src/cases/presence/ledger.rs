//! What connections leave in the ledger.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, eventually};

use super::{current, execute, intervals, let_pass, next_second, start_break, states, until_gone};

pub async fn what_sockets_show_is_kept_without_gaps(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let mut tab = agent.socket().await;
    next_second().await;
    tab.send(json!({"action": "setPresence", "status": "busy"})).await;
    tab.of_type("presence").await;
    next_second().await;
    start_break(agent, "lunch").await.expect(201);
    next_second().await;
    agent.api.post("/productivity/breaks/end", json!({})).await.expect(200);
    next_second().await;
    let shown = agent.api.call(Method::PUT, "/presence", Some(json!({"status": "away"}))).await.expect(200);
    assert_eq!(shown, json!({"status": "away"}));
    next_second().await;
    tab.close().await;
    until_gone(agent).await;
    let before = intervals(&company, agent).await;
    assert_eq!(states(&before), ["online", "busy", "break", "online", "away"]);
    for pair in before.windows(2) {
        assert_eq!(pair[0]["ended_at"], pair[1]["started_at"], "nothing between them");
    }
    let causes = |of: &str| before.iter().map(|interval| text(&interval[of]).to_owned()).collect::<Vec<_>>();
    assert_eq!(causes("cause"), ["connect", "set", "break", "set", "set"]);
    assert_eq!(causes("end_cause"), ["set", "set", "set", "set", "disconnect"]);
    assert_eq!(before[2]["reason"], "lunch");
    // Who is back within a minute was never away, and shows what they showed.
    let _tab = agent.socket().await;
    let after = intervals(&company, agent).await;
    assert_eq!((after.len(), &after[4]["id"], &after[4]["ended_at"]), (5, &before[4]["id"], &Value::Null));
    assert_eq!(current(agent).await["state"], "away");
}

pub async fn tabs_that_open_and_close_at_once_leave_no_doubt(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let mut open = Vec::new();
    for round in 0..5 {
        let closing = join_all(std::mem::take(&mut open).into_iter().map(tests::Socket::close));
        let setting = async {
            if round > 0 {
                let status = ["busy", "away"][round % 2];
                let answer = agent.api.call(Method::PUT, "/presence", Some(json!({"status": status}))).await;
                assert!([200, 409].contains(&answer.status), "{}", answer.body);
            }
        };
        let (_, tabs, ()) = futures_util::future::join3(closing, join_all((0..4).map(|_| agent.socket())), setting).await;
        open = tabs;
    }
    let pings = open.iter_mut().map(async |tab| {
        tab.send(json!({"action": "ping"})).await;
        tab.of_type("pong").await;
    });
    join_all(pings).await;
    assert!(!current(agent).await.is_null());
    join_all(open.into_iter().map(tests::Socket::close)).await;
    until_gone(agent).await;
    let wrong = "
        select count(*) from presence_intervals one, presence_intervals other
         where one.company_id = $1 and other.company_id = $1 and one.id < other.id and one.user_id = other.user_id
           and one.started_at < other.ended_at and other.started_at < one.ended_at";
    let wrong: i64 = stack.database().await.query_one(wrong, &[&company.id]).await.expect("a count").get(0);
    assert_eq!(wrong, 0, "nobody shows two things at once");
}

pub async fn a_lapse_ends_where_the_lease_did(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (back, gone) = (&company.agents[0], &company.agents[1]);
    let (mut tab, _lost) = (back.socket().await, gone.socket().await);
    let database = stack.database().await;
    let mut lapsed = Vec::new();
    for agent in [back, gone] {
        start_break(agent, "rest").await.expect(201);
        // Ten minutes of silence.
        let_pass(&database, agent.id, 600).await;
        assert!(current(agent).await.is_null(), "nobody has noticed it, and it has ended");
        lapsed.push(intervals(&company, agent).await.pop().expect("an interval"));
        assert_eq!(lapsed.last().map(|interval| text(&interval["end_cause"])), Some("lapsed"));
    }
    tab.send(json!({"action": "ping"})).await;
    tab.of_type("pong").await;
    let returned = intervals(&company, back).await;
    let [.., before, after] = &returned[..] else { panic!("it has begun anew: {returned:?}") };
    assert_eq!((&before["ended_at"], text(&after["cause"])), (&lapsed[0]["ended_at"], "ping"));
    assert!(text(&after["started_at"]) > text(&before["ended_at"]), "there is a gap");
    stack.control("POST", "/fire/SweepExpired", None).await;
    let leases = "select from presence_leases where user_id = $1";
    assert!(database.query(leases, &[&gone.id]).await.expect("leases").is_empty());
    let swept = intervals(&company, gone).await.pop().expect("an interval");
    assert_eq!(swept, lapsed[1], "it ended 90 seconds after the last ping, whenever that was swept");
}

pub async fn an_ended_session_ends_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (logs_out, leaves) = (&company.agents[0], &company.agents[1]);
    let (_one, _other) = (logs_out.socket().await, leaves.socket().await);
    next_second().await;
    logs_out.api.post("/auth/logout", json!({})).await.expect(204);
    let path = format!("/admin/deactivate-user/{}", leaves.id);
    assert!(company.admin.api.post(&path, json!({})).await.status < 300);
    let ended = eventually("both ended", || async {
        let [one, other] = [intervals(&company, logs_out).await, intervals(&company, leaves).await];
        let ended: Vec<Value> = [one, other].iter().filter_map(|found| found.last().cloned()).collect();
        ended.iter().all(|interval| interval["end_cause"] == "revoked").then_some(ended)
    })
    .await;
    assert_eq!(ended.len(), 2);
}

pub async fn a_clock_put_back_ends_nothing_before_its_beginning(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let mut tab = agent.socket().await;
    // As if it had begun by a clock that went an hour fast.
    let ahead = "
        update presence_intervals set started_at = started_at + interval '1 hour', ended_at = ended_at + interval '1 hour'
         where user_id = $1";
    execute(&stack, ahead, &[&agent.id]).await;
    for status in ["busy", "away", "busy"] {
        tab.send(json!({"action": "setPresence", "status": status})).await;
        tab.of_type("presence").await;
        tab.send(json!({"action": "ping"})).await;
        tab.of_type("pong").await;
    }
    tab.close().await;
    let database = stack.database().await;
    eventually("it has ended", || async {
        let open = "select from presence_intervals where user_id = $1 and end_cause is null";
        database.query(open, &[&agent.id]).await.expect("intervals").is_empty().then_some(())
    })
    .await;
    let _again = agent.socket().await;
    let wrong = "select from presence_intervals where user_id = $1 and ended_at < started_at";
    assert!(database.query(wrong, &[&agent.id]).await.expect("intervals").is_empty());
}
