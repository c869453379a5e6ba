//! Everything killed while people are connected.

use std::{path::PathBuf, sync::Arc};

use tests::{Stack, Wanted, company::Person};

use super::{current, intervals, next_second, start_break};

/// Of whom nobody hears any more is known where they were, and until when at most: 90 seconds after their last ping.
pub async fn a_killed_cloud_leaves_what_the_leases_say(_: Arc<Stack>) {
    let binaries = std::env::current_exe().expect("a path").parent().expect("a folder").to_owned();
    let directory: PathBuf = std::env::current_dir().expect("a folder").join(".local/tests-killed-presence");
    let _ = std::fs::remove_dir_all(&directory);
    let stack = Stack::start_kept(&directory, &binaries, &[]).await.expect("a stack starts");
    let mut company = stack.company(Wanted::default()).await;
    let tab = company.agents[0].socket().await;
    next_second().await;
    start_break(&company.agents[0], "lunch").await.expect(201);
    let lease = "select date_trunc('second', lease_until)::text from presence_leases where user_id = $1";
    let lease: String = stack.database().await.query_one(lease, &[&company.agents[0].id]).await.expect("a lease").get(0);
    stack.kill().await;
    drop(tab);
    let stack = Stack::start_kept(&directory, &binaries, &[]).await.expect("it starts again");
    let again =
        |person: &Person| Person { api: stack.api().with_token(person.api.token.clone().expect("a token")), ..person.clone() };
    company.supervisor = again(&company.supervisor);
    let agent = again(&company.agents[0]);
    assert_eq!(current(&agent).await["reason"], "lunch", "until the lease ends it may still go on");
    let until = "select ended_at::text from presence_intervals where user_id = $1 and end_cause is null";
    let until: String = stack.database().await.query_one(until, &[&agent.id]).await.expect("an interval").get(0);
    assert_eq!(until, lease);
    // A new connection goes on with it: nothing was lost, and nothing is there twice.
    let _tab = agent.socket().await;
    let kept = intervals(&company, &agent).await;
    assert_eq!(super::states(&kept), ["online", "break"]);
    assert_eq!(kept[0]["ended_at"], kept[1]["started_at"]);
    stack.stop().await;
}
