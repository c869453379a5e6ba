//! The templates of the nested stacks: for each area its HTTP APIs with their functions, and one for workers and schedules.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use crate::{
    apis::{AREAS, Api, Area, Visitors},
    environment::{Place, given_to},
    functions::Function,
    names::{check_path, logical_id},
    resources,
};

/// Where their files are, from the root.
pub const FOLDER: &str = "functions/stacks";

const WORKERS: &str = "workers";

/// One nested stack.
pub struct Stack {
    pub name: &'static str,
    /// What the root gives it, by the names of its parameters.
    pub given: Vec<(String, String)>,
    pub text: String,
}

impl Stack {
    pub fn file(name: &str) -> String {
        format!("{FOLDER}/{name}.yaml")
    }

    /// Names of all that there may be.
    pub fn names() -> impl Iterator<Item = &'static str> {
        AREAS.iter().map(|area| area.name).chain([WORKERS])
    }
}

/// The stacks that have functions. `globals` are lines of the root that count for all functions.
pub fn all(functions: &[Function], globals: &[String]) -> Result<Vec<Stack>> {
    let mut stacks = Vec::new();
    for area in &AREAS {
        let served = functions_of(area, functions)?;
        if !served.is_empty() {
            let mut lines = apis(area, &served)?;
            for function in served {
                lines.extend(resources::function(function, Place::Stack)?);
            }
            let about = format!("The HTTP APIs of the area `{}` with their functions.", area.name);
            stacks.push(stack(area.name, &about, globals, lines, BTreeSet::new()));
        }
    }
    let called = functions.iter().filter(|function| function.is("queue") || function.is("schedule"));
    let lines = called.map(|function| resources::function(function, Place::Stack)).collect::<Result<Vec<_>>>()?.concat();
    let queues = functions.iter().filter(|function| function.is("queue")).map(resources::queue_id).collect::<Result<_>>()?;
    if !lines.is_empty() {
        stacks.push(stack(WORKERS, "Workers and schedules.", globals, lines, queues));
    }
    Ok(stacks)
}

fn functions_of<'a>(area: &Area, functions: &'a [Function]) -> Result<Vec<&'a Function>> {
    let mut served = Vec::new();
    for function in functions.iter().filter(|function| function.is("http")) {
        if Api::of(function.text("path")?).area == area {
            served.push(function);
        }
        for (_, path) in function.ways()? {
            check_path(path).with_context(|| format!("the declaration of {}", function.name))?;
            let is_alike = Api::of(path).area == Api::of(function.text("path")?).area;
            ensure!(is_alike, "{path} of {} is in another area than its main path: see the table of apis.rs", function.name);
        }
    }
    Ok(served)
}

fn stack(name: &'static str, about: &str, globals: &[String], resources: Vec<String>, queues: BTreeSet<String>) -> Stack {
    let given = given_to(&[globals, &resources].concat(), &queues);
    let mut lines = vec![
        format!("# {about} Written by `make generate`."),
        "AWSTemplateFormatVersion: '2010-09-09'".to_owned(),
        "Transform: AWS::Serverless-2016-10-31".to_owned(),
        String::new(),
        "Parameters:".to_owned(),
    ];
    for (parameter, _) in &given {
        let kind = if parameter == "AllowedOrigins" { "CommaDelimitedList" } else { "String" };
        lines.push(format!("  {parameter}: {{Type: {kind}}}"));
    }
    lines.push(String::new());
    lines.extend(globals.iter().cloned());
    lines.extend([String::new(), "Resources:".to_owned()]);
    lines.extend(resources.iter().map(|line| format!("  {line}")));
    Stack { name, given, text: lines.join("\n") + "\n" }
}

/// Method, path as its API matches it, and function.
type Served<'a> = (&'a str, &'a str, &'a Function);

/// An HTTP API with its routes.
struct Serving<'a> {
    api: Api,
    routes: Vec<Served<'a>>,
}

fn apis(area: &Area, functions: &[&Function]) -> Result<Vec<String>> {
    let mut served: BTreeMap<String, Serving> = BTreeMap::new();
    for function in functions {
        for (method, path) in function.ways()? {
            let api = Api::of(path);
            let served = served.entry(api.logical_id()).or_insert_with(|| Serving { api, routes: Vec::new() });
            served.routes.push((method, api.route(path), function));
        }
    }
    let mut lines = Vec::new();
    for (id, Serving { api, routes }) in served {
        lines.extend(http_api(&id, area, &routes));
        lines.extend(mappings(&id, api));
        let properties = [
            format!("AlarmDescription: Requests to {id} fail on our side."),
            "Namespace: AWS/ApiGateway".to_owned(),
            "MetricName: 5xx".to_owned(),
            format!("Dimensions: [{{Name: ApiId, Value: !Ref {id}}}]"),
            "Statistic: Sum".to_owned(),
            "Threshold: 5".to_owned(),
        ];
        lines.extend(resources::alarm(&format!("{id}ErrorsAlarm"), &properties));
    }
    Ok(lines)
}

