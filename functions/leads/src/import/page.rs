//! A page of an import: which of its leads are there already, and what is written of each.

use std::collections::{BTreeMap, BTreeSet};

use clients::{
    fields::{ClientFields, changed},
    import::{
        RowError, RowFault,
        kept::{ImportRow, ListedRow, OnExisting, Statements},
        run::{Incoming, Reading, Undone, Written},
        table::Row,
    },
    import_statements, once_each,
};
use futures_util::future::{try_join, try_join_all, try_join3, try_join4};
use scores::{
    fields::{plain, read},
    rescored,
};
use shared::prelude::*;
use tokio_postgres::types::ToSql;

use super::{
    LeadColumn,
    row::{CRM_ID_IS_TAKEN, Drafted, LeadFault, MISSING_FIELD, Person, Selling, TWO_LEADS, UNKNOWN_STAGE},
    undo,
};
use crate::{HOLD_LEADS, HOLD_STAGES, IS_IMPORT, LEADS, Lead, LeadData, LeadStatus, lacks, stage_columns};

/// Leads as a table.
#[derive(Debug)]
pub struct ImportedLeads;

/// Leads have come in as a table, or gone again: boards and lists are read anew.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadsImported {
    pub import_id: Uuid,
    /// Leads that are new.
    pub made: i32,
    /// Leads with other values.
    pub updated: i32,
    /// Leads that are gone, since it was undone.
    pub removed: i32,
    /// Leads that are as they were before it.
    pub restored: i32,
}

event!(LeadsImported = "leads.imported");

const PLACE: &str = "select pipeline_id, stage_id, closer_id from lead_imports where id = $1";

#[derive(FromRow)]
struct Place {
    pipeline_id: Uuid,
    stage_id: Uuid,
    closer_id: Option<Uuid>,
}

const STAGES: &str = concat!("select ", stage_columns!(), " from stages where pipeline_id = $1 order by position");

const STAFF: &str = "
    select users.id, users.name, users.email
      from memberships
      join users on users.id = memberships.user_id
     where memberships.status = 'active' and memberships.role <> 'student'
     order by users.id";

impl Incoming for ImportedLeads {
    type Column = LeadColumn;
    type Company = Selling;
    type Item = Drafted;

    const STATEMENTS: Statements = import_statements!("lead_imports");

    async fn company(transaction: &Transaction, import: &ImportRow) -> Result<Selling, Error> {
        let Place { pipeline_id, stage_id, closer_id } = transaction.one(PLACE, &[&import.listed.id]).await?;
        let (own, stages, staff) =
            try_join3(read(transaction), transaction.all(STAGES, &[&pipeline_id]), transaction.all::<Person>(STAFF, &[])).await?;
        let mut own = own;
        own.fields.retain(|field| field.pipeline_ids.is_empty() || field.pipeline_ids.contains(&pipeline_id));
        let fields = ClientFields { fields: plain(&own.fields), version: own.version };
        Ok(Selling { fields, pipeline_id, stages, stage_id, closer_id, staff, on_existing: import.listed.on_existing })
    }

    fn fields(company: &Selling) -> &ClientFields {
        &company.fields
    }

    fn read(reading: &Reading<'_, Self>, row: &Row) -> Result<Drafted, Vec<RowError>> {
        Drafted::read(reading.headers, reading.columns, reading.company, row)
    }

    fn keys(drafted: &Drafted, company: &Selling) -> Vec<String> {
        drafted.keys(company.on_existing)
    }

