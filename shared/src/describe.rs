//! What a binary says of itself with `--describe`: `make generate` turns it into `openapi.json` and blocks of `template.yaml`.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    error::{INTERNAL, Problem, RATE_LIMITED, SESSION_REVOKED, TOKEN_EXPIRED, TOKEN_INVALID, UNAVAILABLE},
    events::Catalogue,
    http::{Answer, Api, Privilege, Route},
};

/// Collected from a handler's argument and answer types.
pub struct Description {
    inputs: SchemaGenerator,
    outputs: SchemaGenerator,
    access: &'static str,
    body: Option<Schema>,
    query: Option<Schema>,
    answer: Value,
    events: Value,
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
            access: "",
            body: None,
            query: None,
            answer: Value::Null,
            events: Value::Null,
            idempotent: false,
            failures: vec![INTERNAL, UNAVAILABLE],
        }
    }
}

impl Description {
    pub(crate) fn access(&mut self, name: &'static str, failures: &[Problem]) {
        self.access = name;
        self.failures.extend_from_slice(failures);
        self.failures.push(RATE_LIMITED);
        if !failures.is_empty() && !name.starts_with("signed_by") {
            self.failures.extend([TOKEN_INVALID, TOKEN_EXPIRED, SESSION_REVOKED]);
        }
    }

    pub(crate) fn body<T: JsonSchema>(&mut self) {
        self.body = Some(self.inputs.subschema_for::<T>());
    }

    /// A query's schema is kept inline: each of its properties becomes a parameter.
    pub(crate) fn query<T: JsonSchema>(&mut self) {
        self.query = Some(T::json_schema(&mut self.inputs));
    }

    pub(crate) fn answer<A: Answer>(&mut self) {
        let schema = A::schema(&mut self.outputs);
        self.answer = json!({"status": A::STATUS, "content_type": A::CONTENT_TYPE, "schema": schema});
    }

    pub(crate) fn events(&mut self, lists: &[fn(&mut Catalogue, &mut SchemaGenerator)]) {
        let mut catalogue = Catalogue::default();
        for list in lists {
            list(&mut catalogue, &mut self.outputs);
        }
        self.events = catalogue.into_json();
    }

    /// The description of an HTTP route.
    pub(crate) fn of_route(mut self, name: &str, route: &Route) -> Value {
        self.failures.extend_from_slice(route.failures);
        let mut failures = Map::new();
        for problem in &self.failures {
            let codes = failures.entry(problem.status.to_string()).or_insert_with(|| json!([]));
            let code = json!(problem.code);
            if let Some(codes) = codes.as_array_mut().filter(|codes| !codes.contains(&code)) {
                codes.push(code);
            }
        }
        let api = match route.api() {
            Api::App => "app",
            Api::Widget => "widget",
            Api::Hooks => "hooks",
        };
        let mut schemas = self.inputs.take_definitions(true);
        schemas.extend(self.outputs.take_definitions(true));
        json!({
            "name": name,
            "trigger": "http",
            "api": api,
            "method": route.method,
            "path": route.path,
            "aliases": route.aliases,
            "access": self.access,
            "limit": route.limit.map(|limit| json!({"most": limit.most, "seconds": limit.window.as_secs()})),
            "privilege": privilege(route.privilege),
            "idempotent": self.idempotent,
            "query": self.query,
            "body": self.body,
            "answer": self.answer,
            "failures": failures,
            "events": self.events,
            "schemas": schemas,
        })
    }
}

pub(crate) fn privilege(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::Standard => "standard",
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
