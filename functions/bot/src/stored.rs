//! Flows in the database: a draft that is being drawn, versions that were published, and what of them is in the world.

use shared::{closed_set, error::Language, http::PathParameters, prelude::*};
use tokio_postgres::types::Json as Jsonb;

use crate::{
    flow::problems::{self, BotFlowProblem},
    references,
};

pub const NOTHING_TO_PUBLISH: Problem = Problem::new(
    409,
    "nothing_to_publish",
    "Este fluxo não tem nada novo para publicar.",
    "This flow has nothing new to publish.",
);
pub const FLOW_HAS_PROBLEMS: Problem = Problem::new(
    409,
    "flow_has_problems",
    "O fluxo tem problemas que precisam ser resolvidos antes de publicar.",
    "The flow has problems that are to be solved before it is published.",
)
.showing::<BotFlow>();
pub const FLOW_CHANGED: Problem =
    Problem::new(409, "flow_changed", "Este fluxo mudou enquanto isso.", "This flow has changed meanwhile.").showing::<BotFlow>();
pub const FLOW_IN_USE: Problem = Problem::new(
    409,
    "flow_in_use",
    "Há canais que usam este fluxo. Escolha outro para eles primeiro.",
    "Channels use this flow. Choose another one for them first.",
)
.showing::<BotFlow>();

/// What a flow's key may be.
pub const KEY: &str = "^[a-z][a-z0-9_-]{0,79}$";

/// A flow's key in a path: what cannot be one is not found.
pub struct FlowKey(pub String);

impl PathParameters for FlowKey {
    fn parse(values: &[&str]) -> Option<Self> {
        values.first().filter(|key| is_key(key)).map(|key| Self((*key).to_owned()))
    }

    fn schemas() -> Vec<schemars::Schema> {
        vec![schemars::json_schema!({"type": "string", "pattern": KEY})]
    }
}

/// The rule of keys.
#[must_use]
pub fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(byte);
    (1..=80).contains(&bytes.len()) && bytes[0].is_ascii_lowercase() && bytes.iter().all(is_inner)
}

/// The largest definition, in bytes.
pub const LARGEST: usize = 262_144;

/// A channel that begins with a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BotFlowChannel {
    pub id: Uuid,
    pub name: String,
}

/// Channels by their names.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct BotFlowChannels(Vec<BotFlowChannel>);

impl From<Jsonb<Vec<BotFlowChannel>>> for BotFlowChannels {
    fn from(Jsonb(channels): Jsonb<Vec<BotFlowChannel>>) -> Self {
        Self(channels)
    }
}

impl BotFlowChannels {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A flow as lists have it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct BotFlowRow {
    pub key: String,
    pub name: String,
    /// Something was drawn that is not published.
    pub has_draft: bool,
    /// The version that conversations begin with; null of what was never published.
    pub published_number: Option<i32>,
    pub published_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    pub version: i32,
    /// Channels that begin with it.
    #[from_row(from = "Jsonb<Vec<BotFlowChannel>>")]
    pub channels: BotFlowChannels,
}

/// A flow: its draft, or without one what is published.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BotFlow {
    #[serde(flatten)]
    pub row: BotFlowRow,
    /// Nodes and what holds them together; `docs/bot.md` says what there is.
    pub definition: Map<String, Value>,
    /// What keeps it from being published.
    pub problems: Vec<BotFlowProblem>,
}

/// A version that was published.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct BotFlowVersion {
    pub number: i32,
    pub name: String,
    pub published_at: Timestamp,
    pub author_id: Option<Uuid>,
    pub author_name: Option<String>,
    /// The version that this one brought back.
    pub restored_from: Option<i32>,
    /// Conversations that are in it now.
    pub open_conversations: i64,
}

closed_set! {
    /// What became of a flow.
    #[schemars(rename = "BotFlowChange")]
    pub Change { Saved = "saved", Published = "published", Removed = "removed" }
}

/// A flow was drawn, published or removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BotFlowUpdated {
    pub key: String,
    pub change: Change,
    pub version: i32,
    pub published_number: Option<i32>,
}

event!(BotFlowUpdated = "bot_flow.updated");

/// A flow's rows as one, with these columns of what is drawn or published besides; `$filter` narrows them.
#[macro_export]
macro_rules! flow_rows {
    ($more:literal, $filter:literal) => {
        concat!(
            "select live.key, live.name, live.number = 0 as has_draft, published.number as published_number, published.published_at,
                    live.updated_at, live.version,",
            $more,
            "
                    (select coalesce(jsonb_agg(jsonb_build_object('id', channel.id, 'name', channel.name) order by channel.name, channel.id), '[]')
                       from channel_accounts channel
                       join bot_flows used on used.company_id = channel.company_id and used.id = channel.bot_flow_id
                      where used.key = live.key and channel.removed_at is null) as channels
               from (select distinct on (key) *
                       from bot_flows
                      where removed_at is null and ",
            $filter,
            "
                      order by key, number = 0 desc, number desc) live
               left join lateral (select number, published_at
                                    from bot_flows
                                   where bot_flows.key = live.key and removed_at is null and number > 0
                                   order by number desc limit 1) published on true"
        )
    };
}

/// The flow with a key.
pub const FLOW: &str = flow_rows!(" live.definition,", "key = $1");

/// One that was published, by its number.
pub const VERSION: &str = flow_rows!(" live.definition,", "key = $1 and number = $2");

/// The draft's or the last version's row, which nobody else changes meanwhile.
pub const LOCK: &str = "select from bot_flows where key = $1 and removed_at is null order by number for update";

#[derive(FromRow)]
pub struct Stored {
    #[from_row(flatten)]
    row: BotFlowRow,
    pub definition: Value,
}

impl Stored {
    /// Whether it is the other under another number.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        self.row.name == other.row.name && self.definition == other.definition
    }

    /// As it is told, with what is wrong with it.
    #[must_use]
    pub fn told(self, language: Language) -> BotFlow {
        let found = problems::of(&self.definition).into_iter().map(|problem| problem.told(language)).collect();
        let definition = self.definition.as_object().cloned().unwrap_or_default();
        BotFlow { row: self.row, definition, problems: found }
    }
}

impl Versioned for BotFlow {
    fn version(&self) -> i32 {
        self.row.version
    }
}

impl BotFlow {
    /// With what is wrong in it that only the database knows.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn looked_through(mut self, context: &Context, transaction: &Transaction) -> Result<Self, Error> {
        let definition = Value::Object(self.definition.clone());
        self.problems.extend(references::problems(transaction, &definition, context.origin().language).await?);
        Ok(self)
    }

    /// Tells staff what became of it.
    pub fn tell(&self, transaction: &Transaction, change: Change) {
        let BotFlowRow { key, version, published_number, .. } = &self.row;
        let told = BotFlowUpdated { key: key.clone(), change, version: *version, published_number: *published_number };
        transaction.tell_staff(&told);
    }
}

/// Reads the flow with a key.
///
/// # Errors
/// Those of the database.
pub async fn find(context: &Context, transaction: &Transaction, key: &str) -> Result<Option<BotFlow>, Error> {
    let stored: Option<Stored> = transaction.first(FLOW, &[&key]).await?;
    Ok(stored.map(|stored| stored.told(context.origin().language)))
}
