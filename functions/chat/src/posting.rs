//! Posting a message: what may be said where, judged once for whoever posts now or later.

use channels::{ARCHIVED, NOT_MANAGER, NOT_MEMBER, tell_channel};
use futures_util::future::join;
use shared::{
    each_file_once,
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
};

use crate::{
    CardReference, ChatMessage, ChatMessageCreated, Mentions, chat_message_columns, chat_message_joins, judge_mentions, shown,
};

pub const LONGEST: usize = 8000;

/// What is to be said in a channel.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChatMessage {
    /// The sender's own name for it: posted again, it is the same message.
    #[garde(length(chars, min = 1, max = 100))]
    pub client_message_id: Option<String>,
    /// Markdown, kept as it is. It may be empty beside files, cards or what is forwarded.
    #[garde(length(chars, max = LONGEST))]
    pub body: String,
    #[garde(dive)]
    #[serde(default)]
    pub mentions: Mentions,
    /// Many people may be told: see `many_mentioned`.
    #[garde(skip)]
    #[serde(default)]
    pub confirmed: bool,
    /// Own uploads.
    #[garde(length(max = 10), custom(each_file_once))]
    #[serde(default)]
    pub file_ids: Vec<Uuid>,
    #[garde(length(max = 5), dive)]
    #[serde(default)]
    pub cards: Vec<CardReference>,
    /// An answer in the thread about this message of the channel.
    #[garde(skip)]
    pub root_id: Option<Uuid>,
    /// Of an answer in a thread: it is shown in the channel too.
    #[garde(skip)]
    #[serde(default)]
    pub is_in_channel: bool,
    /// What it answers, a message of the channel.
    #[garde(skip)]
    pub quote_id: Option<Uuid>,
    /// A message that the sender reads, of any channel, whose words and files go along.
    #[garde(skip)]
    pub forward_id: Option<Uuid>,
}

/// A message that was posted, for whoever posted it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PostedChatMessage {
    #[serde(flatten)]
    pub message: ChatMessage,
    /// Who is mentioned by name and is not told, because they are not in the channel.
    pub not_told_ids: Vec<Uuid>,
}

/// What is known of the place: nothing of a channel that the author does not find.
const PLACE: &str = "
    select channels.archived_at is not null as is_archived, channels.is_announcement,
           exists (select from channel_members members
                    where members.company_id = channels.company_id and members.channel_id = channels.id
                      and members.user_id = app.user_id()) as is_member,
           app.manages_channel(channels.id) as manages,
           $2::uuid is null or exists (select from chat_messages
                                        where id = $2 and channel_id = channels.id and root_id is null and deleted_at is null) as has_root,
           $3::uuid is null or exists (select from chat_messages
                                        where id = $3 and channel_id = channels.id and deleted_at is null) as has_quote,
           (select count(*) from files
             where id = any ($5) and uploaded_by = app.user_id() and status = 'ready' and purpose = 'message') as own_files,
           source.body as forwarded_body, source.file_ids as forwarded_files,
           coalesce(source.forwarded_author_id, source.author_id) as forwarded_author_id
      from channels
      left join chat_messages source on source.id = $4 and source.deleted_at is null
     where channels.id = $1";

#[derive(FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
struct Place {
    is_archived: bool,
    is_announcement: bool,
    is_member: bool,
    manages: bool,
    has_root: bool,
    has_quote: bool,
    own_files: i64,
    forwarded_body: Option<String>,
    forwarded_files: Option<Vec<Uuid>>,
    forwarded_author_id: Option<Uuid>,
}

/// What is stored of a message.
#[derive(Debug)]
pub struct Judged {
    body: String,
    file_ids: Vec<Uuid>,
    forwarded_author_id: Option<Uuid>,
    not_told_ids: Vec<Uuid>,
}

impl Judged {
    /// Of what was judged when it was planned.
    #[must_use]
    pub fn as_planned(wanted: &NewChatMessage) -> Self {
        let NewChatMessage { body, file_ids, .. } = wanted.clone();
        Self { body, file_ids, forwarded_author_id: None, not_told_ids: Vec::new() }
    }
}

