//! What a row says of a lead.

use clients::{
    fields::ClientFields,
    import::{
        RowError, RowFault,
        cell::{date, name, note, plain, tags, typed, value, visible},
        kept::OnExisting,
        table::Row,
    },
    once_each,
    phone::Phone,
    written,
};
use shared::{money::Money, prelude::*, text::unaccented};

use super::LeadColumn;
use crate::{Closing, LeadData, Stage};

/// Characters of a note.
const LONGEST_NOTE: usize = 10_000;

/// What a row of leads may be wrong by, beside what one of clients may: a code, with what people read of it in Portuguese and in English.
pub type LeadFault = (&'static str, (&'static str, &'static str));

pub const INVALID_AMOUNT: LeadFault = (
    "invalid_amount",
    ("Valor inválido. Use um número a partir de zero, como 1.234,50.", "Invalid amount. Use a number from zero on, as 1234.50."),
);
pub const INVALID_DATE: LeadFault = ("invalid_date", ("Data inválida. Use dia/mês/ano.", "Invalid date. Use year-month-day."));
pub const UNKNOWN_STAGE: LeadFault = ("unknown_stage", ("O funil não tem esta etapa.", "The pipeline has no such stage."));
pub const UNKNOWN_PERSON: LeadFault =
    ("unknown_person", ("Ninguém da equipe tem este e-mail ou nome.", "Nobody of the team has this e-mail or name."));
pub const MISSING_FIELD: LeadFault =
    ("missing_fields", ("A etapa pede um campo que a linha não tem.", "The stage asks for a field that the row has not."));
pub const CRM_ID_IS_TAKEN: LeadFault =
    ("crm_id_taken", ("Outro lead já tem este código do CRM.", "Another lead has this CRM id already."));
pub const TWO_LEADS: LeadFault =
    ("two_leads", ("Os dados são de mais de um lead. Una-os antes.", "These belong to more than one lead. Merge them first."));

/// Somebody of the staff, as cells call them.
#[derive(Clone, Debug, FromRow)]
pub struct Person {
    pub id: Uuid,
    pub name: String,
    pub email: String,
}

/// What rows are read with.
#[derive(Debug)]
pub struct Selling {
    pub fields: ClientFields,
    pub pipeline_id: Uuid,
    pub stages: Vec<Stage>,
    /// Where those go that name none.
    pub stage_id: Uuid,
    /// Whose those are that have no closer.
    pub closer_id: Option<Uuid>,
    pub staff: Vec<Person>,
    pub on_existing: OnExisting,
}

impl Selling {
    fn stage(&self, text: &str) -> Option<Uuid> {
        let named = unaccented(text);
        self.stages.iter().find(|stage| stage.key == named || unaccented(&stage.name) == named).map(|stage| stage.id)
    }

    /// By e-mail, or by a name that only one of them has.
    fn person(&self, text: &str) -> Option<Uuid> {
        let named = unaccented(text);
        if let Some(person) = self.staff.iter().find(|person| person.email == text.to_lowercase()) {
            return Some(person.id);
        }
        let mut called = self.staff.iter().filter(|person| unaccented(&person.name) == named);
        called.next().filter(|_| called.next().is_none()).map(|person| person.id)
    }
}

/// A lead as a row says that it is.
#[derive(Clone, Debug, Default)]
pub struct Drafted {
    pub row: i64,
    /// What the row does not say is none.
    pub data: LeadData,
    pub custom_fields: Map<String, Value>,
    pub stage_id: Option<Uuid>,
    pub closing: Closing,
    pub note: Option<String>,
}

enum Fault {
    Cell(RowFault),
    Lead(LeadFault),
}

impl From<RowFault> for Fault {
    fn from(fault: RowFault) -> Self {
        Self::Cell(fault)
    }
}

fn amount(text: &str) -> Result<Money, Fault> {
    let figure = written::number(text, false).ok_or(Fault::Lead(INVALID_AMOUNT))?;
    typed_money(&figure).ok_or(Fault::Lead(INVALID_AMOUNT))
}

/// Digits before the point, as many as columns take.
const MOST_DIGITS: usize = 12;

/// Fractions of a cent are none that anybody meant.
fn typed_money(figure: &str) -> Option<Money> {
    let (whole, fraction) = figure.split_once('.').unwrap_or((figure, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 2 || whole.trim_start_matches('0').len() > MOST_DIGITS {
        return None;
    }
    format!("{whole}.{fraction:0<2}").parse().ok()
}

impl Drafted {
    fn take(&mut self, column: &LeadColumn, text: &str, company: &Selling) -> Result<(), Fault> {
        let data = &mut self.data;
        match column {
            LeadColumn::Name => data.name = name(text, 120)?,
            LeadColumn::Phone => data.phone = Some(typed::<Phone>(text, RowFault::InvalidPhone)?.to_string()),
            LeadColumn::Email => data.email = Some(typed::<Email>(text, RowFault::InvalidEmail)?.to_string()),
            LeadColumn::Company => data.company = Some(name(text, 120)?),
            LeadColumn::JobTitle => data.job_title = Some(name(text, 80)?),
            LeadColumn::Origin => data.origin = Some(name(text, 80)?),
            LeadColumn::Campaign => data.campaign = Some(name(text, 80)?),
            LeadColumn::Closer => data.closer_id = Some(company.person(text).ok_or(Fault::Lead(UNKNOWN_PERSON))?),
            LeadColumn::Sdr => data.sdr_id = Some(company.person(text).ok_or(Fault::Lead(UNKNOWN_PERSON))?),
            LeadColumn::Stage => self.stage_id = Some(company.stage(text).ok_or(Fault::Lead(UNKNOWN_STAGE))?),
            LeadColumn::PotentialValue => data.potential_value = Some(amount(text)?),
            LeadColumn::ExpectedClose => data.expected_close = Some(date(text).ok_or(Fault::Lead(INVALID_DATE))?),
            LeadColumn::Value => self.closing.value = Some(amount(text)?),
            LeadColumn::CloseReason => self.closing.reason = Some(visible(text, 500)?),
            LeadColumn::Tags => data.tags.extend(tags(text)?),
            LeadColumn::Notes => self.note = Some(note(text, LONGEST_NOTE)?),
            LeadColumn::CrmId => data.crm_id = Some(name(text, 120)?),
            LeadColumn::Custom(key) => {
                let field = company.fields.fields.iter().find(|field| field.key == *key);
                self.custom_fields.insert(key.clone(), value(field.ok_or(RowFault::WrongCustomValue)?, text)?);
            }
        }
        Ok(())
    }

    /// What a row says. Whoever has no name is called by where they work, or by what they are known by.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(headers: &[String], columns: &[Option<LeadColumn>], company: &Selling, row: &Row) -> Result<Self, Vec<RowError>> {
        // Empty cells at the end may be left out, or be more than there are columns.
        if row.cells.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty()) {
            return Err(vec![RowError::new(row.number, None, RowFault::WrongColumns)]);
        }
        let mut drafted = Self { row: row.number, ..Self::default() };
        let mut errors: Vec<RowError> = Vec::new();
        for ((cell, column), header) in row.cells.iter().zip(columns).zip(headers) {
            let (Some(column), text) = (column, plain(cell)) else { continue };
            if text.is_empty() {
                continue;
            }
            errors.extend(drafted.take(column, text, company).err().map(|fault| match fault {
                Fault::Cell(fault) => RowError::new(row.number, Some(header), fault),
                Fault::Lead((code, texts)) => RowError::of(row.number, Some(header), code, texts),
            }));
        }
        let data = &mut drafted.data;
        data.tags = once_each(std::mem::take(&mut data.tags));
        if data.tags.len() > 30 {
            errors.push(RowError::new(row.number, None, RowFault::TooManyTags));
        }
        let others = [&data.company, &data.email, &data.phone];
        let called = others.into_iter().flatten().next().cloned();
        if errors.is_empty() && data.name.is_empty() && called.is_none() {
            errors.push(RowError::new(row.number, None, RowFault::NothingKnown));
        }
        if errors.is_empty() { Ok(drafted) } else { Err(errors) }
    }

    /// What it is called where the row has no name.
    #[must_use]
    pub fn called(&self) -> String {
        let LeadData { name, company, email, phone, .. } = &self.data;
        if !name.is_empty() {
            return name.clone();
        }
        let called = [company, email, phone].into_iter().flatten().next();
        called.map(|text| text.chars().take(120).collect()).unwrap_or_default()
    }

    /// By what it is known. Whoever wants a lead of each row has one, but for what the other CRM calls it.
    #[must_use]
    pub fn keys(&self, on_existing: OnExisting) -> Vec<String> {
        let LeadData { phone, email, crm_id, .. } = &self.data;
        let crm_id = crm_id.iter().map(|id| format!("crm:{id}"));
        let is_looked_for = on_existing != OnExisting::Create;
        let phone = phone.iter().filter(|_| is_looked_for).map(|phone| format!("phone:{phone}"));
        let email = email.iter().filter(|_| is_looked_for).map(|email| format!("email:{email}"));
        crm_id.chain(phone).chain(email).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_of_cents() {
        let read = |text: &str| amount(text).ok().map(|money| money.to_string());
        for (text, wanted) in [
            ("R$ 1.234,50", Some("1234.50")),
            ("4500", Some("4500.00")),
            ("4500.5", Some("4500.50")),
            ("0,100", Some("0.10")),
            ("1,005", None),
            ("-3", None),
            ("muito", None),
            ("9999999999999", None),
        ] {
            assert_eq!(read(text).as_deref(), wanted, "{text}");
        }
    }
}
