//! Worker of the bot queue — answers what a client wrote, unless a human is faster, and goes on where a flow waits for a time, or for what somebody
//! else answers.

use std::time::Duration;

use bot::{
    calls::Secrets,
    input::Input,
    run::{
        ADVANCE, Advanced, HAND_OVER, HEARD, IS_UNANSWERED, KEEP_STEPS, LOAD, LOCK, LOCK_CLIENT, Loaded, STOP, Stopped,
        TRIGGERED, Triggered,
    },
    saving,
    turn::{Effect, Event, Next, Turn},
};
use conversations::{
    Author, Content, Conversation, ConversationAssigned, ConversationClosed, ConversationUpdated, MessageKind, NewMessage,
    SystemMessage, UNHEARD, add_outgoing, add_system_message, attach, emit_conversation, enqueue_bot_turn, suits,
};
use futures_util::future::try_join;
use leads::{advance_lead, begin_lead};
use shared::{parameters, prelude::*};

reads!(REACHABLE_INSIDE);

/// A turn at the time that a flow waits for.
const WAKE: &str = "wake_bot";

/// A turn with what somebody else answers, who is asked first.
const CALL: &str = "call_for_bot";

/// Seconds until a call may be made; null where it has waited for too long.
const BEGIN_CALL: &str = "select app.begin_bot_call($1) as pause";

#[derive(FromRow)]
struct Begun {
    pause: Option<i32>,
}

const READY: &str = "select mime_type from files where id = $1 and status = 'ready'";

/// Until it is looked again whether what somebody says is written down.
const HEARING: Duration = Duration::from_secs(1);

/// Until a blocked client's conversation is looked at again.
const LATER: Duration = Duration::from_mins(10);

#[derive(Deserialize)]
struct BotTurn {
    conversation_id: Uuid,
    /// Of a message that did not arrive.
    message_id: Option<Uuid>,
}

/// What a job plays a turn for.
enum Reason {
    /// The client has written.
    Said,
    Time,
    Called(Option<Value>),
}

pub fn main() {
    serve_worker(Queue::Bot, Privilege::Standard, run_bot_turn, give_up);
}

async fn run_bot_turn(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let BotTurn { conversation_id, message_id } = job.read()?;
    let reason = match job.kind.as_str() {
        UNHEARD => return stop(&context, &job, conversation_id, message_id).await,
        CALL => match ask(&context, &job, conversation_id).await? {
            Asked::Answered(answer) => Reason::Called(answer),
            Asked::NotYet { after } => return Ok(Outcome::PutOff { after }),
        },
        WAKE => Reason::Time,
        _ => Reason::Said,
    };
    if let Some(outcome) = play(&context, &job, conversation_id, &reason, false).await? {
        return Ok(outcome);
    }
    let outcome = play(&context, &job, conversation_id, &reason, true).await?;
    Ok(outcome.unwrap_or(Outcome::Done))
}

/// What comes of a call.
enum Asked {
    Answered(Option<Value>),
    /// The company makes as many calls as it may at once.
    NotYet {
        after: Duration,
    },
}

/// Asks what the conversation rests at the question of; with no transaction open. Who is killed meanwhile asks again, under the same id. Where the
/// conversation has moved on, nobody is asked, nor where the call would have to wait for too long.
async fn ask(context: &Context, job: &Claimed, id: Uuid) -> Result<Asked, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    let (loaded, secrets): (Loaded, _) =
        try_join(transaction.one(LOAD, &[&id]), Secrets::read(context, &transaction, job.company_id)).await?;
    let call = loaded.goes_on_by(job.id).then(|| loaded.call(job.company_id, job.id, context.now())).flatten();
    let pause = match call {
        Some(_) => transaction.one::<Begun>(BEGIN_CALL, &[&job.id]).await?.pause,
        None => None,
    };
    transaction.commit_quietly().await?;
    match (call, pause) {
        (Some(call), Some(0)) => call.make(context, &secrets).await.map(Asked::Answered),
        (Some(_), Some(pause)) => Ok(Asked::NotYet { after: Duration::from_secs(u64::try_from(pause).unwrap_or(1)) }),
        _ => Ok(Asked::Answered(None)),
    }
}

