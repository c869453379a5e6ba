//! The clients of a company: who they are, by what they are known, and how they are found.

pub mod changing;
pub mod export;
pub mod fields;
pub mod found;
pub mod import;
pub mod merges;
pub use conversations::phone;
pub use shared::document;
pub mod tags;
pub mod written;

use conversations::ClientIdentity;
use shared::{closed_set, prelude::*};

use crate::{document::Document, phone::Phone};

pub const CLIENT_EXISTS: Problem = Problem::new(
    409,
    "client_exists",
    "Já existe um cliente com este documento, telefone ou e-mail.",
    "There is a client with this document, phone or e-mail already.",
)
.showing::<Option<Client>>();
pub const CLIENT_IN_USE: Problem = Problem::new(
    409,
    "client_in_use",
    "Este cliente tem uma conversa aberta. Encerre-a antes.",
    "This client has an open conversation. Close it first.",
)
.showing::<Client>();

pub const METADATA_TOO_LONG: Problem =
    Problem::new(422, "metadata_too_long", "`metadata` passa de 16 KB.", "`metadata` is longer than 16 KB.");

closed_set! {
    /// Who gave a name: nobody, their profile, the business's own phone, or staff here.
    pub NameSource { Number = "number", Profile = "profile", AddressBook = "address_book", Staff = "staff" }
}

/// A client.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "ClientRow")]
pub struct Client {
    pub id: Uuid,
    pub name: String,
    pub name_source: NameSource,
    /// CPF or CNPJ, without the signs between its characters.
    pub document: Option<String>,
    pub email: Option<String>,
    /// Digits with country code, the longest known first.
    pub phones: Vec<String>,
    pub tags: Vec<String>,
    #[schemars(with = "Map<String, Value>")]
    pub custom_fields: Value,
    /// An object of the front ends' own, at most 16 KB.
    #[schemars(with = "Map<String, Value>")]
    pub metadata: Value,
    /// What people and providers know them by.
    #[schemars(with = "Vec<ClientIdentity>")]
    pub identities: Value,
    /// Whether they take marketing on WhatsApp; null when they never said.
    pub accepts_marketing: Option<bool>,
    /// Since when they are in no list; they are again when they write.
    pub archived_at: Option<Timestamp>,
    /// Since when what they write is told to nobody.
    pub blocked_at: Option<Timestamp>,
    /// Messages of theirs that came since they were last blocked, before they were unblocked.
    pub blocked_count: i32,
    pub created_at: Timestamp,
    pub version: i32,
}

impl Versioned for Client {
    fn version(&self) -> i32 {
        self.version
    }
}

/// The columns of `Client`, of a row of `clients`.
#[macro_export]
macro_rules! client_columns {
    () => {
        concat!(
            "clients.id, clients.name, clients.name_source, clients.document, clients.email, clients.tags, clients.custom_fields,
             clients.metadata, clients.archived_at, clients.blocked_at, clients.blocked_count, clients.created_at, clients.version,
             array(select value
                     from client_identities identity
                    where identity.company_id = clients.company_id and identity.client_id = clients.id and identity.kind = 'phone'
                    order by identity.created_at, identity.value) as phones,
             (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'value', value) order by identity.created_at, kind, value), '[]')
                from client_identities identity
               where identity.company_id = clients.company_id and identity.client_id = clients.id) as identities, ",
            conversations::accepts_marketing!()
        )
    };
}

/// A client of this company who has not become another one.
pub const CLIENT: &str =
    concat!("select ", client_columns!(), " from clients where clients.id = $1 and clients.merged_into_id is null");

/// Who is known by one of phones, e-mail and document, but for the client `$4`.
const NAMESAKE: &str =
    concat!("select ", client_columns!(), " from clients where clients.id = app.find_namesake($1, $2, $3, $4)");

/// Each that nobody else has.
const ADD_IDENTITIES: &str = "
    insert into client_identities (client_id, kind, value, address)
    select $1, kind, value, value
      from (select 'phone' as kind, unnest($2::text[]) as value union all select 'email', $3::text) identity
     where value is not null
     order by kind, value
    on conflict do nothing";

