//! What a flow names that is not there, or is not what it says, which only the database knows.

use clients::{
    fields::{ClientField, ClientFields, FieldKind, FieldsRow},
    import::{cell::value, mapping::Target},
};
use conversations::suits;
use shared::{error::Language, prelude::*};
use tokio_postgres::types::Json as Jsonb;

use crate::{
    flow::{
        Flow, Handover, Media, Node, Question, Wanted,
        problems::{BotFlowProblem, Problem},
    },
    saving,
    turn::kind_of,
};

/// Of each list of ids, those that are there, and what else flows go by.
const KNOWN: &str = "
    select array(select id from departments where id = any ($1) and deleted_at is null) as departments,
           (select coalesce(jsonb_agg(jsonb_build_array(id, mime_type)), '[]') from files where id = any ($2) and status = 'ready') as files,
           array(select id from channel_accounts where id = any ($3) and removed_at is null) as channels,
           array(select user_id from memberships where user_id = any ($4) and status = 'active' and role <> 'student') as users,
           array(select stages.id from stages join pipelines on pipelines.company_id = stages.company_id and pipelines.id = stages.pipeline_id
                  where stages.id = any ($5) and pipelines.archived_at is null) as stages,
           array(select id from stages where id = any ($5) and kind = 'open') as open_stages,
           exists (select from company_secrets where name = 'bot') as has_secret,
           coalesce((select fields from client_fields), '[]') as fields, coalesce((select kinds from client_fields), '{}') as kinds,
           coalesce((select version from client_fields), 0) as version";

#[derive(FromRow)]
struct Known {
    departments: Vec<Uuid>,
    #[from_row(from = "Jsonb<Vec<(Uuid, String)>>")]
    files: Files,
    channels: Vec<Uuid>,
    users: Vec<Uuid>,
    stages: Vec<Uuid>,
    open_stages: Vec<Uuid>,
    has_secret: bool,
    #[from_row(flatten)]
    fields: FieldsRow,
}

/// What each file is.
struct Files(Vec<(Uuid, String)>);

impl From<Jsonb<Vec<(Uuid, String)>>> for Files {
    fn from(Jsonb(files): Jsonb<Vec<(Uuid, String)>>) -> Self {
        Self(files)
    }
}

/// Something that is named: by which node, in which field.
type Place<'a, T> = (Option<&'a str>, String, T);

#[derive(Default)]
struct Named<'a> {
    departments: Vec<Place<'a, Uuid>>,
    files: Vec<Place<'a, &'a Media>>,
    channels: Vec<Place<'a, Uuid>>,
    users: Vec<Place<'a, Uuid>>,
    stages: Vec<Place<'a, Uuid>>,
    /// Where new leads come in.
    first_stages: Vec<Place<'a, Uuid>>,
    calls: Vec<&'a str>,
    saved: Vec<(&'a str, &'a str, &'a Question)>,
}

/// What is not as it should be of what a definition names, as it is told.
///
/// # Errors
/// Those of the database.
pub async fn problems(transaction: &Transaction, definition: &Value, language: Language) -> Result<Vec<BotFlowProblem>, Error> {
    let Ok(flow) = Flow::read(definition) else { return Ok(Vec::new()) };
    let named = Named::of(&flow);
    if named.is_nothing() {
        return Ok(Vec::new());
    }
    let ids = |places: &[Place<Uuid>]| -> Vec<Uuid> { places.iter().map(|(.., id)| *id).collect() };
    let files: Vec<Uuid> = named.files.iter().map(|(.., media)| media.file_id).collect();
    let (departments, channels, users) = (ids(&named.departments), ids(&named.channels), ids(&named.users));
    let stages = [ids(&named.stages), ids(&named.first_stages)].concat();
    let known: Known = transaction.one(KNOWN, &[&departments, &files, &channels, &users, &stages]).await?;
    Ok(named.problems(&known).into_iter().map(|problem| problem.told(language)).collect())
}

