//! GET /productivity/team — figures of people, of their departments and of all, by day, week, month or altogether.

use jiff::civil::Date;
use presence::{
    panel::{self, Asked, Panel, Person},
    period::Grain,
    tally::Tally,
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/productivity/team").fails(&[TOO_MUCH]);

const TOO_MUCH: Problem = Problem::new(
    422,
    "too_many_figures",
    "São figuras demais para uma resposta. Peça menos dias ou um departamento.",
    "These are too many figures for one answer. Ask for fewer days, or for a department.",
);

/// Figures that an answer has room for: a month of two hundred people, and some more.
const MOST: usize = 6_500;

#[derive(Deserialize, Validate, JsonSchema)]
struct TeamAsked {
    /// The first day, where the company is; the last one alone without it.
    #[garde(skip)]
    from: Option<Date>,
    /// The last day; today without it.
    #[garde(skip)]
    to: Option<Date>,
    /// `day` without it.
    #[garde(skip)]
    by: Option<Grain>,
    /// Its members alone.
    #[garde(skip)]
    department_id: Option<Uuid>,
}

#[derive(Serialize, JsonSchema)]
struct TeamProductivity {
    from: Date,
    to: Date,
    /// In which days are cut.
    time_zone: String,
    by: Grain,
    /// By name, then by time. Who is in no more is there for the days on which they left something.
    data: Vec<PersonFigures>,
    /// The members of each department together, then all of `data`. Who is in two departments counts in both.
    departments: Vec<DepartmentFigures>,
}

#[derive(Serialize, JsonSchema)]
struct PersonFigures {
    user_id: Uuid,
    name: String,
    is_active: bool,
    from: Date,
    to: Date,
    #[serde(flatten)]
    figures: Tally,
}

#[derive(Serialize, JsonSchema)]
struct DepartmentFigures {
    /// Null for all.
    department_id: Option<Uuid>,
    name: Option<String>,
    from: Date,
    to: Date,
    #[serde(flatten)]
    figures: Tally,
}

pub fn main() {
    serve(&ROUTE, get_team_productivity);
}

async fn get_team_productivity(
    context: Context,
    caller: Supervisor,
    Query(asked): Query<TeamAsked>,
) -> Result<Json<TeamProductivity>, Error> {
    let TeamAsked { from, to, by, department_id } = asked;
    let transaction = context.begin(&caller).await?;
    let panel = panel::read(&context, &transaction, &Asked { from, to, by }, None, department_id).await?;
    if panel.people.len() * panel.buckets.len() > MOST {
        return Err(TOO_MUCH.into());
    }
    let asked_for = panel.departments.iter().filter(|(id, _)| department_id.is_none_or(|wanted| wanted == *id));
    let mut departments: Vec<DepartmentFigures> = Vec::new();
    for (id, name) in asked_for {
        departments.extend(together(&panel, Some((*id, name)), |person| person.department_ids.contains(id)));
    }
    departments.extend(together(&panel, None, |_| true));
    let (from, to) = (panel.period.from, panel.period.to);
    let mut data = Vec::new();
    for (person, figures) in panel.people.into_iter().zip(panel.figures) {
        data.extend(figures.into_iter().zip(&panel.buckets).map(|(figures, bucket)| PersonFigures {
            user_id: person.user_id,
            name: person.name.clone(),
            is_active: person.is_active,
            from: bucket.from,
            to: bucket.to,
            figures,
        }));
    }
    Ok(Json(TeamProductivity { from, to, time_zone: panel.time_zone, by: by.unwrap_or(Grain::Day), data, departments }))
}

/// The figures of some people, added up.
fn together(panel: &Panel, department: Option<(Uuid, &String)>, is_one: impl Fn(&Person) -> bool) -> Vec<DepartmentFigures> {
    let figures = |place: usize| {
        let people = panel.people.iter().zip(&panel.figures).filter(|(person, _)| is_one(person));
        people.fold(Tally::default(), |sum, (_, of_person)| sum.plus(&of_person[place]))
    };
    let rows = panel.buckets.iter().enumerate().map(|(place, bucket)| DepartmentFigures {
        department_id: department.map(|(id, _)| id),
        name: department.map(|(_, name)| name.clone()),
        from: bucket.from,
        to: bucket.to,
        figures: figures(place),
    });
    rows.collect()
}
