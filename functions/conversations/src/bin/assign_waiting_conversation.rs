//! Worker of the automation queue — gives what waits in a department to its agents who are online and have room, sends what was
//! planned, and lets conversations come back at their times.

use std::time::Duration;

use conversations::{
    CONVERSATION_TIMER, Conversation, ConversationAssigned, SCHEDULED_MESSAGE, SystemMessage, add_system_message,
    assignment::{GIVE, IS_MORE, LOCK_ASSIGNMENT, Left, MOST_GIVEN},
    emit_conversation, give_up_scheduled, run_conversation_timer, send_scheduled,
};
use futures_util::future::try_join3;
use shared::prelude::*;

/// Until what somebody else was changing is looked at again.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Assignment {
    department_id: Uuid,
}

pub fn main() {
    serve_worker(Queue::Automation, Privilege::Standard, assign_waiting_conversation, give_up);
}

async fn assign_waiting_conversation(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        SCHEDULED_MESSAGE => send_scheduled(&context, &job).await,
        CONVERSATION_TIMER => run_conversation_timer(&context, &job).await,
        _ => assign(&context, &job).await,
    }
}

async fn assign(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let Assignment { department_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let (_, given, left): (_, Vec<Conversation>, Left) = try_join3(
        transaction.query(LOCK_ASSIGNMENT, &[]),
        transaction.all(GIVE, &[&department_id, &MOST_GIVEN]),
        transaction.one(IS_MORE, &[&department_id]),
    )
    .await?;
    if left.is_more && given.is_empty() {
        return Ok(Outcome::Hold { after: PAUSE });
    }
    for conversation in &given {
        tell(context, &transaction, job.company_id, conversation);
    }
    job.finish(&transaction);
    if left.is_more {
        let payload = json!({"department_id": department_id});
        let next = Job::new(context, Queue::Automation, "assign_waiting_conversation", &job.lane, payload);
        transaction.enqueue(next.unless_waiting(department_id));
    }
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// Those who saw it wait, and the one whose it is.
fn tell(context: &Context, transaction: &Transaction, company_id: Uuid, conversation: &Conversation) {
    let waiting = Audience::conversation(conversation.department_id, None);
    emit_conversation::<ConversationAssigned>(transaction, company_id, conversation, None, Some(waiting));
    if let Some(agent) = conversation.assignee_id {
        let payload = ConversationAssigned { conversation: conversation.clone(), by_user_id: None };
        transaction.tell_person(agent, &payload);
    }
    let line = SystemMessage {
        text: format!("Conversa entregue a {}.", conversation.assignee_name.as_deref().unwrap_or_default()),
        payload: json!({"act": "assigned", "user_id": conversation.assignee_id}),
    };
    add_system_message(context, transaction, conversation, line);
}

/// What waits goes on waiting for its agents, and for whatever asks for the next run.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    if job.kind == SCHEDULED_MESSAGE {
        give_up_scheduled(&job, &transaction).await?;
    }
    transaction.commit_quietly().await
}