fn http_api(id: &str, area: &Area, routes: &[Served]) -> Vec<String> {
    let (rate, burst) = area.throttle;
    let mut lines = vec![
        format!("{id}:"),
        "  Type: AWS::Serverless::HttpApi".to_owned(),
        "  Properties:".to_owned(),
        "    StageName: $default".to_owned(),
        "    DisableExecuteApiEndpoint: true".to_owned(),
        format!("    DefaultRouteSettings: {{ThrottlingRateLimit: {rate}, ThrottlingBurstLimit: {burst}}}"),
        "    DefinitionBody:".to_owned(),
        "      openapi: 3.0.1".to_owned(),
        format!("      info: {{title: !Sub '${{AWS::StackName}}-{id}', version: '1'}}"),
    ];
    lines.extend(cors(&area.visitors).into_iter().map(|line| format!("      {line}")));
    lines.extend(paths(routes).into_iter().map(|line| format!("      {line}")));
    lines
}

fn cors(visitors: &Visitors) -> Vec<String> {
    let origins = match visitors {
        Visitors::People => "!Ref AllowedOrigins",
        Visitors::Anyone => "['*']",
        Visitors::Machines => return Vec::new(),
    };
    vec![
        // Here and not as CorsConfiguration, where SAM would put the parameter's text in place of the list it stands for.
        "x-amazon-apigateway-cors:".to_owned(),
        format!("  allowOrigins: {origins}"),
        "  allowMethods: [GET, POST, PUT, PATCH, DELETE]".to_owned(),
        "  allowHeaders: [Authorization, Content-Type, Idempotency-Key, If-Match, Accept-Language]".to_owned(),
        "  exposeHeaders: [Balcao-Cursor, Retry-After, Idempotency-Replayed]".to_owned(),
        "  maxAge: 600".to_owned(),
    ]
}

fn paths(routes: &[Served]) -> Vec<String> {
    let mut paths: BTreeMap<&str, BTreeMap<String, &Function>> = BTreeMap::new();
    for (method, path, function) in routes {
        paths.entry(path).or_default().insert(method.to_ascii_lowercase(), function);
    }
    let mut lines = vec!["paths:".to_owned()];
    for (path, methods) in paths {
        lines.push(format!("  {path}:"));
        for (method, function) in methods {
            let id = logical_id(&function.name);
            lines.extend([
                format!("    {method}:"),
                "      responses: {}".to_owned(),
                "      x-amazon-apigateway-integration:".to_owned(),
                "        type: aws_proxy".to_owned(),
                "        httpMethod: POST".to_owned(),
                "        payloadFormatVersion: '2.0'".to_owned(),
                "        credentials: !Ref GatewayInvokeRoleArn".to_owned(),
                format!(
                    "        uri: !Sub arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{id}.Arn}}/invocations"
                ),
            ]);
        }
    }
    lines
}

fn mappings(id: &str, api: Api) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, suffix) in api.keys().into_iter().zip(["", "BelowApi", "BelowApiV1"]) {
        let key = if key.is_empty() { String::new() } else { format!(", ApiMappingKey: {key}") };
        lines.extend([
            format!("{id}Mapping{suffix}:"),
            "  Type: AWS::ApiGatewayV2::ApiMapping".to_owned(),
            format!("  Properties: {{ApiId: !Ref {id}, Stage: !Ref {id}.Stage, DomainName: !Ref ApiDomain{key}}}"),
        ]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(name: &str, method: &str, path: &str, aliases: &[&str]) -> Function {
        let description = json!({"trigger": "http", "access": "staff", "method": method, "path": path, "aliases": aliases});
        Function { name: name.into(), package: "leads".into(), headline: "Does it.".into(), details: None, description }
    }

    fn text(functions: &[Function]) -> String {
        all(functions, &["Globals:".to_owned(), "  Function: {LogGroup: !Ref AppLogGroup}".to_owned()]).unwrap().remove(0).text
    }

    #[test]
    fn paths_lose_the_segment_of_their_api() {
        let text =
            text(&[route("list_leads", "GET", "/leads", &[]), route("get_goal", "GET", "/goals/{id}", &["GET /followup/{id}"])]);
        for part in [
            "  LeadsApi:",
            "        paths:\n          /:\n            get:",
            "ApiMappingKey: api/v1/leads}",
            "  GoalsApi:",
            "          /{id}:",
            "  FollowupApi:",
            "  AppLogGroup: {Type: String}",
            "  LeadsApiErrorsAlarm:",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("  /goals"), "{text}");
    }

    #[test]
    fn an_alias_may_have_a_method_of_its_own() {
        let text = text(&[route("update_lead", "PUT", "/leads/{id}", &["PATCH /leads/{id}"])]);
        let methods: Vec<&str> = text.lines().map(str::trim).filter(|line| ["put:", "patch:"].contains(line)).collect();
        assert_eq!(methods, ["patch:", "put:"], "{text}");
    }

    #[test]
    fn a_function_is_in_one_area() {
        assert!(all(&[route("receive", "POST", "/webhooks/whatsapp", &["POST /whatsapp"])], &[]).is_err());
        let own = route("receive", "POST", "/webhooks/evolution/{token}", &["POST /whatsapp/webhooks/evolution/{token}"]);
        assert!(text(&[own]).contains("  WhatsappWebhooksApi:"));
    }

    #[test]
    fn third_parties_have_no_cors() {
        assert!(!text(&[route("receive", "POST", "/webhooks/whatsapp", &[])]).contains("cors"));
        assert!(text(&[route("get_widget", "GET", "/widget/config", &[])]).contains("allowOrigins: ['*']"));
        assert!(text(&[route("list_leads", "GET", "/leads", &[])]).contains("AllowedOrigins: {Type: CommaDelimitedList}"));
    }
}
