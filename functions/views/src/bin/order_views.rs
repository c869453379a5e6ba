//! PUT /views/order — the order of one's own views of a kind, or of those that all have.

use shared::prelude::*;
use views::{SUPERVISORS_ONLY, View, ViewKind, ViewsOrdered, may_write, tell, view_columns};

const ROUTE: Route = Route::put("/views/order").fails(&[OTHERS_THERE, SUPERVISORS_ONLY]);

const OTHERS_THERE: Problem = Problem::new(
    409,
    "others_there",
    "A lista não traz cada visão que existe uma vez.",
    "The list does not have each view that is there once.",
);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WantedOrder {
    /// Those that all have, in place of one's own.
    #[garde(skip)]
    #[serde(default)]
    is_shared: bool,
    /// What they are lists of; `conversations` when it is not given.
    #[garde(skip)]
    #[serde(default)]
    kind: ViewKind,
    /// Each that is there, once.
    #[garde(length(max = 50))]
    view_ids: Vec<Uuid>,
}

const LOCK: &str = "
    select id from views
     where owner_id is not distinct from case when not $1 then app.user_id() end and kind = $2
     order by id
       for no key update";

const ORDER: &str = "
    update views
       set position = wanted.position
      from unnest($1::uuid[]) with ordinality wanted (id, position)
     where views.id = wanted.id";

const ORDERED: &str = concat!(
    "select ",
    view_columns!(),
    "
      from views
     where owner_id is not distinct from case when not $1 then app.user_id() end and kind = $2
     order by position, id"
);

pub fn main() {
    serve(&ROUTE, order_views);
}

async fn order_views(context: Context, agent: Staff, Json(input): Json<WantedOrder>) -> Result<Json<Page<View>>, Error> {
    let WantedOrder { is_shared, kind, view_ids } = &input;
    if !may_write(*is_shared, &agent) {
        return Err(SUPERVISORS_ONLY.into());
    }
    let word = kind.as_str();
    let transaction = context.begin(&agent).await?;
    let there: Vec<Uuid> = transaction.query(LOCK, &[is_shared, &word]).await?.iter().map(|row| row.get("id")).collect();
    let mut wanted = view_ids.clone();
    wanted.sort_unstable();
    if wanted != there {
        return Err(OTHERS_THERE.into());
    }
    let (_, views) =
        futures_util::future::try_join(transaction.execute(ORDER, &[view_ids]), transaction.all(ORDERED, &[is_shared, &word]))
            .await?;
    tell(&transaction, &agent, *is_shared, &ViewsOrdered { kind: *kind, is_shared: *is_shared, view_ids: view_ids.clone() });
    transaction.audit(agent.user_id, &json!(there), &json!(view_ids));
    transaction.commit(Json(Page::whole(views))).await
}
