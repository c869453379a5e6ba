//! GET /channels/{id}/members — who is in a channel, by name.

use channels::{ChannelMember, IS_SEEN};
use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/channels/{id}/members").fails(&[NOT_FOUND]);

const MEMBERS: &str = "
    select users.id as user_id, users.name, members.is_manager, members.joined_at
      from channel_members members
      join memberships on memberships.company_id = members.company_id and memberships.user_id = members.user_id
      join users on users.id = members.user_id
     where members.channel_id = $1 and memberships.status = 'active' and memberships.role <> 'student'
     order by app.look(users.name), users.id";

pub fn main() {
    serve(&ROUTE, list_channel_members);
}

async fn list_channel_members(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Page<ChannelMember>, Error> {
    let transaction = context.begin(&caller).await?;
    let (seen, members) = join(transaction.query(IS_SEEN, &[&id]), transaction.all(MEMBERS, &[&id])).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(Page::whole(members?))
}