/// Plays a turn and writes down what comes of it. `None`, with nothing written, where it changes the client, whose row is to be held then.
async fn play(context: &Context, job: &Claimed, id: Uuid, reason: &Reason, holds_client: bool) -> Result<Option<Outcome>, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    if holds_client {
        transaction.query(LOCK_CLIENT, &[&id]).await?;
    }
    transaction.query(LOCK, &[&id]).await?;
    let mut loaded: Loaded = transaction.one(LOAD, &[&id]).await?;
    if !matches!(reason, Reason::Said) && loaded.is_blocked {
        return Ok(Some(Outcome::PutOff { after: LATER }));
    }
    if matches!(reason, Reason::Said) && loaded.is_unanswered() && loaded.is_listening {
        return Ok(Some(Outcome::Hold { after: HEARING }));
    }
    job.finish(&transaction);
    let goes_on = loaded.goes_on_by(job.id);
    let event = match reason {
        Reason::Said if loaded.is_unanswered() => {
            if loaded.is_new() {
                let triggered: Vec<Triggered> = transaction.all(TRIGGERED, &[]).await?;
                loaded.begin(&triggered);
            }
            Event::Said(loaded.input())
        }
        Reason::Time if goes_on => Event::Time { has_written: loaded.is_unanswered() },
        Reason::Called(answer) if goes_on => Event::Called { answer: answer.clone(), meanwhile: loaded.input() },
        Reason::Said => {
            play_again_if_unanswered(context, &transaction, id).await?;
            transaction.commit_quietly().await?;
            return Ok(Some(Outcome::Done));
        }
        // The client or somebody else has moved the conversation meanwhile.
        Reason::Time | Reason::Called(_) => {
            transaction.commit_quietly().await?;
            return Ok(Some(Outcome::Done));
        }
    };
    let turn = loaded.play(&event, context.now());
    if turn.changes_client() && !holds_client {
        return Ok(None);
    }
    answer(context, &transaction, job, &loaded, turn, &event).await?;
    transaction.commit_quietly().await?;
    Ok(Some(Outcome::Done))
}

