//! GET /integrations/crm/conflicts — where leads and the CRM differ and people choose, newest first.

use leads::{
    crm::conflicts::{CrmConflict, CrmConflictKind},
    crm_conflict_columns,
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/integrations/crm/conflicts");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(skip)]
    lead_id: Option<Uuid>,
    #[garde(skip)]
    kind: Option<CrmConflictKind>,
    /// Those that were resolved, too.
    #[garde(skip)]
    #[serde(default)]
    resolved: Option<bool>,
}

const CONFLICTS: TimeList = TimeList {
    rows:
        "select * from crm_conflicts
            where ($1::uuid is null or lead_id = $1) and ($2::text is null or kind = $2) and ($3::boolean or resolved_at is null)",
    at: "crm_conflicts.created_at",
    id: "crm_conflicts.id",
    shown: concat!("select ", crm_conflict_columns!(), " from page crm_conflicts"),
};

pub fn main() {
    serve(&ROUTE, list_crm_conflicts);
}

async fn list_crm_conflicts(context: Context, caller: Supervisor, asked: List<Filters>) -> Result<Page<CrmConflict>, Error> {
    let Filters { lead_id, kind, resolved } = &asked.filters;
    let (kind, resolved) = (kind.map(CrmConflictKind::as_str), resolved.unwrap_or_default());
    let transaction = context.begin(&caller).await?;
    let rows = transaction.list(&CONFLICTS, &asked, &[lead_id, &kind, &resolved]).await?;
    Ok(asked.page(rows, |conflict: &CrmConflict| (conflict.created_at, conflict.id)))
}
