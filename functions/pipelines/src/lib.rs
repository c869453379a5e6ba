//! Pipelines with their stages, and the board of leads in them.

mod pipeline;

pub use pipeline::{
    LOCKED_PIPELINE, PIPELINE, PIPELINE_NAME_TAKEN, PIPELINES, Pipeline, PipelineCreated, PipelineDeleted, PipelineUpdated,
    UNKNOWN_DEPARTMENT,
};
