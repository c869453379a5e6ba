//! What is said of a sequence, as a new one or in place of what it was.

use shared::{
    VISIBLE,
    calendar::Minute,
    error::{FieldProblem, refuse},
    has_twice,
    prelude::*,
    visible,
};

use crate::{
    criteria::Criteria,
    sequence::{NAME_TAKEN, Sequence, Steps, UNKNOWN_CHANNEL},
    sequence_columns,
    step::{Step, problems},
    window::{DayOfWeek, END, Hours, START},
};

/// Declares a form of what is said of a sequence beside its name and its steps.
macro_rules! sequence_form {
    ($(#[$doc:meta])* $form:ident { $($own:tt)* }) => {
        #[derive(Debug, Deserialize, Validate, JsonSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$doc])*
        pub struct $form {
            $($own)*
            #[garde(length(chars, max = 2000))]
            pub description: Option<String>,
            /// Whether leads are taken in, at once too, and steps run.
            #[garde(skip)]
            pub is_active: Option<bool>,
            #[garde(dive)]
            pub criteria: Option<Criteria>,
            #[garde(skip)]
            pub window_start: Option<Minute>,
            #[garde(skip)]
            pub window_end: Option<Minute>,
            #[garde(length(min = 1, max = 7))]
            #[schemars(length(min = 1, max = 7), extend("uniqueItems" = true))]
            pub weekdays: Option<Vec<DayOfWeek>>,
            #[garde(skip)]
            pub pause_weekends: Option<bool>,
            #[garde(skip)]
            pub pause_holidays: Option<bool>,
            #[garde(range(min = 1, max = 50))]
            pub max_per_day: Option<i32>,
            #[garde(skip)]
            pub channel_account_id: Option<Uuid>,
            /// That more than 500 leads are taken in at once is meant.
            #[garde(skip)]
            #[serde(default)]
            pub confirm: bool,
        }
    };
}

sequence_form! {
    /// A new sequence; what is not given is as it usually is.
    #[schemars(rename = "NewFollowupSequence")]
    NewSequence {
        #[garde(length(chars, min = 1, max = 120), custom(visible))]
        #[schemars(regex(pattern = VISIBLE))]
        pub name: String,
        #[garde(length(min = 1, max = 30), dive)]
        #[schemars(length(min = 1, max = 30))]
        pub steps: Vec<Step>,
    }
}

sequence_form! {
    /// What is said of a sequence; what is not given stays as it is.
    #[derive(Default)]
    #[schemars(rename = "FollowupSequenceChanges")]
    SequenceData {
        #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
        #[schemars(regex(pattern = VISIBLE))]
        pub name: Option<String>,
        #[garde(length(min = 1, max = 30), dive)]
        #[schemars(length(min = 1, max = 30))]
        pub steps: Option<Vec<Step>>,
    }
}

/// All that is said of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub name: String,
    pub description: String,
    pub is_active: bool,
    pub criteria: Criteria,
    pub steps: Steps,
    pub hours: Hours,
    pub max_per_day: i32,
    pub channel_account_id: Option<Uuid>,
}

impl Settings {
    fn usual() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            is_active: false,
            criteria: Criteria::default(),
            steps: Steps(Vec::new()),
            hours: Hours {
                window_start: START,
                window_end: END,
                weekdays: DayOfWeek::ALL.to_vec(),
                pause_weekends: true,
                pause_holidays: true,
            },
            max_per_day: 5,
            channel_account_id: None,
        }
    }

    /// Of a sequence as it is.
    #[must_use]
    pub fn of(sequence: &Sequence) -> Self {
        Self {
            name: sequence.name.clone(),
            description: sequence.description.clone(),
            is_active: sequence.is_active,
            criteria: sequence.criteria.clone(),
            steps: sequence.steps.clone(),
            hours: sequence.hours(),
            max_per_day: sequence.max_per_day,
            channel_account_id: sequence.channel_account_id,
        }
    }

    fn problems(&self) -> Vec<FieldProblem> {
        let mut found = self.hours.problems();
        if has_twice(&self.hours.weekdays) {
            found.push(FieldProblem::new("weekdays", "duplicate", "Cada dia só uma vez.", "Each day only once."));
        }
        if self.hours.window_end > Minute::new(23, 59) {
            found.push(FieldProblem::new("window_end", "too_late", "No máximo 23:59.", "At most 23:59."));
        }
        found.extend(problems(&self.steps.0));
        found
    }
}

impl NewSequence {
    /// What a new one is.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn settings(self) -> Result<Settings, Error> {
        let Self { name, steps, description, is_active, criteria, window_start, window_end, weekdays, .. } = self;
        let Self { pause_weekends, pause_holidays, max_per_day, channel_account_id, confirm, .. } = self;
        let (name, steps) = (Some(name), Some(steps));
        let given = SequenceData {
            name,
            steps,
            description,
            is_active,
            criteria,
            window_start,
            window_end,
            weekdays,
            pause_weekends,
            pause_holidays,
            max_per_day,
            channel_account_id,
            confirm,
        };
        given.over(Settings::usual())
    }
}

