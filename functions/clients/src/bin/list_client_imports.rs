//! GET /clients/imports — imports of clients, newest first, without what their rows say.

use clients::{
    import::kept::{ListedImport, ListedRow},
    listed_import_columns,
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/clients/imports");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// Dry runs alone, or none.
    #[garde(skip)]
    dry_run: Option<bool>,
}

const IMPORTS: TimeList = TimeList {
    rows: "select * from client_imports imports where ($1::boolean is null or is_dry_run = $1)",
    at: "imports.created_at",
    id: "imports.id",
    shown: concat!("select ", listed_import_columns!(), " from page imports"),
};

pub fn main() {
    serve(&ROUTE, list_client_imports);
}

async fn list_client_imports(context: Context, caller: Supervisor, asked: List<Filters>) -> Result<Page<ListedImport>, Error> {
    let transaction = context.begin(&caller).await?;
    let rows: Vec<ListedRow> = transaction.list(&IMPORTS, &asked, &[&asked.filters.dry_run]).await?;
    let imports = rows.into_iter().map(ListedImport::from).collect();
    Ok(asked.page(imports, |import: &ListedImport| (import.created_at, import.id)))
}
