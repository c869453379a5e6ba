//! One name everywhere: binaries, functions of the template, operations of `openapi.json`, sample events.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use serde_json::Value;
use tests::{Stack, company::text, openapi::Operation};

use super::sample;

/// Routes that ask for no token. A route that is not here must not be public; the list may only get shorter.
const PUBLIC: [(&str, &str); 20] = [
    ("GET", "/followups/unsubscribe/{token}"),
    ("POST", "/followups/unsubscribe/{token}"),
    ("GET", "/team/accept-invite/{token}"),
    ("POST", "/team/accept-invite/{token}"),
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("GET", "/webhooks/whatsapp"),
    ("POST", "/auth/login"),
    ("POST", "/auth/login/verify"),
    ("POST", "/auth/password/forgot"),
    ("POST", "/auth/password/reset"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/refresh-token"),
    ("POST", "/auth/register"),
    ("POST", "/webhooks/botconversa/{token}"),
    ("POST", "/webhooks/crm/{token}"),
    ("POST", "/webhooks/evolution/{token}"),
    ("POST", "/webhooks/whatsapp"),
    ("POST", "/whatsapp/webhooks/evolution"),
    ("POST", "/whatsapp/webhooks/evolution/{token}"),
];

/// Names of the binaries: `functions/<domain>/src/bin/<name>.rs`.
pub fn binaries() -> BTreeSet<String> {
    let domains = std::fs::read_dir("functions").expect("the folder of the functions");
    let folders = domains.filter_map(Result::ok).filter_map(|domain| std::fs::read_dir(domain.path().join("src/bin")).ok());
    let files = folders.flatten().filter_map(Result::ok);
    files.filter_map(|file| file.file_name().into_string().ok()?.strip_suffix(".rs").map(str::to_owned)).collect()
}

/// The program, beside the tests' own, that is a function when called by its name: that of its domain.
pub fn program_of(function: &str) -> PathBuf {
    let domains = std::fs::read_dir("functions").expect("the folder of the functions").filter_map(Result::ok);
    let mut domains = domains.filter(|domain| domain.path().join(format!("src/bin/{function}.rs")).exists());
    let domain = domains.next().unwrap_or_else(|| panic!("no domain has {function}"));
    std::env::current_exe().expect("this program").with_file_name(domain.file_name())
}

/// The lines of the template, then those of the nested stacks.
fn templates() -> Vec<String> {
    let stacks = std::fs::read_dir("functions/stacks").expect("the folder of the stacks").filter_map(Result::ok);
    let files = std::iter::once("template.yaml".into()).chain(stacks.map(|file| file.path()));
    let texts = files.map(|file| std::fs::read_to_string(file).expect("a template"));
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Binaries of the templates' functions by logical id.
fn template_functions() -> BTreeMap<String, String> {
    let mut functions = BTreeMap::new();
    let mut resource = String::new();
    for line in templates() {
        let is_resource = line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        if is_resource {
            line.trim().trim_end_matches(':').clone_into(&mut resource);
        }
        if let Some((_, folder)) = line.trim().strip_prefix("CodeUri: ").and_then(|code| code.split_once("target/lambda/")) {
            functions.insert(resource.clone(), folder.trim_end_matches('/').to_owned());
        }
    }
    functions
}

pub async fn binaries_are_the_functions_of_the_template(_: Arc<Stack>) {
    let functions = template_functions();
    assert_eq!(functions.values().cloned().collect::<BTreeSet<_>>(), binaries());
    for (logical_id, binary) in &functions {
        assert_eq!(*logical_id, sample::logical_id(binary));
    }
}

pub async fn every_function_has_a_sample_event(_: Arc<Stack>) {
    let files = std::fs::read_dir("events").expect("the folder of the samples").filter_map(Result::ok);
    let names = files.filter_map(|file| file.file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned));
    assert_eq!(names.collect::<BTreeSet<_>>(), binaries());
}

pub async fn operations_are_the_functions_with_a_route(stack: Arc<Stack>) {
    let with_route = binaries().into_iter().filter(|name| sample::read(name)["version"] == "2.0");
    assert_eq!(stack.openapi.operation_ids().into_iter().collect::<BTreeSet<_>>(), with_route.collect());
}

pub async fn samples_are_for_the_route_of_their_function(stack: Arc<Stack>) {
    for operation in stack.openapi.every_operation().into_iter().filter(|operation| operation.alias_of.is_none()) {
        let event = sample::read(&operation.id);
        assert_eq!(text(&event["routeKey"]), format!("{} {}", operation.method, operation.path));
        assert_eq!(event["requestContext"]["http"]["method"], operation.method.as_str(), "{}", operation.id);
        let parameters: Vec<&str> =
            event["pathParameters"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let named: Vec<&str> = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(parameters, named, "{}", operation.id);
    }
}

pub async fn the_list_of_public_routes_only_shrinks(stack: Arc<Stack>) {
    let operations = stack.openapi.every_operation().into_iter().filter(Operation::asks_for_no_token);
    let public: BTreeSet<(String, String)> = operations.map(|operation| (operation.method, operation.path)).collect();
    let allowed = PUBLIC.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    let surplus: Vec<_> = public.difference(&allowed).collect();
    assert!(surplus.is_empty(), "these routes ask for no token: {surplus:?}");
}

/// Several HTTP APIs share the domain; what their mappings do not lead to is answered by none of them.
pub async fn every_route_is_reached_below_every_prefix(stack: Arc<Stack>) {
    let id = uuid::Uuid::nil().to_string();
    for operation in stack.openapi.every_operation() {
        let segments = operation.path.split('/').map(|part| if part.starts_with('{') { id.as_str() } else { part });
        let path = segments.collect::<Vec<_>>().join("/");
        for prefix in ["", "/api", "/api/v1"] {
            let url = format!("{}{prefix}{path}", stack.addresses.api);
            let request =
                stack.http.request(operation.method.parse().expect("a method"), url).header("x-forwarded-for", "198.51.100.77");
            let answer = request.send().await.expect("an answer").text().await.expect("a text");
            assert_ne!(answer, r#"{"message":"Not Found"}"#, "{} {prefix}{path}", operation.method);
        }
    }
}

/// The lines of one resource.
fn resource(name: &str) -> String {
    let lines = templates().into_iter().skip_while(|line| *line != format!("  {name}:")).skip(1);
    lines.take_while(|line| line.is_empty() || line.starts_with("   ")).collect::<Vec<_>>().join("\n")
}

/// A form can do what whoever signs it can.
pub async fn forms_are_signed_by_who_can_write_uploads_only(_: Arc<Stack>) {
    assert!(resource("CreateUploadUrl").contains("Role: !Ref HttpUploadsRoleArn"));
    assert!(resource("HttpUploadsRole").contains("[!Ref BasicPolicy, !Ref SocketPolicy, !Ref SendPolicy, !Ref UploadsPolicy]"));
    let policy = resource("UploadsPolicy");
    let rights: Vec<&str> =
        policy.lines().map(str::trim).filter(|line| line.contains("s3:") || line.contains("Bucket")).collect();
    assert_eq!(rights, ["Action: s3:PutObject", "Resource: !Sub ${FilesBucket.Arn}/upload/*"]);
    let mut binaries: Vec<String> = template_functions().into_values().collect();
    binaries.retain(|binary| resource(&sample::logical_id(binary)).contains("UploadsRole"));
    assert_eq!(binaries, ["create_upload_url"]);
}

pub async fn openapi_is_what_the_api_answers_with(stack: Arc<Stack>) {
    let file: Value = serde_json::from_str(&std::fs::read_to_string("openapi.json").expect("openapi.json")).expect("JSON");
    assert_eq!(stack.api().get("/openapi.json").await.expect(200), file);
}

pub async fn the_schema_file_is_what_the_migrations_make(stack: Arc<Stack>) {
    let binaries = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned())).expect("a folder");
    let check = tokio::process::Command::new(binaries.join("local"))
        .args(["schema", "--check", "--directory"])
        .arg(stack.directory.join("schema-check"))
        .output();
    let output = check.await.expect("the local cloud's program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