/// Judges what its author, who is the caller, wants to say in a channel.
///
/// # Errors
/// 404, 403, 409 or 422: why it is not said.
pub async fn judge(transaction: &Transaction, channel_id: Uuid, wanted: &NewChatMessage) -> Result<Judged, Error> {
    let NewChatMessage { body, mentions, confirmed, file_ids, cards, root_id, is_in_channel, quote_id, forward_id, .. } = wanted;
    let (place, not_told_ids) = join(
        transaction.one::<Place>(PLACE, &[&channel_id, root_id, quote_id, forward_id, file_ids]),
        judge_mentions(transaction, channel_id, mentions, *confirmed),
    )
    .await;
    let place = place?;
    if !place.is_member {
        return Err(NOT_MEMBER.into());
    }
    if place.is_archived {
        return Err(ARCHIVED.into());
    }
    if place.is_announcement && !place.manages && (root_id.is_none() || *is_in_channel) {
        return Err(NOT_MANAGER.into());
    }
    let shown_cards = shown(transaction, cards).await?;
    let (body, files) = match &place.forwarded_body {
        Some(words) if body.is_empty() => (words.clone(), place.forwarded_files.clone().unwrap_or_default()),
        Some(words) => (format!("{body}\n\n{words}"), place.forwarded_files.clone().unwrap_or_default()),
        None => (body.clone(), Vec::new()),
    };
    let file_ids = [file_ids.as_slice(), &files].concat();
    let not_found = |field: &str, portuguese, english| FieldProblem::new(field, "not_found", portuguese, english);
    let mut problems = Vec::new();
    if !place.has_root {
        problems.push(not_found("root_id", "Mensagem não encontrada neste canal.", "No such message in this channel."));
    }
    if !place.has_quote {
        problems.push(not_found("quote_id", "Mensagem não encontrada neste canal.", "No such message in this channel."));
    }
    if forward_id.is_some() && place.forwarded_body.is_none() {
        problems.push(not_found("forward_id", "Mensagem não encontrada.", "No such message."));
    }
    if usize::try_from(place.own_files).unwrap_or_default() < wanted.file_ids.len() {
        problems.push(FieldProblem::new("file_ids", "unknown_file", "Arquivo não encontrado.", "File not found."));
    }
    let unseen = shown_cards.iter().enumerate().filter(|(_, card)| !card.is_visible);
    problems.extend(unseen.map(|(position, _)| {
        not_found(&format!("cards[{position}].id"), "Não encontrado, ou fora da sua vista.", "Not found, or out of your sight.")
    }));
    if body.trim().is_empty() && file_ids.is_empty() && cards.is_empty() {
        problems.push(FieldProblem::new(
            "body",
            "required",
            "Escreva algo, ou anexe um arquivo ou cartão.",
            "Write something, or add a file or a card.",
        ));
    }
    if body.chars().count() > LONGEST || file_ids.len() > 10 {
        problems.push(FieldProblem::new("body", "too_long", "É demais para uma mensagem.", "This is too much for one message."));
    }
    refuse(problems)?;
    Ok(Judged { body, file_ids, forwarded_author_id: place.forwarded_author_id, not_told_ids: not_told_ids? })
}

/// Nothing where it is there already by its `client_message_id`. A trigger gives it its place, under the channel's row.
const POST: &str = "
    insert into chat_messages (id, channel_id, author_id, root_id, is_in_channel, client_message_id, body, mentions, quote_id,
                               forwarded_from_id, forwarded_author_id, cards, file_ids)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const POSTED: &str = concat!(
    "select ",
    chat_message_columns!(),
    " from chat_messages messages ",
    chat_message_joins!(),
    " where messages.id = $1
        or messages.company_id = app.company_id() and messages.author_id = $2 and messages.channel_id = $3
           and messages.client_message_id = $4
      limit 1"
);

/// Posts what was judged, and tells the channel. Answers the message that was there before as such.
///
/// # Errors
/// 409 in a channel that was archived meanwhile; those of the database.
pub async fn post(
    context: &Context,
    transaction: &Transaction,
    author: &Identity,
    channel_id: Uuid,
    wanted: &NewChatMessage,
    judged: Judged,
) -> Result<Made<PostedChatMessage>, Error> {
    let Judged { body, file_ids, forwarded_author_id, not_told_ids } = judged;
    let NewChatMessage { client_message_id, mentions, cards, root_id, is_in_channel, quote_id, forward_id, .. } = wanted;
    let (id, is_in_channel) = (context.new_id(), *is_in_channel || root_id.is_none());
    let (mentions, cards) = (json!(mentions.clone().sorted()), json!(cards));
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 13] = [
        &id,
        &channel_id,
        &author.user_id,
        root_id,
        &is_in_channel,
        client_message_id,
        &body,
        &mentions,
        quote_id,
        forward_id,
        &forwarded_author_id,
        &cards,
        &file_ids,
    ];
    let (stored, message) = join(
        transaction.execute(POST, &values),
        transaction.one::<ChatMessage>(POSTED, &[&id, &author.user_id, &channel_id, client_message_id]),
    )
    .await;
    let stored = stored.on_constraint("chat_messages_archived", ARCHIVED).on_constraint("chat_messages_root", NOT_FOUND)?;
    let posted = PostedChatMessage { message: message?, not_told_ids };
    if stored == 0 {
        return Ok(Made::Before(posted));
    }
    tell_channel(transaction, author.company_id, channel_id, &ChatMessageCreated { message: posted.message.clone() });
    Ok(Made::Now(posted))
}