    async fn write(
        context: &Context,
        transaction: &Transaction,
        import: &ListedRow,
        company: &Selling,
        drafted: &[Drafted],
    ) -> Result<Option<Written>, Error> {
        let stages: Vec<Uuid> = company.stages.iter().map(|stage| stage.id).collect();
        let column = |of: fn(&Drafted) -> &Option<String>| -> Vec<Option<String>> {
            drafted.iter().map(|drafted| of(drafted).clone()).collect()
        };
        let places: Vec<i64> = (0_i64..).take(drafted.len()).collect();
        let (crm_ids, phones, emails) = (
            column(|drafted| &drafted.data.crm_id),
            column(|drafted| &drafted.data.phone),
            column(|drafted| &drafted.data.email),
        );
        let held: &[Uuid] = if import.is_dry_run { &[] } else { &stages };
        let (_, _, matches, namesakes): (_, _, Vec<Match>, Vec<Namesake>) = try_join4(
            transaction.query(IS_IMPORT, &[]),
            transaction.query(HOLD_STAGES, &[&held]),
            transaction.all(MATCHES, &[&places, &crm_ids, &phones, &emails, &company.pipeline_id]),
            transaction.all(NAMESAKES, &[&phones, &emails]),
        )
        .await?;
        let ids: Vec<Uuid> = matches.iter().map(|known| known.lead_id).collect::<BTreeSet<_>>().into_iter().collect();
        let held: &[Uuid] = if import.is_dry_run { &[] } else { &ids };
        let (_, leads, earlier): (_, Vec<Lead>, Vec<Earlier>) = try_join3(
            transaction.query(HOLD_LEADS, &[&held]),
            transaction.all(LEADS, &[&ids]),
            transaction.all(EARLIER, &[&import.id, &ids]),
        )
        .await?;
        let leads: BTreeMap<Uuid, Lead> = leads.into_iter().map(|lead| (lead.id, lead)).collect();
        let mut plan = Plan { taken: earlier.into_iter().map(|earlier| earlier.lead_id).collect(), ..Plan::default() };
        for ((drafted, place), namesake) in drafted.iter().zip(0_i64..).zip(&namesakes) {
            let known = matches.iter().filter(|known| known.place == place);
            let known: Vec<(&Lead, bool)> =
                known.filter_map(|known| Some((leads.get(&known.lead_id)?, known.is_named))).collect();
            plan.add(context, company, drafted, &known, namesake.client_id);
        }
        if import.is_dry_run || plan.rows.is_empty() || plan.store(context, transaction, import).await? {
            return Ok(Some(plan.written));
        }
        Ok(None)
    }

    fn take_back(
        context: &Context,
        transaction: &Transaction,
        import: Uuid,
        most: i32,
    ) -> impl Future<Output = Result<Undone, Error>> + Send {
        undo::take_back(context, transaction, import, most)
    }

    async fn tell(transaction: &Transaction, import: &ImportRow) -> Result<(), Error> {
        let ListedRow { id, made, updated, removed, restored, .. } = import.listed;
        transaction.tell_staff(&LeadsImported { import_id: id, made, updated, removed, restored });
        if import.listed.undo_job_id.is_none() {
            transaction.query(TELL_PEOPLE, &[&id]).await?;
        }
        Ok(())
    }
}

/// By what the other CRM calls it wherever it is; else by phone or e-mail in the same pipeline. And who of the clients they are.
const MATCHES: &str = "
    select wanted.place, known.id as lead_id, known.is_named
      from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) wanted (place, crm_id, phone, email)
     cross join lateral (
        select id, true as is_named from leads
         where company_id = (select app.company_id()) and crm_id = wanted.crm_id and merged_into_id is null
        union all
        select id, false from leads
         where company_id = (select app.company_id()) and phone = wanted.phone and pipeline_id = $5 and deleted_at is null
        union all
        select id, false from leads
         where company_id = (select app.company_id()) and email = wanted.email and pipeline_id = $5 and deleted_at is null) known";

#[derive(FromRow)]
struct Match {
    place: i64,
    lead_id: Uuid,
    is_named: bool,
}

const NAMESAKES: &str = "
    select app.find_namesake(array_remove(array[wanted.phone], null), wanted.email, null, null) as client_id
      from unnest($1::text[], $2::text[]) with ordinality wanted (phone, email, place)
     order by wanted.place";

#[derive(FromRow)]
struct Namesake {
    client_id: Option<Uuid>,
}

const EARLIER: &str = "select lead_id from lead_import_rows where import_id = $1 and lead_id = any ($2)";

#[derive(FromRow)]
struct Earlier {
    lead_id: Uuid,
}

/// Whose they are, once of all.
const TELL_PEOPLE: &str = "
    select app.notify(app.notice_of_leads(person, count(*), (array_agg(leads.id order by leads.id))[1], 0))::text
      from lead_import_rows
      join leads on leads.id = lead_import_rows.lead_id
     cross join lateral (select leads.closer_id as person union select leads.sdr_id) people
     where lead_import_rows.import_id = $1 and lead_import_rows.before is null and person is not null
       and leads.status = 'open' and leads.deleted_at is null
     group by person
     order by person";

