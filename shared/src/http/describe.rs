//! What a binary says of itself with `--describe`: `make generate` turns it into `openapi.json` and templates.

#[doc(hidden)]
pub use linkme;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    Answer, Route,
    names::{self, Way},
    texts,
};
use crate::{
    error::{INTERNAL, Problem, RATE_LIMITED, SESSION_REVOKED, TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_MISSING, UNAVAILABLE},
    events::EventPayload,
    needs::{Privilege, Uses},
};

/// `reads!(DEFAULT_COMPANY);` in a function's file: the template sets these variables for it, beside those of its kind.
#[macro_export]
macro_rules! reads {
    ($($name:ident),+ $(,)?) => {
        #[cfg(debug_assertions)]
        const _: () = {
            #[$crate::describe::linkme::distributed_slice($crate::describe::VARIABLES)]
            #[linkme(crate = $crate::describe::linkme)]
            static READS: (&str, &[&str]) = (file!(), &[$(stringify!($name)),+]);
        };
    };
}

/// Adds one type of event to what a binary describes.
pub type DescribeEvent = fn(&mut Events<'_>);

/// Every type of event that the code of this binary declares with `event!`.
#[linkme::distributed_slice]
pub static EVENTS: [DescribeEvent];

/// `event!(TagCreated = "tag.created");` makes a struct the payload of a type of event, listed in `x-events` of `openapi.json`.
#[macro_export]
macro_rules! event {
    ($payload:ty = $type:expr) => {
        impl $crate::events::EventPayload for $payload {
            const TYPE: &'static str = $type;
        }

        #[cfg(debug_assertions)]
        const _: () = {
            #[$crate::describe::linkme::distributed_slice($crate::describe::EVENTS)]
            #[linkme(crate = $crate::describe::linkme)]
            static EVENT: $crate::describe::DescribeEvent = |catalogue| catalogue.add::<$payload>();
        };
    };
}

/// Variables of the template, besides those that every function of its kind has, by the file whose function says with `reads!` that it
/// reads them.
#[linkme::distributed_slice]
pub static VARIABLES: [(&'static str, &'static [&'static str])];

/// The schemas of payloads by their event's type.
pub struct Events<'generator> {
    generator: &'generator mut SchemaGenerator,
    schemas: Map<String, Value>,
}

impl Events<'_> {
    pub fn add<P: EventPayload>(&mut self) {
        self.schemas.insert(P::TYPE.to_owned(), json!(self.generator.subschema_for::<P>()));
    }
}

fn events(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut events = Events { generator, schemas: Map::new() };
    for add in EVENTS {
        add(&mut events);
    }
    events.schemas
}

/// The description of a function that is no HTTP route, given what is its own.
pub(crate) fn other(mut own: Value) -> Value {
    let mut outputs = settings().for_serialize().into_generator();
    own["name"] = json!(binary_name());
    own["events"] = json!(events(&mut outputs));
    own["reads"] = json!(variables());
    let mut schemas = outputs.take_definitions(true);
    // As the answers that have them say it.
    schemas.values_mut().for_each(|schema| names::note(schema, Way::Told));
    own["schemas"] = json!(schemas);
    own
}

/// Collected from a handler's argument and answer types.
pub struct Description {
    inputs: SchemaGenerator,
    outputs: SchemaGenerator,
    access: String,
    body: Option<Schema>,
    /// A body that is no JSON, by its media types.
    media: Map<String, Value>,
    query: Option<Schema>,
    path: Vec<Schema>,
    answer: Value,
    pub(crate) idempotent: bool,
    pub(crate) failures: Vec<Problem>,
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into())
}

impl Default for Description {
    fn default() -> Self {
        Self {
            inputs: settings().for_deserialize().into_generator(),
            outputs: settings().for_serialize().into_generator(),
            access: String::new(),
            body: None,
            media: Map::new(),
            query: None,
            path: Vec::new(),
            answer: Value::Null,
            idempotent: false,
            failures: vec![INTERNAL, UNAVAILABLE],
        }
    }
}

impl Description {
    pub(crate) fn access(&mut self, names: &[&'static str], failures: &[Problem]) {
        self.access = names.join(" or ");
        self.failures.extend_from_slice(failures);
        self.failures.push(RATE_LIMITED);
        if failures.contains(&TOKEN_MISSING) {
            self.failures.extend([TOKEN_INVALID, TOKEN_EXPIRED, SESSION_REVOKED]);
        }
    }

    pub(crate) fn body<T: JsonSchema>(&mut self) {
        self.body = Some(self.inputs.subschema_for::<T>());
    }

    /// A query's schema is kept inline: each of its properties becomes a parameter, those of further types too.
    pub(crate) fn query<T: JsonSchema>(&mut self) {
        let schema = T::json_schema(&mut self.inputs);
        let Some(first) = &mut self.query else {
            self.query = Some(schema);
            return;
        };
        for key in ["properties", "required"] {
            match (first.get_mut(key), schema.get(key)) {
                (Some(Value::Object(known)), Some(Value::Object(more))) => known.extend(more.clone()),
                (Some(Value::Array(known)), Some(Value::Array(more))) => known.extend(more.clone()),
                (None, Some(more)) => drop(first.insert(key.to_owned(), more.clone())),
                _ => {}
            }
        }
    }

    /// A file as the part `file` of a form that has the fields of `T` beside it, or as the whole body with these in the query.
    pub(crate) fn file<T: JsonSchema>(&mut self) {
        self.query::<T>();
        let mut form = json!(T::json_schema(&mut self.inputs));
        names::note(&mut form, Way::Taken);
        texts::limit(&mut form);
        form["properties"]["file"] = json!({"type": "string", "format": "binary"});
        form["required"] = json!(["file"]);
        let encoding = json!({"file": {"contentType": "application/octet-stream"}});
        self.media.insert("multipart/form-data".into(), json!({"schema": form, "encoding": encoding}));
        let whole = json!({"schema": {"type": "string", "format": "binary", "minLength": 1}});
        self.media.insert("application/octet-stream".into(), whole);
    }

    /// What each name in braces of the path stands for, in order.
    pub(crate) fn path(&mut self, schemas: Vec<Schema>) {
        self.path = schemas;
    }

    pub(crate) fn answer<A: Answer>(&mut self) {
        let schema = A::schema(&mut self.outputs);
        self.answer = json!({"status": A::STATUS, "also": A::ALSO, "content_type": A::CONTENT_TYPE, "failing": A::FAILING, "schema": schema});
    }

    /// The description of an HTTP route.
    pub(crate) fn of_route(mut self, route: &Route) -> Value {
        self.failures.extend_from_slice(route.failures);
        let mut failures = Map::new();
        let mut currents = Map::new();
        for problem in &self.failures {
            if let Some(describe) = problem.current {
                currents.insert(problem.code.to_owned(), json!(describe(&mut self.outputs)));
            }
            let codes = failures.entry(problem.status.to_string()).or_insert_with(|| json!([]));
            let code = json!(problem.code);
            if let Some(codes) = codes.as_array_mut().filter(|codes| !codes.contains(&code)) {
                codes.push(code);
            }
        }
        let events = events(&mut self.outputs);
        let mut query = json!(self.query);
        names::note(&mut query, Way::Taken);
        texts::limit(&mut query);
        let mut schemas = self.inputs.take_definitions(true);
        schemas.values_mut().for_each(|schema| {
            names::note(schema, Way::Taken);
            texts::limit(schema);
        });
        let mut outputs = self.outputs.take_definitions(true);
        outputs.values_mut().for_each(|schema| names::note(schema, Way::Told));
        schemas.extend(outputs);
        json!({
            "name": binary_name(),
            "trigger": "http",
            "method": route.method,
            "path": route.path,
            "aliases": route.ways().skip(1).map(|(method, path)| format!("{method} {path}")).collect::<Vec<_>>(),
            "access": self.access,
            "limit": route.limit.map(|limit| json!({"most": limit.most, "seconds": limit.window.as_secs()})),
            "privilege": privilege(route.privilege),
            "uses": uses(route.uses),
            "reads": variables(),
            "idempotent": self.idempotent,
            "query": query,
            "body": self.body,
            "media": self.media,
            "answer": self.answer,
            "failures": failures,
            "currents": currents,
            "parameters": self.path,
            "events": events,
            "schemas": schemas,
        })
    }
}

/// Those of this function: a program may be several.
fn variables() -> Vec<&'static str> {
    let name = binary_name();
    let own =
        VARIABLES.iter().filter(|(file, _)| std::path::Path::new(file).file_stem().is_some_and(|stem| stem == name.as_str()));
    own.flat_map(|(_, names)| names.iter().copied()).collect()
}

pub(crate) fn uses(uses: Uses) -> &'static str {
    match uses {
        Uses::Nothing => "nothing",
        Uses::Settings => "settings",
        Uses::Database => "database",
    }
}

pub(crate) fn privilege(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::Standard => "standard",
        Privilege::Uploads => "uploads",
        Privilege::Files => "files",
    }
}

/// The name of this binary, which is the name of its function everywhere.
pub(crate) fn binary_name() -> String {
    let path = std::env::args().next().unwrap_or_default();
    std::path::Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether the process was started only to describe itself.
pub(crate) fn is_asked() -> bool {
    cfg!(debug_assertions) && std::env::args().nth(1).as_deref() == Some("--describe")
}
