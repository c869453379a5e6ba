//! What each kind of CRM is asked for and told, in its own way.

use integrations::crm_kinds::CrmKind;
use shared::prelude::*;

use super::{
    call::Stop,
    connection::{Connection, TheirPage, Told},
    values::Values,
};

/// A lead that the CRM is told of.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub lead_id: Uuid,
    pub version: i32,
    /// All that it has.
    pub whole: &'a Values,
}

/// Whether a record is another lead's.
const IS_ANOTHERS: &str = "select exists (select from crm_records where crm_id = $1 and lead_id <> $2) as is_anothers";

impl Connection {
    /// Whether a record that was found is another lead's.
    ///
    /// # Errors
    /// When that cannot be known now.
    pub async fn is_anothers(&self, context: &Context, crm_id: &str, lead_id: Uuid) -> Result<bool, Stop> {
        let asked = async {
            let transaction = context.begin_system(self.company_id).await?;
            let rows = transaction.query(IS_ANOTHERS, &[&crm_id, &lead_id]).await?;
            Ok::<_, Error>(rows.first().is_some_and(|row| row.get("is_anothers")))
        };
        asked.await.map_err(|error: Error| Stop::Down { reason: error.problem().code.to_owned() })
    }

    /// Whether it says what has changed there.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.kind != CrmKind::GenericRest
    }

    /// A page of what has changed there since then.
    ///
    /// # Errors
    /// Why nothing more is to be done now.
    pub async fn changed(&self, context: &Context, since: Option<Timestamp>, place: Option<&str>) -> Result<TheirPage, Stop> {
        match self.kind {
            CrmKind::HubSpot => self.changed_contacts(context, since, place).await,
            CrmKind::Pipedrive => self.changed_persons(context, since, place).await,
            CrmKind::GenericRest => Ok(TheirPage::default()),
        }
    }

    /// A page of what is gone there; where changes say it too, none.
    ///
    /// # Errors
    /// As `changed`.
    pub async fn deleted(&self, context: &Context, place: Option<&str>) -> Result<TheirPage, Stop> {
        match self.kind {
            CrmKind::HubSpot => self.deleted_contacts(context, place).await,
            CrmKind::Pipedrive | CrmKind::GenericRest => Ok(TheirPage::default()),
        }
    }

    /// Makes a record of a lead that has none, of whom one may have been asked for before.
    ///
    /// # Errors
    /// As `changed`.
    pub async fn make(&self, context: &Context, subject: Subject<'_>, was_asked: bool) -> Result<Told, Stop> {
        match self.kind {
            CrmKind::HubSpot => self.make_contact(context, subject, was_asked).await,
            CrmKind::Pipedrive => self.make_person(context, subject).await,
            CrmKind::GenericRest => self.post_contact(context, (subject.lead_id, subject.version), subject.whole, None).await,
        }
    }

    /// Tells what is new of a lead.
    ///
    /// # Errors
    /// As `changed`.
    pub async fn change(&self, context: &Context, crm_id: &str, subject: Subject<'_>, news: &Values) -> Result<Told, Stop> {
        match self.kind {
            CrmKind::HubSpot => self.change_contact(context, crm_id, news).await,
            CrmKind::Pipedrive => self.change_person(context, crm_id, news).await,
            CrmKind::GenericRest => {
                self.post_contact(context, (subject.lead_id, subject.version), subject.whole, Some(crm_id)).await
            }
        }
    }

    /// Takes a record away; a CRM that takes contacts only keeps it.
    ///
    /// # Errors
    /// As `changed`.
    pub async fn take_away(&self, context: &Context, crm_id: &str) -> Result<Told, Stop> {
        match self.kind {
            CrmKind::HubSpot => self.archive_contact(context, crm_id).await,
            CrmKind::Pipedrive => self.delete_person(context, crm_id).await,
            CrmKind::GenericRest => Ok(Told::Kept(crm_id.to_owned())),
        }
    }
}

/// Of somebody who is another lead there already.
#[must_use]
pub fn same_contact(crm_id: &str) -> Told {
    Told::Refused(format!("same_contact: {crm_id}"))
}