impl SequenceData {
    /// What one is from now on.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn over(self, was: Settings) -> Result<Settings, Error> {
        let hours = Hours {
            window_start: self.window_start.unwrap_or(was.hours.window_start),
            window_end: self.window_end.unwrap_or(was.hours.window_end),
            weekdays: self.weekdays.unwrap_or(was.hours.weekdays),
            pause_weekends: self.pause_weekends.unwrap_or(was.hours.pause_weekends),
            pause_holidays: self.pause_holidays.unwrap_or(was.hours.pause_holidays),
        };
        let settings = Settings {
            name: self.name.unwrap_or(was.name),
            description: self.description.unwrap_or(was.description),
            is_active: self.is_active.unwrap_or(was.is_active),
            criteria: self.criteria.unwrap_or(was.criteria),
            steps: self.steps.map_or(was.steps, Steps),
            hours,
            max_per_day: self.max_per_day.unwrap_or(was.max_per_day),
            channel_account_id: self.channel_account_id.or(was.channel_account_id),
        };
        refuse(settings.problems())?;
        Ok(settings)
    }
}

const ADD: &str = concat!(
    "with followup_sequences as (
        insert into followup_sequences (id, name, description, is_active, criteria, steps, window_start, window_end, weekdays, pause_weekends,
                                        pause_holidays, max_per_day, channel_account_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        returning *
    ) select ",
    sequence_columns!(),
    " from followup_sequences"
);

const CHANGE: &str = concat!(
    "with followup_sequences as (
        update followup_sequences
           set name = $2, description = $3, is_active = $4, criteria = $5, steps = $6, window_start = $7, window_end = $8, weekdays = $9,
               pause_weekends = $10, pause_holidays = $11, max_per_day = $12, channel_account_id = $13,
               version = version + 1, updated_at = now()
         where id = $1
        returning *
    ) select ",
    sequence_columns!(),
    " from followup_sequences"
);

/// Writes a sequence, as a new one or in place of what it was.
///
/// # Errors
/// `NAME_TAKEN`, `UNKNOWN_CHANNEL`, and those of the database.
pub async fn write(transaction: &Transaction, id: Uuid, settings: &Settings, is_new: bool) -> Result<Sequence, Error> {
    let Settings { name, description, is_active, criteria, steps, hours, max_per_day, channel_account_id } = settings;
    let (criteria, steps) = (json!(criteria), json!(steps));
    let (start, end) = (hours.window_start.to_string(), hours.window_end.to_string());
    let weekdays: Vec<&str> = hours.weekdays.iter().map(|day| day.as_str()).collect();
    let statement = if is_new { ADD } else { CHANGE };
    transaction
        .one(
            statement,
            &[
                &id,
                name,
                description,
                is_active,
                &criteria,
                &steps,
                &start,
                &end,
                &weekdays,
                &hours.pause_weekends,
                &hours.pause_holidays,
                max_per_day,
                channel_account_id,
            ],
        )
        .await
        .on_constraint("followup_sequences_name", NAME_TAKEN)
        .on_constraint("followup_sequences_channel", UNKNOWN_CHANNEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(said: Value) -> NewSequence {
        serde_json::from_value(said).unwrap()
    }

    fn codes(said: Value) -> Vec<(String, String)> {
        let told = new(said).settings().unwrap_err().to_json(shared::error::Language::default(), "");
        let problems = told["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        problems.iter().map(|problem| (text(&problem["field"]), text(&problem["code"]))).collect()
    }

    #[test]
    fn a_sequence_has_a_name_and_a_step() {
        assert!(serde_json::from_value::<NewSequence>(json!({"name": "x"})).is_err());
        assert!(new(json!({"name": "x", "steps": []})).validate().is_err());
        let step = json!([{"kind": "task"}]);
        let settings = new(json!({"name": "Boas-vindas", "steps": step})).settings().unwrap();
        assert_eq!((settings.hours.window_start, settings.hours.window_end), (START, END));
        let told = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        let wrong =
            json!({"name": "x", "steps": step, "window_start": "18:00", "window_end": "09:00", "weekdays": ["monday", "monday"]});
        assert_eq!(codes(wrong), [told("window_end", "inverted"), told("weekdays", "duplicate")]);
        assert_eq!(codes(json!({"name": "x", "steps": step, "window_end": "24:00"})), [told("window_end", "too_late")]);
    }

    #[test]
    fn what_is_not_given_stays() {
        let was =
            new(json!({"name": "x", "steps": [{"kind": "task"}], "max_per_day": 2, "pause_weekends": false})).settings().unwrap();
        assert_eq!(SequenceData::default().over(was.clone()).unwrap(), was);
        let changed: SequenceData = serde_json::from_value(json!({"description": "y"})).unwrap();
        let changed = changed.over(was.clone()).unwrap();
        assert_eq!(changed, Settings { description: "y".into(), ..was });
    }
}
