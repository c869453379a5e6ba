//! Which leads a sequence is for, and which of them a step is for. `app.meets` judges.

use scores::Temperature;
use shared::prelude::*;

/// What a lead has; what is not said is not asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "FollowupCriteria")]
pub struct Criteria {
    #[garde(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_id: Option<Uuid>,
    /// Keys of stages, one of which it is in.
    #[garde(length(max = 50), inner(length(chars, min = 1, max = 40)))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
    #[garde(length(max = 3))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub temperatures: Vec<Temperature>,
    /// One of which it came from, whatever the case.
    #[garde(length(max = 50), inner(length(chars, min = 1, max = 80)))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
    /// One of which it has.
    #[garde(length(max = 30), inner(length(chars, min = 1, max = 40)))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[garde(range(min = 0, max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_min: Option<i32>,
    #[garde(range(min = 0, max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_max: Option<i32>,
    /// They have not replied for so many days; who never did, since they are a lead.
    #[garde(range(min = 1, max = 365))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_reply_days: Option<i32>,
    #[garde(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_email: Option<bool>,
    #[garde(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_phone: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_not_stored() {
        assert_eq!(json!(Criteria::default()), json!({}));
        let said = json!({"stages": ["new"], "temperatures": ["hot"], "score_min": 10, "has_email": true});
        let criteria: Criteria = serde_json::from_value(said.clone()).unwrap();
        assert_eq!(json!(criteria), said);
        assert!(serde_json::from_value::<Criteria>(json!({"stage": "new"})).is_err(), "a name nobody knows");
    }

    #[test]
    fn figures_have_bounds() {
        for wrong in [json!({"score_min": 101}), json!({"no_reply_days": 0}), json!({"tags": [""]})] {
            assert!(serde_json::from_value::<Criteria>(wrong.clone()).unwrap().validate().is_err(), "{wrong}");
        }
    }
}
