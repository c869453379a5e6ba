//! POST /leads/bulk — does one thing to many leads, each judged by itself.

use std::collections::BTreeMap;

use clients::once_each;
use conversations::{BulkOutcome, describe_only_one, only_one};
use futures_util::future::try_join;
use leads::{BulkChange, Closing, HOLD_LEADS, HOLD_STAGES, IS_STAFF, LEADS, Lead, NO_SUCH_STAGE, STAGE, Stage};
use shared::{
    VISIBLE,
    error::{FieldProblem, NOT_FOUND, refuse},
    has_twice,
    prelude::*,
    rule, visible,
};
use team::given::Given;

const ROUTE: Route = Route::post("/leads/bulk").fails(&[NOT_FOUND, NO_SUCH_STAGE]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = one_action)]
struct ChangeLeads {
    /// Each of them once.
    #[garde(length(min = 1, max = 500), custom(one_of_these(self)))]
    #[schemars(extend("uniqueItems" = true))]
    lead_ids: Vec<Uuid>,
    /// Active staff; null takes the closer away.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Uuid>")]
    closer_id: Given<Uuid>,
    /// Active staff; null takes the SDR away.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Uuid>")]
    sdr_id: Given<Uuid>,
    #[garde(length(min = 1, max = 20), inner(inner(length(chars, min = 1, max = 40), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    add_tags: Option<Vec<String>>,
    #[garde(length(min = 1, max = 20), inner(inner(length(chars, min = 1, max = 40), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    remove_tags: Option<Vec<String>>,
    /// On top of this stage, in the order given.
    #[garde(dive)]
    stage: Option<BulkStage>,
    /// `true`: off the board.
    #[garde(skip)]
    #[schemars(extend("enum" = [true, null]))]
    delete: Option<bool>,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BulkStage {
    #[garde(skip)]
    id: Uuid,
    /// Why, at an end.
    #[garde(length(chars, min = 1, max = 500), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    reason: Option<String>,
}

/// What became of one lead.
#[derive(Serialize, JsonSchema)]
struct ChangedLead {
    lead_id: Uuid,
    /// `unchanged` when it is as wanted already.
    outcome: BulkOutcome,
    /// Why it was refused: the code that the route for one would have answered.
    code: Option<&'static str>,
    detail: Option<&'static str>,
}

/// In the order asked for.
#[derive(Serialize, JsonSchema)]
struct ChangedLeads {
    data: Vec<ChangedLead>,
}

pub fn main() {
    serve(&ROUTE, change_leads);
}

async fn change_leads(context: Context, caller: Staff, Json(input): Json<ChangeLeads>) -> Result<Json<ChangedLeads>, Error> {
    let ids = input.lead_ids.clone();
    let transaction = context.begin(&caller).await?;
    let change = input.change(&transaction).await?;
    let (_, leads): (_, Vec<Lead>) = try_join(transaction.query(HOLD_LEADS, &[&ids]), transaction.all(LEADS, &[&ids])).await?;
    let leads: Vec<Lead> = leads.into_iter().filter(|lead| lead.deleted_at.is_none()).collect();
    // As the route for one.
    if leads.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let judged: BTreeMap<Uuid, Result<bool, Problem>> = leads.iter().map(|lead| (lead.id, change.judge(lead))).collect();
    let changes = |id: &Uuid| judged.get(id) == Some(&Ok(true));
    let changing: Vec<Uuid> = ids.iter().copied().filter(changes).collect();
    if !changing.is_empty() {
        change.apply(&transaction, &changing).await?;
        let after: Vec<Lead> = transaction.all(LEADS, &[&changing]).await?;
        let before: Vec<&Lead> = leads.iter().filter(|lead| changing.contains(&lead.id)).collect();
        change.tell(&transaction, caller.company_id, &before, &after);
        for was in before {
            transaction.audit(was.id, was, &after.iter().find(|lead| lead.id == was.id));
        }
    }
    let language = context.origin().language;
    let became = ids.into_iter().map(|lead_id| {
        let (outcome, problem) = match judged.get(&lead_id).copied().unwrap_or(Err(NOT_FOUND)) {
            Ok(is_changed) => (if is_changed { BulkOutcome::Done } else { BulkOutcome::Unchanged }, None),
            Err(problem) => (BulkOutcome::Refused, Some(problem)),
        };
        let detail = problem.map(|problem| language.pick(problem.portuguese, problem.english));
        ChangedLead { lead_id, outcome, code: problem.map(|problem| problem.code), detail }
    });
    transaction.commit(Json(ChangedLeads { data: became.collect() })).await
}

impl ChangeLeads {
    fn count(&self) -> usize {
        let given = [
            self.closer_id != Given::Kept,
            self.sdr_id != Given::Kept,
            self.add_tags.is_some(),
            self.remove_tags.is_some(),
            self.stage.is_some(),
            self.delete == Some(true),
        ];
        given.into_iter().filter(|is_given| *is_given).count()
    }

    /// The one that is given. A stage is held until the transaction ends, before any lead.
    async fn change(self, transaction: &Transaction) -> Result<BulkChange, Error> {
        let Self { closer_id, sdr_id, add_tags, remove_tags, stage, .. } = self;
        for (field, person) in [("closer_id", closer_id.set()), ("sdr_id", sdr_id.set())] {
            if let Some(person) = person
                && transaction.query(IS_STAFF, &[person]).await?.is_empty()
            {
                refuse([FieldProblem::not_active_staff(field)])?;
            }
        }
        if let Some(BulkStage { id, reason }) = stage {
            let stages = [id];
            let (_, stage): (_, Option<Stage>) =
                try_join(transaction.query(HOLD_STAGES, &[&stages.as_slice()]), transaction.first(STAGE, &[&id])).await?;
            let closing = Closing { reason, value: None };
            return Ok(BulkChange::Stage(Box::new(stage.ok_or(NO_SUCH_STAGE)?), closing));
        }
        Ok(match (closer_id, sdr_id, add_tags, remove_tags) {
            (Given::Set(person), ..) => BulkChange::Closer(Some(person)),
            (Given::Cleared, ..) => BulkChange::Closer(None),
            (_, Given::Set(person), ..) => BulkChange::Sdr(Some(person)),
            (_, Given::Cleared, ..) => BulkChange::Sdr(None),
            (.., Some(tags), _) => BulkChange::AddTags(once_each(tags)),
            (.., Some(tags)) => BulkChange::RemoveTags(tags),
            _ => BulkChange::Delete,
        })
    }
}

fn one_of_these(input: &ChangeLeads) -> impl FnOnce(&Vec<Uuid>, &()) -> garde::Result {
    let count = input.count();
    move |ids, ()| {
        if has_twice(ids) {
            return Err(rule("duplicate", "Cada lead só uma vez.", "Each lead only once."));
        }
        only_one(count)
    }
}

fn one_action(schema: &mut schemars::Schema) {
    const ACTIONS: [(&str, &str); 6] = [
        ("closer_id", "string"),
        ("sdr_id", "string"),
        ("add_tags", "array"),
        ("remove_tags", "array"),
        ("stage", "object"),
        ("delete", "boolean"),
    ];
    // Null is somebody's removal.
    describe_only_one(schema, &ACTIONS, &["closer_id", "sdr_id"]);
}
