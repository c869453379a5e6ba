use std::time::Duration;

use local::template::{Settings, Template};

const TEMPLATE: &str = include_str!("template.yaml");

fn settings() -> Settings {
    Settings {
        parameters: [("PublicApiUrl".to_owned(), "http://api".to_owned())].into(),
        queue_endpoint: "http://127.0.0.1:9".to_owned(),
    }
}

#[test]
fn definitions_are_resolved() {
    let template = Template::parse(TEMPLATE, &settings()).expect("a template");
    let worker = template.functions.iter().find(|function| function.logical_id == "Worker").expect("the worker");
    assert_eq!((worker.binary.as_str(), worker.timeout, worker.memory), ("probe_function", Duration::from_secs(5), 256));
    assert_eq!(worker.environment["API_URL"], "http://api/api");
    assert_eq!(worker.environment["QUEUE_URL"], "http://127.0.0.1:9/123456789012/Jobs.fifo");

    let source = &template.event_sources[0];
    assert_eq!((source.function.as_str(), source.queue.as_str()), ("Worker", "Jobs"));
    assert_eq!((source.batch_size, source.maximum_concurrency, source.report_batch_item_failures), (10, 7, true));
    let jobs = template.queues.iter().find(|queue| queue.logical_id == "Jobs").expect("the queue");
    assert_eq!((jobs.name.as_str(), jobs.visibility_timeout), ("Jobs.fifo", Duration::from_mins(3)));
    assert_eq!(jobs.dead_letter, Some(("JobsDlq".to_owned(), 5)));
    let schedule = &template.schedules[0];
    assert_eq!((schedule.expression.as_str(), schedule.time_zone.as_str()), ("cron(0 3 * * ? *)", "America/Sao_Paulo"));
    assert_eq!(schedule.input, r#"{"job":"nightly"}"#);
    assert_eq!(template.tables[0].properties["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!((template.buckets[0].name.as_str(), template.buckets[0].cors_rules.len()), ("media", 1));

    let api = template.http_apis.iter().find(|api| api.logical_id == "AppApi").expect("the API");
    assert_eq!(api.base_paths, ["", "api", "api/v1"]);
    assert!(api.routes.iter().any(|route| route.method == "POST" && route.path == "/echo/{name}" && route.function == "Echo"));
    let sockets = template.web_socket_api.expect("the WebSocket API");
    assert_eq!((sockets.stage.as_str(), sockets.selector.as_str()), ("dev", "action"));
    assert_eq!(sockets.routes["act"], "Act");
}

#[test]
fn long_forms_and_lists_of_sub_mean_the_same() {
    let text = "
Parameters: {Name: {Type: String, Default: it}, List: {Type: CommaDelimitedList, Default: 'a, b'}}
Resources:
  Queue: {Type: AWS::SQS::Queue}
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/one
      Environment:
        Variables:
          A: {'Fn::Sub': ['${X}-${Name}-${Queue.QueueName}-${!kept}', {X: {Ref: Name}}]}
          B: {'Fn::GetAtt': [Queue, Arn]}
          C: !GetAtt [Queue, QueueName]
          D: !Sub ${AWS::Region}/${AWS::AccountId}
          E: true
          F: 7
          G: !Join [';', !Ref List]
";
    let template = Template::parse(text, &settings()).expect("a template");
    let values: Vec<&str> = template.functions[0].environment.values().map(String::as_str).collect();
    assert_eq!(
        values,
        [
            "it-it-Queue-${kept}",
            "arn:aws:sqs:sa-east-1:123456789012:Queue",
            "Queue",
            "sa-east-1/123456789012",
            "true",
            "7",
            "a;b"
        ]
    );
}

#[test]
fn nested_stacks_are_read_with_what_they_are_given() {
    const ROOT: &str = "
Parameters: {Origins: {Type: CommaDelimitedList, Default: 'https://a,https://b'}}
Resources:
  Jobs: {Type: AWS::SQS::Queue}
  Domain: {Type: AWS::ApiGatewayV2::DomainName}
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: stacks/inner.yaml
      Parameters: {QueueArn: !GetAtt Jobs.Arn, Origins: !Join [',', !Ref Origins], Domain: !Ref Domain, ApiUrl: !Sub 'https://${Domain}/'}
";
    const INNER: &str = "
Parameters: {QueueArn: {Type: String}, Origins: {Type: CommaDelimitedList}, Domain: {Type: String}, ApiUrl: {Type: String}, Kept: {Type: String, Default: 'yes'}}
Resources:
  LeadsApi:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        x-amazon-apigateway-cors: {allowOrigins: !Ref Origins}
        paths: {/: {get: {x-amazon-apigateway-integration: {uri: !Sub '${ListLeads.Arn}/invocations'}}}}
  Mapping: {Type: AWS::ApiGatewayV2::ApiMapping, Properties: {ApiId: !Ref LeadsApi, DomainName: !Ref Domain, Stage: $default, ApiMappingKey: leads}}
  ListLeads:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/list_leads/
      Environment: {Variables: {API: !Ref ApiUrl, KEPT: !Ref Kept}}
      Events: {Queue: {Type: SQS, Properties: {Queue: !Ref QueueArn}}}
";
    let folder = std::env::temp_dir().join(format!("local-nested-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("stacks")).expect("a folder");
    std::fs::write(folder.join("template.yaml"), ROOT).expect("a file");
    std::fs::write(folder.join("stacks/inner.yaml"), INNER).expect("a file");
    let template = Template::read(&folder.join("template.yaml"), &settings()).expect("a template");
    assert_eq!(template.functions[0].binary, "list_leads");
    let values: Vec<&str> = template.functions[0].environment.values().map(String::as_str).collect();
    assert_eq!(values, ["https://Domain/", "yes"]);
    assert_eq!(template.event_sources[0].queue, "Jobs");
    let api = &template.http_apis[0];
    assert_eq!((api.base_paths.as_slice(), api.routes[0].path.as_str()), (["leads".to_owned()].as_slice(), "/"));
    assert_eq!(api.cors.as_ref().map(|cors| cors.allow_origins.len()), Some(2));

    std::fs::remove_file(folder.join("stacks/inner.yaml")).expect("it was there");
    let missing = format!("{:#}", Template::read(&folder.join("template.yaml"), &settings()).expect_err("its stack is missing"));
    assert!(missing.contains("stacks/inner.yaml"), "{missing}");
    std::fs::remove_dir_all(folder).expect("it was there");
}

#[test]
fn what_is_not_served_is_named() {
    let function = |variables: &str| {
        format!(
            "Resources: {{One: {{Type: 'AWS::Serverless::Function', Properties: {{CodeUri: x, Environment: {{Variables: {variables}}}}}}}}}"
        )
    };
    let cases = [
        (function("{A: !Select [0, [a, b]]}"), vec!["resource One", "Environment.Variables", "A", "Fn::Select"]),
        (function("{A: !Join [a, b, c]}"), vec!["resource One", "Environment.Variables", "A", "Fn::Join"]),
        (function("{A: !Ref Nothing}"), vec!["resource One", "Ref Nothing"]),
        (function("!If [a, {}, {}]"), vec!["resource One", "Environment.Variables", "Fn::If"]),
        ("Resources: {One: {Type: 'AWS::Kinesis::Stream'}}".to_owned(), vec!["resource One", "AWS::Kinesis::Stream"]),
        (
            "Resources: {One: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: x, Events: {E: {Type: Api}}}}}"
                .to_owned(),
            vec!["One", "event E", "Api"],
        ),
        (
            "Resources: {Api: {Type: 'AWS::Serverless::HttpApi', Properties: {DefinitionBody: {paths: {/a: {get: {}}}}}}}"
                .to_owned(),
            vec!["resource Api", "/a", "get", "x-amazon-apigateway-integration"],
        ),
        (
            "Parameters: {P: {Type: String}}\nResources: {Q: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Ref P}}}"
                .to_owned(),
            vec!["resource Q", "QueueName", "parameter P"],
        ),
        (
            "Resources: {Api: {Type: 'AWS::Serverless::HttpApi', Properties: {DefinitionBody: {paths: {}}}}}".to_owned(),
            vec!["resource Api", "AWS::ApiGatewayV2::ApiMapping"],
        ),
        (
            "Resources: {One: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: one.yaml}}}".to_owned(),
            vec!["resource One", "TemplateURL"],
        ),
        (
            "Resources: {One: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: x, Events: {E: {Type: SQS, Properties: {Queue: 'arn:q'}}}}}}"
                .to_owned(),
            vec!["resource One", "no such queue q"],
        ),
    ];
    for (text, expected) in cases {
        let message = format!("{:#}", Template::parse(&text, &settings()).expect_err(&text));
        for part in expected {
            assert!(message.contains(part), "{part} is not in {message}");
        }
    }
}
