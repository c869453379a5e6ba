//! A flow that is played without a conversation: the same turn as in one, and nothing of it is kept or sent.

use conversations::MessageKind;
use shared::prelude::*;

use crate::{
    flow::{Flow, Method, Node, Webhook},
    input::{Input, Said},
    place::Place,
    place_columns,
    turn::{self, Effect, Event, Next, Outcome, Run, Turn},
    world::World,
};

/// What somebody does in a played conversation.
#[derive(Clone, Debug, Deserialize, Validate, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "SimulatedEvent")]
pub enum Happened {
    /// The client writes.
    Text {
        #[garde(length(chars, max = 4096))]
        text: String,
    },
    /// The client writes several messages, one after the other, before the bot has answered: it hears them as one.
    Says {
        #[garde(length(min = 1, max = 20), inner(length(chars, max = 4096)))]
        says: Vec<String>,
    },
    /// The client taps an option.
    Tap {
        #[garde(length(max = 200))]
        option_id: String,
        #[serde(default)]
        #[garde(length(chars, max = 200))]
        title: String,
    },
    /// The client sends a file, a place or a card.
    File {},
    /// The client says nothing for as long as the flow waits, or the time comes that it waits for.
    Time {},
    /// What the flow has asked for is answered, or not: nobody is called.
    Called {
        #[garde(skip)]
        ok: bool,
        /// What is answered, as JSON.
        #[serde(default)]
        #[garde(skip)]
        body: Value,
    },
}

/// Where a played conversation stands: what the turn before has answered, or nothing at its beginning.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SimulatedRun")]
pub struct SimulatedRun {
    /// The node that it rests at.
    #[garde(length(max = 200))]
    pub node: Option<String>,
    #[serde(default)]
    #[garde(skip)]
    pub fields: Map<String, Value>,
    #[serde(default)]
    #[garde(range(min = 0, max = 1000))]
    #[schemars(range(min = 0, max = 1000))]
    pub turns: i32,
    #[serde(default)]
    #[garde(range(max = 1000))]
    #[schemars(range(max = 1000))]
    pub misses: u32,
}

/// The client and the place of a played conversation; what is left out is as usual.
#[derive(Clone, Debug, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SimulatedWorld")]
pub struct Setting {
    /// When it is; now without it.
    #[garde(skip)]
    pub at: Option<Timestamp>,
    #[garde(length(chars, max = 120))]
    pub client_name: Option<String>,
    #[garde(length(max = 40))]
    pub client_phone: Option<String>,
    #[garde(length(max = 254))]
    pub client_email: Option<String>,
    #[serde(default)]
    #[garde(length(max = 50))]
    pub tags: Vec<String>,
    /// The client has written before.
    #[serde(default)]
    #[garde(skip)]
    pub is_known: bool,
    /// By what kind of channel; `whatsapp_cloud` without it.
    #[garde(length(max = 40))]
    pub channel_kind: Option<String>,
    /// Whose hours count; the company's without it.
    #[garde(skip)]
    pub department_id: Option<Uuid>,
    /// What a split goes by: another one may go another way.
    #[garde(skip)]
    pub conversation_id: Option<Uuid>,
}

