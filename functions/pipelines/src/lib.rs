//! Pipelines with their stages, and the board of leads in them.

mod automations;
mod entering;
mod pipeline;
mod stages;

pub use automations::unknown_to_automations;
pub use entering::{AutomationOutcome, give_up_entry, run_entry};
pub use pipeline::{
    IS_DEFAULT, LOCKED_PIPELINE, PIPELINE, PIPELINE_IN_USE, PIPELINE_NAME_TAKEN, PIPELINES, Pipeline, PipelineCreated,
    PipelineDeleted, PipelineUpdated, UNKNOWN_DEPARTMENT,
};
pub use stages::{
    NewStage, STAGES, add_stages, are_the_same, keep_stages, problems, problems_of_change, remove_stages, usual_stages,
};
