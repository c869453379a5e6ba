//! A pipeline as lists, answers and events show it.

use leads::Stage;
use shared::prelude::*;

pub const PIPELINE_NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe um funil com este nome.", "A pipeline with this name exists already.");

pub const UNKNOWN_DEPARTMENT: Problem =
    Problem::new(422, "unknown_department", "Departamento não encontrado.", "There is no such department.");

pub const IS_DEFAULT: Problem = Problem::new(
    409,
    "default_pipeline",
    "Leads novos entram por este funil: escolha outro como principal antes.",
    "New leads come in by this pipeline: make another one the first before.",
);

pub const PIPELINE_IN_USE: Problem = Problem::new(
    409,
    "pipeline_in_use",
    "Este funil tem leads. Mova-os para outro funil antes.",
    "This pipeline has leads. Move them to another one first.",
);

/// The columns of `Pipeline`, from a relation named `pipelines`.
macro_rules! pipeline_columns {
    () => {
        "pipelines.id, pipelines.name, pipelines.department_id, pipelines.is_default, pipelines.version, pipelines.created_at,
           pipelines.updated_at,
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'id', stages.id, 'key', stages.key, 'name', stages.name, 'position', stages.position, 'colour', stages.colour,
                       'kind', stages.kind, 'required_fields', stages.required_fields, 'rotting_days', stages.rotting_days,
                       'automations', stages.automations) order by stages.position), '[]')
              from stages
             where stages.company_id = pipelines.company_id and stages.pipeline_id = pipelines.id) as stages"
    };
}

/// One that the caller sees and that is in use.
pub const PIPELINE: &str =
    concat!("select ", pipeline_columns!(), " from pipelines where pipelines.id = $1 and pipelines.archived_at is null");

/// The same, held until the transaction ends, for those who may change it.
pub const LOCKED_PIPELINE: &str = "select from pipelines where id = $1 and archived_at is null for no key update";

/// Those that the caller sees, the company's first one first, then by name.
pub const PIPELINES: &str = concat!(
    "select ",
    pipeline_columns!(),
    " from pipelines where pipelines.archived_at is null order by pipelines.is_default desc, app.look(pipelines.name), pipelines.id"
);

/// A pipeline with its stages.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "PipelineRow")]
pub struct Pipeline {
    pub id: Uuid,
    pub name: String,
    /// Whose it is; null of one that all staff see.
    pub department_id: Option<Uuid>,
    /// Where leads come in that name none.
    pub is_default: bool,
    /// From left to right.
    #[schemars(with = "Vec<Stage>")]
    pub stages: Value,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i32,
}

impl Versioned for Pipeline {
    fn version(&self) -> i32 {
        self.version
    }
}

impl Pipeline {
    /// Who sees it.
    #[must_use]
    pub fn audience(&self) -> Audience {
        self.department_id.map_or_else(Audience::staff, |id| Audience::conversation(Some(id), None))
    }

    /// Tells who sees it.
    pub fn tell<P: EventPayload>(&self, transaction: &Transaction, company_id: Uuid, payload: &P) {
        transaction.emit(Event::new(Topic::Company(company_id), self.audience(), payload));
    }
}

macro_rules! pipeline_events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Serialize, JsonSchema)]
            pub struct $name<'pipeline> {
                pub pipeline: &'pipeline Pipeline,
            }
            event!($name<'_> = $kind);
        )*
    };
}

pipeline_events! {
    /// There is a new pipeline.
    PipelineCreated = "pipeline.created";
    /// Its name, department or stages changed.
    PipelineUpdated = "pipeline.updated";
}

/// A pipeline is in use no more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PipelineDeleted {
    pub pipeline_id: Uuid,
}

event!(PipelineDeleted = "pipeline.deleted");
