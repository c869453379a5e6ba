//! A page of an import: who of its people is there already, and what is written of each.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join;
use shared::prelude::*;

use super::{RowError, RowFault, kept::OnExisting, person::Person};
use crate::{Client, NameSource, client_columns, fields, once_each};

/// Whoever makes or names one of these, by webhook or import, waits.
const LOCK_KEYS: &str = "select app.lock_keys($1)";

const MATCHES: &str = "
    select wanted.place, known.client_id
      from unnest($1::bigint[], $2::text[], $3::text[]) wanted (place, kind, value)
     cross join lateral (
        select client_id
          from client_identities
         where company_id = (select app.company_id()) and kind = wanted.kind and value = wanted.value
        union
        select id
          from clients
         where company_id = (select app.company_id()) and email is not null and lower(email) = wanted.value and wanted.kind = 'email'
           and merged_into_id is null
        union
        select id
          from clients
         where company_id = (select app.company_id()) and document is not null and document = wanted.value
           and wanted.kind = 'document' and merged_into_id is null) known";

const LOCK_CLIENTS: &str = "select from clients where id = any ($1) order by id for no key update";

const FOUND: &str = concat!(
    "select ",
    client_columns!(),
    ", earlier.number as earlier
       from clients
       left join client_import_rows earlier
         on earlier.company_id = clients.company_id and earlier.import_id = $2 and earlier.client_id = clients.id
      where clients.id = any ($1)"
);

const MAKE: &str = "
    insert into clients (id, name, name_source, document, email, tags, custom_fields)
    select id, name, name_source, document, email, array(select jsonb_array_elements_text(tags)), custom_fields
      from jsonb_to_recordset($1)
           made (id uuid, name text, name_source text, document text, email text, tags jsonb, custom_fields jsonb)
     order by id";

const CHANGE: &str = "
    update clients
       set name = changed.name, name_source = changed.name_source, document = changed.document, email = changed.email,
           tags = array(select jsonb_array_elements_text(changed.tags)), custom_fields = changed.custom_fields,
           version = version + 1
      from jsonb_to_recordset($1)
           changed (id uuid, name text, name_source text, document text, email text, tags jsonb, custom_fields jsonb)
     where clients.id = changed.id";

const REMOVE_ADDRESSES: &str = "
    delete from client_identities
     using unnest($1::uuid[], $2::text[]) gone (client_id, value)
     where client_identities.client_id = gone.client_id and kind = 'email' and client_identities.value = lower(gone.value)";

const ADD_IDENTITIES: &str = "
    insert into client_identities (client_id, kind, value, address)
    select client_id, kind, value, value from unnest($1::uuid[], $2::text[], $3::text[]) given (client_id, kind, value)
     order by kind, value
    on conflict do nothing";

const NOTE_ROWS: &str = "
    insert into client_import_rows (import_id, client_id, number, before, after)
    select $1, clients.id, written.number, written.before,
           case when written.before is null then jsonb_build_object('version', clients.version)
                else jsonb_build_object('name', clients.name, 'document', clients.document, 'email', clients.email,
                                        'tags', to_jsonb(clients.tags), 'custom_fields', clients.custom_fields) end
      from jsonb_to_recordset($2) written (client_id uuid, number bigint, before jsonb)
      join clients on clients.id = written.client_id";

#[derive(FromRow)]
struct Match {
    place: i64,
    client_id: Uuid,
}

#[derive(FromRow)]
struct Found {
    #[from_row(flatten)]
    client: Client,
    earlier: Option<i64>,
}

/// What came of a page.
#[derive(Debug, Default)]
pub struct Written {
    pub made: i32,
    pub updated: i32,
    pub skipped: i32,
    pub errors: Vec<RowError>,
}

/// Identities that clients get.
#[derive(Default)]
struct Identities {
    clients: Vec<Uuid>,
    kinds: Vec<&'static str>,
    values: Vec<String>,
}

impl Identities {
    fn add(&mut self, client: Uuid, kind: &'static str, value: &str) {
        self.clients.push(client);
        self.kinds.push(kind);
        self.values.push(value.to_owned());
    }
}

