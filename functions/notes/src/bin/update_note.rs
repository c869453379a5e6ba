//! PUT /notes/{id} — another text, other mentions, pinned or not; what is not given stays. The text before is kept.

use futures_util::future::try_join;
use notes::{
    HOLD_PLACE, LOCKED_NOTE, NOT_AUTHOR, Note, NoteUpdated, PlacedNote, WrittenNote, mentioned, note_columns, note_joins,
};
use shared::{
    error::{NOT_FOUND, STALE},
    prelude::*,
};

const ROUTE: Route =
    Route::put("/notes/{id}").or(&["PATCH /notes/{id}"]).fails(&[NOT_FOUND, NOT_AUTHOR, STALE.showing::<Note>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoteChanges {
    #[garde(length(chars, min = 1, max = 10_000))]
    text: Option<String>,
    /// Those who were not mentioned before are told.
    #[garde(length(max = 20))]
    mention_ids: Option<Vec<Uuid>>,
    #[garde(skip)]
    is_pinned: Option<bool>,
}

/// No row when it stays as it is.
const UPDATE: &str = concat!(
    "with kept as (
        insert into note_revisions (note_id, version, text)
        select id, version, text from notes where id = $1 and text <> $2
    ), updated as (
        update notes
           set text = coalesce($2, text), mention_ids = coalesce($3, mention_ids), is_pinned = coalesce($4, is_pinned),
               version = version + 1, updated_at = now()
         where id = $1
           and (text, mention_ids, is_pinned) is distinct from
               (coalesce($2, text), coalesce($3, mention_ids), coalesce($4, is_pinned))
        returning *
    ) select ",
    note_columns!(),
    " from updated as notes ",
    note_joins!()
);

pub fn main() {
    serve(&ROUTE, update_note);
}

async fn update_note(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<NoteChanges>,
) -> Result<Json<WrittenNote>, Error> {
    let NoteChanges { text, mut mention_ids, is_pinned } = input;
    if let Some(mentions) = &mut mention_ids {
        mentions.sort_unstable();
        mentions.dedup();
    }
    let transaction = context.begin(&agent).await?;
    let (_, current): (_, PlacedNote) =
        try_join(transaction.query(HOLD_PLACE, &[&id]), transaction.one(LOCKED_NOTE, &[&id])).await?;
    if !current.may_be_changed_by(&agent) {
        return Err(NOT_AUTHOR.into());
    }
    if_match.check(&current.note)?;
    let mut new = mention_ids.clone().unwrap_or_default();
    new.retain(|person| !current.note.mention_ids.contains(person));
    let mentioned = mentioned(&transaction, &new, current.note.conversation_id).await?;
    let updated: Option<PlacedNote> = transaction.first(UPDATE, &[&id, &text, &mention_ids, &is_pinned]).await?;
    let Some(placed) = updated else {
        return transaction.commit(Json(WrittenNote { note: current.note, not_told_ids: Vec::new() })).await;
    };
    placed.tell(&transaction, agent.company_id, &NoteUpdated { note: placed.note.clone() });
    transaction.audit(id, &current.note, &placed.note);
    let written = placed.tell_mentioned(&transaction, &mentioned);
    transaction.commit(Json(written)).await
}
