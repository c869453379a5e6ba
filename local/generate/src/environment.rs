//! What a function's environment holds, and what the root template gives to the stacks nested in it.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::functions::Function;

/// Where a line of a template stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Root,
    /// Below the root, which gives it what it refers to as parameters.
    Stack,
}

/// Everything a stack may be given: the parameter's name, and what the root gives for it.
const GIVEN: [(&str, &str); 32] = [
    ("AddressRequestsPerMinute", "!Ref AddressRequestsPerMinute"),
    ("AlarmTopic", "!Ref AlarmTopic"),
    ("AllowedOrigins", "!Join [',', !Ref AllowedOrigins]"),
    ("ApiDomain", "!Ref HttpDomain"),
    ("AppLogGroup", "!Ref AppLogGroup"),
    ("BotConversaUrl", "!Ref BotConversaUrl"),
    ("ConnectionsTable", "!Ref ConnectionsTable"),
    ("DefaultCompany", "!Ref DefaultCompany"),
    ("FilesBucket", "!Ref FilesBucket"),
    ("FrontEndUrl", "!Ref FrontEndUrl"),
    ("GatewayInvokeRoleArn", "!GetAtt GatewayInvokeRole.Arn"),
    ("HttpFilesRoleArn", "!GetAtt HttpFilesRole.Arn"),
    ("HttpRoleArn", "!GetAtt HttpRole.Arn"),
    ("HttpUploadsRoleArn", "!GetAtt HttpUploadsRole.Arn"),
    ("HubSpotUrl", "!Ref HubSpotUrl"),
    ("LimitsTable", "!Ref LimitsTable"),
    ("PipedriveUrl", "!Ref PipedriveUrl"),
    ("PublicApiUrl", "!Ref PublicApiUrl"),
    ("PublicWebSocketUrl", "!Ref PublicWebSocketUrl"),
    ("QueuesUrl", "!Sub https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/${AWS::StackName}-"),
    ("ReachableInside", "!Ref ReachableInside"),
    ("SchedulerRoleArn", "!GetAtt SchedulerRole.Arn"),
    ("SettingsParam", "!Ref SettingsParam"),
    ("SocketRoleArn", "!GetAtt SocketRole.Arn"),
    ("UnknownOutcomeSeconds", "!Ref UnknownOutcomeSeconds"),
    ("UserRequestsPerMinute", "!Ref UserRequestsPerMinute"),
    ("VirusScanUrl", "!Ref VirusScanUrl"),
    ("WebSocketManagementUrl", "!Sub https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${StageName}"),
    ("WhatsAppGraphUrl", "!Ref WhatsAppGraphUrl"),
    ("WhatsAppGraphVersion", "!Ref WhatsAppGraphVersion"),
    ("WorkerFilesRoleArn", "!GetAtt WorkerFilesRole.Arn"),
    ("WorkerRoleArn", "!GetAtt WorkerRole.Arn"),
];

/// Every variable and the name of what is given for it.
const VARIABLES: [(&str, &str); 20] = [
    ("ADDRESS_REQUESTS_PER_MINUTE", "AddressRequestsPerMinute"),
    ("BOTCONVERSA_URL", "BotConversaUrl"),
    ("CONNECTIONS_TABLE", "ConnectionsTable"),
    ("DEFAULT_COMPANY", "DefaultCompany"),
    ("FILES_BUCKET", "FilesBucket"),
    ("FRONT_END_URL", "FrontEndUrl"),
    ("HUBSPOT_URL", "HubSpotUrl"),
    ("LIMITS_TABLE", "LimitsTable"),
    ("PIPEDRIVE_URL", "PipedriveUrl"),
    ("PUBLIC_API_URL", "PublicApiUrl"),
    ("QUEUES_URL", "QueuesUrl"),
    ("REACHABLE_INSIDE", "ReachableInside"),
    ("SETTINGS_PARAM", "SettingsParam"),
    ("UNKNOWN_OUTCOME_SECONDS", "UnknownOutcomeSeconds"),
    ("USER_REQUESTS_PER_MINUTE", "UserRequestsPerMinute"),
    ("VIRUS_SCAN_URL", "VirusScanUrl"),
    ("WEBSOCKET_MANAGEMENT_URL", "WebSocketManagementUrl"),
    ("WEBSOCKET_URL", "PublicWebSocketUrl"),
    ("WHATSAPP_GRAPH_URL", "WhatsAppGraphUrl"),
    ("WHATSAPP_GRAPH_VERSION", "WhatsAppGraphVersion"),
];

