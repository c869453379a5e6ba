//! GET /leads/{id}/history — all that happened with a lead: what was changed, the stages it went through, what was done, and who it was joined with.

use futures_util::future::try_join;
use leads::{LEAD, Lead};
use shared::{closed_set, error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/leads/{id}/history").fails(&[NOT_FOUND]);

closed_set! {
    /// More kinds may come.
    LeadHistoryKind { Change = "change", Stage = "stage", Interaction = "interaction", Merge = "merge", Automation = "automation" }
}

/// Something that happened with a lead.
#[derive(Serialize, JsonSchema, FromRow)]
struct LeadHistoryEntry {
    id: Uuid,
    kind: LeadHistoryKind,
    at: Timestamp,
    /// Null of what came by itself.
    by_id: Option<Uuid>,
    by_name: Option<String>,
    /// What depends on the kind: `changes` by field, each what it was and what it is; the stage with `left_at`; the interaction; the merge; of what
    /// a stage did by itself which `automation` it was, its `outcome`, and the `reason` where it is none.
    #[schemars(with = "Map<String, Value>")]
    data: Value,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct LeadHistoryFilters {
    /// Of this kind alone.
    #[garde(skip)]
    kind: Option<LeadHistoryKind>,
}

const HISTORY: TimeList = TimeList {
    rows: "select * from lead_history entries where lead_id = $1 and ($2::text is null or kind = $2)",
    at: "entries.at",
    id: "entries.id",
    shown: "select entries.id, entries.kind, entries.at, entries.by_id, entries.data,
                   (select users.name from users where users.id = entries.by_id) as by_name
              from page entries",
};

pub fn main() {
    serve(&ROUTE, get_lead_history);
}

async fn get_lead_history(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    asked: List<LeadHistoryFilters>,
) -> Result<Page<LeadHistoryEntry>, Error> {
    let transaction = context.begin(&caller).await?;
    let kind = asked.filters.kind.map(LeadHistoryKind::as_str);
    let (_, entries): (Lead, _) =
        try_join(transaction.one(LEAD, &[&id]), transaction.list(&HISTORY, &asked, &[&id, &kind])).await?;
    Ok(asked.page(entries, |entry: &LeadHistoryEntry| (entry.at, entry.id)))
}
