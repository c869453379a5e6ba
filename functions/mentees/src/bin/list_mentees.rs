//! GET /mentees — mentees that the caller sees, with how they stand; those at risk alone, where they are asked for.

use futures_util::future::try_join;
use mentees::{
    mentee::{Mentee, MenteeStatus},
    mentee_columns, mentee_joins,
    standing::{Facts, Standing, Subject},
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/mentees").or(&["/mentorados"]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(skip)]
    status: Option<MenteeStatus>,
    #[garde(skip)]
    mentor_id: Option<Uuid>,
    #[garde(skip)]
    client_id: Option<Uuid>,
    /// A part of the client's name, whatever the accents.
    #[garde(length(chars, max = 100))]
    search: Option<String>,
    /// Only active mentees are at risk.
    #[garde(skip)]
    at_risk: Option<bool>,
}

macro_rules! asked_for {
    () => {
        "select * from mentees
          where ($1::text is null or status = $1) and ($2::uuid is null or mentor_id = $2) and ($3::uuid is null or client_id = $3)
            and ($4::text is null or exists (
                select from clients
                 where clients.company_id = mentees.company_id and clients.id = mentees.client_id
                   and app.spaced($4) <> '' and app.searchable(clients.name) like '%' || app.spaced($4) || '%'))"
    };
}

const MENTEES: TimeList = TimeList {
    rows: asked_for!(),
    at: "mentees.created_at",
    id: "mentees.id",
    shown: concat!("select ", mentee_columns!(), " from page mentees ", mentee_joins!()),
};

/// All of them: who is at risk follows from what is known of each.
const ALL: &str = concat!("with mentees as (", asked_for!(), ") select ", mentee_columns!(), " from mentees ", mentee_joins!());

const TIME_ZONE: &str = "select time_zone from companies";

#[derive(FromRow)]
struct Place {
    time_zone: String,
}

#[derive(Serialize, JsonSchema)]
struct ListedMentee {
    #[serde(flatten)]
    mentee: Mentee,
    standing: Standing,
}

pub fn main() {
    serve(&ROUTE, list_mentees);
}

async fn list_mentees(context: Context, agent: Staff, asked: List<Filters>) -> Result<Page<ListedMentee>, Error> {
    let Filters { status, mentor_id, client_id, search, at_risk } = &asked.filters;
    let status = status.map(MenteeStatus::as_str);
    let search = search.as_ref().filter(|words| !words.trim().is_empty());
    let transaction = context.begin(&agent).await?;
    let place = transaction.one::<Place>(TIME_ZONE, &[]);
    let (mentees, place) = if at_risk.is_some() {
        try_join(transaction.all::<Mentee>(ALL, &[&status, mentor_id, client_id, &search]), place).await?
    } else {
        try_join(transaction.list::<Mentee, _>(&MENTEES, &asked, &[&status, mentor_id, client_id, &search]), place).await?
    };
    let ids: Vec<Uuid> = mentees.iter().map(|mentee| mentee.id).collect();
    let facts = Facts::read(&transaction, Some(&ids), context.now(), None).await?.at(context.now(), &place.time_zone);
    let listed = mentees.into_iter().map(|mentee| {
        let is_active = mentee.status == MenteeStatus::Active;
        let standing = facts.standing(&Subject { id: mentee.id, entry: mentee.entry_month, is_active });
        ListedMentee { mentee, standing }
    });
    let mut rows: Vec<ListedMentee> = match at_risk {
        None => listed.collect(),
        Some(wanted) => listed.filter(|row| row.standing.is_at_risk == *wanted && is_beyond(&asked, place_of(row))).collect(),
    };
    rows.sort_by_key(place_of);
    if matches!(asked.order, Order::Desc) {
        rows.reverse();
    }
    Ok(asked.page(rows, place_of))
}

fn place_of(row: &ListedMentee) -> (Timestamp, Uuid) {
    (row.mentee.created_at, row.mentee.id)
}

/// Whether a row comes after the place at which the page begins.
fn is_beyond(asked: &List<Filters>, place: (Timestamp, Uuid)) -> bool {
    let Some(begin) = asked.at.zip(asked.id) else { return true };
    match asked.order {
        Order::Desc => place < begin,
        Order::Asc => place > begin,
    }
}
