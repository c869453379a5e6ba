//! GET /productivity/export — the figures of the team as a file: redirects to a URL that works for five minutes.

use bytes::Bytes;
use clients::export::Sheet;
use jiff::civil::Date;
use presence::{
    panel::{self, Asked},
    period::Grain,
    table,
};
use shared::{
    closed_set,
    files::{REMOVE_UNLESS_KEPT, presigned_download, put},
    parameters,
    prelude::*,
};

const ROUTE: Route = Route::get("/productivity/export").needs(Privilege::Files);

closed_set! {
    /// A text of cells, or a spreadsheet.
    TableFormat { Csv = "csv", Xlsx = "xlsx" }
}

closed_set! {
    /// What is between the cells of a text: a semicolon, as spreadsheets in Brazil read it, or a comma.
    CellSeparator { Semicolon = ";", Comma = "," }
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// `csv` when it is not given.
    #[garde(skip)]
    format: Option<TableFormat>,
    /// `;` when it is not given.
    #[garde(skip)]
    separator: Option<CellSeparator>,
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
    let format = format.unwrap_or(TableFormat::Csv);
    let (mut sheet, mime_type) = match format {
        TableFormat::Csv => {
            (Sheet::csv(separator.unwrap_or(CellSeparator::Semicolon).as_str().as_bytes()[0]), "text/csv; charset=utf-8")
        }
        TableFormat::Xlsx => (Sheet::xlsx()?, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    };
    let transaction = context.begin(&caller).await?;
    let panel = panel::read(&context, &transaction, &Asked { from, to, by }, None, department_id).await?;
    sheet.push(&table::header(panel.locale, &panel.breaks))?;
    for row in table::rows(&panel) {
        sheet.push(&row)?;
    }
    // It is named before it is made, and goes by itself.
    let key = format!("company/{}/export-{}", caller.company_id, context.new_id());
    let name = format!("produtividade-{}-{}.{}", panel.period.from, panel.period.to, format.as_str());
    transaction.defer(REMOVE_UNLESS_KEPT, parameters![key.clone()]);
    transaction.note_access(format!("productivity:{}", panel.people.len()));
    transaction.commit_quietly().await?;
    put(&context, &key, mime_type, Bytes::from(sheet.bytes()?)).await?;
    Ok(Redirect(presigned_download(&context, &key, &name, mime_type, false).await?))
}
