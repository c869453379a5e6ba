//! PUT /leads/{id}/qualification — what is known of budget, authority, need and time, each with who says so; what is not given stays.

use futures_util::future::try_join;
use jiff::civil::Date;
use leads::{HOLD_LEADS, LEAD, Lead};
use scores::{AuthorityLevel, NeedLevel, rescored};
use shared::{
    error::{NOT_FOUND, STALE},
    money::Money,
    prelude::*,
};
use team::given::{Given, at_most};

const ROUTE: Route = Route::put("/leads/{id}/qualification").fails(&[NOT_FOUND, STALE.showing::<Lead>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QualificationChanges {
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    budget_confirmed: Given<bool>,
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Money>")]
    budget_amount: Given<Money>,
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<AuthorityLevel>")]
    authority_level: Given<AuthorityLevel>,
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<NeedLevel>")]
    need_level: Given<NeedLevel>,
    /// The day by which they decide.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    decides_by: Given<Date>,
    /// Who or what says so, of all that is given; the caller where nothing is said.
    #[garde(custom(at_most(200)))]
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = 200))]
    source: Given<String>,
}

const SAVE: &str = "
    update leads
       set budget_confirmed = $2, budget_amount = $3::text::numeric, authority_level = $4, need_level = $5, decides_by = $6,
           qualification = qualification || $7, version = version + 1, updated_at = now()
     where id = $1";

pub fn main() {
    serve(&ROUTE, save_lead_qualification);
}

async fn save_lead_qualification(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<QualificationChanges>,
) -> Result<Json<Lead>, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let (_, current): (_, Lead) =
        try_join(transaction.query(HOLD_LEADS, &[&ids.as_slice()]), transaction.one(LEAD, &[&id])).await?;
    if_match.check(&current)?;
    let before = current.qualification.clone();
    let source = input.source.set().cloned();
    let mut after = before.clone();
    after.budget_confirmed = input.budget_confirmed.after(after.budget_confirmed);
    after.budget_amount = input.budget_amount.after(after.budget_amount);
    after.authority_level = input.authority_level.after(after.authority_level);
    after.need_level = input.need_level.after(after.need_level);
    after.decides_by = input.decides_by.after(after.decides_by);
    if after == before {
        return transaction.commit(Json(current)).await;
    }
    let changed = [
        ("budget_confirmed", after.budget_confirmed != before.budget_confirmed),
        ("budget_amount", after.budget_amount != before.budget_amount),
        ("authority_level", after.authority_level != before.authority_level),
        ("need_level", after.need_level != before.need_level),
        ("decides_by", after.decides_by != before.decides_by),
    ];
    let said = json!({"by_id": caller.user_id, "at": context.now(), "source": source});
    let sources: Map<String, Value> =
        changed.into_iter().filter(|(_, is_changed)| *is_changed).map(|(field, _)| (field.to_owned(), said.clone())).collect();
    let amount = after.budget_amount.map(|amount| amount.to_string());
    let authority = after.authority_level.map(AuthorityLevel::as_str);
    let need = after.need_level.map(NeedLevel::as_str);
    let sources = Value::Object(sources);
    let (_, lead): (_, Lead) = try_join(
        transaction.execute(SAVE, &[&id, &after.budget_confirmed, &amount, &authority, &need, &after.decides_by, &sources]),
        rescored(&transaction, &ids, context.now(), transaction.one(LEAD, &[&id])),
    )
    .await?;
    lead.tell_changed(&transaction, caller.company_id, &current);
    transaction.audit(id, &current, &lead);
    transaction.commit(Json(lead)).await
}