async fn answer(
    context: &Context,
    transaction: &Transaction,
    job: &Claimed,
    loaded: &Loaded,
    turn: Turn,
    event: &Event,
) -> Result<(), Error> {
    let (id, flow_id) = (loaded.id, loaded.bot_flow_id);
    let nothing = Input::default();
    let input = if let Event::Said(input) = event { input } else { &nothing };
    let own = |kind: &'static str, lane: String| Job::new(context, Queue::Bot, kind, lane, json!({"conversation_id": id}));
    let later = |at| own(WAKE, format!("wake:{id}:{}", turn.run.turns)).at(at);
    let (act, department_id, user_id, goes_on) = match turn.next {
        Next::Stay if matches!(event, Event::Said(_)) && input.is_nothing() => {
            return transaction.execute(HEARD, &[&id, &loaded.inbound_count]).await.map(drop);
        }
        // It stays unanswered until the flow goes on.
        Next::Stay => return Ok(()),
        Next::Wait { until } => ("wait", None, None, until.map(later)),
        Next::Sleep { until } => ("wait", None, None, Some(later(until))),
        Next::Call => ("wait", None, None, Some(own(CALL, id.to_string()))),
        Next::Handover { department_id, user_id } => ("handover", department_id, user_id, None),
        Next::Close => ("close", None, None, None),
    };
    let seen = Seen::of(&turn.effects, &loaded.tags);
    let (fields, misses) = (Value::Object(turn.run.fields), i32::try_from(turn.run.misses).unwrap_or(i32::MAX));
    let moved: [&(dyn tokio_postgres::types::ToSql + Sync); 15] = [
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
        &goes_on.as_ref().map(|job| job.id),
        &user_id,
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
    if let Some(job) = goes_on {
        transaction.enqueue(job);
    }
    if !seen.saved.is_empty() {
        saving::keep(transaction, loaded.client_id, &seen.saved).await?;
    }
    make_leads(context, transaction, job.company_id, id, turn.effects).await?;
    for mut saying in turn.says {
        if let Some(file) = saying.file_id {
            let found = transaction.query(READY, &[&file]).await?;
            match found.first() {
                Some(row) if suits(saying.kind, row.get("mime_type")) => {}
                // It is no such picture, and still what the client is to have.
                Some(_) => saying.kind = MessageKind::Document,
                // It was removed since the flow was published: its words are said all the same.
                None => (saying.kind, saying.file_id) = (MessageKind::Text, None),
            }
            if saying.file_id.is_none() && saying.text.trim().is_empty() {
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
        "handover" if user_id.is_some() && conversation.assignee_id == user_id => {
            give(context, transaction, job.company_id, &conversation);
        }
        "handover" => emit_conversation::<ConversationUpdated>(transaction, job.company_id, &conversation, None, Some(before)),
        "close" => emit_conversation::<ConversationClosed>(transaction, job.company_id, &conversation, None, None),
        _ if seen.is_any() => emit_conversation::<ConversationUpdated>(transaction, job.company_id, &conversation, None, None),
        _ => {}
    }
    Ok(())
}

/// What a flow does with the client's lead.
async fn make_leads(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    conversation_id: Uuid,
    effects: Vec<Effect>,
) -> Result<(), Error> {
    for effect in effects {
        match effect {
            Effect::CreateLead { stage_id, origin } => {
                begin_lead(context, transaction, company_id, conversation_id, (stage_id, origin)).await?;
            }
            Effect::MoveLead { stage_id } => advance_lead(transaction, company_id, conversation_id, stage_id).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Those who saw it with the bot are told, and the one whose it is.
fn give(context: &Context, transaction: &Transaction, company_id: Uuid, conversation: &Conversation) {
    let before = Audience::conversation(conversation.department_id, None);
    emit_conversation::<ConversationAssigned>(transaction, company_id, conversation, None, Some(before));
    if let Some(agent) = conversation.assignee_id {
        let payload = ConversationAssigned { conversation: conversation.clone(), by_user_id: None };
        transaction.tell_person(agent, &payload);
    }
    let line = SystemMessage {
        text: format!("Conversa entregue pelo robô a {}.", conversation.assignee_name.as_deref().unwrap_or_default()),
        payload: json!({"act": "assigned", "user_id": conversation.assignee_id}),
    };
    add_system_message(context, transaction, conversation, line);
}

/// What staff see of a turn's effects; `None` stays as it is.
#[derive(Default)]
struct Seen {
    tags: Option<Vec<String>>,
    priority: Option<String>,
    subject: Option<String>,
    /// What is kept with the client: where, and what they said.
    saved: Vec<(String, String)>,
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
                Effect::Save { save_as, value } => seen.saved.push((save_as.clone(), value.clone())),
                Effect::CreateLead { .. } | Effect::MoveLead { .. } => {}
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

/// People take over where a message of the bot's did not arrive and the client has not written since: nobody answers what they have not heard.
async fn stop(context: &Context, job: &Claimed, id: Uuid, message_id: Option<Uuid>) -> Result<Outcome, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    transaction.query(LOCK, &[&id]).await?;
    if let Some(Stopped { conversation, error_code, error_detail }) = transaction.first(STOP, &[&id, &message_id]).await? {
        let before = Audience::conversation(conversation.department_id, None);
        emit_conversation::<ConversationUpdated>(&transaction, job.company_id, &conversation, None, Some(before));
        let why = error_detail.map(|detail| format!(" Motivo: {detail}")).unwrap_or_default();
        let line = SystemMessage {
            text: format!("O robô parou: uma mensagem dele não chegou ao cliente.{why}"),
            payload: json!({"act": "bot_unheard", "message_id": message_id, "error_code": error_code}),
        };
        add_system_message(context, &transaction, &conversation, line);
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// A client whom the bot cannot answer must not wait for it: somebody else can.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    let BotTurn { conversation_id, .. } = job.read()?;
    if let Some(conversation) = transaction.first::<Conversation>(HAND_OVER, &[&conversation_id, &job.id]).await? {
        let before = Audience::conversation(conversation.department_id, None);
        emit_conversation::<ConversationUpdated>(&transaction, job.company_id, &conversation, None, Some(before));
    }
    transaction.commit_quietly().await
}
