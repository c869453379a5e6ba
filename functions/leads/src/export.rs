//! Leads as a table, which an import reads again.

use std::collections::BTreeMap;

use clients::export::{one_of_several, said};
use scores::fields::LeadField;
use shared::{identity::Locale, prelude::*};

use crate::Lead;

const PEOPLE: &str = "
    select users.id, users.email from memberships join users on users.id = memberships.user_id where memberships.role <> 'student'";

#[derive(FromRow)]
struct Person {
    id: Uuid,
    email: String,
}

/// By what people of the staff are told apart.
///
/// # Errors
/// Those of the database.
pub async fn people(transaction: &Transaction) -> Result<BTreeMap<Uuid, String>, Error> {
    let people: Vec<Person> = transaction.all(PEOPLE, &[]).await?;
    Ok(people.into_iter().map(|person| (person.id, person.email)).collect())
}

/// Columns in Portuguese and in English, as an import knows them again.
const COLUMNS: [(&str, &str); 19] = [
    ("Nome", "Name"),
    ("Telefone", "Phone"),
    ("E-mail", "Email"),
    ("Empresa", "Company"),
    ("Cargo", "Job title"),
    ("Origem", "Origin"),
    ("Campanha", "Campaign"),
    ("Closer", "Closer"),
    ("SDR", "SDR"),
    ("Etapa", "Stage"),
    ("Valor potencial", "Potential value"),
    ("Fechamento previsto", "Expected close"),
    ("Valor fechado", "Won value"),
    ("Motivo", "Close reason"),
    ("Etiquetas", "Tags"),
    ("ID do CRM", "CRM ID"),
    ("Pontuação", "Score"),
    ("Temperatura", "Temperature"),
    ("Criado em", "Created at"),
];

/// The names of the columns.
#[must_use]
pub fn header(locale: Locale, fields: &[LeadField]) -> Vec<String> {
    let named = COLUMNS.iter().map(|(portuguese, english)| match locale {
        Locale::English => (*english).to_owned(),
        Locale::Portuguese => (*portuguese).to_owned(),
    });
    named.chain(fields.iter().map(|field| field.label.clone())).collect()
}

/// A lead as a row of them.
#[must_use]
pub fn row(locale: Locale, fields: &[LeadField], people: &BTreeMap<Uuid, String>, lead: &Lead) -> Vec<String> {
    let amount = |amount: Option<shared::money::Money>| amount.map(|amount| amount.to_string()).unwrap_or_default();
    let person = |id: Option<Uuid>| id.and_then(|id| people.get(&id).cloned()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut cells = vec![
        lead.name.clone(),
        lead.phone.as_ref().map(|phone| format!("+{phone}")).unwrap_or_default(),
        text(&lead.email),
        text(&lead.company),
        text(&lead.job_title),
        text(&lead.origin),
        text(&lead.campaign),
        person(lead.closer_id),
        person(lead.sdr_id),
        lead.stage["name"].as_str().unwrap_or_default().to_owned(),
        amount(lead.potential_value),
        lead.expected_close.map(|day| day.to_string()).unwrap_or_default(),
        amount(lead.value),
        text(&lead.close_reason),
        lead.tags.iter().map(|tag| one_of_several(tag)).collect::<Vec<_>>().join(", "),
        text(&lead.crm_id),
        lead.score.to_string(),
        lead.temperature.as_str().to_owned(),
        lead.created_at.to_string(),
    ];
    let own = |field: &LeadField| lead.custom_fields.get(&field.key).map(|value| said(locale, value)).unwrap_or_default();
    cells.extend(fields.iter().map(own));
    cells
}
