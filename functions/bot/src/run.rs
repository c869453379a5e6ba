//! A conversation's run in the database: what a turn reads, and how it moves on under the fence.

use conversations::{Conversation, conversation_columns, conversation_joins, updated_conversation};
use shared::prelude::*;

use crate::{
    calls::Call,
    flow::{Flow, Node, Trigger},
    input::{Input, Said, look},
    place::Place,
    place_columns,
    turn::{self, Event, Next, Run, Turn},
    world::World,
};

/// A webhook that is being committed may have counted on this very job for its message: it is waited for before anything is read.
pub const LOCK: &str = "select from conversations where id = $1 for update";

/// What a turn needs to know.
pub const LOAD: &str = concat!(
    "
    select conversations.id, conversations.version, conversations.mode, conversations.ended_at, conversations.inbound_count,
           conversations.bot_answered, conversations.bot_node, conversations.bot_fields, conversations.bot_turns, conversations.bot_misses,
           conversations.bot_flow_id, conversations.bot_job_id, conversations.channel_account_id, conversations.department_id,
           conversations.tags, conversations.client_id, conversations.protocol, clients.tags as client_tags, clients.name as client_name, clients.email as client_email,
           (select value from client_identities
             where client_identities.client_id = conversations.client_id and kind = 'phone' order by seen_at desc limit 1) as client_phone,
           exists (select from conversations earlier
                    where earlier.client_id = conversations.client_id and earlier.started_at < conversations.started_at) as is_known,
           channel_accounts.kind as channel_kind, bot_flows.key as flow_key, bot_flows.definition, clients.blocked_at is not null as is_blocked, ",
    place_columns!("conversations.department_id"),
    ",
           (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'body', body, 'payload', payload) order by inbound_number), '[]')
              from messages
             where messages.conversation_id = conversations.id and inbound_number > conversations.bot_answered) as said,
           (select count(*) from bot_config
             where is_active and (key = 'ai_transcribes_on_arrival' and value = 'true' or key = 'ai_transcription_model' and value <> '\"\"')) = 2
           and exists (
               select from messages
                 join files on files.id = messages.file_id and files.status in ('pending', 'ready')
                where messages.conversation_id = conversations.id and inbound_number > conversations.bot_answered
                  and messages.kind = 'audio' and messages.body = '' and messages.created_at > now() - interval '15 seconds') as is_listening
      from conversations
      join clients on clients.id = conversations.client_id
      join channel_accounts on channel_accounts.id = conversations.channel_account_id
      join companies on companies.id = conversations.company_id
      left join bot_flows on bot_flows.id = conversations.bot_flow_id and companies.bot_enabled
     where conversations.id = $1"
);

/// The client's row comes before the conversation's in the order of locks: a turn that changes it holds it first.
pub const LOCK_CLIENT: &str = "
    select from clients where id = (select client_id from conversations where id = $1) and merged_into_id is null for no key update";

/// Flows that begin by what is said, as they are published now.
pub const TRIGGERED: &str = "
    select id, definition
      from (select distinct on (key) id, key, definition
              from bot_flows
             where number > 0 and removed_at is null
             order by key, number desc) published
     where jsonb_typeof(definition -> 'triggers') = 'array' and definition -> 'triggers' <> '[]'
     order by key";

/// The fence: whoever moved the conversation meanwhile has the word, and the bot stays silent. A department that is gone is left out, and so is
/// who is not there to take it: the client is handed over all the same. What staff see of it changes its version.
pub const ADVANCE: &str = concat!(
    "with updated as (
        update conversations
           set bot_node = $3, bot_fields = $4, bot_turns = $5, bot_answered = greatest(bot_answered, $6), bot_misses = $9,
               bot_flow_id = coalesce($10, bot_flow_id), bot_job_id = $14,
               assignee_id = case when $7 = 'handover'
                                  then coalesce((select memberships.user_id
                                                   from memberships
                                                  where memberships.user_id = $15 and status = 'active' and role <> 'student'
                                                    and exists (select from presence_leases
                                                                 where presence_leases.user_id = memberships.user_id
                                                                   and lease_until > now() and presence_leases.status = 'online')),
                                                assignee_id)
                                  else assignee_id end,
               mode = case when $7 = 'handover' then 'human' else mode end,
               department_id = case when $7 = 'handover' then coalesce((select departments.id from departments where departments.id = $8), department_id)
                                    else department_id end,
               tags = coalesce($11, tags), priority = coalesce($12, priority), subject = coalesce($13, subject),
               ended_at = case when $7 = 'close' then now() end,
               close_reason = case when $7 = 'close' then 'bot' end,
               version = version + case when $7 = 'wait' and $11::text[] is null and $12::text is null and $13::text is null then 0 else 1 end
         where id = $1 and version = $2 and mode = 'bot' and ended_at is null
        returning *
    )
    select ",
    conversation_columns!(),
    ", conversations.mode = 'bot' and conversations.inbound_count > conversations.bot_answered as has_more
      from updated as conversations ",
    conversation_joins!()
);