/// At the foot of their columns, in the order of the file.
const MAKE: &str = "
    with given as materialized (
        select * from jsonb_to_recordset($1)
            given (id uuid, place integer, stage_id uuid, name text, email text, phone text, company text, job_title text, origin text, campaign text,
                   closer_id uuid, sdr_id uuid, potential_value text, expected_close date, tags jsonb, custom_fields jsonb, client_id uuid,
                   crm_id text, value text, close_reason text)
    ), placed as materialized (
        select places.id, places.place
          from (select stage_id, array_agg(id order by place) as ids from given group by stage_id) columns
         cross join lateral app.places_in(columns.stage_id, columns.ids, false) places
    )
    insert into leads (id, pipeline_id, stage_id, rank, name, email, phone, organisation, job_title, origin, campaign, closer_id, sdr_id,
                       potential_value, expected_close, tags, custom_fields, client_id, crm_id, value, close_reason, created_by_id)
    select given.id, stages.pipeline_id, stages.id, placed.place, given.name, given.email, given.phone, given.company, given.job_title,
           given.origin, given.campaign, given.closer_id, given.sdr_id, given.potential_value::numeric, given.expected_close,
           array(select jsonb_array_elements_text(given.tags)), given.custom_fields, given.client_id, given.crm_id, given.value::numeric,
           given.close_reason, $2
      from given
      join placed on placed.id = given.id
      join stages on stages.id = given.stage_id
     order by given.place
        on conflict (company_id, crm_id) where crm_id is not null and merged_into_id is null do nothing";

/// In the name of whoever imports.
const ADD_NOTES: &str = "
    insert into lead_interactions (id, lead_id, author_id, source, type, summary, details, result)
    select id, lead_id, $1, 'import', 'note', 'Importado de uma planilha', text, 'other'
      from jsonb_to_recordset($2) given (id uuid, lead_id uuid, text text)";

const NOTE_ROWS: &str = "
    insert into lead_import_rows (import_id, lead_id, number, before, after)
    select $1, lead_id, number, before, after from jsonb_to_recordset($2) written (lead_id uuid, number bigint, before jsonb, after jsonb)";

/// What a page does, before any of it is written.
#[derive(Default)]
struct Plan {
    written: Written,
    made: Vec<Value>,
    notes: Vec<Value>,
    changed: Vec<(Uuid, LeadData)>,
    rows: Vec<Value>,
    ids: Vec<Uuid>,
    taken: BTreeSet<Uuid>,
}

impl Plan {
    fn fail(&mut self, drafted: &Drafted, (code, texts): LeadFault) {
        self.written.errors.push(RowError::of(drafted.row, None, code, texts));
    }

    fn add(&mut self, context: &Context, company: &Selling, drafted: &Drafted, known: &[(&Lead, bool)], client_id: Option<Uuid>) {
        let named = known.iter().find(|(_, is_named)| *is_named).map(|(lead, _)| *lead);
        let is_gone = named.is_some_and(|lead| lead.deleted_at.is_some());
        let mut others: BTreeMap<Uuid, &Lead> = known.iter().map(|(lead, _)| (lead.id, *lead)).collect();
        if others.len() > 1 {
            others.retain(|_, lead| lead.status == LeadStatus::Open);
        }
        match (company.on_existing, named) {
            _ if is_gone => self.fail(drafted, CRM_ID_IS_TAKEN),
            (OnExisting::Create, Some(_)) => self.fail(drafted, CRM_ID_IS_TAKEN),
            (OnExisting::Create, None) => self.make(context, company, drafted, client_id),
            _ if known.is_empty() => self.make(context, company, drafted, client_id),
            (OnExisting::Skip, _) => self.written.skipped += 1,
            (OnExisting::Update, Some(lead)) => self.change(lead, drafted, client_id),
            (OnExisting::Update, None) => match others.into_values().collect::<Vec<_>>()[..] {
                [lead] => self.change(lead, drafted, client_id),
                _ => self.fail(drafted, TWO_LEADS),
            },
        }
    }

