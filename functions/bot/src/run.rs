//! A conversation's run in the database: what a turn reads, and how it moves on under the fence.

use conversations::{Conversation, conversation_columns, conversation_joins, updated_conversation};
use shared::{
    calendar::{Calendar, Written},
    prelude::*,
};

use crate::{
    input::Input,
    turn::{self, Next, Run, Turn},
};

/// A webhook that is being committed may have counted on this very job for its message: it is waited for before anything is read.
pub const LOCK: &str = "select from conversations where id = $1 for update";

/// What a turn needs to know.
pub const LOAD: &str = "
    select conversations.version, conversations.mode, conversations.ended_at, conversations.inbound_count, conversations.bot_answered,
           conversations.bot_node, conversations.bot_fields, conversations.bot_turns, clients.name as client_name, bot_flows.definition,
           clients.blocked_at is not null as is_blocked,
           app.calendar_of(conversations.department_id) as calendar,
           (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'body', body, 'payload', payload) order by inbound_number), '[]')
              from messages
             where messages.conversation_id = conversations.id and inbound_number > conversations.bot_answered) as said
      from conversations
      join clients on clients.id = conversations.client_id
      left join bot_flows on bot_flows.id = conversations.bot_flow_id
                         and (select bot_enabled from companies where companies.id = conversations.company_id)
     where conversations.id = $1";

/// The fence: whoever moved the conversation meanwhile has the word, and the bot stays silent. A department that is gone is left out:
/// the client is handed over all the same.
pub const ADVANCE: &str = concat!(
    "with updated as (
        update conversations
           set bot_node = $3, bot_fields = $4, bot_turns = $5, bot_answered = greatest(bot_answered, $6),
               mode = case when $7 = 'handover' then 'human' else mode end,
               department_id = case when $7 = 'handover' then coalesce((select departments.id from departments where departments.id = $8), department_id)
                                    else department_id end,
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

/// A client whom the bot has not answered waits for people.
pub const HAND_OVER: &str = updated_conversation!(
    "
        update conversations
           set mode = 'human', version = version + 1
         where id = $1 and mode = 'bot' and ended_at is null and inbound_count > bot_answered
           and not exists (select from clients
                            where clients.company_id = conversations.company_id and clients.id = conversations.client_id
                              and blocked_at is not null)
        returning *"
);

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
    pub version: i32,
    mode: String,
    ended_at: Option<Timestamp>,
    pub inbound_count: i32,
    bot_answered: i32,
    bot_node: Option<String>,
    bot_fields: Value,
    bot_turns: i32,
    client_name: String,
    is_blocked: bool,
    definition: Option<Value>,
    calendar: Option<Value>,
    said: Value,
}

/// All that was said since the last turn counts as one answer.
pub fn play(context: &Context, loaded: &Loaded) -> Turn {
    let said = loaded.said.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let heard = said.iter().map(|message| Input::of(&text(message, "kind"), &text(message, "body"), &message["payload"]));
    let input = Input::together(heard.collect());
    let run = Run {
        node: loaded.bot_node.clone(),
        fields: loaded.bot_fields.as_object().cloned().unwrap_or_default(),
        turns: loaded.bot_turns,
    };
    let flow = loaded.definition.clone().and_then(|definition| serde_json::from_value(definition).ok());
    let calendar = loaded.calendar.clone().and_then(Written::read);
    // Who has said no hours is always there.
    let is_open = calendar.is_none_or(|written| Calendar::from(written).is_open_at(context.now()));
    match flow {
        Some(flow) => turn::play(&flow, &run, &input, &loaded.client_name, is_open),
        // A flow that cannot be read must not leave the client waiting, nor a bot that was turned off.
        None => Turn { says: Vec::new(), run, next: Next::Handover { department_id: None } },
    }
}

impl Loaded {
    /// Whether the client waits for the bot. Nobody answers a blocked one.
    pub fn is_unanswered(&self) -> bool {
        self.mode == "bot" && self.ended_at.is_none() && self.bot_answered < self.inbound_count && !self.is_blocked
    }
}
