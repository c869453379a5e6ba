//! Worker of the bot queue — answers what a client wrote, unless a human is faster.

use bot::turn::{self, Input, Next, Run};
use conversations::{
    Content, Conversation, ConversationClosed, ConversationUpdated, NewMessage, add_outgoing, conversation_columns,
    conversation_joins, emit_conversation,
};
use shared::prelude::*;

#[derive(Deserialize)]
struct BotTurn {
    conversation_id: Uuid,
}

/// A webhook that is being committed may have counted on this very job for its message: it is waited for before anything is read.
const LOCK: &str = "select from conversations where id = $1 for update";

const LOAD: &str = "
    select conversations.version, conversations.mode, conversations.ended_at, conversations.inbound_count, conversations.bot_answered,
           conversations.bot_node, conversations.bot_fields, conversations.bot_turns, clients.name as client_name, bot_flows.definition,
           (select coalesce(jsonb_agg(jsonb_build_object('body', body, 'option_id', payload #>> '{reply,id}') order by inbound_number), '[]')
              from messages
             where messages.conversation_id = conversations.id and inbound_number > conversations.bot_answered) as said
      from conversations
      join clients on clients.id = conversations.client_id
      left join bot_flows on bot_flows.id = conversations.bot_flow_id
     where conversations.id = $1";

/// The fence: whoever moved the conversation meanwhile has the word, and the bot stays silent.
const ADVANCE: &str = concat!(
    "with updated as (
        update conversations
           set bot_node = $3, bot_fields = $4, bot_turns = $5, bot_answered = greatest(bot_answered, $6),
               mode = case when $7 = 'handover' then 'human' else mode end,
               department_id = case when $7 = 'handover' then coalesce($8, department_id) else department_id end,
               ended_at = case when $7 = 'close' then now() end,
               close_reason = case when $7 = 'close' then 'bot' end,
               version = version + case when $7 = 'wait' then 0 else 1 end
         where id = $1 and version = $2 and mode = 'bot' and ended_at is null
        returning *
    )
    select ",
    conversation_columns!(),
    ", conversations.mode = 'bot' and conversations.inbound_count > conversations.bot_answered as has_more
      from updated as conversations ",
    conversation_joins!()
);

/// Whether the client waits for the bot, once whoever is changing the conversation is done.
const IS_UNANSWERED: &str = "
    select mode = 'bot' and ended_at is null and inbound_count > bot_answered as is_unanswered
      from conversations
     where id = $1
       for update";

#[derive(FromRow)]
struct Advanced {
    #[from_row(flatten)]
    conversation: Conversation,
    /// The client wrote while the bot was thinking.
    has_more: bool,
}

#[derive(FromRow)]
struct Loaded {
    version: i32,
    mode: String,
    ended_at: Option<Timestamp>,
    inbound_count: i32,
    bot_answered: i32,
    bot_node: Option<String>,
    bot_fields: Value,
    bot_turns: i32,
    client_name: String,
    definition: Option<Value>,
    said: Value,
}

fn main() {
    serve_worker(Queue::Bot, Privilege::Standard, run_bot_turn);
}

async fn run_bot_turn(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let BotTurn { conversation_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    transaction.query(LOCK, &[&conversation_id]).await?;
    let loaded: Loaded = transaction.one(LOAD, &[&conversation_id]).await?;
    job.finish(&transaction).await?;
    let is_answered = loaded.bot_answered >= loaded.inbound_count;
    if loaded.mode == "bot" && loaded.ended_at.is_none() && !is_answered {
        answer(&context, &transaction, &job, conversation_id, loaded).await?;
    } else {
        play_again_if_unanswered(&context, &transaction, conversation_id).await?;
    }
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

async fn answer(context: &Context, transaction: &Transaction, job: &Claimed, id: Uuid, loaded: Loaded) -> Result<(), Error> {
    let turn = play(context, &loaded);
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
        play_again(context, transaction, id);
    }
    for saying in turn.says {
        let content = Content { kind: saying.kind.into(), body: saying.text, payload: saying.payload, file_id: None };
        let new = NewMessage {
            id: context.new_id(),
            conversation_id: id,
            sender_type: "bot",
            sender_id: None,
            content,
            reply_to_id: None,
            client_message_id: None,
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
        play_again(context, transaction, id);
    }
    Ok(())
}

fn play_again(context: &Context, transaction: &Transaction, id: Uuid) {
    let job = Job::new(context, Queue::Bot, "bot_turn", id, json!({"conversation_id": id}));
    transaction.enqueue(job.unless_waiting(id));
}

/// All that was said since the last turn counts as one answer: a tapped option wins, then the last text.
fn play(context: &Context, loaded: &Loaded) -> turn::Turn {
    let said = loaded.said.as_array().map(Vec::as_slice).unwrap_or_default();
    let tapped = said.iter().rev().find(|message| message["option_id"].is_string());
    let last = tapped.or(said.last()).cloned().unwrap_or_default();
    let input = Input {
        text: last["body"].as_str().unwrap_or_default().to_owned(),
        option_id: last["option_id"].as_str().map(str::to_owned),
    };
    let run = Run {
        node: loaded.bot_node.clone(),
        fields: loaded.bot_fields.as_object().cloned().unwrap_or_default(),
        turns: loaded.bot_turns,
    };
    let flow = loaded.definition.clone().and_then(|definition| serde_json::from_value(definition).ok());
    match flow {
        Some(flow) => turn::play(&flow, &run, &input, &loaded.client_name, context.now()),
        // A flow that cannot be read must not leave the client waiting.
        None => turn::Turn { says: Vec::new(), run, next: Next::Handover { department_id: None } },
    }
}
