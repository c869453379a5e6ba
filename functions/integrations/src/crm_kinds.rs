//! What CRMs there are, and what of a lead they may say and be told.

use shared::{closed_set, company_secrets::CompanySecret};

/// Where the key is kept.
pub const CRM_KEY: CompanySecret = CompanySecret("crm");

closed_set! {
    /// What the other CRM is.
    pub CrmKind { HubSpot = "hubspot", Pipedrive = "pipedrive", GenericRest = "generic_rest" }
}

closed_set! {
    /// Whether leads are kept alike with it: it refuses the key of a broken one.
    pub CrmStatus { Active = "active", Broken = "broken", Disabled = "disabled" }
}

/// What of a lead both sides may say.
pub const TWO_WAY: [&str; 8] = ["name", "email", "phone", "company", "job_title", "origin", "campaign", "potential_value"];

/// What of a lead a CRM is only told, besides the company's own fields.
pub const ONE_WAY: [&str; 3] = ["temperature", "score", "status"];

/// What our fields begin with that are the company's own.
pub const OWN_FIELD: &str = "custom_fields.";
