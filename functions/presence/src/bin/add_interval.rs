//! POST /productivity/intervals — adds a time at which somebody was there, and no connection of theirs said so.

use futures_util::future::try_join4;
use presence::{
    correcting::{Given, HAS_REASON, Said, unknown_reason},
    interval::{IN_THE_WAY, Interval, IntervalState, LOCK_PERSON, OVERLAPPING, name_of_staff, tell_corrected},
    interval_columns, interval_joins,
};
use shared::{
    error::{NOT_FOUND, refuse},
    prelude::*,
    visible,
};

const ROUTE: Route = Route::post("/productivity/intervals").fails(&[NOT_FOUND, OVERLAPPING]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewInterval {
    #[garde(skip)]
    user_id: Uuid,
    /// Counts in whole seconds; within 366 days.
    #[garde(skip)]
    started_at: Timestamp,
    /// After the beginning, and not in the future.
    #[garde(skip)]
    ended_at: Timestamp,
    #[garde(skip)]
    state: IntervalState,
    /// Of a break: one of the company's, `other` without it.
    #[garde(length(chars, min = 1, max = 40))]
    reason: Option<String>,
    /// Why it is added.
    #[garde(length(chars, min = 1, max = 500), custom(visible))]
    #[schemars(regex(pattern = shared::VISIBLE))]
    note: String,
}

const ADD: &str = concat!(
    "with spell as (
        insert into presence_intervals (id, user_id, started_at, ended_at, state, reason, cause, end_cause)
        values ($1, $2, $3, $4, $5, $6, 'corrected', 'corrected')
        returning *
    ), noted as (
        insert into presence_corrections (id, interval_id, user_id, note, before, after) values ($7, $1, $2, $8, null, $9)
    )
    select ",
    interval_columns!(),
    " from spell",
    interval_joins!()
);

pub fn main() {
    serve(&ROUTE, add_interval);
}

async fn add_interval(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<NewInterval>,
) -> Result<Created<Interval>, Error> {
    let NewInterval { user_id, started_at, ended_at, state, reason, note } = input;
    let said = Said { started_at, ended_at, state, reason: None }.with(Given { reason, ..Given::default() });
    refuse(said.problems(context.now()))?;
    let transaction = context.begin(&caller).await?;
    let nobody: Option<Uuid> = None;
    let time: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&user_id, &nobody, &said.started_at, &said.ended_at];
    let (_, _, known, in_the_way) = try_join4(
        transaction.query(LOCK_PERSON, &[&user_id]),
        name_of_staff(&transaction, user_id),
        transaction.query(HAS_REASON, &[&said.reason]),
        transaction.first::<Interval>(IN_THE_WAY, &time),
    )
    .await?;
    refuse(known.is_empty().then(unknown_reason))?;
    if let Some(other) = in_the_way {
        return Err(OVERLAPPING.with_current(&other));
    }
    let (id, correction, state, after) = (context.new_id(), context.new_id(), said.state.as_str(), said.to_json());
    let Said { started_at, ended_at, reason, .. } = &said;
    let added: Interval = transaction
        .one(ADD, &[&id, &user_id, started_at, ended_at, &state, reason, &correction, &note, &after])
        .await
        .on_constraint("presence_intervals_apart", OVERLAPPING)?;
    tell_corrected(&transaction, caller.company_id, &added);
    transaction.audit(id, &Value::Null, &json!({"user_id": user_id, "interval": after, "note": note}));
    transaction.commit(Created(added)).await
}
