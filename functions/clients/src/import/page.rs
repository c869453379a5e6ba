//! A page of an import: who of its people is there already, and what is written of each.

use std::collections::{BTreeMap, BTreeSet};

use conversations::LOCK_KEYS;
use futures_util::future::{try_join, try_join5};
use shared::prelude::*;

use super::{
    RowError, RowFault,
    kept::{ClientsImported, ImportRow, ListedRow, OnExisting, Statements},
    mapping::Target,
    person::Person,
    run::{Incoming, Reading, Undone, Written},
    table::Row,
};
use crate::{
    Client, NameSource, client_columns,
    fields::{self, ClientFields},
    import_statements, once_each,
};

/// The tables grow while an import goes on: a plan of its beginning is none of its end.
const PLAN_ANEW: &str = "select set_config('plan_cache_mode', 'force_custom_plan', true)";

/// Every address of a client is an identity, too.
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

/// By whoever imports.
const ADD_NOTES: &str = "
    insert into notes (id, client_id, author_id, text)
    select id, client_id, $1, text from jsonb_to_recordset($2) given (id uuid, client_id uuid, text text)";

const NOTE_ROWS: &str = "
    insert into client_import_rows (import_id, client_id, number, before, after)
    select $1, clients.id, written.number, written.before,
           case when written.before is null then jsonb_build_object('version', clients.version, 'note_id', written.note_id)
                else jsonb_build_object('name', clients.name, 'document', clients.document, 'email', clients.email,
                                        'tags', to_jsonb(clients.tags), 'custom_fields', clients.custom_fields) end
      from jsonb_to_recordset($2) written (client_id uuid, number bigint, before jsonb, note_id uuid)
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

/// What a page does to its clients, before any of it is written.
#[derive(Default)]
struct Plan {
    written: Written,
    made: Vec<Value>,
    notes: Vec<Value>,
    changed: Vec<Value>,
    /// Of each client that is made or changed, the row and what was there.
    rows: Vec<Value>,
    identities: Identities,
    /// Addresses that are replaced, with whose they are.
    gone: (Vec<Uuid>, Vec<String>),
    taken: BTreeSet<Uuid>,
}

/// Clients as a table.
#[derive(Debug)]
pub struct Clients;

impl Incoming for Clients {
    type Column = Target;
    type Company = ClientFields;
    type Item = Person;

    const STATEMENTS: Statements = import_statements!("client_imports");

    fn company(transaction: &Transaction, _: &ImportRow) -> impl Future<Output = Result<ClientFields, Error>> + Send {
        fields::read(transaction)
    }

    fn fields(company: &ClientFields) -> &ClientFields {
        company
    }

    fn read(reading: &Reading<'_, Self>, row: &Row) -> Result<Person, Vec<RowError>> {
        Person::read(reading.headers, reading.columns, reading.company, row)
    }

    fn keys(person: &Person, _: &ClientFields) -> Vec<String> {
        person.keys()
    }

    /// `None` when somebody of the staff has made one of them meanwhile.
    async fn write(
        context: &Context,
        transaction: &Transaction,
        import: &ListedRow,
        _: &ClientFields,
        people: &[Person],
    ) -> Result<Option<Written>, Error> {
        let ListedRow { id, on_existing, is_dry_run, .. } = *import;
        transaction.query(PLAN_ANEW, &[]).await?;
        let of_place = matches(transaction, people, is_dry_run).await?;
        let found = found(transaction, id, &of_place, is_dry_run).await?;
        let mut plan = Plan::default();
        for (person, clients) in people.iter().zip(&of_place) {
            match clients.iter().collect::<Vec<_>>()[..] {
                [] => plan.make(context, person),
                [one] => match found.get(one) {
                    Some(there) => plan.change(there, person, on_existing),
                    // They have become somebody else since.
                    None => return Ok(None),
                },
                _ => plan.fail(person, RowFault::TwoClients),
            }
        }
        if is_dry_run || plan.rows.is_empty() || plan.store(transaction, import).await? {
            return Ok(Some(plan.written));
        }
        Ok(None)
    }

    async fn take_back(_: &Context, transaction: &Transaction, import: Uuid, most: i32) -> Result<Undone, Error> {
        transaction.one(UNDO, &[&import, &most]).await
    }

    async fn tell(transaction: &Transaction, import: &ImportRow) -> Result<(), Error> {
        transaction.tell_staff(&ClientsImported::from(import));
        Ok(())
    }
}

const UNDO: &str = "select taken, kept from app.undo_client_import($1, $2)";