impl Place {
    /// What stands for something given, where it is to be used.
    pub fn value(self, name: &str) -> Result<String> {
        let (_, value) = GIVEN.iter().find(|(known, _)| *known == name).with_context(|| format!("the root has no {name}"))?;
        Ok(if self == Self::Root { (*value).to_owned() } else { format!("!Ref {name}") })
    }

    /// The folder of the built functions, as seen from the template's.
    pub fn code(self) -> &'static str {
        if self == Self::Root { "target/lambda" } else { "../../target/lambda" }
    }
}

/// What the root gives to a stack for the parameters that `lines` refer to, by their names.
pub fn given_to(lines: &[String], queues: &BTreeSet<String>) -> Vec<(String, String)> {
    let queues = queues.iter().map(|queue| (format!("{queue}Arn"), format!("!GetAtt {queue}.Arn")));
    let given = GIVEN.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut used: Vec<_> = given.chain(queues).filter(|(name, _)| lines.iter().any(|line| refers(line, name))).collect();
    used.sort();
    used
}

fn refers(line: &str, name: &str) -> bool {
    line.split("!Ref ").skip(1).any(|rest| rest.split([',', '}', ']', ' ']).next() == Some(name))
}

/// The variables of a function's environment, in order: what its kind of function reads, and what it says it reads besides.
pub fn variables(function: &Function) -> Result<Vec<(&'static str, &'static str)>> {
    let trigger = function.text("trigger")?;
    let uses = function.text("uses").unwrap_or("database");
    let mut names: BTreeSet<&str> = BTreeSet::new();
    if uses != "nothing" {
        names.insert("SETTINGS_PARAM");
    }
    if uses == "database" {
        // Every transaction may have events for sockets, and jobs.
        names.extend(["CONNECTIONS_TABLE", "QUEUES_URL", "WEBSOCKET_MANAGEMENT_URL"]);
    }
    match trigger {
        "http" => {
            names.insert("LIMITS_TABLE");
            match function.text("access")? {
                "anyone" => names.insert("ADDRESS_REQUESTS_PER_MINUTE"),
                access if access.starts_with("signed_by") => false,
                _ => names.insert("USER_REQUESTS_PER_MINUTE"),
            };
        }
        "websocket" => names.extend(["CONNECTIONS_TABLE", "LIMITS_TABLE", "WEBSOCKET_MANAGEMENT_URL"]),
        _ => {}
    }
    if matches!(function.text("privilege"), Ok("files" | "uploads")) {
        names.insert("FILES_BUCKET");
    }
    names.extend(function.description["reads"].as_array().into_iter().flatten().filter_map(|name| name.as_str()));
    let known = |name: &str| VARIABLES.iter().find(|(variable, _)| *variable == name).copied();
    let found = names
        .into_iter()
        .map(|name| known(name).with_context(|| format!("{} reads {name}, which no template sets", function.name)));
    found.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn names(description: Value) -> Result<Vec<&'static str>> {
        let function = Function { name: "x".into(), package: "x".into(), headline: String::new(), details: None, description };
        Ok(variables(&function)?.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn a_function_has_only_what_it_reads() {
        let open = json!({"trigger": "http", "access": "anyone", "uses": "nothing", "privilege": "standard", "reads": []});
        assert_eq!(names(open).unwrap(), ["ADDRESS_REQUESTS_PER_MINUTE", "LIMITS_TABLE"]);
        let route =
            json!({"trigger": "http", "access": "staff", "uses": "database", "privilege": "files", "reads": ["PUBLIC_API_URL"]});
        let wanted = [
            "CONNECTIONS_TABLE",
            "FILES_BUCKET",
            "LIMITS_TABLE",
            "PUBLIC_API_URL",
            "QUEUES_URL",
            "SETTINGS_PARAM",
            "USER_REQUESTS_PER_MINUTE",
            "WEBSOCKET_MANAGEMENT_URL",
        ];
        assert_eq!(names(route).unwrap(), wanted);
        let worker = json!({"trigger": "queue", "queue": "bot", "privilege": "standard", "reads": ["NOBODY_SETS"]});
        assert!(names(worker).is_err());
    }

    #[test]
    fn every_variable_is_given_by_the_root() {
        for (_, name) in VARIABLES {
            assert!(Place::Stack.value(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_stack_is_given_what_it_refers_to() {
        let lines = ["Properties: {Role: !Ref HttpRoleArn, Queue: !Ref BotQueueArn}".to_owned(), "A: !Ref ApiDomain".to_owned()];
        let given = given_to(&lines, &["BotQueue".to_owned(), "PushQueue".to_owned()].into());
        let names: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ApiDomain", "BotQueueArn", "HttpRoleArn"]);
    }
}
