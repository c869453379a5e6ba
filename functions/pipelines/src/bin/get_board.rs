//! GET /pipelines/{id}/board — a pipeline's columns, each with its count, its sum and its first cards.

use futures_util::future::try_join3;
use leads::{Lead, lead_columns, lead_joins};
use pipelines::{PIPELINE, Pipeline};
use shared::{error::NOT_FOUND, money::Money, prelude::*};

const ROUTE: Route = Route::get("/pipelines/{id}/board").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wanted {
    /// Cards of each column.
    #[garde(range(min = 1, max = 50))]
    limit: Option<u32>,
}

/// What stands in each column, as far as the caller sees it.
const COLUMNS: &str = "
    select stage_id, count(*), round(coalesce(sum(potential_value), 0), 2)::text as potential_value
      from leads
     where pipeline_id = $1 and deleted_at is null
     group by stage_id";

const CARDS: &str = concat!(
    "select ",
    lead_columns!(),
    " from stages of_pipeline
     cross join lateral (
          select * from leads
           where leads.company_id = of_pipeline.company_id and leads.stage_id = of_pipeline.id and leads.deleted_at is null
           order by leads.rank
           limit $2) leads ",
    lead_joins!(),
    " where of_pipeline.pipeline_id = $1
      order by of_pipeline.position, leads.rank"
);

#[derive(FromRow)]
struct Sum {
    stage_id: Uuid,
    count: i64,
    potential_value: Money,
}

/// A column of the board.
#[derive(Serialize, JsonSchema)]
struct BoardColumn {
    stage_id: Uuid,
    count: i64,
    /// What they may bring, together.
    potential_value: Money,
    /// The first of them, from the top.
    leads: Vec<Lead>,
    /// What to pass as `after` for the cards below; null where there are none.
    next_rank: Option<String>,
}

/// A pipeline with all its columns.
#[derive(Serialize, JsonSchema)]
struct Board {
    pipeline: Pipeline,
    /// One for each stage, from left to right.
    columns: Vec<BoardColumn>,
}

pub fn main() {
    serve(&ROUTE, get_board);
}

async fn get_board(context: Context, caller: Staff, Path(id): Path<Uuid>, Query(wanted): Query<Wanted>) -> Result<Json<Board>, Error> {
    let limit = i64::from(wanted.limit.unwrap_or(20));
    let transaction = context.begin(&caller).await?;
    let (pipeline, sums, cards): (Pipeline, Vec<Sum>, Vec<Lead>) = try_join3(
        transaction.one(PIPELINE, &[&id]),
        transaction.all(COLUMNS, &[&id]),
        transaction.all(CARDS, &[&id, &limit]),
    )
    .await?;
    let stages = pipeline.stages.as_array().cloned().unwrap_or_default();
    let ids = stages.iter().filter_map(|stage| stage["id"].as_str()?.parse::<Uuid>().ok());
    let column = |stage_id: Uuid| {
        let sum = sums.iter().find(|sum| sum.stage_id == stage_id);
        let leads: Vec<Lead> = cards.iter().filter(|lead| lead.stage_id() == stage_id).cloned().collect();
        let count = sum.map_or(0, |sum| sum.count);
        let has_more = usize::try_from(count).is_ok_and(|count| count > leads.len());
        let next_rank = leads.last().filter(|_| has_more).map(|lead| lead.rank.clone());
        BoardColumn { stage_id, count, potential_value: sum.map_or(Money::default(), |sum| sum.potential_value), leads, next_rank }
    };
    let columns = ids.map(column).collect();
    Ok(Json(Board { pipeline, columns }))
}
