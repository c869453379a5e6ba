//! POST /leads/{id}/move — puts a lead into a stage, between two cards of it or on top.

use futures_util::future::{try_join, try_join4};
use leads::{
    Closing, HOLD_LEADS, HOLD_STAGES, LEAD, Lead, MISSING_FIELDS, NEIGHBOURS_MOVED, NO_SUCH_STAGE, STAGE, Stage, enter, missing_fields,
};
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    money::Money,
    prelude::*,
    visible,
};

const ROUTE: Route = Route::post("/leads/{id}/move").fails(&[
    NOT_FOUND,
    MISSING_FIELDS,
    NEIGHBOURS_MOVED,
    NO_SUCH_STAGE,
    STALE.showing::<Lead>(),
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    /// Where it goes: a stage of any pipeline in use, also the one it is in.
    #[garde(skip)]
    stage_id: Uuid,
    /// Where the caller saw it last: 409 with the card as it is when it is elsewhere.
    #[garde(skip)]
    expected_stage_id: Option<Uuid>,
    /// The version that the caller saw, as with `If-Match`.
    #[garde(range(min = 1))]
    version: Option<i32>,
    /// The card above; where it has left the stage, the one below counts. Neither: on top.
    #[garde(skip)]
    after_id: Option<Uuid>,
    /// The card below.
    #[garde(skip)]
    before_id: Option<Uuid>,
    /// Why, at an end.
    #[garde(length(chars, min = 1, max = 500), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    reason: Option<String>,
    /// What it was won for.
    #[garde(skip)]
    value: Option<Money>,
}

pub fn main() {
    serve(&ROUTE, move_lead);
}

async fn move_lead(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<Move>,
) -> Result<Json<Lead>, Error> {
    let Move { stage_id, expected_stage_id, version, after_id, before_id, reason, value } = input;
    let transaction = context.begin(&caller).await?;
    let (ids, stages) = ([id], [stage_id]);
    let (_, _, current, stage): (_, _, Lead, Option<Stage>) = try_join4(
        transaction.query(HOLD_STAGES, &[&stages.as_slice()]),
        transaction.query(HOLD_LEADS, &[&ids.as_slice()]),
        transaction.one(LEAD, &[&id]),
        transaction.first(STAGE, &[&stage_id]),
    )
    .await?;
    if current.deleted_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    if_match.check(&current)?;
    let is_elsewhere = expected_stage_id.is_some_and(|expected| expected != current.stage_id());
    if is_elsewhere || version.is_some_and(|version| version != current.version) {
        return Err(STALE.with_current(&current));
    }
    let stage = stage.ok_or(NO_SUCH_STAGE)?;
    let closing = Closing { reason, value };
    if stage.id != current.stage_id() {
        let missing = missing_fields(&stage, &current, &closing);
        if !missing.is_empty() {
            return Err(MISSING_FIELDS.in_fields(missing));
        }
    }
    let entering = enter(&transaction, caller.company_id, &current, &stage, (after_id, before_id), &closing);
    let (is_placed, lead): (_, Lead) = try_join(entering, transaction.one(LEAD, &[&id])).await?;
    if !is_placed {
        return Err(NEIGHBOURS_MOVED.with_current(&current));
    }
    if lead.version != current.version {
        lead.tell_changed(&transaction, caller.company_id, &current);
        transaction.audit(id, &current, &lead);
    }
    transaction.commit(Json(lead)).await
}
