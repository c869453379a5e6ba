//! PUT /productivity/intervals/{id} — changes what is given of an interval that has ended; who, why and what it was is kept.

use futures_util::future::try_join;
use presence::{
    correcting::{Given, HAS_REASON, Said, unknown_reason},
    interval::{GOES_ON, IN_THE_WAY, Interval, IntervalState, LOCK_PERSON_OF, LOCKED, OVERLAPPING, tell_corrected},
    interval_columns, interval_joins,
};
use shared::{
    error::{NOT_FOUND, STALE, refuse},
    prelude::*,
    visible,
};

const ROUTE: Route = Route::put("/productivity/intervals/{id}").or(&["PATCH /productivity/intervals/{id}"]).fails(&[
    NOT_FOUND,
    STALE.showing::<Interval>(),
    GOES_ON,
    OVERLAPPING,
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IntervalChanges {
    /// Counts in whole seconds; within 366 days.
    #[garde(skip)]
    started_at: Option<Timestamp>,
    /// After the beginning, and not in the future.
    #[garde(skip)]
    ended_at: Option<Timestamp>,
    #[garde(skip)]
    state: Option<IntervalState>,
    /// Of a break: one of the company's. A state that is no break takes it away.
    #[garde(length(chars, min = 1, max = 40))]
    reason: Option<String>,
    /// Why it is changed.
    #[garde(length(chars, min = 1, max = 500), custom(visible))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    note: String,
}

const CORRECT: &str = concat!(
    "with spell as (
        update presence_intervals
           set started_at = $2, ended_at = $3, state = $4, reason = $5, end_cause = 'corrected', version = version + 1
         where id = $1
        returning *
    ), noted as (
        insert into presence_corrections (id, interval_id, user_id, note, before, after) select $6, id, user_id, $7, $8, $9 from spell
    )
    select ",
    interval_columns!(),
    " from spell",
    interval_joins!()
);

pub fn main() {
    serve(&ROUTE, correct_interval);
}

async fn correct_interval(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<IntervalChanges>,
) -> Result<Json<Interval>, Error> {
    let IntervalChanges { started_at, ended_at, state, reason, note } = input;
    let transaction = context.begin(&caller).await?;
    let (_, current): (_, Interval) =
        try_join(transaction.query(LOCK_PERSON_OF, &[&id]), transaction.one(LOCKED, &[&id])).await?;
    if_match.check(&current)?;
    if current.ended_at.is_none() {
        return Err(GOES_ON.with_current(&current));
    }
    let before = Said::by(&current, context.now());
    let said = before.clone().with(Given { started_at, ended_at, state, reason });
    refuse(said.problems(context.now()))?;
    if said == before {
        return transaction.commit(Json(current)).await;
    }
    let time: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&current.user_id, &id, &said.started_at, &said.ended_at];
    let (known, in_the_way) =
        try_join(transaction.query(HAS_REASON, &[&said.reason]), transaction.first::<Interval>(IN_THE_WAY, &time)).await?;
    refuse((known.is_empty() && said.reason != before.reason).then(unknown_reason))?;
    if let Some(other) = in_the_way {
        return Err(OVERLAPPING.with_current(&other));
    }
    let (correction, state, was, is) = (context.new_id(), said.state.as_str(), before.to_json(), said.to_json());
    let Said { started_at, ended_at, reason, .. } = &said;
    let corrected: Interval = transaction
        .one(CORRECT, &[&id, started_at, ended_at, &state, reason, &correction, &note, &was, &is])
        .await
        .on_constraint("presence_intervals_apart", OVERLAPPING)?;
    tell_corrected(&transaction, caller.company_id, &corrected);
    transaction.audit(id, &was, &json!({"interval": is, "note": note}));
    transaction.commit(Json(corrected)).await
}