impl<'a> Named<'a> {
    fn of(flow: &'a Flow) -> Self {
        let mut named = Self::default();
        for (place, trigger) in flow.triggers.iter().enumerate() {
            let at = |field: &str| format!("triggers[{place}].{field}");
            named.channels.extend(trigger.channel_account_id.map(|id| (None, at("channel_account_id"), id)));
            named.departments.extend(trigger.department_id.map(|id| (None, at("department_id"), id)));
        }
        for (key, step) in &flow.nodes {
            let node = Some(key.as_str());
            match &step.node {
                Ok(Node::Handover(Handover { department_id, user_id, .. })) => {
                    named.departments.extend(department_id.map(|id| (node, "department_id".to_owned(), id)));
                    named.users.extend(user_id.map(|id| (node, "user_id".to_owned(), id)));
                }
                Ok(Node::Message { media: Some(media), .. }) => named.files.push((node, "media.file_id".to_owned(), media)),
                Ok(Node::CreateLead { stage_id, .. }) => {
                    named.first_stages.extend(stage_id.map(|id| (node, "stage_id".to_owned(), id)));
                }
                Ok(Node::MoveLead { stage_id, .. }) => named.stages.push((node, "stage_id".to_owned(), *stage_id)),
                Ok(Node::Webhook(_)) => named.calls.push(key),
                Ok(Node::Question(question)) => {
                    named.saved.extend(question.save_as.as_deref().map(|save_as| (key.as_str(), save_as, question)));
                }
                _ => {}
            }
        }
        named
    }

    fn is_nothing(&self) -> bool {
        let Self { departments, files, channels, users, stages, first_stages, calls, saved } = self;
        departments.is_empty()
            && files.is_empty()
            && channels.is_empty()
            && users.is_empty()
            && stages.is_empty()
            && first_stages.is_empty()
            && calls.is_empty()
            && saved.is_empty()
    }

    fn problems(&self, known: &Known) -> Vec<Problem> {
        let missing = |places: &[Place<Uuid>], known: &[Uuid], words: (&str, &str)| -> Vec<Problem> {
            let missing = places.iter().filter(|(.., id)| !known.contains(id));
            missing.map(|(node, field, _)| Problem::new(*node, field.clone(), "not_found", words)).collect()
        };
        let mut problems =
            missing(&self.departments, &known.departments, ("Este setor não existe mais.", "There is no such department."));
        problems.extend(missing(&self.channels, &known.channels, ("Este canal não existe mais.", "There is no such channel.")));
        let words = ("Esta pessoa não trabalha mais aqui.", "There is no such person on the staff.");
        problems.extend(missing(&self.users, &known.users, words));
        let words = ("Esta etapa não existe mais.", "There is no such stage.");
        problems.extend(missing(&self.stages, &known.stages, words));
        let open: Vec<Uuid> = known.open_stages.iter().copied().filter(|id| known.stages.contains(id)).collect();
        let words = ("Leads novos entram por uma etapa aberta.", "New leads come in by an open stage.");
        problems.extend(missing(&self.first_stages, &open, words));
        problems.extend(self.files.iter().filter_map(|(node, field, media)| {
            let words = match known.files.0.iter().find(|(id, _)| *id == media.file_id) {
                None => ("not_found", ("Este arquivo não existe mais.", "There is no such file.")),
                Some((_, mime_type)) if !suits(kind_of(media), mime_type) => {
                    ("wrong_kind", ("O arquivo não é deste tipo.", "The file is not of this kind."))
                }
                Some(_) => return None,
            };
            Some(Problem::new(*node, field.clone(), words.0, words.1))
        }));
        if !known.has_secret {
            let words = (
                "Gere primeiro o segredo com que as chamadas são assinadas.",
                "Have the secret made first that calls are signed with.",
            );
            problems.extend(self.calls.iter().map(|node| Problem::new(Some(node), "url", "no_secret", words)));
        }
        let fields = ClientFields::from(&known.fields);
        problems.extend(self.saved.iter().filter_map(|(node, save_as, question)| {
            let Some(Target::Custom(key)) = saving::place(save_as) else { return None };
            let (code, words) = match fields.fields.iter().find(|field| field.key == key) {
                None => ("unknown_custom_field", ("Esta empresa não tem este campo.", "This company has no such field.")),
                Some(field) if !takes(field, question) => {
                    ("wrong_kind", ("A resposta não é do tipo deste campo.", "The answer is not of this field's kind."))
                }
                Some(_) => return None,
            };
            Some(Problem::new(Some(node), "save_as", code, words))
        }));
        problems
    }
}

/// Whether every answer to a question goes into a field.
fn takes(field: &ClientField, question: &Question) -> bool {
    match field.kind {
        FieldKind::Text => true,
        FieldKind::Number => question.answer == Wanted::Number,
        FieldKind::Date => question.answer == Wanted::Date,
        FieldKind::Boolean | FieldKind::Choice => {
            question.answer == Wanted::Choice && question.choices.iter().all(|choice| value(field, choice).is_ok())
        }
    }
}
