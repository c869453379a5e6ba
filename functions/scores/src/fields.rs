//! What a company keeps of its leads beside what everybody does.

use clients::fields::{ClientField, ClientFields, FieldKind, FieldsRow, KEY};
use shared::{VISIBLE, error::FieldProblem, prelude::*, rule, visible};

/// A field that leads of this company have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadField {
    /// Its name in `custom_fields`.
    #[garde(length(chars, max = 40), custom(well_formed))]
    #[schemars(regex(pattern = KEY))]
    pub key: String,
    /// What people read.
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    pub label: String,
    /// The same for as long as there are leads.
    #[garde(skip)]
    pub kind: FieldKind,
    /// What may be chosen, of a `choice`.
    #[garde(length(max = 100), inner(length(chars, min = 1, max = 80), custom(visible)))]
    #[schemars(inner(regex(pattern = VISIBLE)))]
    #[serde(default)]
    pub options: Vec<String>,
    /// The pipelines whose leads have it; none: all.
    #[garde(length(max = 100))]
    #[serde(default)]
    pub pipeline_ids: Vec<Uuid>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn well_formed(key: &str, (): &()) -> garde::Result {
    if clients::fields::is_key(key) {
        return Ok(());
    }
    Err(rule("pattern", "Use letras minúsculas, algarismos e _.", "Use small letters, digits and _."))
}

/// The company's fields of leads, in the order of forms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct LeadFields {
    pub fields: Vec<LeadField>,
    /// 0 until something is saved.
    pub version: i32,
}

impl Versioned for LeadFields {
    fn version(&self) -> i32 {
        self.version
    }
}

pub const FIELDS: &str = "select fields, kinds, version from lead_fields";

/// The company's fields of leads; none until some are saved.
///
/// # Errors
/// Those of the database.
pub async fn read(transaction: &Transaction) -> Result<LeadFields, Error> {
    let row: Option<FieldsRow> = transaction.first(FIELDS, &[]).await?;
    Ok(row.map_or_else(LeadFields::default, |row| LeadFields::from(&row)))
}

impl From<&FieldsRow> for LeadFields {
    fn from(row: &FieldsRow) -> Self {
        let (fields, version) = row.fields();
        Self { fields: serde_json::from_value(fields.clone()).unwrap_or_default(), version }
    }
}

impl LeadField {
    fn plain(&self) -> ClientField {
        let Self { key, label, kind, options, .. } = self.clone();
        ClientField { key, label, kind, options }
    }
}

/// The same without the pipelines that they are of.
#[must_use]
pub fn plain(fields: &[LeadField]) -> Vec<ClientField> {
    fields.iter().map(LeadField::plain).collect()
}

impl LeadFields {
    /// What is wrong with values of a lead in this pipeline; null takes one away.
    #[must_use]
    pub fn problems(&self, pipeline_id: Uuid, values: &Map<String, Value>) -> Vec<FieldProblem> {
        let of_pipeline = |field: &&LeadField| field.pipeline_ids.is_empty() || field.pipeline_ids.contains(&pipeline_id);
        let fields = self.fields.iter().filter(of_pipeline).map(LeadField::plain).collect();
        ClientFields { fields, version: self.version }.problems(values)
    }
}

/// The company has other fields of leads.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeadFieldsUpdated<'fields> {
    pub fields: &'fields [LeadField],
    pub version: i32,
}

event!(LeadFieldsUpdated<'_> = "lead_fields.updated");
