//! What of a sequence is shown: its criteria and steps, as they were said. Only the schemas of these types are used.

use leads::ShownTemplate;
use scores::Temperature;
use shared::prelude::*;

use crate::step::StepKind;

/// What was asked; nothing else is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FollowupCriteriaShown")]
pub struct ShownCriteria {
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperatures: Option<Vec<Temperature>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origins: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_min: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_max: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_reply_days: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_email: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_phone: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FollowupStepShown")]
pub struct ShownStep {
    kind: StepKind,
    delay_minutes: i32,
    subject: Option<String>,
    body: Option<String>,
    template: Option<ShownTemplate>,
    variants: Vec<ShownWords>,
    condition: ShownCriteria,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FollowupWordsShown")]
struct ShownWords {
    subject: Option<String>,
    body: Option<String>,
    template: Option<ShownTemplate>,
}
