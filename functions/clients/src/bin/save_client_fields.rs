//! PUT /client-fields — the company's own fields of clients from now on. What clients have in a field that goes stays with them.

use clients::fields::{ClientField, ClientFields, ClientFieldsUpdated, FieldsRow};
use futures_util::future::try_join;
use shared::{
    error::{STALE, refuse},
    prelude::*,
};

const ROUTE: Route = Route::put("/client-fields").fails(&[STALE.showing::<ClientFields>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewFields {
    /// All of them, in the order of forms.
    #[garde(length(max = 50), dive)]
    fields: Vec<ClientField>,
}

const ENSURE_ROW: &str = "insert into client_fields (company_id) values (app.company_id()) on conflict do nothing";

/// Nobody else saves them meanwhile.
const LOCKED: &str = "select fields, kinds, version from client_fields for update";

const SAVE: &str = "update client_fields set fields = $1, kinds = $2, version = version + 1";

pub fn main() {
    serve(&ROUTE, save_client_fields);
}

async fn save_client_fields(
    context: Context,
    caller: Supervisor,
    if_match: IfMatch,
    Json(NewFields { fields }): Json<NewFields>,
) -> Result<Json<ClientFields>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, row) = try_join(transaction.execute(ENSURE_ROW, &[]), transaction.one::<FieldsRow>(LOCKED, &[])).await?;
    let current = ClientFields::from(&row);
    if_match.check(&current)?;
    if fields == current.fields {
        return transaction.commit(Json(current)).await;
    }
    refuse(row.problems(&fields))?;
    transaction.execute(SAVE, &[&json!(fields), &row.kinds_with(&fields)]).await?;
    let saved = ClientFields { fields, version: current.version + 1 };
    transaction.tell_staff(&ClientFieldsUpdated { fields: &saved.fields, version: saved.version });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}
