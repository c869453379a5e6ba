//! The HTTP APIs and the WebSocket API of the template.

use anyhow::{Context as _, Result, bail};
use serde_json::Value as Json;

use super::{
    CorsDefinition, HttpApiDefinition, RouteDefinition, ThrottleDefinition, WebSocketApiDefinition,
    properties::Properties,
    resolve::{function_of_arn, intrinsic},
};

/// What `Ref` of the WebSocket API gives.
pub(super) const WEB_SOCKET_API_ID: &str = "localsocket";

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

const CORS: &str = "DefinitionBody.x-amazon-apigateway-cors";

/// Reads an HTTP API with its routes.
pub(super) fn http_api(properties: &Properties) -> Result<HttpApiDefinition> {
    if properties.get("CorsConfiguration")?.is_some() {
        // SAM puts a parameter's text where the list it stands for belongs.
        bail!("{}: say it in {CORS}", properties.place("CorsConfiguration"));
    }
    let field = |name: &str| format!("{CORS}.{name}");
    let cors = match properties.get(CORS)? {
        Some(Json::Object(_)) => Some(CorsDefinition {
            allow_origins: properties.texts(&field("allowOrigins"))?,
            allow_methods: properties.texts(&field("allowMethods"))?,
            allow_headers: properties.texts(&field("allowHeaders"))?,
            expose_headers: properties.texts(&field("exposeHeaders"))?,
            max_age: properties.whole(&field("maxAge"))?,
            allow_credentials: properties.flag(&field("allowCredentials"))?,
        }),
        _ => None,
    };
    if cors.as_ref().is_some_and(|cors| cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*")) {
        bail!("{}: * is refused together with credentials", properties.place(&field("allowOrigins")));
    }
    let rate = properties.number("DefaultRouteSettings.ThrottlingRateLimit")?;
    let burst = properties.number("DefaultRouteSettings.ThrottlingBurstLimit")?;
    Ok(HttpApiDefinition {
        logical_id: properties.id.to_owned(),
        base_paths: Vec::new(),
        routes: routes(properties)?,
        cors,
        throttle: rate.zip(burst).map(|(rate, burst)| ThrottleDefinition { rate, burst }),
    })
}

/// Reads an `AWS::ApiGatewayV2::ApiMapping`: the logical id of the API and the key under which it answers.
pub(super) fn mapping(properties: &Properties) -> Result<(String, String)> {
    let api = properties.text("ApiId")?.with_context(|| format!("{} is missing", properties.place("ApiId")))?;
    Ok((api, properties.text("ApiMappingKey")?.unwrap_or_default()))
}

/// Tells each API the keys of its mappings.
pub(super) fn apply_mappings(apis: &mut [HttpApiDefinition], mappings: Vec<(String, String)>) -> Result<()> {
    for (id, key) in mappings {
        let api = apis.iter_mut().find(|api| api.logical_id == id);
        api.with_context(|| format!("a mapping with the key {key:?} leads to {id}, which is no HTTP API"))?.base_paths.push(key);
    }
    match apis.iter().find(|api| api.base_paths.is_empty()) {
        Some(api) => bail!("resource {}: no AWS::ApiGatewayV2::ApiMapping leads to it", api.logical_id),
        None => Ok(()),
    }
}

fn routes(properties: &Properties) -> Result<Vec<RouteDefinition>> {
    let paths = properties.raw("DefinitionBody.paths")?.and_then(Json::as_object);
    let paths = paths.with_context(|| format!("{} is missing", properties.place("DefinitionBody.paths")))?;
    let mut routes = Vec::new();
    for (path, item) in paths {
        let place = || properties.place(&format!("DefinitionBody.paths.{path}"));
        let methods = item.as_object().with_context(|| format!("{}: not a map", place()))?;
        if let Some((name, _)) = intrinsic(methods) {
            bail!("{}: {name} is not supported by the local cloud here", place());
        }
        for (key, operation) in methods {
            let method = match key.as_str() {
                "x-amazon-apigateway-any-method" => "ANY".to_owned(),
                method if METHODS.contains(&method) => method.to_uppercase(),
                _ => continue,
            };
            let place = || format!("{}.{key}", place());
            let integration = operation.get("x-amazon-apigateway-integration").and_then(|integration| integration.get("uri"));
            let integration = integration.with_context(|| format!("{}: no x-amazon-apigateway-integration.uri", place()))?;
            let uri = properties.resolver.resolve(integration).with_context(place)?;
            let function = uri.as_str().and_then(function_of_arn);
            let function = function.with_context(|| format!("{}: the uri {uri} names no function", place()))?;
            routes.push(RouteDefinition { method, path: path.clone(), function: function.to_owned() });
        }
    }
    Ok(routes)
}

/// Reads the WebSocket API with its routes.
pub(super) fn web_socket_api(properties: &Properties) -> Result<WebSocketApiDefinition> {
    let expression = properties.text("RouteSelectionExpression")?.unwrap_or_default();
    let selector = expression.strip_prefix("$request.body.").filter(|selector| !selector.contains('.'));
    let selector = selector.with_context(|| {
        format!("{}: the local cloud knows only $request.body.<name>", properties.place("RouteSelectionExpression"))
    })?;
    let routes = properties.raw("Routes")?.and_then(Json::as_object);
    let routes = routes.with_context(|| format!("{} is missing", properties.place("Routes")))?;
    let mut functions = std::collections::BTreeMap::new();
    for (key, route) in routes {
        let place = || properties.place(&format!("Routes.{key}.FunctionArn"));
        let arn = route.get("FunctionArn").with_context(|| format!("{} is missing", place()))?;
        let arn = properties.resolver.resolve(arn).with_context(place)?;
        let function = arn.as_str().and_then(function_of_arn).with_context(|| format!("{}: {arn} is no function", place()))?;
        functions.insert(key.clone(), function.to_owned());
    }
    Ok(WebSocketApiDefinition {
        logical_id: properties.id.to_owned(),
        api_id: WEB_SOCKET_API_ID.to_owned(),
        stage: properties.text("StageName")?.unwrap_or_else(|| "default".to_owned()),
        selector: selector.to_owned(),
        routes: functions,
    })
}
