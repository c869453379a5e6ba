//! Every minute — tells owners of tasks whose time is over, once for each time.

use std::time::Duration;

use shared::{log, prelude::*};
use tasks::{PlacedTask, TaskOverdue, placed_task};

/// Companies are asked for among so many tasks at most; the rest is for the next minute.
const MOST: i32 = 1000;

/// Tasks of a company that are told in one transaction.
const PAGE: i64 = 100;

/// Nobody is told after this long, so that the run ends before its time does.
const LONGEST: Duration = Duration::from_secs(30);

const COMPANIES: &str = "select company_id from app.overdue_tasks($1)";

/// A trigger tells the owners; a task that somebody is changing is looked at again a minute later.
const TELL: &str = concat!(
    "with tasks as (
        update tasks
           set told_due_at = due_at
         where id in (select id from tasks
                       where completed_at is null and told_due_at is distinct from due_at and due_at <= now()
                       order by due_at
                       limit $1
                         for no key update skip locked)
        returning *
    ) ",
    placed_task!()
);

#[derive(FromRow)]
struct Due {
    company_id: Uuid,
}

pub fn main() {
    serve_schedule("rate(1 minute)", Privilege::Standard, tell_overdue_tasks);
}

async fn tell_overdue_tasks(context: Context) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    let due: Vec<Due> = transaction.all(COMPANIES, &[&MOST]).await?;
    transaction.commit_quietly().await?;
    for Due { company_id } in due {
        if context.elapsed() > LONGEST {
            break;
        }
        // What fails for one company is no other's loss.
        if let Err(error) = tell_all_of(&context, company_id).await {
            log::warn("overdue tasks not told", error.cause().unwrap_or(error.problem().code));
        }
    }
    Ok(())
}

async fn tell_all_of(context: &Context, company_id: Uuid) -> Result<(), Error> {
    loop {
        let transaction = context.begin_system(company_id).await?;
        let told: Vec<PlacedTask> = transaction.all(TELL, &[&PAGE]).await?;
        for placed in &told {
            placed.tell(&transaction, company_id, &TaskOverdue { task: placed.task.clone() });
        }
        transaction.commit_quietly().await?;
        if i64::try_from(told.len()).unwrap_or_default() < PAGE || context.elapsed() > LONGEST {
            return Ok(());
        }
    }
}