/// Whether somebody talks to the client now, seen by the caller or not.
pub const HAS_OPEN_CONVERSATION: &str = "select app.has_open_conversation($1) as is_open";

/// The answer to `HAS_OPEN_CONVERSATION`.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct Openness {
    pub is_open: bool,
}

/// By what a client is known, as far as staff say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    pub document: Option<String>,
    pub email: Option<String>,
    pub phones: Vec<String>,
}

impl Known {
    #[must_use]
    pub fn new(document: Option<Document>, email: Option<Email>, phones: &[Phone]) -> Self {
        Self {
            document: document.map(|document| document.to_string()),
            email: email.map(|email| email.to_string()),
            phones: once_each(phones.iter().map(|phone| phone.to_string())),
        }
    }

    /// By what a client's row says.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let Client { document, email, phones, .. } = client;
        Self { document: document.clone(), email: email.clone(), phones: phones.clone() }
    }

    /// Another client who is known by any of this.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn namesake(&self, transaction: &Transaction, but_for: Option<Uuid>) -> Result<Option<Client>, Error> {
        transaction.first(NAMESAKE, &[&self.phones, &self.email, &self.document, &but_for]).await
    }

    /// Makes phones and e-mail those of the client, as far as they are not yet; refused when somebody else has one by now.
    ///
    /// # Errors
    /// `CLIENT_EXISTS`, and those of the database.
    pub async fn add(&self, transaction: &Transaction, client: Uuid, had: &Self) -> Result<(), Error> {
        let phones: Vec<&String> = self.phones.iter().filter(|phone| !had.phones.contains(phone)).collect();
        let email = self.email.as_ref().filter(|email| had.email.as_ref() != Some(email));
        if phones.is_empty() && email.is_none() {
            return Ok(());
        }
        let wanted = phones.len() + usize::from(email.is_some());
        let added = transaction.execute(ADD_IDENTITIES, &[&client, &phones, &email]).await?;
        if usize::try_from(added).is_ok_and(|added| added == wanted) {
            return Ok(());
        }
        // What is not added is the client's own already, or somebody else's.
        let Some(other) = self.namesake(transaction, Some(client)).await? else { return Ok(()) };
        Err(CLIENT_EXISTS.with_current(&other))
    }
}

/// Texts in their order, each once.
pub fn once_each(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all = Vec::new();
    for text in texts {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// There is a new client.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientCreated<'client> {
    pub client: &'client Client,
}

event!(ClientCreated<'_> = "client.created");

/// Something of a client changed: their name, whether they take marketing, or what only their own row shows.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
pub struct ClientUpdated {
    pub client_id: Uuid,
    pub name: String,
    pub name_source: NameSource,
    /// Whether they take marketing on WhatsApp; null when they never said.
    pub accepts_marketing: Option<bool>,
}

event!(ClientUpdated = "client.updated");

impl From<&Client> for ClientUpdated {
    fn from(client: &Client) -> Self {
        let Client { id, name, name_source, accepts_marketing, .. } = client;
        Self { client_id: *id, name: name.clone(), name_source: *name_source, accepts_marketing: *accepts_marketing }
    }
}

/// A client is in no list any more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientDeleted {
    pub client_id: Uuid,
}

event!(ClientDeleted = "client.deleted");

/// What a client writes is told to nobody from now on, and nobody writes to them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientBlocked {
    pub client_id: Uuid,
}

event!(ClientBlocked = "client.blocked");

/// A client is heard again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientUnblocked {
    pub client_id: Uuid,
    /// Those with messages that came meanwhile: they are unread, and open. Whoever sees one reads it anew.
    pub conversation_ids: Vec<Uuid>,
}

event!(ClientUnblocked = "client.unblocked");

/// Whoever writes to a client's row, and webhooks of theirs, wait.
pub const LOCK_CLIENT: &str = "select from clients where id = $1 and merged_into_id is null for update";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_given_twice_is_one() {
        let phones: Vec<Phone> = serde_json::from_value(json!(["11 98765-4321", "+55 11 8765-4321", "(11) 3456-7890"])).unwrap();
        assert_eq!(Known::new(None, None, &phones).phones, ["5511987654321", "551134567890"]);
    }
}
