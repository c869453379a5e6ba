//! GET /quick-replies — those that the caller may use, by shortcut; of one shortcut the one that it means comes first.

use conversations::Variables;
use futures_util::future::join;
use quick_replies::{QuickReply, QuickReplyScope, SHORTCUT, is_shortcut, quick_reply_columns, without_slash};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/quick-replies").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// Where it is to be said: the texts are answered as they would be said there, and its department's go before other departments'.
    #[garde(skip)]
    conversation_id: Option<Uuid>,
    /// Just these, with or without the slash.
    #[garde(inner(custom(is_shortcut)))]
    #[schemars(regex(pattern = SHORTCUT))]
    shortcut: Option<String>,
    /// A part of the shortcut, the title or the text, whatever the accents.
    #[garde(length(chars, max = 100))]
    search: Option<String>,
    #[garde(skip)]
    scope: Option<QuickReplyScope>,
    #[serde(default = "most")]
    #[garde(range(min = 1, max = 500))]
    limit: u32,
}

fn most() -> u32 {
    500
}

/// A quick reply as the caller may use it.
#[derive(Serialize, JsonSchema, FromRow)]
struct UsableReply {
    #[serde(flatten)]
    #[from_row(flatten)]
    quick_reply: QuickReply,
    /// Whether the shortcut means this one; another of the same shortcut goes before it otherwise.
    is_first: bool,
    /// The text as it would be said in the conversation asked for; null without one.
    rendered: Option<String>,
}

const LIST: &str = concat!(
    "select ",
    quick_reply_columns!(),
    ", place = 1 as is_first, null::text as rendered
      from (select ranked.*,
                   row_number() over (
                       partition by shortcut
                       order by owner_id is null, department_id is null,
                                department_id is distinct from (select department_id from conversations where id = $1), created_at, id)
                       as place
              from quick_replies ranked) quick_replies
     where ($2::text is null or shortcut = $2)
       and ($3::text is null
            or $3 = case when owner_id is not null then 'personal' when department_id is not null then 'department' else 'company' end)
       and ($4::text is null
            or app.spaced($4) <> ''
               and concat_ws(E'\n', app.searchable(shortcut), app.searchable(title), app.searchable(text)) like '%' || app.spaced($4) || '%')
     order by shortcut, place
     limit $5"
);

const VARIABLES: &str = "
    select clients.name as client_name, users.name as agent_name, conversations.protocol
      from conversations
      join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
      join users on users.id = app.user_id()
     where conversations.id = $1";

pub fn main() {
    serve(&ROUTE, list_quick_replies);
}

async fn list_quick_replies(context: Context, agent: Staff, Query(asked): Query<Filters>) -> Result<Page<UsableReply>, Error> {
    let Filters { conversation_id, search, .. } = &asked;
    let shortcut = asked.shortcut.as_deref().map(without_slash);
    let search = search.as_ref().filter(|words| !words.trim().is_empty());
    let (scope, limit) = (asked.scope.map(QuickReplyScope::as_str), i64::from(asked.limit));
    let transaction = context.begin(&agent).await?;
    let (variables, replies) = join(
        transaction.first::<Variables>(VARIABLES, &[conversation_id]),
        transaction.all::<UsableReply>(LIST, &[conversation_id, &shortcut, &scope, &search, &limit]),
    )
    .await;
    let (variables, mut replies) = (variables?, replies?);
    match variables {
        Some(variables) => {
            for reply in &mut replies {
                reply.rendered = Some(variables.render(&reply.quick_reply.text));
            }
        }
        None if conversation_id.is_some() => return Err(NOT_FOUND.into()),
        None => {}
    }
    Ok(Page::whole(replies))
}
