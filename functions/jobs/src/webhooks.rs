//! Raw webhooks as admins see them.

use jiff::civil::Date;
use shared::{closed_set, prelude::*};
use whatsapp::{item::ItemKind, provider::Provider};

closed_set! {
    /// `pending` while it is yet to be applied. `unrouted`: it came for a number or an account that was nobody's, and is this company's now.
    pub WebhookState { Pending = "pending", Applied = "applied", Failed = "failed", Unrouted = "unrouted" }
}

/// A webhook as it was kept. `failed` means that something in it could not be stored.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct InboundWebhook {
    pub id: Uuid,
    /// Who sent it.
    pub source: Provider,
    pub channel_account_id: Uuid,
    /// Null once the channel is gone.
    pub channel_name: Option<String>,
    pub state: WebhookState,
    /// What it tells of: `message`, `status`, …
    pub kinds: Vec<String>,
    /// How many things it tells; null until it is applied.
    pub items: Option<i32>,
    pub failed_items: i32,
    /// Bytes.
    pub size: i32,
    pub received_at: Timestamp,
    /// The last time.
    pub applied_at: Option<Timestamp>,
}

/// What became of one thing that a webhook tells.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ItemOutcome {
    /// The provider's id.
    pub id: Option<String>,
    /// `stored`, `duplicate`, `held`, `failed`, `told: …`, `ignored: …`.
    pub outcome: String,
    #[serde(default)]
    pub error: Option<String>,
}

#[derive(Debug, Deserialize, Validate, JsonSchema)]
pub struct Filters {
    /// A day in the company's time zone.
    #[garde(skip)]
    pub day: Option<Date>,
    #[garde(skip)]
    pub channel_account_id: Option<Uuid>,
    /// Without it: all but those that are unrouted.
    #[garde(skip)]
    pub state: Option<WebhookState>,
    /// Those that tell something of this kind.
    #[garde(skip)]
    pub kind: Option<ItemKind>,
}

/// Columns of `InboundWebhook`, of a row named `webhooks` with its `size`.
#[macro_export]
macro_rules! inbound_webhook_columns {
    () => {
        "webhooks.id, webhooks.source, webhooks.channel_account_id, channel_accounts.name as channel_name,
         case when webhooks.outcome is null then 'pending' when webhooks.failed_items > 0 then 'failed' else 'applied' end as state,
         webhooks.kinds, jsonb_array_length(webhooks.outcome) as items, webhooks.failed_items, webhooks.size, webhooks.received_at,
         webhooks.applied_at"
    };
}

/// The same of one that is unrouted.
#[macro_export]
macro_rules! unrouted_webhook_columns {
    () => {
        "webhooks.id, webhooks.source, webhooks.channel_account_id, channel_accounts.name as channel_name, 'unrouted' as state,
         webhooks.kinds, null::integer as items, 0 as failed_items, webhooks.size, webhooks.received_at,
         null::timestamptz as applied_at"
    };
}

/// What is left of a row of `inbound_webhooks` for `inbound_webhook_columns`.
#[macro_export]
macro_rules! kept_webhook_columns {
    () => {
        "webhooks.id, webhooks.source, webhooks.channel_account_id, webhooks.kinds, webhooks.outcome, webhooks.failed_items,
         octet_length(webhooks.body) as size, webhooks.received_at, webhooks.applied_at"
    };
}

/// The channel of `webhooks`.
#[macro_export]
macro_rules! webhook_channel {
    () => {
        " left join channel_accounts on channel_accounts.id = webhooks.channel_account_id "
    };
}

/// One that is kept.
pub const WEBHOOK: &str = concat!(
    "select ",
    inbound_webhook_columns!(),
    " from (select ",
    kept_webhook_columns!(),
    " from inbound_webhooks webhooks where webhooks.id = $1) webhooks",
    webhook_channel!()
);
