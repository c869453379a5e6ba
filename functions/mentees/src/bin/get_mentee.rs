//! GET /mentees/{id} — a mentee with how they stand, and their months as charts want them.

use futures_util::future::join4;
use mentees::{
    evolution::{EVOLUTIONS, EvolutionRow, compared},
    mentee::{MENTEE, Mentee, MenteeStatus, PLACE, Place},
    series::EvolutionSeries,
    standing::{Facts, Standing, Subject},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/mentees/{id}").or(&["/mentorados/{id}"]).fails(&[NOT_FOUND]);

/// Months of the charts.
const MONTHS: i32 = 12;

#[derive(Serialize, JsonSchema)]
struct MenteeDetail {
    #[serde(flatten)]
    mentee: Mentee,
    standing: Standing,
    /// The last twelve months, the present one among them.
    series: EvolutionSeries,
}

pub fn main() {
    serve(&ROUTE, get_mentee);
}

async fn get_mentee(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Json<MenteeDetail>, Error> {
    let transaction = context.begin(&agent).await?;
    let ids = [id];
    let (mentee, place, facts, told) = join4(
        transaction.one::<Mentee>(MENTEE, &[&id]),
        transaction.one::<Place>(PLACE, &[&id]),
        Facts::read(&transaction, Some(&ids), context.now(), None),
        transaction.all::<EvolutionRow>(EVOLUTIONS, &[&id]),
    )
    .await;
    let (mentee, place) = (mentee?, place?);
    let (facts, told) = (facts?.at(context.now(), &place.time_zone), compared(told?, mentee.entry_month));
    let subject = Subject { id, entry: mentee.entry_month, is_active: mentee.status == MenteeStatus::Active };
    let (standing, series) = (facts.standing(&subject), EvolutionSeries::of(&told, facts.current, MONTHS));
    Ok(Json(MenteeDetail { mentee, standing, series }))
}
