//! What people are asked about: fields that both sides have changed, and records that are gone there.

use shared::{closed_set, prelude::*};

pub const CONFLICT_RESOLVED: Problem =
    Problem::new(409, "already_resolved", "Este conflito já foi resolvido.", "This conflict has been resolved already.");

closed_set! {
    /// What differs: a field, or whether there is a record at all.
    pub CrmConflictKind { Field = "field", Deleted = "deleted" }
}

closed_set! {
    /// What became of it; `same`: both sides say the same by themselves.
    pub CrmResolution { Ours = "ours", Theirs = "theirs", Same = "same" }
}

/// A difference that people choose about.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct CrmConflict {
    pub id: Uuid,
    pub lead_id: Uuid,
    pub lead_name: String,
    /// What the CRM calls the record.
    pub crm_id: String,
    pub kind: CrmConflictKind,
    /// Our name of it, such as `email`; null where the record is gone there.
    pub field: Option<String>,
    /// What both sides last said alike.
    pub agreed: Option<String>,
    /// What the lead said when they were compared.
    pub ours: Option<String>,
    pub theirs: Option<String>,
    pub created_at: Timestamp,
    pub resolution: Option<CrmResolution>,
    pub resolved_at: Option<Timestamp>,
    pub resolved_by_id: Option<Uuid>,
}

/// The columns of `CrmConflict`, of a relation named `crm_conflicts`.
#[macro_export]
macro_rules! crm_conflict_columns {
    () => {
        "crm_conflicts.id, crm_conflicts.lead_id,
         (select name from leads where leads.company_id = crm_conflicts.company_id and leads.id = crm_conflicts.lead_id) as lead_name,
         crm_conflicts.crm_id, crm_conflicts.kind, crm_conflicts.field, crm_conflicts.agreed, crm_conflicts.ours, crm_conflicts.theirs,
         crm_conflicts.created_at, crm_conflicts.resolution, crm_conflicts.resolved_at, crm_conflicts.resolved_by_id"
    };
}

/// Somebody has chosen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CrmConflictResolved {
    pub conflict_id: Uuid,
    pub lead_id: Uuid,
    pub resolution: CrmResolution,
}
event!(CrmConflictResolved = "crm.conflict_resolved");