/// What a played turn came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Simulated {
    /// What the bot says, in order.
    pub says: Vec<SimulatedSaying>,
    /// What it would do besides.
    pub effects: Vec<SimulatedEffect>,
    /// The nodes that it went through.
    pub trace: Vec<SimulatedStep>,
    /// What the next turn is to be given.
    pub run: SimulatedRun,
    pub next: SimulatedNext,
    /// When it goes on by itself, or the client is out of time.
    pub until: Option<Timestamp>,
    /// Of a handover, where to.
    pub department_id: Option<Uuid>,
    /// Of a handover, to whom, if they are there then.
    pub user_id: Option<Uuid>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct SimulatedSaying {
    /// `text`, `interactive`, `image`, `video`, `audio` or `document`.
    pub kind: MessageKind,
    pub text: String,
    /// Of `interactive`: `button` and `options`.
    pub payload: Map<String, Value>,
    pub file_id: Option<Uuid>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SimulatedEffect {
    Tag {
        add: Vec<String>,
        remove: Vec<String>,
    },
    Priority {
        priority: String,
    },
    /// The client becomes a lead, unless they are one.
    CreateLead {
        /// Where new leads come in where nothing is said.
        stage_id: Option<Uuid>,
        origin: Option<String>,
    },
    MoveLead {
        stage_id: Uuid,
    },
    /// What the conversation is about.
    Subject {
        subject: String,
    },
    /// What is kept with the client, and where: `name`, `email`, `document`, or one of the company's fields.
    Client {
        field: String,
        value: String,
    },
    /// Whom it would ask, and which fields it would tell.
    Call {
        method: Method,
        url: String,
        fields: Map<String, Value>,
    },
    /// It would ask the company's model: what that answers is the next turn's `called`, with `text`, or `doubt` and `summary`.
    Model {},
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct SimulatedStep {
    pub node: String,
    pub outcome: Outcome,
}

shared::closed_set! {
    /// Where a played conversation goes: `stay` where nothing changes, `wait` for an answer, `sleep` until a time, `call` for what somebody else
    /// answers, to people, or to its end.
    pub SimulatedNext { Stay = "stay", Wait = "wait", Sleep = "sleep", Call = "call", Handover = "handover", Close = "close" }
}

/// What a played conversation takes from the company.
pub const PLACE: &str = concat!("select ", place_columns!("$1"), " from companies where companies.id = app.company_id()");

/// Plays a turn.
#[must_use]
pub fn play(flow: &Flow, place: &Place, setting: Setting, run: SimulatedRun, happened: Happened, now: Timestamp) -> Simulated {
    let world = world(place, setting, now);
    let run = Run { node: run.node, fields: run.fields, turns: run.turns, misses: run.misses };
    let said = |said: Said| Event::Said(Input::new(vec![said]));
    let event = match happened {
        Happened::Text { text } => said(Said::Words(text)),
        Happened::Says { says } => Event::Said(Input::new(says.into_iter().map(Said::Words).collect())),
        Happened::Tap { option_id, title } => said(Said::Tapped { option_id, title }),
        Happened::File {} => said(Said::Unreadable),
        Happened::Time {} => Event::Time { has_written: false },
        Happened::Called { ok, body } => Event::Called { answer: ok.then_some(body), meanwhile: Input::default() },
    };
    let turn = turn::play(flow, &place.config(), &run, &event, &world);
    let call = call(flow, &turn);
    let mut told = told(turn);
    told.effects.extend(call);
    told
}

/// The call that a turn stops for.
fn call(flow: &Flow, turn: &Turn) -> Option<SimulatedEffect> {
    match flow.node(turn.run.node.as_ref()?)? {
        Node::Webhook(webhook) if turn.next == Next::Call => {
            let Webhook { method, url, .. } = webhook;
            Some(SimulatedEffect::Call { method: *method, url: url.clone(), fields: webhook.told(&turn.run.fields) })
        }
        Node::Ai(_) if turn.next == Next::Call => Some(SimulatedEffect::Model {}),
        _ => None,
    }
}

fn world(place: &Place, setting: Setting, now: Timestamp) -> World {
    World {
        conversation_id: setting.conversation_id.unwrap_or_default(),
        client_name: setting.client_name.unwrap_or_else(|| "Maria".to_owned()),
        client_phone: setting.client_phone,
        client_email: setting.client_email,
        tags: setting.tags,
        is_known: setting.is_known,
        channel_kind: setting.channel_kind.unwrap_or_else(|| "whatsapp_cloud".to_owned()),
        ..place.world(setting.at.unwrap_or(now))
    }
}

fn told(turn: Turn) -> Simulated {
    let Turn { says, effects, steps, run, next } = turn;
    let (mut department_id, mut user_id) = (None, None);
    let (next, until) = match next {
        Next::Stay => (SimulatedNext::Stay, None),
        Next::Wait { until } => (SimulatedNext::Wait, until),
        Next::Sleep { until } => (SimulatedNext::Sleep, Some(until)),
        Next::Call => (SimulatedNext::Call, None),
        Next::Handover { department_id: department, user_id: user } => {
            (department_id, user_id) = (department, user);
            (SimulatedNext::Handover, None)
        }
        Next::Close => (SimulatedNext::Close, None),
    };
    let says = says.into_iter().map(|saying| SimulatedSaying {
        kind: saying.kind,
        text: saying.text,
        payload: saying.payload.as_object().cloned().unwrap_or_default(),
        file_id: saying.file_id,
    });
    let effects = effects.into_iter().map(|effect| match effect {
        Effect::Tag { add, remove } => SimulatedEffect::Tag { add, remove },
        Effect::Priority(priority) => SimulatedEffect::Priority { priority },
        Effect::Summary(subject) => SimulatedEffect::Subject { subject },
        Effect::CreateLead { stage_id, origin } => SimulatedEffect::CreateLead { stage_id, origin },
        Effect::MoveLead { stage_id } => SimulatedEffect::MoveLead { stage_id },
        Effect::Save { save_as, value } => SimulatedEffect::Client { field: save_as, value },
    });
    Simulated {
        says: says.collect(),
        effects: effects.collect(),
        trace: steps.into_iter().map(|step| SimulatedStep { node: step.node, outcome: step.outcome }).collect(),
        run: SimulatedRun { node: run.node, fields: run.fields, turns: run.turns, misses: run.misses },
        next,
        until,
        department_id,
        user_id,
    }
}
