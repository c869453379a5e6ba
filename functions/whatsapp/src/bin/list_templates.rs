//! GET /whatsapp/templates — the templates of the company's numbers, as they were when they were last fetched, with what goes into each.

use conversations::{Template, TemplateCategory, TemplateRow, TemplateStatus, template_columns};
use shared::prelude::*;

const ROUTE: Route = Route::get("/whatsapp/templates");

#[derive(Debug, Deserialize, Validate, JsonSchema)]
struct TemplateFilters {
    /// A part of the name or of the text, in any case, with or without accents.
    #[garde(length(chars, min = 1, max = 200))]
    search: Option<String>,
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
    /// All but deleted ones without it.
    #[garde(skip)]
    status: Option<TemplateStatus>,
    #[garde(skip)]
    category: Option<TemplateCategory>,
    /// Such as `pt_BR`.
    #[garde(length(chars, min = 2, max = 16))]
    language: Option<String>,
}

const TEMPLATES: TimeList = TimeList {
    rows: "
    select * from message_templates
     where ($1::text is null
            or position(app.fold($1) in app.fold(name || ' ' || replace(name, '_', ' ') || ' '
                                                  || jsonb_path_query_array(components, '$[*].text')::text)) > 0)
       and ($2::uuid is null or channel_account_id = $2)
       and case when $3::text is null then status <> 'deleted' else status = $3 end
       and ($4::text is null or category = $4)
       and ($5::text is null or language = $5)
       and exists (select from channel_accounts where channel_accounts.id = channel_account_id and removed_at is null)",
    at: "message_templates.created_at",
    id: "message_templates.id",
    shown: concat!("select ", template_columns!(), " from page message_templates"),
};

pub fn main() {
    serve(&ROUTE, list_templates);
}

async fn list_templates(context: Context, agent: Staff, asked: List<TemplateFilters>) -> Result<Page<Template>, Error> {
    let TemplateFilters { search, channel_account_id, status, category, language } = &asked.filters;
    let (status, category) = (status.map(TemplateStatus::as_str), category.map(TemplateCategory::as_str));
    let transaction = context.begin(&agent).await?;
    let rows: Vec<TemplateRow> =
        transaction.list(&TEMPLATES, &asked, &[search, channel_account_id, &status, &category, language]).await?;
    let templates = rows.into_iter().map(Template::from).collect();
    Ok(asked.page(templates, |template: &Template| (template.row.created_at, template.row.id)))
}