/// What a turn went through.
pub const KEEP_STEPS: &str = "
    insert into bot_steps (conversation_id, bot_flow_id, turn, node, outcome, said)
    select $1, $2, $3, node, outcome, case when outcome = 'missed' then $6 end
      from unnest($4::text[], $5::text[]) with ordinality step (node, outcome, place)
     order by place";

/// What was said is no answer to anything.
pub const HEARD: &str = "update conversations set bot_answered = greatest(bot_answered, $2) where id = $1";

/// A client whom the bot has not answered, or does not go on with after a turn, waits for people.
pub const HAND_OVER: &str = updated_conversation!(
    "
        update conversations
           set mode = 'human', version = version + 1
         where id = $1 and mode = 'bot' and ended_at is null and (inbound_count > bot_answered or bot_job_id = $2)
           and not exists (select from clients
                            where clients.company_id = conversations.company_id and clients.id = conversations.client_id
                              and blocked_at is not null)
        returning *"
);

/// Of a message of the bot's that did not arrive: its conversation, where it rests at a node and the client has not written since, is people's.
pub const STOP: &str = concat!(
    "with unheard as (
        select id, conversation_id, error_code, error_detail, created_at
          from messages
         where id = $2 and conversation_id = $1 and sender_type = 'bot' and status = 'failed'
    ), updated as (
        update conversations
           set mode = 'human', version = version + 1
          from unheard
         where conversations.id = unheard.conversation_id and mode = 'bot' and ended_at is null and bot_node is not null
           and not exists (select from messages said
                            where said.conversation_id = unheard.conversation_id and said.sender_type = 'client'
                              and said.created_at > unheard.created_at)
        returning conversations.*
    )
    select ",
    conversation_columns!(),
    ", unheard.error_code, unheard.error_detail
      from updated as conversations cross join unheard ",
    conversation_joins!()
);

/// A conversation that the bot can say nothing in.
#[derive(Debug, FromRow)]
pub struct Stopped {
    #[from_row(flatten)]
    pub conversation: Conversation,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
}

/// Whether the client waits for the bot, once whoever is changing the conversation is done.
pub const IS_UNANSWERED: &str = "
    select mode = 'bot' and ended_at is null and inbound_count > bot_answered
           and not exists (select from clients
                            where clients.company_id = conversations.company_id and clients.id = conversations.client_id
                              and blocked_at is not null) as is_unanswered
      from conversations
     where id = $1
       for update";

/// A conversation the bot has moved on.
#[derive(Debug, FromRow)]
pub struct Advanced {
    #[from_row(flatten)]
    pub conversation: Conversation,
    /// The client wrote while the bot was thinking.
    pub has_more: bool,
}

/// What a turn starts from.
#[derive(Debug, FromRow)]
pub struct Loaded {
    pub id: Uuid,
    pub version: i32,
    mode: String,
    ended_at: Option<Timestamp>,
    pub inbound_count: i32,
    bot_answered: i32,
    bot_node: Option<String>,
    bot_fields: Value,
    bot_turns: i32,
    bot_misses: i32,
    pub bot_flow_id: Option<Uuid>,
    bot_job_id: Option<Uuid>,
    pub client_id: Uuid,
    protocol: String,
    flow_key: Option<String>,
    channel_account_id: Uuid,
    department_id: Option<Uuid>,
    pub tags: Vec<String>,
    client_tags: Vec<String>,
    client_name: String,
    client_email: Option<String>,
    client_phone: Option<String>,
    is_known: bool,
    channel_kind: String,
    pub is_blocked: bool,
    /// Something that was said is being written down.
    pub is_listening: bool,
    definition: Option<Value>,
    #[from_row(flatten)]
    place: Place,
    said: Value,
}

/// A flow that begins by what is said.
#[derive(Debug, FromRow)]
pub struct Triggered {
    pub id: Uuid,
    definition: Value,
}