/// Of each person, who is known by anything of theirs.
async fn matches(transaction: &Transaction, people: &[Person], is_dry_run: bool) -> Result<Vec<BTreeSet<Uuid>>, Error> {
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
    if !is_dry_run {
        // Its own statement, so that the next one sees what was committed while it waited.
        transaction.query(LOCK_KEYS, &[&keys]).await?;
    }
    let matches: Vec<Match> = transaction.all(MATCHES, &[&places, &kinds, &values]).await?;
    let mut of_place = vec![BTreeSet::new(); people.len()];
    for Match { place, client_id } in matches {
        if let Some(clients) = usize::try_from(place).ok().and_then(|place| of_place.get_mut(place)) {
            clients.insert(client_id);
        }
    }
    Ok(of_place)
}

async fn found(
    transaction: &Transaction,
    import: Uuid,
    of_place: &[BTreeSet<Uuid>],
    is_dry_run: bool,
) -> Result<BTreeMap<Uuid, Found>, Error> {
    let ids: Vec<Uuid> = of_place.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    if !is_dry_run {
        transaction.query(LOCK_CLIENTS, &[&ids]).await?;
    }
    let found: Vec<Found> = transaction.all(FOUND, &[&ids, &import]).await?;
    Ok(found.into_iter().map(|found| (found.client.id, found)).collect())
}

impl Plan {
    fn fail(&mut self, person: &Person, fault: RowFault) {
        self.written.errors.push(RowError::new(person.row, None, fault));
    }

    /// Whoever has no name is called by what they are known by.
    fn make(&mut self, context: &Context, person: &Person) {
        let Person { name, known, tags, custom_fields, row, note } = person;
        let id = context.new_id();
        let number = known.phones.first().or(known.email.as_ref()).or(known.document.as_ref());
        let source = if name.is_some() { NameSource::Staff } else { NameSource::Number };
        self.made.push(json!({
            "id": id, "name": name.as_ref().or(number), "name_source": source, "document": known.document,
            "email": known.email, "tags": tags, "custom_fields": custom_fields,
        }));
        for phone in &known.phones {
            self.identities.add(id, "phone", phone);
        }
        if let Some(email) = &known.email {
            self.identities.add(id, "email", email);
        }
        let note_id = note.as_ref().map(|text| {
            let note_id = context.new_id();
            self.notes.push(json!({"id": note_id, "client_id": id, "text": text}));
            note_id
        });
        self.rows.push(json!({"client_id": id, "number": row, "before": null, "note_id": note_id}));
        self.written.made += 1;
    }

    fn change(&mut self, Found { client, earlier }: &Found, person: &Person, on_existing: OnExisting) {
        if earlier.is_some() || !self.taken.insert(client.id) {
            return self.fail(person, RowFault::RepeatedRow);
        }
        let wanted = changed_by(client, person);
        if on_existing == OnExisting::Skip || wanted == *client {
            self.written.skipped += 1;
            return;
        }
        let added: Vec<&String> = wanted.phones.iter().filter(|phone| !client.phones.contains(phone)).collect();
        for phone in &added {
            self.identities.add(client.id, "phone", phone);
        }
        if let Some(email) = wanted.email.as_ref().filter(|email| client.email.as_ref() != Some(*email)) {
            if !has_address(client, email) {
                self.identities.add(client.id, "email", email);
            }
            if let Some(former) = &client.email {
                self.gone.0.push(client.id);
                self.gone.1.push(former.clone());
            }
        }
        self.rows.push(json!({"client_id": client.id, "number": person.row, "before": {
            "name": client.name, "name_source": client.name_source, "document": client.document, "email": client.email,
            "tags": client.tags, "custom_fields": client.custom_fields, "added": added,
        }}));
        self.changed.push(json!({
            "id": client.id, "name": wanted.name, "name_source": wanted.name_source, "document": wanted.document,
            "email": wanted.email, "tags": wanted.tags, "custom_fields": wanted.custom_fields,
        }));
        self.written.updated += 1;
    }

    /// Whether all identities were free.
    async fn store(&mut self, transaction: &Transaction, import: &ListedRow) -> Result<bool, Error> {
        let made = Value::Array(std::mem::take(&mut self.made));
        let changed = Value::Array(std::mem::take(&mut self.changed));
        let rows = Value::Array(std::mem::take(&mut self.rows));
        let notes = Value::Array(std::mem::take(&mut self.notes));
        let Identities { clients, kinds, values } = &self.identities;
        let (_, _, _, added, _) = try_join5(
            transaction.execute(MAKE, &[&made]),
            transaction.execute(CHANGE, &[&changed]),
            transaction.execute(REMOVE_ADDRESSES, &[&self.gone.0, &self.gone.1]),
            transaction.execute(ADD_IDENTITIES, &[clients, kinds, values]),
            try_join(
                transaction.execute(ADD_NOTES, &[&import.started_by, &notes]),
                transaction.execute(NOTE_ROWS, &[&import.id, &rows]),
            ),
        )
        .await?;
        Ok(usize::try_from(added).is_ok_and(|added| added == values.len()))
    }
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
