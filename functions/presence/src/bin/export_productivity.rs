//! GET /productivity/export — the figures of the team as a file: redirects to a URL that works for five minutes.

use clients::export::{ExportFormat, Separator, Sheet, hand_out};
use jiff::civil::Date;
use presence::{
    panel::{self, Asked},
    period::Grain,
    table,
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/productivity/export").needs(Privilege::Files);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// `csv` when it is not given.
    #[garde(skip)]
    format: Option<ExportFormat>,
    /// `;` when it is not given.
    #[garde(skip)]
    separator: Option<Separator>,
    /// As of the panel.
    #[garde(skip)]
    from: Option<Date>,
    #[garde(skip)]
    to: Option<Date>,
    #[garde(skip)]
    by: Option<Grain>,
    #[garde(skip)]
    department_id: Option<Uuid>,
}

pub fn main() {
    serve(&ROUTE, export_productivity);
}

async fn export_productivity(
    context: Context,
    caller: SteppedUp<Supervisor>,
    Query(wish): Query<Wish>,
) -> Result<Redirect, Error> {
    let Wish { format, separator, from, to, by, department_id } = wish;
    let format = format.unwrap_or(ExportFormat::Csv);
    let mut sheet = Sheet::of(format, separator)?;
    let transaction = context.begin(&caller).await?;
    let panel = panel::read(&context, &transaction, &Asked { from, to, by }, None, department_id).await?;
    sheet.push(&table::header(panel.locale, &panel.breaks))?;
    for row in table::rows(&panel) {
        sheet.push(&row)?;
    }
    let name = format!("produtividade-{}-{}", panel.period.from, panel.period.to);
    let what = format!("productivity:{}", panel.people.len());
    hand_out(&context, transaction, caller.company_id, (sheet, format), (name, what)).await
}
