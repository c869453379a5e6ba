//! GET /inbound-webhooks — what providers have sent in the last 30 days, as it was kept, the last first.

use jobs::{
    inbound_webhook_columns, kept_webhook_columns, unrouted_webhook_columns, webhook_channel,
    webhooks::{Filters, InboundWebhook, WebhookState},
};
use shared::prelude::*;
use whatsapp::item::ItemKind;

const ROUTE: Route = Route::get("/inbound-webhooks");

/// The moments at which a day begins and ends where the company is.
macro_rules! on_day {
    () => {
        "($1::date is null
            or (webhooks.received_at >= $1::timestamp at time zone (select time_zone from companies where id = app.company_id())
                and webhooks.received_at < ($1 + 1)::timestamp at time zone (select time_zone from companies where id = app.company_id())))
       and ($2::uuid is null or webhooks.channel_account_id = $2)
       and ($3::text is null or $3 = any (webhooks.kinds))"
    };
}

const WEBHOOKS: TimeList = TimeList {
    rows: concat!(
        "select ",
        kept_webhook_columns!(),
        " from inbound_webhooks webhooks
          where ",
        on_day!(),
        " and case $4::text
                   when 'pending' then webhooks.outcome is null
                   when 'failed' then webhooks.failed_items > 0
                   when 'applied' then webhooks.outcome is not null and webhooks.failed_items = 0
                   else true end"
    ),
    at: "webhooks.received_at",
    id: "webhooks.id",
    shown: concat!("select ", inbound_webhook_columns!(), " from page webhooks", webhook_channel!()),
};

const UNROUTED: TimeList = TimeList {
    rows: concat!("select * from app.unrouted_webhooks() webhooks where ", on_day!()),
    shown: concat!("select ", unrouted_webhook_columns!(), " from page webhooks", webhook_channel!()),
    ..WEBHOOKS
};

pub fn main() {
    serve(&ROUTE, list_inbound_webhooks);
}

async fn list_inbound_webhooks(context: Context, caller: Admin, asked: List<Filters>) -> Result<Page<InboundWebhook>, Error> {
    let transaction = context.begin(&caller).await?;
    let Filters { day, channel_account_id, state, kind } = &asked.filters;
    let kind = kind.map(ItemKind::as_str);
    let rows = match state {
        Some(WebhookState::Unrouted) => transaction.list(&UNROUTED, &asked, &[day, channel_account_id, &kind]).await?,
        state => {
            let state = state.map(WebhookState::as_str);
            transaction.list(&WEBHOOKS, &asked, &[day, channel_account_id, &kind, &state]).await?
        }
    };
    Ok(asked.page(rows, |webhook: &InboundWebhook| (webhook.received_at, webhook.id)))
}
