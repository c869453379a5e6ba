//! POST /clients/{id}/merge — another client is this one from now on, with everything that is theirs. It can be undone for 30 days.

use clients::{
    CLIENT, Client,
    merges::{ClientMerge, MERGE},
};
use conversations::merge_clients as merge;
use futures_util::future::{try_join, try_join3};
use shared::{
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route = Route::post("/clients/{id}/merge").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Merge {
    /// Who becomes this client.
    #[garde(skip)]
    client_id: Uuid,
}

/// Everything of both, in the order of locks: of two who merge them at once the second finds one.
const HOLD: &str = "select app.hold_clients($1, $2)::text";

pub fn main() {
    serve(&ROUTE, merge_clients);
}

async fn merge_clients(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(Merge { client_id }): Json<Merge>,
) -> Result<Created<ClientMerge>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, stays, goes): (_, Client, Option<Client>) = try_join3(
        transaction.query(HOLD, &[&id, &client_id]),
        transaction.one(CLIENT, &[&id]),
        transaction.first(CLIENT, &[&client_id]),
    )
    .await?;
    let (code, portuguese, english) = if client_id == id {
        ("same_client", "É o mesmo cliente.", "This is the same client.")
    } else {
        ("unknown_client", "Cliente não encontrado.", "Client not found.")
    };
    refuse((goes.is_none() || client_id == id).then(|| FieldProblem::new("client_id", code, portuguese, english)))?;
    let proof = json!({"by_user_id": caller.user_id});
    let merge_id = context.new_id();
    // The row is asked for in the flight that makes it.
    let merging = merge(&context, &transaction, caller.company_id, merge_id, (id, client_id), &proof);
    let (_, merged): (_, Option<ClientMerge>) = try_join(merging, transaction.first(MERGE, &[&merge_id])).await?;
    let merged = merged.ok_or(NOT_FOUND)?;
    transaction.audit(id, &json!({"client": stays, "merged_client": goes}), &merged);
    transaction.commit(Created(merged)).await
}
