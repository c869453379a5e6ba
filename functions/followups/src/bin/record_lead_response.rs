//! POST /followups/responses — a lead has replied elsewhere: all that goes on with them by itself ends.

use futures_util::future::try_join;
use leads::{HOLD_LEADS, LEAD, Lead};
use shared::{closed_set, error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/followups/responses").or(&["/followup/responses"]).fails(&[NOT_FOUND]);

closed_set! {
    /// By what way they replied.
    ResponseChannel { Whatsapp = "whatsapp", Email = "email", Call = "call", Meeting = "meeting", Other = "other" }
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FollowupResponse")]
struct Response {
    #[garde(skip)]
    lead_id: Uuid,
    #[garde(skip)]
    channel: ResponseChannel,
    /// What they said; a word such as `PARAR` alone ends what they are sent for good.
    #[garde(length(chars, max = 10_000))]
    #[serde(default)]
    message: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ResponseRecorded {
    success: bool,
    message: &'static str,
}

const RECORD: &str = "select app.record_lead_response($1, $2, $3)";

pub fn main() {
    serve(&ROUTE, record_lead_response);
}

async fn record_lead_response(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(Response { lead_id, channel, message }): Json<Response>,
) -> Result<Json<ResponseRecorded>, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [lead_id];
    let (_, lead): (_, Lead) =
        try_join(transaction.query(HOLD_LEADS, &[&ids.as_slice()]), transaction.one(LEAD, &[&lead_id])).await?;
    if lead.deleted_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    transaction.query(RECORD, &[&lead_id, &channel.as_str(), &message]).await?;
    transaction.audit(lead_id, &Value::Null, &json!({"channel": channel}));
    transaction.commit(Json(ResponseRecorded { success: true, message: "Resposta processada com sucesso" })).await
}
