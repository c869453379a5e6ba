//! What a mentee thinks of the mentoring. An overall of 5 or less tells the mentor and opens a task, which the database does with the row.

use jiff::civil::Date;
use shared::{
    VISIBLE,
    error::{FieldProblem, refuse},
    prelude::*,
    rule, visible,
};
use tokio_postgres::types;

use crate::{
    mentee::{Place, tell},
    month::day_at,
    own_mentee,
};

/// At least an overall, an NPS or a text.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = something_is_said)]
pub struct MenteeFeedbackInput {
    /// 0–10. 5 or less tells the mentor.
    #[garde(range(min = 0, max = 10))]
    pub overall: Option<i16>,
    /// 0–10: how likely they are to recommend it.
    #[garde(range(min = 0, max = 10))]
    pub nps: Option<i16>,
    /// What it is about in particular.
    #[garde(length(max = 20), dive)]
    #[serde(default)]
    pub areas: Vec<FeedbackArea>,
    #[garde(length(chars, max = 5000), custom(is_something(&self.overall, &self.nps)))]
    pub text: Option<String>,
    /// The day it is of, where the company is; today without it.
    #[garde(skip)]
    pub date: Option<Date>,
}

#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackArea {
    #[garde(length(chars, min = 1, max = 60), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    pub name: String,
    /// 0–10.
    #[garde(range(min = 0, max = 10))]
    pub score: Option<i16>,
}

fn is_something(overall: &Option<i16>, nps: &Option<i16>) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |text, ()| {
        if overall.is_some() || nps.is_some() || text.as_ref().is_some_and(|text| !text.is_empty()) {
            return Ok(());
        }
        let (portuguese, english) = ("Informe uma nota ou um texto.", "Give a score or a text.");
        Err(rule("required", portuguese, english))
    }
}

/// As `is_something` says it, for the description.
fn something_is_said(schema: &mut schemars::Schema) {
    let with =
        |given: &str, what: Value| json!({"title": given, "type": "object", "required": [given], "properties": {given: what}});
    let whole = json!({"type": "integer"});
    schema.insert(
        "anyOf".into(),
        json!([with("overall", whole.clone()), with("nps", whole), with("text", json!({"type": "string", "pattern": r"\S"}))]),
    );
}

#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Feedback {
    pub id: Uuid,
    pub mentee_id: Uuid,
    pub date: Date,
    pub overall: Option<i16>,
    pub nps: Option<i16>,
    #[schemars(with = "Vec<FeedbackArea>")]
    pub areas: types::Json<Vec<FeedbackArea>>,
    pub text: String,
    pub author_id: Uuid,
    pub created_at: Timestamp,
}

/// There is a new feedback to read. Mentees say so themselves, too, so what was said is not in it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MenteeFeedbackAdded {
    pub mentee_id: Uuid,
    pub feedback_id: Uuid,
}
event!(MenteeFeedbackAdded = "mentee_feedback.added");

macro_rules! feedback_columns {
    () => {
        "mentee_feedback.id, mentee_feedback.mentee_id, mentee_feedback.date, mentee_feedback.overall, mentee_feedback.nps,
           mentee_feedback.areas, mentee_feedback.text, mentee_feedback.author_id, mentee_feedback.created_at"
    };
}

/// Of the mentee `$1`.
pub const FEEDBACK: TimeList = TimeList {
    rows: "select * from mentee_feedback where mentee_id = $1",
    at: "mentee_feedback.created_at",
    id: "mentee_feedback.id",
    shown: concat!("select ", feedback_columns!(), " from page mentee_feedback"),
};

/// The latest of the caller's own mentoring.
pub const OWN_FEEDBACK: &str = concat!(
    "select ",
    feedback_columns!(),
    " from mentee_feedback where mentee_id = ",
    own_mentee!(),
    " order by created_at desc, id desc limit 12"
);

const ADD: &str = concat!(
    "insert into mentee_feedback (id, mentee_id, date, overall, nps, areas, text)
     values ($1, $2, $3, $4, $5, $6, coalesce($7, ''))
     returning ",
    feedback_columns!()
);

/// Adds it, tells those who see the mentee, and commits.
///
/// # Errors
/// 422 for a day to come; as `Transaction::query`.
pub async fn add(
    context: &Context,
    transaction: Transaction,
    company_id: Uuid,
    place: &Place,
    input: MenteeFeedbackInput,
) -> Result<Created<Feedback>, Error> {
    let today = day_at(context.now(), &place.time_zone);
    let date = input.date.unwrap_or(today);
    let is_wrong = date > today || date.year() < 2000;
    refuse(is_wrong.then(|| {
        let (portuguese, english) = ("Deve ser hoje ou antes.", "Must be today or before.");
        FieldProblem::new("date", "in_the_future", portuguese, english)
    }))?;
    let MenteeFeedbackInput { overall, nps, areas, text, .. } = input;
    let (id, areas) = (context.new_id(), types::Json(areas));
    let feedback: Feedback = transaction.one(ADD, &[&id, &place.id, &date, &overall, &nps, &areas, &text]).await?;
    tell(&transaction, company_id, place.mentor_id, &MenteeFeedbackAdded { mentee_id: place.id, feedback_id: id });
    transaction.audit(id, &Value::Null, &feedback);
    transaction.commit(Created(feedback)).await
}
