//! Leads: people who may buy, as cards in the stages of a pipeline, and what is done with them.

mod automation;
mod bulk;
mod closing;
pub mod crm;
mod detail;
pub mod export;
mod given;
pub mod import;
mod interaction;
mod lead;
pub mod listing;
mod merging;
mod of_conversation;
mod proposing;
mod qualifying;
mod stage;

pub use automation::{Automation, ShownAutomation, ShownTemplate};
pub use bulk::BulkChange;
pub use closing::{CloseOutcome, Closing};
pub use detail::{DETAIL, LeadDetail};
pub use given::{CRM_ID_TAKEN, IS_STAFF, LeadData, LeadFieldsGiven, Named};
pub use interaction::{Interaction, InteractionResult, InteractionSource, InteractionType, LeadInteractionAdded};
pub(crate) use lead::IS_IMPORT;
pub use lead::{HOLD_LEADS, LEAD, LEADS, Lead, LeadCreated, LeadDeleted, LeadStatus, LeadUpdated, Qualification};
pub use listing::{LeadFilters, LeadPage};
pub use merging::{LEAD_MERGE, LEAD_MERGE_TOO_OLD, LEAD_MERGE_UNDONE, LEAD_MERGED_AGAIN, LeadMerge, joined, parted};
pub use of_conversation::{LEAD_CLIENT, LeadClient, OPEN_LEAD, OpenLead, advance_lead, begin_lead};
pub use proposing::{NOTHING_KNOWN, Proposal, propose};
pub use stage::{
    HOLD_END_OF_PIPELINE, HOLD_STAGE_OF, HOLD_STAGE_TO_RETURN, HOLD_STAGES, MISSING_FIELDS, NEIGHBOURS_MOVED, NO_SUCH_STAGE,
    PLACE_FOR_NEW, RETURN, STAGE, STAGE_AT_THE_END, Stage, StageSpread, enter, lacks, may_be_required, missing_fields,
};
