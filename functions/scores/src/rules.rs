//! The rules by which a company's leads are scored.

use shared::{VISIBLE, closed_set, error::FieldProblem, prelude::*, visible};

/// How leads are scored: half of the qualification, what was done, what is known, less what time takes away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scoring {
    /// How much of the qualification score counts, of 100.
    #[garde(range(max = 100))]
    #[schemars(range(max = 100))]
    pub qualification_percent: u8,
    #[garde(dive)]
    pub activity: ActivityPoints,
    #[garde(dive)]
    pub profile: ProfilePoints,
    /// What is taken away after so many days without contact: the greatest one that has come.
    #[garde(length(max = 10), dive)]
    pub decay: Vec<Decay>,
    /// From which score on a lead is hot.
    #[garde(range(min = 1, max = 100))]
    #[schemars(range(min = 1, max = 100))]
    pub hot_from: u8,
    /// From which score on a lead is warm; below it, cold.
    #[garde(range(min = 1, max = 100))]
    #[schemars(range(min = 1, max = 100))]
    pub warm_from: u8,
    /// The company's own.
    #[garde(length(max = 30), dive)]
    #[serde(default)]
    pub custom: Vec<CustomRule>,
}

/// The rules that hold, and which version they are.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LeadScoring {
    pub rules: Scoring,
    /// 0 of those that every company begins with.
    pub version: i32,
}

impl Versioned for LeadScoring {
    fn version(&self) -> i32 {
        self.version
    }
}

macro_rules! points {
    ($(#[$doc:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$of_field])* #[garde(range(max = 100))] #[schemars(range(max = 100))] pub $field: u8),+
        }
    };
}

points! {
    /// Points for what was done.
    ActivityPoints {
        /// They wrote within an hour of a message of ours, once.
        quick_reply,
        /// They wrote in the last 7 days.
        recent_reply,
        /// A meeting was arranged and none held yet.
        meeting_scheduled,
        /// A meeting was held.
        meeting_held,
        proposal_sent,
        /// For each interaction of the last 30 days.
        interaction,
        /// What all interactions together come to, at most.
        interactions_at_most,
        /// What all that was done comes to, at most.
        at_most,
    }
}

points! {
    /// Points for what is known.
    ProfilePoints { email, phone, company, job_title }
}

/// What days without contact take away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decay {
    /// After more than so many.
    #[garde(range(max = 3650))]
    #[schemars(range(max = 3650))]
    pub days: u16,
    #[garde(range(max = 100))]
    #[schemars(range(max = 100))]
    pub points: u8,
}

closed_set! {
    /// What is asked of a field.
    pub CustomTest { IsSet = "is_set", Equals = "equals", Contains = "contains", Above = "above", Below = "below" }
}

/// Points for what a field of the lead says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomRule {
    /// What people read.
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    pub label: String,
    /// `origin`, `campaign`, `company`, `job_title`, `potential_value`, or `custom_fields.<key>`.
    #[garde(length(chars, min = 1, max = 60))]
    pub field: String,
    /// Another field, by which a figure is divided before it is compared.
    #[garde(length(chars, min = 1, max = 60))]
    #[serde(default)]
    pub per: Option<String>,
    #[garde(skip)]
    pub test: CustomTest,
    /// With what it is compared; a figure for `above` and `below`, nothing for `is_set`.
    #[garde(length(chars, max = 200))]
    #[serde(default)]
    pub value: Option<String>,
    /// Given, or taken away.
    #[garde(range(min = -100, max = 100))]
    #[schemars(range(min = -100, max = 100))]
    pub points: i8,
}

/// Fields that everybody's leads have and rules may ask.
const FIELDS: [&str; 5] = ["origin", "campaign", "company", "job_title", "potential_value"];

impl Default for Scoring {
    fn default() -> Self {
        Self {
            qualification_percent: 50,
            activity: ActivityPoints {
                quick_reply: 10,
                recent_reply: 10,
                meeting_scheduled: 5,
                meeting_held: 10,
                proposal_sent: 10,
                interaction: 2,
                interactions_at_most: 10,
                at_most: 40,
            },
            profile: ProfilePoints { email: 3, phone: 3, company: 2, job_title: 2 },
            decay: [(14, 10), (30, 20), (60, 30)].map(|(days, points)| Decay { days, points }).into(),
            hot_from: 70,
            warm_from: 40,
            custom: Vec::new(),
        }
    }
}

impl Scoring {
    /// Why these cannot be the rules, where a form cannot say it.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        if self.warm_from >= self.hot_from {
            let (portuguese, english) = ("Quente começa acima de morno.", "Hot begins above warm.");
            problems.push(FieldProblem::new("warm_from", "not_below", portuguese, english));
        }
        for (place, rule) in self.custom.iter().enumerate() {
            let at = |field: &str| format!("custom[{place}].{field}");
            let known = |field: &String| {
                FIELDS.contains(&field.as_str()) || field.strip_prefix("custom_fields.").is_some_and(clients::fields::is_key)
            };
            let (portuguese, english) = ("Leads não têm este campo.", "Leads have no such field.");
            if !known(&rule.field) {
                problems.push(FieldProblem::new(at("field"), "unknown_field", portuguese, english));
            }
            if rule.per.as_ref().is_some_and(|per| !known(per)) {
                problems.push(FieldProblem::new(at("per"), "unknown_field", portuguese, english));
            }
            let is_figure = || rule.value.as_deref().is_some_and(|value| value.parse::<f64>().is_ok_and(f64::is_finite));
            let fits = match rule.test {
                CustomTest::IsSet => rule.value.is_none() && rule.per.is_none(),
                CustomTest::Equals | CustomTest::Contains => rule.value.is_some() && rule.per.is_none(),
                CustomTest::Above | CustomTest::Below => is_figure(),
            };
            if !fits {
                let (portuguese, english) =
                    ("Diga o valor que este teste pede.", "Give the value that this test asks for.");
                problems.push(FieldProblem::new(at("value"), "not_together", portuguese, english));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(value: Value) -> Vec<String> {
        let rules = Scoring { custom: vec![serde_json::from_value(value).unwrap()], ..Scoring::default() };
        rules.problems().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn rules_ask_what_leads_have() {
        assert!(Scoring::default().problems().is_empty());
        let above = |field: &str, value: &str| json!({"label": "a", "field": field, "test": "above", "value": value, "points": 5});
        assert!(rule(above("potential_value", "1000")).is_empty());
        assert!(rule(above("custom_fields.alunos", "1.5")).is_empty());
        assert_eq!(rule(above("score", "1")), ["custom[0].field"]);
        assert_eq!(rule(above("potential_value", "muito")), ["custom[0].value"]);
        assert_eq!(rule(above("potential_value", "inf")), ["custom[0].value"]);
        assert_eq!(rule(json!({"label": "a", "field": "job_title", "test": "is_set", "value": "x", "points": 5})), ["custom[0].value"]);
        let swapped = Scoring { warm_from: 70, ..Scoring::default() };
        assert_eq!(swapped.problems().len(), 1);
    }
}
