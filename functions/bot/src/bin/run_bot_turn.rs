//! Worker of the bot queue — answers what a client wrote, unless a human is faster.

use bot::{
    run::{self, ADVANCE, Advanced, HAND_OVER, IS_UNANSWERED, LOAD, LOCK, Loaded},
    turn::Next,
};
use conversations::{
    Author, Content, Conversation, ConversationClosed, ConversationUpdated, NewMessage, add_outgoing, emit_conversation,
    enqueue_bot_turn,
};
use shared::prelude::*;

#[derive(Deserialize)]
struct BotTurn {
    conversation_id: Uuid,
}

pub fn main() {
    serve_worker(Queue::Bot, Privilege::Standard, run_bot_turn, give_up);
}

async fn run_bot_turn(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let BotTurn { conversation_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    transaction.query(LOCK, &[&conversation_id]).await?;
    let loaded: Loaded = transaction.one(LOAD, &[&conversation_id]).await?;
    job.finish(&transaction);
    if loaded.is_unanswered() {
        answer(&context, &transaction, &job, conversation_id, loaded).await?;
    } else {
        play_again_if_unanswered(&context, &transaction, conversation_id).await?;
    }
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

async fn answer(context: &Context, transaction: &Transaction, job: &Claimed, id: Uuid, loaded: Loaded) -> Result<(), Error> {
    let turn = run::play(context, &loaded);
    let (act, department_id) = match turn.next {
        Next::Wait => ("wait", None),
        Next::Handover { department_id } => ("handover", department_id),
        Next::Close => ("close", None),
    };
    let fields = Value::Object(turn.run.fields);
    let advanced: Option<Advanced> = transaction
        .first(
            ADVANCE,
            &[&id, &loaded.version, &turn.run.node, &fields, &turn.run.turns, &loaded.inbound_count, &act, &department_id],
        )
        .await?;
    let Some(Advanced { conversation, has_more }) = advanced else {
        return play_again_if_unanswered(context, transaction, id).await;
    };
    if has_more {
        enqueue_bot_turn(context, transaction, id);
    }
    for saying in turn.says {
        let content = Content { kind: saying.kind, body: saying.text, payload: saying.payload, file_id: None };
        let new = NewMessage {
            id: context.new_id(),
            conversation_id: id,
            sender_type: Author::Bot,
            sender_id: None,
            content,
            reply_to_id: None,
            client_message_id: None,
            is_reply: false,
        };
        add_outgoing(context, transaction, job.company_id, new).await?;
    }
    let before = Audience::conversation(conversation.department_id, None);
    match act {
        "handover" => emit_conversation::<ConversationUpdated>(transaction, job.company_id, &conversation, None, Some(before)),
        "close" => emit_conversation::<ConversationClosed>(transaction, job.company_id, &conversation, None, None),
        _ => {}
    }
    Ok(())
}

/// A message that came while this job still waited added none of its own, and may not have been there to be read by this turn.
async fn play_again_if_unanswered(context: &Context, transaction: &Transaction, id: Uuid) -> Result<(), Error> {
    let rows = transaction.query(IS_UNANSWERED, &[&id]).await?;
    if rows.first().is_some_and(|row| row.get("is_unanswered")) {
        enqueue_bot_turn(context, transaction, id);
    }
    Ok(())
}

/// A client whom the bot cannot answer must not wait for it: somebody else can.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    let BotTurn { conversation_id } = job.read()?;
    if let Some(conversation) = transaction.first::<Conversation>(HAND_OVER, &[&conversation_id]).await? {
        let before = Audience::conversation(conversation.department_id, None);
        emit_conversation::<ConversationUpdated>(&transaction, job.company_id, &conversation, None, Some(before));
    }
    transaction.commit_quietly().await
}
