//! Two cards of one person made one, and parted again.

use clients::{
    merges::{MERGE_TOO_OLD, MERGE_UNDONE},
    once_each,
};
use shared::prelude::*;

use crate::{Lead, LeadData};

pub const LEAD_MERGE_UNDONE: Problem = MERGE_UNDONE.showing::<LeadMerge>();
pub const LEAD_MERGE_TOO_OLD: Problem = MERGE_TOO_OLD.showing::<LeadMerge>();
pub const LEAD_MERGED_AGAIN: Problem = Problem::new(
    409,
    "merged_again",
    "Este lead foi unido a outro depois. Desfaça primeiro a união mais nova.",
    "This lead was merged into another one since. Undo the newer merge first.",
)
.showing::<LeadMerge>();

/// Two leads that were made one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
pub struct LeadMerge {
    pub id: Uuid,
    /// The one that stayed.
    pub lead_id: Uuid,
    pub merged_lead_id: Uuid,
    pub by_id: Uuid,
    pub at: Timestamp,
    pub undone_at: Option<Timestamp>,
}

pub const LEAD_MERGE: &str =
    "select id, lead_id, merged_id as merged_lead_id, by_id, at, undone_at from lead_merges where id = $1";

/// What the one that stays has from now on: its own, the other's where it has nothing, tags and fields of both.
#[must_use]
pub fn joined(stays: &Lead, goes: &Lead) -> LeadData {
    let (mut data, other) = (LeadData::from(stays.clone()), LeadData::from(goes.clone()));
    let LeadData { email, phone, company, job_title, origin, campaign, closer_id, sdr_id, .. } = other;
    let LeadData { potential_value, expected_close, tags, custom_fields, client_id, crm_id, .. } = other;
    data.email = data.email.or(email);
    data.phone = data.phone.or(phone);
    data.company = data.company.or(company);
    data.job_title = data.job_title.or(job_title);
    data.origin = data.origin.or(origin);
    data.campaign = data.campaign.or(campaign);
    data.closer_id = data.closer_id.or(closer_id);
    data.sdr_id = data.sdr_id.or(sdr_id);
    data.potential_value = data.potential_value.or(potential_value);
    data.expected_close = data.expected_close.or(expected_close);
    data.client_id = data.client_id.or(client_id);
    data.crm_id = data.crm_id.or(crm_id);
    data.tags.extend(tags);
    data.tags = once_each(data.tags);
    data.tags.truncate(30);
    if let (Some(own), Value::Object(others)) = (data.custom_fields.as_object_mut(), custom_fields) {
        for (key, value) in others {
            own.entry(key).or_insert(value);
        }
    }
    data
}

/// What it has after they are parted: what the merge gave it goes, unless it was changed since.
#[must_use]
pub fn parted(current: &Lead, before: &LeadData, after: &LeadData) -> LeadData {
    let mut data = LeadData::from(current.clone());
    macro_rules! back {
        ($($field:ident),+) => {
            $(if data.$field == after.$field {
                data.$field.clone_from(&before.$field);
            })+
        };
    }
    back!(
        email,
        phone,
        company,
        job_title,
        origin,
        campaign,
        closer_id,
        sdr_id,
        potential_value,
        expected_close,
        client_id,
        crm_id,
        tags,
        custom_fields
    );
    data
}
