//! The worker that gives waiting conversations to agents, killed in the middle of it.

use std::{sync::Arc, time::Duration};

use futures_util::future::{join_all, join4};
use tests::{Stack, company::Person, eventually, sandbox::fresh_number};

use super::{dispatch, kill, let_leases_pass, unfinished, until_blocked};
use crate::cases::team::{
    assigning::{automatic, write},
    assigning_crowds::{Chance, Watch, come_and_go, let_everybody_in, scene},
};

const WORKER: &str = "AssignWaitingConversation";

pub async fn a_worker_killed_while_it_gives_conversations_gives_each_once(stack: Arc<Stack>) {
    let company = automatic(&stack, 2, "round_robin", 10).await;
    let database = stack.database().await;
    for _ in 0..5 {
        write(&company).await;
    }
    database.batch_execute("begin").await.expect("a transaction");
    // The members' rows are the last that it writes: all has been given, and nothing is committed.
    let hold = "select from department_members where company_id = $1 for update";
    database.query(hold, &[&company.id]).await.expect("the members are held");
    let _sockets = join_all(company.agents.iter().map(Person::socket)).await;
    until_blocked(&stack, 1).await;
    kill(&stack, WORKER).await;
    database.batch_execute("rollback").await.expect("the members are let go");
    let watch = Watch::of(&stack, &company).await;
    eventually("everything given", || async {
        let_leases_pass(&stack, &company, "AutomationQueue").await;
        (watch.waiting().await == 0).then_some(())
    })
    .await;
    watch.nothing_is_given_twice().await;
}

pub async fn agents_come_and_go_while_the_worker_is_killed(stack: Arc<Stack>) {
    let seed = Chance::seed();
    let company = scene(&stack, 3, seed).await;
    let clients = async {
        let mut chance = Chance::new(seed.wrapping_add(100));
        for _ in 0..30 {
            company.phone.receive_text(&fresh_number(), "Oi").await;
            chance.pause().await;
        }
    };
    let kills = async {
        let mut chance = Chance::new(seed.wrapping_add(200));
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(100 + chance.below(200))).await;
            kill(&stack, WORKER).await;
            let_leases_pass(&stack, &company, "AutomationQueue").await;
        }
    };
    let watch = Watch::of(&stack, &company).await;
    let watching = async {
        for _ in 0..40 {
            watch.nobody_is_over_capacity().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let agents = join_all((0..3).map(|agent| come_and_go(&stack, &company, agent, seed, 20)));
    let (open, (), (), ()) = join4(agents, clients, kills, watching).await;
    eventually("all jobs done", || async {
        let_leases_pass(&stack, &company, "AutomationQueue").await;
        dispatch(&stack, &company).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        (unfinished(&stack, &company).await == 0).then_some(())
    })
    .await;
    watch.nothing_is_forgotten().await;
    watch.nothing_is_given_twice().await;
    watch.nobody_is_over_capacity().await;
    drop(open);
    let_everybody_in(&stack, &company).await;
}
