//! PUT /clients/{id} — changes what is given of a client; lists are given whole.

use clients::{
    CLIENT, CLIENT_EXISTS, CLIENT_IN_USE, Client, HAS_OPEN_CONVERSATION, Known, METADATA_TOO_LONG, Openness, changing::change,
    document::Document, fields, once_each, phone::Phone,
};
use futures_util::future::try_join5;
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE, refuse},
    prelude::*,
    rule, visible,
};
use team::given::Given;

const ROUTE: Route = Route::put("/clients/{id}").or(&["PATCH /clients/{id}"]).fails(&[
    NOT_FOUND,
    CLIENT_EXISTS,
    CLIENT_IN_USE,
    METADATA_TOO_LONG,
    STALE.showing::<Client>(),
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClientChanges {
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    /// CPF or CNPJ; null takes it away.
    #[garde(dive)]
    #[serde(default)]
    #[schemars(with = "Option<Document>")]
    document: Given<Document>,
    /// Null takes it away.
    #[garde(dive)]
    #[serde(default)]
    #[schemars(with = "Option<Email>")]
    email: Given<Email>,
    /// One can be taken away only while no conversation is open.
    #[garde(length(max = 10), dive)]
    phones: Option<Vec<Phone>>,
    #[garde(length(max = 30), inner(inner(length(chars, min = 1, max = 40), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    tags: Option<Vec<String>>,
    /// Of the fields that `GET /client-fields` answers, those that change; null takes a value away.
    #[garde(skip)]
    custom_fields: Option<Map<String, Value>>,
    /// An object of the front end's own, at most 16 KB.
    #[garde(skip)]
    metadata: Option<Map<String, Value>>,
    /// `false` brings back who was deleted.
    #[garde(custom(is_no_deletion))]
    #[schemars(extend("enum" = [false, null]))]
    is_archived: Option<bool>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn is_no_deletion(is_archived: &Option<bool>, (): &()) -> garde::Result {
    if *is_archived == Some(true) {
        return Err(rule("unknown_value", "Só pode ser false.", "Can only be false."));
    }
    Ok(())
}

impl ClientChanges {
    /// By what the client is to be known from now on, as far as it is given.
    fn known(&self) -> Known {
        Known::new(self.document.set().cloned(), self.email.set().cloned(), self.phones.as_deref().unwrap_or_default())
    }

    /// The row as it is to be. Numbers that are all there already stay in their order.
    fn applied_to(self, current: &Client) -> Client {
        let mut client = current.clone();
        client.name = self.name.unwrap_or(client.name);
        client.document = self.document.after_as(client.document, |document| document.to_string());
        client.email = self.email.after_as(client.email, |email| email.to_string());
        if let Some(phones) = self.phones {
            let phones = once_each(phones.iter().map(|phone| phone.to_string()));
            if phones.len() != client.phones.len() || !phones.iter().all(|phone| client.phones.contains(phone)) {
                client.phones = phones;
            }
        }
        client.tags = self.tags.map_or(client.tags, once_each);
        client.custom_fields =
            self.custom_fields.map_or(client.custom_fields.clone(), |given| fields::changed(&client.custom_fields, given));
        client.metadata = self.metadata.map_or(client.metadata, Value::Object);
        client.archived_at = client.archived_at.filter(|_| self.is_archived != Some(false));
        client
    }
}

const LOCK: &str = "select from clients where id = $1 and merged_into_id is null for no key update";

pub fn main() {
    serve(&ROUTE, update_client);
}

async fn update_client(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<ClientChanges>,
) -> Result<Json<Client>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, current, Openness { is_open }, namesake, fields): (_, Client, _, _, _) = try_join5(
        transaction.query(LOCK, &[&id]),
        transaction.one(CLIENT, &[&id]),
        transaction.one(HAS_OPEN_CONVERSATION, &[&id]),
        input.known().namesake(&transaction, Some(id)),
        fields::read(&transaction),
    )
    .await?;
    if_match.check(&current)?;
    refuse(input.custom_fields.iter().flat_map(|given| fields.problems(given)))?;
    let wanted = input.applied_to(&current);
    if wanted == current {
        return transaction.commit(Json(current)).await;
    }
    if let Some(other) = namesake {
        return Err(CLIENT_EXISTS.with_current(&other));
    }
    if is_open && current.phones.iter().any(|phone| !wanted.phones.contains(phone)) {
        return Err(CLIENT_IN_USE.with_current(&current));
    }
    let client = change(&transaction, &current, &wanted).await?;
    transaction.commit(Json(client)).await
}