    fn make(&mut self, context: &Context, company: &Selling, drafted: &Drafted, client_id: Option<Uuid>) {
        let stage_id = drafted.stage_id.unwrap_or(company.stage_id);
        let Some(stage) = company.stages.iter().find(|stage| stage.id == stage_id) else {
            return self.fail(drafted, UNKNOWN_STAGE);
        };
        let custom_fields = changed(&Value::Null, drafted.custom_fields.clone());
        let closer_id = drafted.data.closer_id.or(company.closer_id);
        let data = LeadData { name: drafted.called(), closer_id, custom_fields, client_id, ..drafted.data.clone() };
        if !lacks(stage, &data.shown(), &drafted.closing).is_empty() {
            return self.fail(drafted, MISSING_FIELD);
        }
        let id = context.new_id();
        let mut made = json!(data);
        let is_won = stage.kind == LeadStatus::Won;
        made["id"] = json!(id);
        made["place"] = json!(self.made.len());
        made["stage_id"] = json!(stage_id);
        made["value"] = json!(drafted.closing.value.or(data.potential_value).filter(|_| is_won));
        made["close_reason"] = json!(drafted.closing.reason);
        self.made.push(made);
        if let Some(text) = &drafted.note {
            self.notes.push(json!({"id": context.new_id(), "lead_id": id, "text": text}));
        }
        self.rows.push(json!({"lead_id": id, "number": drafted.row, "before": null, "after": null}));
        self.ids.push(id);
        self.written.made += 1;
    }

    fn change(&mut self, lead: &Lead, drafted: &Drafted, client_id: Option<Uuid>) {
        if !self.taken.insert(lead.id) {
            self.written.errors.push(RowError::new(drafted.row, None, RowFault::RepeatedRow));
            return;
        }
        let before = LeadData::from(lead.clone());
        let after = changed_by(&before, drafted, client_id);
        if after.tags.len() > 30 {
            self.written.errors.push(RowError::new(drafted.row, None, RowFault::TooManyTags));
            return;
        }
        if after == before {
            self.written.skipped += 1;
            return;
        }
        self.rows.push(json!({"lead_id": lead.id, "number": drafted.row, "before": before, "after": after}));
        self.ids.push(lead.id);
        self.changed.push((lead.id, after));
        self.written.updated += 1;
    }

    /// Whether nobody has taken what the other CRM calls one of them.
    async fn store(&self, context: &Context, transaction: &Transaction, import: &ListedRow) -> Result<bool, Error> {
        let (made, rows, notes) = (json!(self.made), json!(self.rows), json!(self.notes));
        let saved = try_join_all(self.changed.iter().map(|(id, data)| data.save(transaction, *id)));
        let (added, saved) = try_join(transaction.execute(MAKE, &[&made, &import.started_by]), saved).await?;
        drop(saved);
        if usize::try_from(added).ok() != Some(self.made.len()) {
            return Ok(false);
        }
        let noted = async {
            let of_importer: [&(dyn ToSql + Sync); 2] = [&import.started_by, &notes];
            let of_import: [&(dyn ToSql + Sync); 2] = [&import.id, &rows];
            try_join(transaction.execute(ADD_NOTES, &of_importer), transaction.execute(NOTE_ROWS, &of_import)).await
        };
        rescored(transaction, &self.ids, context.now(), noted).await?;
        Ok(true)
    }
}

/// A lead with what a row says: tags are added, the rest replaced, nothing is taken away.
fn changed_by(before: &LeadData, drafted: &Drafted, client_id: Option<Uuid>) -> LeadData {
    let said = drafted.data.clone();
    let current = before.clone();
    LeadData {
        name: if said.name.is_empty() { current.name } else { said.name },
        email: said.email.or(current.email),
        phone: said.phone.or(current.phone),
        company: said.company.or(current.company),
        job_title: said.job_title.or(current.job_title),
        origin: said.origin.or(current.origin),
        campaign: said.campaign.or(current.campaign),
        closer_id: said.closer_id.or(current.closer_id),
        sdr_id: said.sdr_id.or(current.sdr_id),
        potential_value: said.potential_value.or(current.potential_value),
        expected_close: said.expected_close.or(current.expected_close),
        tags: once_each(current.tags.into_iter().chain(said.tags)),
        custom_fields: changed(&current.custom_fields, drafted.custom_fields.clone()),
        client_id: current.client_id.or(client_id),
        crm_id: said.crm_id.or(current.crm_id),
    }
}