impl Loaded {
    /// Whether the client waits for the bot. Nobody answers a blocked one.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.is_the_bots() && self.bot_answered < self.inbound_count
    }

    /// Whether the bot has the word.
    #[must_use]
    pub fn is_the_bots(&self) -> bool {
        self.mode == "bot" && self.ended_at.is_none() && !self.is_blocked
    }

    /// Whether this is the job that the flow goes on by.
    #[must_use]
    pub fn goes_on_by(&self, job: Uuid) -> bool {
        self.is_the_bots() && self.bot_job_id == Some(job)
    }

    /// Whether no flow has begun.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.bot_turns == 0 && self.bot_node.is_none()
    }

    /// All that was said since the last turn, in order.
    #[must_use]
    pub fn input(&self) -> Input {
        let said = self.said.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
        Input::new(
            said.iter().map(|message| Said::of(&text(message, "kind"), &text(message, "body"), &message["payload"])).collect(),
        )
    }

    /// Lets the first of these flows begin that one of its triggers says, in place of the channel's.
    pub fn begin(&mut self, triggered: &[Triggered]) {
        let input = self.input();
        let begins = |trigger: &Trigger| {
            let place = (self.channel_account_id, self.department_id);
            is_meant(trigger, &input, place, self.is_known)
        };
        let found = triggered.iter().find(|flow| {
            let triggers = Flow::read(&flow.definition).map(|flow| flow.triggers).unwrap_or_default();
            triggers.iter().any(begins)
        });
        // The bot may have been turned off.
        if let Some(found) = found.filter(|_| self.definition.is_some()) {
            self.bot_flow_id = Some(found.id);
            self.definition = Some(found.definition.clone());
        }
    }

    /// What may be known of the conversation.
    fn world(&self, now: Timestamp) -> World {
        World {
            conversation_id: self.id,
            client_name: self.client_name.clone(),
            client_phone: self.client_phone.clone(),
            client_email: self.client_email.clone(),
            tags: self.tags.iter().chain(&self.client_tags).cloned().collect(),
            is_known: self.is_known,
            channel_kind: self.channel_kind.clone(),
            ..self.place.world(now)
        }
    }

    /// The call that the conversation rests at, as its flow has it: `None` where it rests at none.
    #[must_use]
    pub fn call(&self, company_id: Uuid, event_id: Uuid, now: Timestamp) -> Option<Call> {
        let flow = Flow::read(self.definition.as_ref()?).ok()?;
        let node = self.bot_node.as_ref()?;
        match flow.node(node)? {
            Node::Webhook(webhook) => {
                let told = json!({
                    "event_id": event_id,
                    "at": now,
                    "flow": self.flow_key,
                    "node": node,
                    "conversation": {"id": self.id, "protocol": self.protocol, "channel": self.channel_kind, "tags": self.tags},
                    "client": {"id": self.client_id, "name": self.client_name, "phone": self.client_phone, "email": self.client_email},
                    "fields": webhook.told(self.bot_fields.as_object().unwrap_or(&Map::new())),
                });
                Some(Call::Webhook { webhook: webhook.clone(), event_id, body: told.to_string() })
            }
            Node::Ai(_) => Some(Call::Model { company_id, conversation_id: self.id }),
            _ => None,
        }
    }

    /// Plays a turn of it.
    #[must_use]
    pub fn play(&self, event: &Event, now: Timestamp) -> Turn {
        let run = Run {
            node: self.bot_node.clone(),
            fields: self.bot_fields.as_object().cloned().unwrap_or_default(),
            turns: self.bot_turns,
            misses: self.bot_misses.try_into().unwrap_or_default(),
        };
        // A flow that cannot be read must not leave the client waiting, nor a bot that was turned off.
        let Some(Ok(flow)) = self.definition.as_ref().map(Flow::read) else {
            let next = Next::Handover { department_id: None, user_id: None };
            return Turn { says: Vec::new(), effects: Vec::new(), steps: Vec::new(), run, next };
        };
        turn::play(&flow, &self.place.config(), &run, event, &self.world(now))
    }
}

/// Whether all holds that a trigger names. One that names nothing says nothing.
fn is_meant(trigger: &Trigger, input: &Input, place: (Uuid, Option<Uuid>), is_known: bool) -> bool {
    let Trigger { keywords, first_contact, channel_account_id, department_id } = trigger;
    let names_nothing = *trigger == Trigger::default();
    let is_said = |keyword: &String| {
        let keyword = look(keyword);
        let mut said = input.from_last().filter_map(Said::words).map(look);
        said.any(|said| has_words(&said, &keyword))
    };
    !names_nothing
        && (keywords.is_empty() || keywords.iter().any(is_said))
        && (!first_contact || !is_known)
        && channel_account_id.is_none_or(|channel| channel == place.0)
        && department_id.is_none_or(|department| Some(department) == place.1)
}

/// Whether a text has these words in it, and not only as a part of others.
fn has_words(text: &str, words: &str) -> bool {
    let is_edge = |sign: Option<char>| sign.is_none_or(|sign| !sign.is_alphanumeric());
    text.match_indices(words)
        .any(|(place, _)| is_edge(text[..place].chars().next_back()) && is_edge(text[place + words.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> Input {
        Input::new(vec![Said::Words(words.into())])
    }

    fn trigger(value: Value) -> Trigger {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_trigger_means_all_that_it_names() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let meant = |value: Value, words: &str, is_known: bool| is_meant(&trigger(value), &said(words), (here, None), is_known);
        let keywords = || json!({"keywords": ["matrícula", "segunda via"]});
        for words in ["Matricula", "quero fazer a matrícula!", "preciso da SEGUNDA VIA."] {
            assert!(meant(keywords(), words, true), "{words}");
        }
        for words in ["matriculado", "segunda, via", "oi"] {
            assert!(!meant(keywords(), words, true), "{words}");
        }
        assert!(meant(json!({"first_contact": true}), "oi", false) && !meant(json!({"first_contact": true}), "oi", true));
        assert!(
            meant(json!({"channel_account_id": here}), "oi", true) && !meant(json!({"channel_account_id": there}), "oi", true)
        );
        assert!(!meant(json!({"department_id": here}), "oi", true));
        assert!(!meant(json!({"keywords": ["oi"], "first_contact": true}), "oi", true));
        assert!(!meant(json!({}), "oi", false), "it names nothing");
    }
}
