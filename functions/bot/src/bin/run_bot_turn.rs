//! Worker of the bot queue — answers what a client wrote, unless a human is faster, and goes on where a flow waits for a time.

use std::time::Duration;

use bot::{
    input::Input,
    run::{ADVANCE, Advanced, HAND_OVER, HEARD, IS_UNANSWERED, KEEP_STEPS, LOAD, LOCK, Loaded, TRIGGERED, Triggered},
    turn::{Effect, Event, Next, Turn},
};
use conversations::{
    Author, Content, Conversation, ConversationClosed, ConversationUpdated, MessageKind, NewMessage, add_outgoing, attach,
    emit_conversation, enqueue_bot_turn,
};
use shared::{parameters, prelude::*};

/// A turn at the time that a flow waits for.
const WAKE: &str = "wake_bot";

const IS_READY: &str = "select from files where id = $1 and status = 'ready'";

/// Until a blocked client's conversation is looked at again.
const LATER: Duration = Duration::from_mins(10);

#[derive(Deserialize)]
struct BotTurn {
    conversation_id: Uuid,
    /// Of `wake_bot`: the turn after which it was to go on. Another one has been played meanwhile otherwise.
    turns: Option<i32>,
}

pub fn main() {
    serve_worker(Queue::Bot, Privilege::Standard, run_bot_turn, give_up);
}

async fn run_bot_turn(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let BotTurn { conversation_id, turns } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    transaction.query(LOCK, &[&conversation_id]).await?;
    let mut loaded: Loaded = transaction.one(LOAD, &[&conversation_id]).await?;
    if turns.is_some() && loaded.is_blocked {
        return Ok(Outcome::PutOff { after: LATER });
    }
    job.finish(&transaction);
    match turns {
        Some(turns) => wake(&context, &transaction, &job, &loaded, turns).await?,
        None if loaded.is_unanswered() => {
            if loaded.is_new() {
                let triggered: Vec<Triggered> = transaction.all(TRIGGERED, &[]).await?;
                loaded.begin(&triggered);
            }
            let input = loaded.input();
            let turn = loaded.play(&Event::Said(input.clone()), context.now());
            answer(&context, &transaction, &job, &loaded, (turn, input)).await?;
        }
        None => play_again_if_unanswered(&context, &transaction, conversation_id).await?,
    }
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// Goes on at its time, unless the client or somebody else has moved the conversation meanwhile. Who has just written is not out of time.
async fn wake(context: &Context, transaction: &Transaction, job: &Claimed, loaded: &Loaded, turns: i32) -> Result<(), Error> {
    if !loaded.is_the_bots() || loaded.bot_turns != turns {
        return Ok(());
    }
    let turn = loaded.play(&Event::Time { has_written: loaded.is_unanswered() }, context.now());
    if turn.next == Next::Stay {
        return Ok(());
    }
    answer(context, transaction, job, loaded, (turn, Input::default())).await
}

async fn answer(
    context: &Context,
    transaction: &Transaction,
    job: &Claimed,
    loaded: &Loaded,
    (turn, input): (Turn, Input),
) -> Result<(), Error> {
    let (id, flow_id) = (loaded.id, loaded.bot_flow_id);
    let (act, department_id, wakes_at) = match turn.next {
        Next::Stay if input.is_nothing() => return transaction.execute(HEARD, &[&id, &loaded.inbound_count]).await.map(drop),
        // It stays unanswered until the flow goes on.
        Next::Stay => return Ok(()),
        Next::Wait { until } => ("wait", None, until),
        Next::Sleep { until } => ("wait", None, Some(until)),
        Next::Handover { department_id } => ("handover", department_id, None),
        Next::Close => ("close", None, None),
    };
    let seen = Seen::of(&turn.effects, &loaded.tags);
    let (fields, misses) = (Value::Object(turn.run.fields), i32::try_from(turn.run.misses).unwrap_or(i32::MAX));
    let moved: [&(dyn tokio_postgres::types::ToSql + Sync); 13] = [
        &id,
        &loaded.version,
        &turn.run.node,
        &fields,
        &turn.run.turns,
        &loaded.inbound_count,
        &act,
        &department_id,
        &misses,
        &flow_id,
        &seen.tags,
        &seen.priority,
        &seen.subject,
    ];
    let Some(Advanced { conversation, has_more }) = transaction.first(ADVANCE, &moved).await? else {
        return play_again_if_unanswered(context, transaction, id).await;
    };
    if has_more {
        enqueue_bot_turn(context, transaction, id);
    }
    if let Some(flow_id) = flow_id {
        let nodes: Vec<String> = turn.steps.iter().map(|step| step.node.clone()).collect();
        let outcomes: Vec<&str> = turn.steps.iter().map(|step| step.outcome.as_str()).collect();
        let said = input.words().map(|words| words.chars().take(500).collect::<String>());
        transaction.defer(KEEP_STEPS, parameters![id, flow_id, turn.run.turns, nodes, outcomes, said]);
    }
    if let Some(at) = wakes_at {
        let payload = json!({"conversation_id": id, "turns": turn.run.turns});
        transaction.enqueue(Job::new(context, Queue::Bot, WAKE, format!("wake:{id}:{}", turn.run.turns), payload).at(at));
    }
    for mut saying in turn.says {
        if let Some(file) = saying.file_id
            && transaction.query(IS_READY, &[&file]).await?.is_empty()
        {
            // It was removed since the flow was published: its words are said all the same.
            (saying.kind, saying.file_id) = (MessageKind::Text, None);
            if saying.text.trim().is_empty() {
                continue;
            }
        }
        attach(transaction, id, saying.file_id);
        let content = Content { kind: saying.kind, body: saying.text, payload: saying.payload, file_id: saying.file_id };
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
        _ if seen.is_any() => emit_conversation::<ConversationUpdated>(transaction, job.company_id, &conversation, None, None),
        _ => {}
    }
    Ok(())
}

/// What staff see of a turn's effects; `None` stays as it is.
#[derive(Default)]
struct Seen {
    tags: Option<Vec<String>>,
    priority: Option<String>,
    subject: Option<String>,
}

impl Seen {
    fn of(effects: &[Effect], tags: &[String]) -> Self {
        let mut seen = Self::default();
        for effect in effects {
            match effect {
                Effect::Tag { add, remove } => {
                    let had = seen.tags.take().unwrap_or_else(|| tags.to_vec());
                    let kept = had.into_iter().filter(|tag| !remove.contains(tag));
                    let mut after: Vec<String> = kept.collect();
                    after.extend(add.iter().filter(|tag| !after.contains(tag)).cloned().collect::<Vec<_>>());
                    seen.tags = Some(after);
                }
                Effect::Priority(priority) => seen.priority = Some(priority.clone()),
                Effect::Summary(subject) => seen.subject = Some(subject.chars().take(200).collect()),
            }
        }
        seen.tags = seen.tags.filter(|after| after != tags);
        seen
    }

    const fn is_any(&self) -> bool {
        self.tags.is_some() || self.priority.is_some() || self.subject.is_some()
    }
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
    let BotTurn { conversation_id, turns } = job.read()?;
    if let Some(conversation) = transaction.first::<Conversation>(HAND_OVER, &[&conversation_id, &turns]).await? {
        let before = Audience::conversation(conversation.department_id, None);
        emit_conversation::<ConversationUpdated>(&transaction, job.company_id, &conversation, None, Some(before));
    }
    transaction.commit_quietly().await
}
