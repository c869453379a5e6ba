//! PUT /quick-replies/{id} — another shortcut, title, text or other files; what is not given stays. Whose it is stays too.

use quick_replies::{
    LOCKED, QuickReply, QuickReplyUpdated, SHORTCUT, SHORTCUT_TAKEN, SUPERVISORS_ONLY, WITH_SHORTCUT, check_files, is_shortcut,
    quick_reply_columns, without_slash,
};
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    files::QUARANTINED,
    prelude::*,
    visible,
};

const ROUTE: Route = Route::put("/quick-replies/{id}").or(&["PATCH /quick-replies/{id}"]).fails(&[
    NOT_FOUND,
    QUARANTINED,
    SHORTCUT_TAKEN,
    STALE.showing::<QuickReply>(),
    SUPERVISORS_ONLY,
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QuickReplyChanges {
    /// With or without the slash.
    #[garde(inner(custom(is_shortcut)))]
    #[schemars(regex(pattern = SHORTCUT))]
    shortcut: Option<String>,
    #[garde(length(chars, min = 1, max = 80), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    title: Option<String>,
    #[garde(length(chars, min = 1, max = 4096))]
    text: Option<String>,
    /// All of them, in this order: those it has, or own uploads of the purpose `message`.
    #[garde(length(max = 5), inner(custom(|files: &Vec<Uuid>, context| shared::each_file_once(files, context))))]
    #[schemars(extend("uniqueItems" = true))]
    file_ids: Option<Vec<Uuid>>,
}

/// No row when it stays as it is, or another one of the same scope has the shortcut.
const UPDATE: &str = concat!(
    "with updated as (
        update quick_replies
           set shortcut = coalesce($2, shortcut), title = coalesce($3, title), text = coalesce($4, text), file_ids = coalesce($5, file_ids),
               version = version + 1, updated_at = now()
         where id = $1
           and (shortcut, title, text, file_ids) is distinct from
               (coalesce($2, shortcut), coalesce($3, title), coalesce($4, text), coalesce($5, file_ids))
           and not exists (
               select from quick_replies other
                where other.id <> $1 and other.shortcut = $2
                  and (other.owner_id, other.department_id) is not distinct from
                      (quick_replies.owner_id, quick_replies.department_id))
        returning *
    ) select ",
    quick_reply_columns!(),
    " from updated as quick_replies"
);

pub fn main() {
    serve(&ROUTE, update_quick_reply);
}

async fn update_quick_reply(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<QuickReplyChanges>,
) -> Result<Json<QuickReply>, Error> {
    let QuickReplyChanges { shortcut, title, text, file_ids } = &input;
    let shortcut = shortcut.as_deref().map(without_slash);
    let transaction = context.begin(&agent).await?;
    let current: QuickReply = transaction.one(LOCKED, &[&id]).await?;
    if !current.may_be_changed_by(&agent) {
        return Err(SUPERVISORS_ONLY.into());
    }
    if_match.check(&current)?;
    let is_new = |file: &&Uuid| current.files.0.iter().all(|known| known.id != **file);
    let added: Vec<Uuid> = file_ids.iter().flatten().filter(is_new).copied().collect();
    check_files(&transaction, &added).await?;
    let updated = transaction.first(UPDATE, &[&id, &shortcut, title, text, file_ids]).await;
    let Some(reply): Option<QuickReply> = updated.on_constraint("quick_replies_shortcut_key", SHORTCUT_TAKEN)? else {
        let namesake: Option<QuickReply> =
            transaction.first(WITH_SHORTCUT, &[&current.scope.as_str(), &current.department_id, &shortcut]).await?;
        return match namesake {
            Some(other) if other.id != id => Err(SHORTCUT_TAKEN.with_current(&other)),
            _ => transaction.commit(Json(current)).await,
        };
    };
    reply.tell(&transaction, &agent, &QuickReplyUpdated { quick_reply: reply.clone() });
    transaction.audit(id, &current, &reply);
    transaction.commit(Json(reply)).await
}
