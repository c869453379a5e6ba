//! PUT /scheduled-messages/{id} — other words, another message or another time for one that is not sent yet; what is not given stays.

use conversations::{
    CAPTION_TOO_LONG, FILE_NOT_READY, LONGEST_CAPTION, LockedSchedule, MessageKind, MessageToSend, NOT_AUTHOR, NOT_WAITING,
    Planned, ScheduledMessage, ScheduledState, enqueue_scheduled, lock_scheduled, scheduled_columns, tell_scheduled,
};
use shared::{
    error::{FieldProblem, NOT_FOUND, STALE, refuse},
    files::QUARANTINED,
    prelude::*,
};

const ROUTE: Route = Route::put("/scheduled-messages/{id}").or(&["PATCH /scheduled-messages/{id}"]).fails(&[
    FILE_NOT_READY,
    NOT_AUTHOR,
    NOT_FOUND,
    NOT_WAITING,
    QUARANTINED,
    STALE.showing::<ScheduledMessage>(),
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = words_or_message)]
struct ScheduleChanges {
    /// Other words for the same message; a template has none of its own, and a caption at most 1,024 characters.
    #[garde(length(chars, min = 1, max = 4096))]
    body: Option<String>,
    /// Another message in its place, of any kind.
    #[garde(dive, custom(no_words_beside(&self.body)))]
    message: Option<MessageToSend>,
    /// To come, within a year.
    #[garde(skip)]
    due_at: Option<Timestamp>,
}

fn no_words_beside(body: &Option<String>) -> impl FnOnce(&Option<MessageToSend>, &()) -> garde::Result {
    move |message, ()| {
        if message.is_none() || body.is_none() {
            return Ok(());
        }
        Err(shared::rule("not_together", "Informe `body` ou `message`, não os dois.", "Give `body` or `message`, not both."))
    }
}

/// As `no_words_beside` says it, for the description.
fn words_or_message(schema: &mut schemars::Schema) {
    let without = |field: &str| json!({"type": "object", "properties": {field: {"type": "null"}}});
    schema.insert("anyOf".into(), json!([without("body"), without("message")]));
}

/// No row when it stays as it is.
const UPDATE: &str = concat!(
    "with scheduled_messages as (
        update scheduled_messages
           set body = coalesce($2, body), due_at = coalesce($3, due_at), version = version + 1
         where id = $1 and state = 'waiting' and (body, due_at) is distinct from (coalesce($2, body), coalesce($3, due_at))
        returning *
    ) select ",
    scheduled_columns!(),
    " from scheduled_messages"
);

/// As `UPDATE`, with another message.
const REPLACE: &str = concat!(
    "with scheduled_messages as (
        update scheduled_messages
           set due_at = coalesce($2, due_at), kind = $3, body = $4, payload = $5, file_id = $6, asked = $7, version = version + 1
         where id = $1 and state = 'waiting'
           and (due_at, kind, body, payload, file_id, asked) is distinct from (coalesce($2, due_at), $3, $4, $5, $6, $7)
        returning *
    ) select ",
    scheduled_columns!(),
    " from scheduled_messages"
);

pub fn main() {
    serve(&ROUTE, update_scheduled_message);
}

async fn update_scheduled_message(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<ScheduleChanges>,
) -> Result<Json<ScheduledMessage>, Error> {
    let ScheduleChanges { body, message, due_at } = input;
    let transaction = context.begin(&agent).await?;
    let LockedSchedule { held, scheduled: current } = lock_scheduled(&transaction, id).await?;
    if !current.is_in_reach_of(&agent) {
        return Err(NOT_AUTHOR.into());
    }
    if_match.check(&current)?;
    if current.state != ScheduledState::Waiting {
        return Err(NOT_WAITING.with_current(&current));
    }
    let new_time = due_at.filter(|due_at| *due_at != current.due_at);
    let problems = [
        new_time.and_then(|due_at| shared::time_to_come("due_at", context.now(), due_at)),
        wrong_words(&current, body.as_deref()),
    ];
    refuse(problems.into_iter().flatten())?;
    let changed: Option<ScheduledMessage> = match message {
        None => transaction.first(UPDATE, &[&id, &body, &due_at]).await?,
        Some(message) => {
            let Planned { content, asked } = Planned::judge(&transaction, held.id, &message).await?;
            let kind = content.kind.as_str();
            transaction.first(REPLACE, &[&id, &due_at, &kind, &content.body, &content.payload, &content.file_id, &asked]).await?
        }
    };
    let Some(scheduled) = changed else {
        return transaction.commit(Json(current)).await;
    };
    enqueue_scheduled(&context, &transaction, id);
    tell_scheduled(&transaction, &held, &scheduled);
    transaction.audit(id, &json!({"due_at": current.due_at}), &json!({"due_at": scheduled.due_at}));
    transaction.commit(Json(scheduled)).await
}

/// What speaks against other words for this message.
fn wrong_words(current: &ScheduledMessage, body: Option<&str>) -> Option<FieldProblem> {
    let body = body?;
    match current.kind {
        MessageKind::Template => {
            Some(FieldProblem::new("body", "of_template", "O texto é o do modelo.", "The words are the template's."))
        }
        MessageKind::Image | MessageKind::Video | MessageKind::Document | MessageKind::Interactive
            if body.chars().count() > LONGEST_CAPTION =>
        {
            let [code, portuguese, english] = CAPTION_TOO_LONG;
            Some(FieldProblem::new("body", code, portuguese, english))
        }
        _ => None,
    }
}
