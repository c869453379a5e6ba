//! GET /bot/flows/{key}/versions — what was published under a key, the newest first.

use bot::stored::{BotFlowVersion, FlowKey};
use futures_util::future::try_join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/bot/flows/{key}/versions").fails(&[NOT_FOUND]);

const EXISTS: &str = "select from bot_flows where key = $1 and removed_at is null limit 1";

const VERSIONS: &str = "
    select number, name, published_at, author_id, (select name from users where users.id = author_id) as author_name, restored_from,
           (select count(*) from conversations where conversations.bot_flow_id = bot_flows.id and mode = 'bot' and ended_at is null) as open_conversations
      from bot_flows
     where key = $1 and number > 0 and removed_at is null
     order by number desc
     limit 200";

pub fn main() {
    serve(&ROUTE, list_bot_flow_versions);
}

async fn list_bot_flow_versions(
    context: Context,
    caller: Supervisor,
    Path(FlowKey(key)): Path<FlowKey>,
) -> Result<Page<BotFlowVersion>, Error> {
    let transaction = context.begin(&caller).await?;
    let (versions, flow) =
        try_join(transaction.all::<BotFlowVersion>(VERSIONS, &[&key]), transaction.query(EXISTS, &[&key])).await?;
    if flow.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(Page::whole(versions))
}
