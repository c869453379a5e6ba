//! POST /clients — a new client, whom nobody else is known as.

use clients::{
    CLIENT, CLIENT_EXISTS, Client, ClientCreated, Known, METADATA_TOO_LONG, document::Document, fields, once_each, phone::Phone,
};
use futures_util::future::try_join;
use shared::{VISIBLE, error::refuse, prelude::*, visible};

const ROUTE: Route = Route::post("/clients").fails(&[CLIENT_EXISTS, METADATA_TOO_LONG]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewClient {
    #[garde(length(chars, min = 1, max = 120), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// CPF or CNPJ.
    #[garde(dive)]
    document: Option<Document>,
    #[garde(dive)]
    email: Option<Email>,
    #[garde(length(max = 10), dive)]
    #[serde(default)]
    phones: Vec<Phone>,
    #[garde(length(max = 30), inner(length(chars, min = 1, max = 40), custom(visible)))]
    #[schemars(inner(regex(pattern = VISIBLE)))]
    #[serde(default)]
    tags: Vec<String>,
    /// Of the fields that `GET /client-fields` answers.
    #[garde(skip)]
    #[serde(default)]
    custom_fields: Map<String, Value>,
    /// An object of the front end's own, at most 16 KB.
    #[garde(skip)]
    #[serde(default)]
    metadata: Map<String, Value>,
}

const CREATE: &str = "
    insert into clients (id, name, document, email, tags, metadata, custom_fields)
    values ($1, $2, $3, $4, $5, $6, $7)";

pub fn main() {
    serve(&ROUTE, create_client);
}

async fn create_client(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(input): Json<NewClient>,
) -> Result<Created<Client>, Error> {
    let NewClient { name, document, email, phones, tags, custom_fields, metadata } = input;
    let known = Known::new(document, email, &phones);
    let transaction = context.begin(&caller).await?;
    let (namesake, fields) = try_join(known.namesake(&transaction, None), fields::read(&transaction)).await?;
    refuse(fields.problems(&custom_fields))?;
    if let Some(other) = namesake {
        return Err(CLIENT_EXISTS.with_current(&other));
    }
    let (id, tags, metadata) = (context.new_id(), once_each(tags), Value::Object(metadata));
    let custom_fields = fields::changed(&Value::Null, custom_fields);
    let nothing = Known::default();
    try_join(
        transaction.execute(CREATE, &[&id, &name, &known.document, &known.email, &tags, &metadata, &custom_fields]),
        known.add(&transaction, id, &nothing),
    )
    .await
    .on_constraint("clients_document", CLIENT_EXISTS)
    .on_constraint("clients_metadata_check", METADATA_TOO_LONG)?;
    let client: Client = transaction.one(CLIENT, &[&id]).await?;
    transaction.tell_staff(&ClientCreated { client: &client });
    transaction.audit(id, &Value::Null, &client);
    transaction.commit(Created(client)).await
}
