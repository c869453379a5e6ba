//! A history whose worker is killed in the middle.

use std::{sync::Arc, time::Duration};

use tests::{Stack, Wanted, eventually, sandbox::fresh_number};

use super::{kill, let_leases_pass, until_all_done};
use crate::cases::ingest::adapters::{Adapter, Line, Old, Who};

pub async fn a_history_whose_worker_is_killed_is_stored_once(stack: Arc<Stack>) {
    const CLIENTS: usize = 20;
    const EACH: usize = 100;
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let line = Line::open(&stack, &company, Adapter::Cloud).await;
    let began = jiff::Timestamp::now().as_second() - 80 * 86_400;
    let mut all = Vec::new();
    for _ in 0..CLIENTS {
        let with = Who::of(&fresh_number());
        let old = |index: usize| {
            let at = began + 60 * i64::try_from(index).expect("few");
            Old { with: with.clone(), id: line.fresh_id(), is_own: index % 2 == 1, words: format!("antes {index}"), at }
        };
        all.extend((0..EACH).map(old));
    }
    line.tell_history(&stack, &all, (1, 100)).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        kill(&stack, "FetchMedia").await;
        let_leases_pass(&stack, &company, "MediaQueue").await;
    }
    let database = stack.database().await;
    let counts = "
        select (select count(*) from messages where company_id = $1), (select count(distinct provider_id) from messages where company_id = $1),
               (select count(*) from conversations where company_id = $1),
               (select (history ->> 'messages')::bigint from channel_accounts where id = $2)";
    let wanted = [CLIENTS * EACH, CLIENTS * EACH, CLIENTS, CLIENTS * EACH].map(|count| i64::try_from(count).expect("few"));
    eventually("a history that is whole", || async {
        let_leases_pass(&stack, &company, "MediaQueue").await;
        let row = database.query_one(counts, &[&company.id, &line.channel_account_id]).await.expect("counts");
        ([0, 1, 2, 3].map(|index| row.get::<_, Option<i64>>(index).unwrap_or_default()) == wanted).then_some(())
    })
    .await;
    until_all_done(&stack, &company).await;
    let outcomes = company.outcomes(&stack).await;
    assert!(outcomes.iter().all(|outcome| outcome == "stored" || outcome.starts_with("history: ")), "{outcomes:?}");
}