/// Writes the people of a page. Of two rows that are the same client the first counts. `None` when somebody of the staff has made one of
/// them meanwhile: nothing is to be committed, and the page looked at again.
///
/// # Errors
/// As the database fails.
pub async fn write(
    context: &Context,
    transaction: &Transaction,
    (import, on_existing, is_dry_run): (Uuid, OnExisting, bool),
    people: &[Person],
) -> Result<Option<Written>, Error> {
    let mut written = Written::default();
    let (mut places, mut kinds, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut keys: Vec<String> = Vec::new();
    for (person, place) in people.iter().zip(0_i64..) {
        for key in person.keys() {
            let (kind, value) = key.split_once(':').unwrap_or_default();
            places.push(place);
            kinds.push(kind.to_owned());
            values.push(value.to_owned());
            keys.push(key);
        }
    }
    keys.sort_unstable();
    let matches: Vec<Match> = if is_dry_run {
        transaction.all(MATCHES, &[&places, &kinds, &values]).await?
    } else {
        try_join(transaction.query(LOCK_KEYS, &[&keys]), transaction.all(MATCHES, &[&places, &kinds, &values])).await?.1
    };
    let mut of_place: BTreeMap<i64, BTreeSet<Uuid>> = BTreeMap::new();
    for Match { place, client_id } in matches {
        of_place.entry(place).or_default().insert(client_id);
    }
    let ids: Vec<Uuid> = of_place.values().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let found: Vec<Found> = if ids.is_empty() {
        Vec::new()
    } else if is_dry_run {
        transaction.all(FOUND, &[&ids, &import]).await?
    } else {
        try_join(transaction.query(LOCK_CLIENTS, &[&ids]), transaction.all(FOUND, &[&ids, &import])).await?.1
    };
    let found: BTreeMap<Uuid, Found> = found.into_iter().map(|found| (found.client.id, found)).collect();

    let (mut made, mut changed, mut rows): (Vec<Value>, Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new(), Vec::new());
    let (mut identities, mut gone): (Identities, (Vec<Uuid>, Vec<String>)) = (Identities::default(), (Vec::new(), Vec::new()));
    let mut taken: BTreeSet<Uuid> = BTreeSet::new();
    for (person, place) in people.iter().zip(0_i64..) {
        let mut fail = |fault| written.errors.push(RowError::new(person.row, None, fault));
        let clients = of_place.get(&place).map(|clients| clients.iter().copied().collect::<Vec<_>>()).unwrap_or_default();
        let current = match clients[..] {
            [] => None,
            [one] => found.get(&one),
            _ => {
                fail(RowFault::TwoClients);
                continue;
            }
        };
        let Some(Found { client, earlier }) = current else {
            let id = context.new_id();
            let Person { name, known, tags, custom_fields, .. } = person;
            let number = known.phones.first().or(known.email.as_ref()).or(known.document.as_ref());
            let source = if name.is_some() { NameSource::Staff } else { NameSource::Number };
            made.push(json!({
                "id": id, "name": name.as_ref().or(number), "name_source": source, "document": known.document,
                "email": known.email, "tags": tags, "custom_fields": custom_fields,
            }));
            known.phones.iter().for_each(|phone| identities.add(id, "phone", phone));
            known.email.iter().for_each(|email| identities.add(id, "email", email));
            rows.push(json!({"client_id": id, "number": person.row, "before": null}));
            written.made += 1;
            continue;
        };
        if earlier.is_some() || !taken.insert(client.id) {
            fail(RowFault::RepeatedRow);
            continue;
        }
        let wanted = changed_by(client, person);
        if on_existing == OnExisting::Skip || wanted == *client {
            written.skipped += 1;
            continue;
        }
        let added: Vec<&String> = wanted.phones.iter().filter(|phone| !client.phones.contains(phone)).collect();
        added.iter().for_each(|phone| identities.add(client.id, "phone", phone));
        if let Some(email) = wanted.email.as_ref().filter(|email| client.email.as_ref() != Some(*email)) {
            if !has_address(client, email) {
                identities.add(client.id, "email", email);
            }
            if let Some(former) = &client.email {
                gone.0.push(client.id);
                gone.1.push(former.clone());
            }
        }
        rows.push(json!({"client_id": client.id, "number": person.row, "before": {
            "name": client.name, "name_source": client.name_source, "document": client.document, "email": client.email,
            "tags": client.tags, "custom_fields": client.custom_fields, "added": added,
        }}));
        changed.push(json!({
            "id": client.id, "name": wanted.name, "name_source": wanted.name_source, "document": wanted.document,
            "email": wanted.email, "tags": wanted.tags, "custom_fields": wanted.custom_fields,
        }));
        written.updated += 1;
    }
    if is_dry_run || rows.is_empty() {
        return Ok(Some(written));
    }
    if !made.is_empty() {
        transaction.execute(MAKE, &[&Value::Array(made)]).await?;
    }
    if !changed.is_empty() {
        try_join(
            transaction.execute(CHANGE, &[&Value::Array(changed)]),
            transaction.execute(REMOVE_ADDRESSES, &[&gone.0, &gone.1]),
        )
        .await?;
    }
    let Identities { clients, kinds, values } = &identities;
    let (added, _) = try_join(
        transaction.execute(ADD_IDENTITIES, &[clients, kinds, values]),
        transaction.execute(NOTE_ROWS, &[&import, &Value::Array(rows)]),
    )
    .await?;
    if usize::try_from(added).is_ok_and(|added| added == values.len()) {
        return Ok(Some(written));
    }
    Ok(None)
}

fn has_address(client: &Client, email: &str) -> bool {
    let is_it = |known: &Value| known["kind"] == "email" && known["value"] == *email;
    client.identities.as_array().is_some_and(|known| known.iter().any(is_it))
}

/// A client with what a row says: numbers and tags are added, the rest replaced.
fn changed_by(client: &Client, person: &Person) -> Client {
    let mut wanted = client.clone();
    if let Some(name) = person.name.as_ref().filter(|name| **name != client.name) {
        wanted.name.clone_from(name);
        wanted.name_source = NameSource::Staff;
    }
    wanted.document = person.known.document.clone().or(wanted.document);
    wanted.email = person.known.email.clone().or(wanted.email);
    wanted.phones = once_each(client.phones.iter().chain(&person.known.phones).cloned());
    wanted.tags = once_each(client.tags.iter().chain(&person.tags).cloned());
    wanted.custom_fields = fields::changed(&client.custom_fields, person.custom_fields.clone());
    wanted
}
